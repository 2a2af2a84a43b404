"""Names of the files in a folder that a map is in, each in this one place."""

from __future__ import annotations

from pathlib import Path

MAP = "map.tif"
"""Class codes."""
CONFIDENCE = "confidence.tif"
"""Probability of the class."""
PROBABILITIES = "probabilities.tif"
"""Probability of every class."""
SET_SIZES = "set_sizes.tif"
"""How many classes a pixel may have."""
CLEAR = "clear.tif"
"""The optical image without clouds, of networks that make one."""
REPORT = "report.html"
"""The page on a map."""
CHANGE = "change.tif"
"""Class codes of change."""
CHANGE_PROBABILITY = "change_probability.tif"
"""Probability that a pixel changed."""
CHANGE_RESULT = "change.json"
"""Areas of change, and the maps that were compared."""
CHANGE_PAGE = "change.html"
"""The page on a map of change."""
HEADING = "heading.json"
"""Title, place and author of a report."""
LEGEND = "legend.csv"
"""Codes, names and colours of the classes."""
SCORES = "scores.json"
"""Accuracy against a reference."""
STYLE = "map.qml"
"""Style of the map for QGIS."""
CATEGORIES = "map.tif.aux.xml"
"""Names of the classes for GDAL."""
SUSPICIOUS = "suspicious.tif"
"""Probability that a label is wrong."""

REGION = "region.json"
"""What a region in tiles says of its folder."""


def maps_of(mapped: Path) -> tuple[Path, ...]:
    """The rasters of a map: the file itself, or one for each zone of a region's folder.

    Raises
    ------
    ValueError
        If it is the folder of a region without a map yet.
    """
    if not (mapped / REGION).is_file():
        return (mapped,)
    rasters = tuple(sorted(mapped.glob("map-*.vrt")))
    if not rasters:
        raise ValueError(f"{mapped}: has no map yet; let overcast map finish it first")
    return rasters
