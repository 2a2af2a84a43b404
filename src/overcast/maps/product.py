"""The files that leave the tool: Cloud Optimized GeoTIFFs of classes and confidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.legend import Legend, legend_to_csv
from overcast.geo.raster import UNKNOWN, Labels
from overcast.maps.predict import RawMap

_BLOCK = 512
Rows = Iterable[tuple[int, NDArray[Any]]]


def write_map(
    raw: RawMap, grid: GeoBox, legend: Legend, path: Path, tags: Mapping[str, str]
) -> None:
    """Write class codes uint8 with nodata 255, colours and names.

    Colours are in the file, names in ``PATH.aux.xml`` beside it, where GDAL and QGIS
    look for them. Overviews are by mode.
    """
    rows = ((y, legend.to_codes(raw.rows(y, end)[0])) for y, end in _bands(raw.shape))
    _write_classes(rows, grid, legend, path, tags)


def write_labels(labels: Labels, path: Path, tags: Mapping[str, str]) -> None:
    """Write labels in memory as a class map."""
    codes = labels.legend.to_codes(labels.values)
    _write_classes([(0, codes)], labels.grid, labels.legend, path, tags)


def write_confidence(
    raw: RawMap, grid: GeoBox, path: Path, tags: Mapping[str, str]
) -> None:
    """Write confidence, float32 from 0 to 1 with nodata NaN; overviews by average."""
    profile = {"dtype": "float32", "nodata": np.nan}
    rows = ((y, raw.rows(y, end)[1]) for y, end in _bands(raw.shape))

    def describe(dataset: Any) -> None:
        dataset.update_tags(**tags)
        dataset.set_band_description(1, "confidence: probability of the class")

    _write_cog(rows, (grid, profile), path, describe, "AVERAGE")


def _write_classes(
    rows: Rows, grid: GeoBox, legend: Legend, path: Path, tags: Mapping[str, str]
) -> None:
    colours = {c.code: (*c.rgb, 255) for c in legend.classes}

    def describe(dataset: Any) -> None:
        dataset.update_tags(
            **tags, LEGEND=legend.name, LEGEND_CLASSES=legend_to_csv(legend)
        )
        dataset.set_band_description(1, "land cover")
        dataset.write_colormap(1, {**colours, UNKNOWN: (0, 0, 0, 0)})

    profile = {"dtype": "uint8", "nodata": UNKNOWN}
    _write_cog(rows, (grid, profile), path, describe, "MODE")
    beside = path.with_name(path.name + ".aux.xml")
    beside.write_text(_category_names(legend), encoding="utf-8")


def _write_cog(
    rows: Rows,
    form: tuple[GeoBox, dict[str, Any]],
    path: Path,
    describe: Callable[[Any], None],
    overviews: str,
) -> None:
    """Write a plain file first: a COG has its overviews before the pixels."""
    grid, profile = form
    plain, whole = path.with_suffix(".plain.tif"), path.with_suffix(".whole.tif")
    try:
        with rasterio.open(
            plain,
            "w",
            driver="GTiff",
            count=1,
            width=grid.shape[1],
            height=grid.shape[0],
            crs=str(grid.crs),
            transform=grid.affine,
            tiled=True,
            blockxsize=_BLOCK,
            blockysize=_BLOCK,
            bigtiff="if_safer",
            **profile,
        ) as dataset:
            describe(dataset)
            for y, values in rows:
                window = rasterio.windows.Window(0, y, values.shape[1], len(values))
                dataset.write(values, 1, window=window)
        rasterio.shutil.copy(
            plain,
            whole,
            driver="COG",
            blocksize=_BLOCK,
            compress="DEFLATE",
            overview_resampling=overviews,
            bigtiff="IF_SAFER",
        )
        whole.replace(path)
    finally:
        plain.unlink(missing_ok=True)
        whole.unlink(missing_ok=True)


def _bands(shape: tuple[int, int]) -> Iterable[tuple[int, int]]:
    return ((y, min(y + _BLOCK, shape[0])) for y in range(0, shape[0], _BLOCK))


def _category_names(legend: Legend) -> str:
    """GDAL's auxiliary file: a name for every code from 0 to the largest."""
    names = {c.code: c.name for c in legend.classes}
    lines = "\n".join(
        f"      <Category>{escape(names.get(code, ''))}</Category>"
        for code in range(max(names) + 1)
    )
    return (
        '<PAMDataset>\n  <PAMRasterBand band="1">\n    <CategoryNames>\n'
        f"{lines}\n    </CategoryNames>\n  </PAMRasterBand>\n</PAMDataset>\n"
    )
