"""Pixels on the ground: sensors, legends, rasters, stacks, tilings. No torch here."""
