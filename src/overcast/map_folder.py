"""Names of the files in a folder that a map is in, each in this one place."""

from __future__ import annotations

from pathlib import Path


def style_of(name: str) -> str:
    """Name of the style of a raster for QGIS, which reads it from beside the raster."""
    return f"{name.rpartition('.')[0]}.qml"


def auxiliary_of(name: str) -> str:
    """Name of what GDAL reads beside a raster, such as the names of classes."""
    return f"{name}.aux.xml"


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
STYLE = style_of(MAP)
"""Style of the map for QGIS."""
CATEGORIES = auxiliary_of(MAP)
"""Names of the classes for GDAL."""
SUSPICIOUS = "suspicious.tif"
"""Probability that a label is wrong."""
LABELS = "labels.tif"
"""Labels of a simulated scene, or of the one that a map is looked at with."""
ITEM = "stac-item.json"
"""Its STAC item, and that of a run."""
DATA = "data"
"""Folder beside a map, with what was fetched for it."""
MAP_FILES = (MAP, CONFIDENCE, PROBABILITIES, SET_SIZES, CLEAR, SCORES, REPORT)
"""What a map may consist of, as commands list it."""
BESIDE = (CATEGORIES, STYLE, style_of(CONFIDENCE), style_of(SET_SIZES), LEGEND, ITEM)
"""What other programs read beside those."""
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
