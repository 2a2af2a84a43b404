"""What a class raster's values mean, as GDAL and QGIS keep it beside the file.

GDAL reads ``FILE.aux.xml`` (its Persistent Auxiliary Metadata) together with FILE:
category names, and a raster attribute table with a row a class. Statistics come from
a histogram that is counted while a file is written, so they are exact, not sampled.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
from numpy.typing import NDArray

from overcast.geo.categories import add_categories
from overcast.geo.legend import Legend

Counts = NDArray[np.int64]

_BINS = 257
_INTEGER, _REAL, _STRING = 0, 1, 2
"""GDAL's GDALRATFieldType."""
_COLUMNS = (  # name, GDALRATFieldType, GDALRATFieldUsage
    ("Value", _INTEGER, 5),
    ("Count", _REAL, 1),  # GDAL's integers end at 2^31: 215 km square at 10 m
    ("Class", _STRING, 2),
    ("Area_ha", _REAL, 0),
    ("Red", _INTEGER, 6),
    ("Green", _INTEGER, 7),
    ("Blue", _INTEGER, 8),
    ("Alpha", _INTEGER, 9),
)


def histogram(values: NDArray[Any], step: float) -> Counts:
    """Pixels ``[257]`` with each of the values 0, step, 2 step, ... 256 step.

    Values that are not finite, and 255 of uint8, are no data and are not counted.
    """
    if values.dtype == np.uint8:
        counts = np.bincount(values.ravel(), minlength=_BINS)
        counts[255] = 0
        return counts.astype(np.int64)
    known = values[np.isfinite(values)]
    return np.bincount(np.rint(known / step).astype(np.intp), minlength=_BINS)


def statistics(counts: Counts, step: float, pixels: int) -> dict[str, str]:
    """GDAL's statistics of a band from its `histogram`; none if nothing is known."""
    known = int(counts.sum())
    if known == 0:
        return {}
    values = np.arange(len(counts)) * step
    mean = float(counts @ values / known)
    deviation = float(np.sqrt(counts @ (values - mean) ** 2 / known))
    (occurring,) = np.nonzero(counts)
    return {
        "STATISTICS_MINIMUM": f"{values[occurring[0]]:.17g}",
        "STATISTICS_MAXIMUM": f"{values[occurring[-1]]:.17g}",
        "STATISTICS_MEAN": f"{mean:.17g}",
        "STATISTICS_STDDEV": f"{deviation:.17g}",
        "STATISTICS_VALID_PERCENT": f"{100 * known / pixels:.4g}",
    }


def auxiliary(legend: Legend, counts: Counts, pixel_ha: float) -> str:
    """Text of ``FILE.aux.xml``: category names, and the attribute table.

    Parameters
    ----------
    legend
        Classes of the raster.
    counts
        Pixels of every code, ``[255]`` or more.
    pixel_ha
        Area of a pixel in hectares.
    """
    root = Xml.Element("PAMDataset")
    band = Xml.SubElement(root, "PAMRasterBand", band="1")
    add_categories(band, legend)
    table = Xml.SubElement(band, "GDALRasterAttributeTable", tableType="thematic")
    for index, column in enumerate(_COLUMNS):
        field = Xml.SubElement(table, "FieldDefn", index=str(index))
        for tag, value in zip(("Name", "Type", "Usage"), column, strict=True):
            Xml.SubElement(field, tag).text = str(value)
    for index, values in enumerate(_rows(legend, counts, pixel_ha)):
        row = Xml.SubElement(table, "Row", index=str(index))
        for cell in values:
            Xml.SubElement(row, "F").text = str(cell)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode") + "\n"


def _rows(
    legend: Legend, counts: Counts, pixel_ha: float
) -> Iterable[tuple[object, ...]]:
    for c in sorted(legend.classes, key=lambda c: c.code):
        count = int(counts[c.code])
        area = f"{count * pixel_ha:.4f}"
        yield c.code, count, c.name, area, *c.rgb, 255
