"""Pixels on the ground: sensors, legends, rasters, stacks, tilings. No torch here."""

import os

# GDAL keeps blocks in memory up to 5 % of the machine's, so that memory would grow with
# the size of the files. It reads this once, before its first block; in megabytes.
os.environ.setdefault("GDAL_CACHEMAX", "128")
