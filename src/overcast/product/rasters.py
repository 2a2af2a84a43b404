"""The files that leave the tool: Cloud Optimized GeoTIFFs, and what lies beside them.

``map.tif`` has class codes, ``confidence.tif`` the probability of the class,
``probabilities.tif`` that of every class and ``set_sizes.tif`` how many it may be;
``clear.tif`` is the optical image without clouds, from networks that make one.
Beside a map lie ``map.tif.aux.xml`` (names and areas, for GDAL), ``map.qml`` (its
looks, for QGIS) and ``legend.csv``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.enums import ColorInterp

from overcast import map_folder
from overcast.accuracy.conformal import ConformalSets
from overcast.errors import writing
from overcast.geo.dataset import open_raster, placed
from overcast.geo.extent import areas_ha
from overcast.geo.legend import Legend, legend_to_csv, parse_legend
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.stack import ImageSource
from overcast.maps.predict import CONFIDENCE_STEPS, PROBABILITY_STEPS
from overcast.maps.stitch import Floats
from overcast.product.attributes import Counts, auxiliary, histogram, statistics
from overcast.product.style import (
    class_style,
    confidence_style,
    set_sizes_style,
    write_style,
)

_BLOCK = 512
_NO_PLACE = "none: the images have no coordinate reference system"
"""Said by a file that can be looked at and scored, and laid over nothing."""
Rows = Iterable[tuple[int, NDArray[Any]]]
"""First row and rows, top down."""


class MapRows(Protocol):
    """A map by rows, as `overcast.maps.predict.RawMap` keeps it in files."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        ...

    @property
    def count(self) -> int:
        """Number of classes whose probabilities were kept; 0 if they were not."""
        ...

    def rows(self, start: int, stop: int) -> tuple[NDArray[np.uint8], Floats]:
        """Class indices and confidence ``[stop - start, W]``."""
        ...

    def probability_rows(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Probabilities ``[K, stop - start, W]`` in steps of 1/254; 255 is no data."""
        ...


def write_map(
    raw: MapRows, grid: GeoBox, legend: Legend, path: Path, tags: Mapping[str, str]
) -> None:
    """Write class codes uint8 with nodata 255, colours, statistics and legend.

    Beside it go its style ``NAME.qml``, ``legend.csv``, and names and areas of the
    classes in ``PATH.aux.xml``, where GDAL and QGIS look for them. Overviews are by
    mode.
    """
    rows = ((y, legend.to_codes(raw.rows(y, end)[0])) for y, end in _bands(raw.shape))
    write_classes(rows, grid, legend, path, tags)
    write_style(path, class_style(legend))
    beside = path.with_name(map_folder.LEGEND)
    beside.write_text(legend_to_csv(legend), encoding="utf-8")


def write_labels(labels: Labels, path: Path, tags: Mapping[str, str]) -> None:
    """Write labels in memory as a class map."""
    codes = labels.legend.to_codes(labels.values)
    write_classes([(0, codes)], labels.grid, labels.legend, path, tags)


def write_confidence(
    raw: MapRows, grid: GeoBox, path: Path, tags: Mapping[str, str]
) -> None:
    """Write confidence, float32 from 0 to 1 with nodata NaN, and its style beside it.

    Overviews are by average.
    """
    rows = ((y, raw.rows(y, end)[1]) for y, end in _bands(raw.shape))

    def describe(dataset: Any) -> None:
        dataset.update_tags(**tags)
        dataset.set_band_description(1, "confidence: probability of the class")

    form = _Form(
        grid, "float32", np.nan, "AVERAGE", describe, step=1 / CONFIDENCE_STEPS
    )
    _write_cog(rows, form, path)
    write_style(path, confidence_style())


def write_probabilities(
    raw: MapRows, grid: GeoBox, legend: Legend, path: Path, tags: Mapping[str, str]
) -> None:
    """Write the probability of every class, a band each, uint8 with nodata 255.

    ``probability = value * scale`` with the scale 1/254 and the offset 0 in the file.
    Overviews are by average.

    Raises
    ------
    ValueError
        If the prediction did not keep them.
    """
    rows = ((y, raw.probability_rows(y, end)) for y, end in _bands(raw.shape))

    def describe(dataset: Any) -> None:
        dataset.update_tags(
            **tags, LEGEND=legend.name, LEGEND_CLASSES=legend_to_csv(legend)
        )
        dataset.scales = [1 / PROBABILITY_STEPS] * len(legend)
        dataset.offsets = [0.0] * len(legend)
        # Else three classes are taken for red, green and blue.
        dataset.colorinterp = [ColorInterp.gray] * len(legend)
        for band, name in enumerate(legend.names, 1):
            dataset.set_band_description(band, name)

    form = _Form(grid, "uint8", UNKNOWN, "AVERAGE", describe, bands=len(legend))
    _write_cog(rows, form, path)


def write_suspicion(
    rows: Rows, grid: GeoBox, path: Path, tags: Mapping[str, str]
) -> None:
    """Write how suspicious labels are; see `write_shares`."""
    write_shares(rows, grid, path, tags, "suspicion: 1 - share of what the label says")


def write_shares(
    rows: Rows, grid: GeoBox, path: Path, tags: Mapping[str, str], what: str
) -> None:
    """Write shares or probabilities, 0 to 1 with NaN where there are none.

    uint8 with nodata 255 and the scale 1/254; given as first row and rows, top down.
    Overviews are by average. `what` is the band's description. Its style goes beside it.
    """

    def steps(values: NDArray[np.float32]) -> NDArray[np.uint8]:
        known = np.isfinite(values)
        rounded = np.rint(np.where(known, values, 0) * PROBABILITY_STEPS)
        return np.where(known, rounded, UNKNOWN).astype(np.uint8)

    def describe(dataset: Any) -> None:
        dataset.update_tags(**tags)
        dataset.scales, dataset.offsets = [1 / PROBABILITY_STEPS], [0.0]
        dataset.set_band_description(1, what)

    form = _Form(grid, "uint8", UNKNOWN, "AVERAGE", describe)
    _write_cog(((y, steps(values)) for y, values in rows), form, path)
    write_style(path, confidence_style())


def write_image(source: ImageSource, path: Path, tags: Mapping[str, str]) -> None:
    """Write an image, float32 in physical units with nodata NaN, to four decimals.

    Overviews are by average.
    """
    names = source.sensor.names

    def rows() -> Rows:
        for y, end in _bands(source.grid.shape.yx):
            yield y, np.round(source.read(source.grid[y:end]).values, 4)

    def describe(dataset: Any) -> None:
        dataset.update_tags(**tags)
        dataset.colorinterp = [ColorInterp.gray] * len(names)
        for band, name in enumerate(names, 1):
            dataset.set_band_description(band, name)

    form = _Form(
        source.grid, "float32", np.nan, "AVERAGE", describe, step=None, bands=len(names)
    )
    _write_cog(rows(), form, path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """What the bands of a file are: ``value = stored * scale + offset`` in `unit`."""

    names: tuple[str, ...]
    dtype: str
    nodata: float
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    overviews: str = "AVERAGE"


def write_bands(
    rows: Rows, grid: GeoBox, bands: Bands, path: Path, tags: Mapping[str, str]
) -> None:
    """Write bands as they are stored, given as first row and rows ``[C, h, W]``."""
    count = len(bands.names)

    def describe(dataset: Any) -> None:
        dataset.update_tags(**tags)
        dataset.colorinterp = [ColorInterp.gray] * count
        dataset.scales = [bands.scale] * count
        dataset.offsets = [bands.offset] * count
        dataset.units = [bands.unit] * count
        for band, name in enumerate(bands.names, 1):
            dataset.set_band_description(band, name)

    form = _Form(
        *(grid, bands.dtype, bands.nodata, bands.overviews, describe),
        step=None,
        bands=count,
    )
    _write_cog(rows, form, path)


def write_set_sizes(probabilities: Path, sets: ConformalSets, path: Path) -> None:
    """Write how many classes a pixel's conformal set holds, uint8 with nodata 255.

    It is made from the file of `write_probabilities`, whose values `sets` must have
    been fitted to. Overviews are by mode. Its style goes beside it.
    """
    with rasterio.open(probabilities) as dataset:
        grid, tags, shape = (
            placed(probabilities, dataset),
            dataset.tags(),
            dataset.shape,
        )

        def sizes(first: int, end: int) -> NDArray[np.uint8]:
            window = rasterio.windows.Window(0, first, shape[1], end - first)
            stored = dataset.read(window=window)
            counts = sets.of(stored / PROBABILITY_STEPS).sum(0)
            return np.where(stored[0] == UNKNOWN, UNKNOWN, counts).astype(np.uint8)

        def describe(made: Any) -> None:
            own_tags = {k: v for k, v in tags.items() if k.startswith("OVERCAST_")}
            made.update_tags(**own_tags, OVERCAST_COVERAGE=f"{sets.coverage:g}")
            made.set_band_description(1, f"classes in the set at {sets.coverage:.0%}")

        rows = ((y, sizes(y, end)) for y, end in _bands(shape))
        _write_cog(rows, _Form(grid, "uint8", UNKNOWN, "MODE", describe), path)
        style = set_sizes_style(dataset.count)
    write_style(path, style)


def written_legend(path: Path) -> Legend:
    """Legend of a map that overcast wrote.

    Raises
    ------
    ValueError
        If the file can't be read, or has no legend.
    """
    tags = open_raster(path).tags()
    text = tags.get("LEGEND_CLASSES")
    if text is None:
        raise ValueError(
            f"{path}: no legend in the file (overcast did not make it); give --legend"
        )
    return parse_legend(text, tags.get("LEGEND", path.stem))


def write_classes(
    rows: Rows, grid: GeoBox, legend: Legend, path: Path, tags: Mapping[str, str]
) -> None:
    """Write class codes given as first row and rows, top down; see `write_map`."""
    colours = {c.code: (*c.rgb, 255) for c in legend.classes}

    def describe(dataset: Any) -> None:
        dataset.update_tags(
            **tags, LEGEND=legend.name, LEGEND_CLASSES=legend_to_csv(legend)
        )
        dataset.set_band_description(1, "land cover")
        dataset.write_colormap(1, {**colours, UNKNOWN: (0, 0, 0, 0)})

    counts = _write_cog(rows, _Form(grid, "uint8", UNKNOWN, "MODE", describe), path)
    (pixel_ha,) = areas_ha(np.array([1]), grid)
    beside = path.with_name(map_folder.auxiliary_of(path.name))
    beside.write_text(auxiliary(legend, counts[0], pixel_ha), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Form:
    """The form of a raster; its values are multiples of `step` from 0 on.

    Without a step they can be any, and no statistics of them are kept.
    """

    grid: GeoBox
    dtype: str
    nodata: float
    overviews: str
    describe: Callable[[Any], None]
    step: float | None = 1
    bands: int = 1

    def create(self, path: Path) -> Any:
        """Open an empty GeoTIFF, described, to be written in blocks."""
        dataset = rasterio.open(
            path,
            "w",
            driver="GTiff",
            count=self.bands,
            dtype=self.dtype,
            nodata=self.nodata,
            width=self.grid.shape[1],
            height=self.grid.shape[0],
            crs=None if self.grid.crs is None else str(self.grid.crs),
            transform=self.grid.affine,
            tiled=True,
            blockxsize=_BLOCK,
            blockysize=_BLOCK,
            interleave="pixel",
            bigtiff="if_safer",
        )
        self.describe(dataset)
        if self.grid.crs is None:
            dataset.update_tags(OVERCAST_PLACE=_NO_PLACE)
        return dataset


def _write_cog(rows: Rows, form: _Form, path: Path) -> list[Counts]:
    """Write a plain file first: a COG has its overviews before the pixels.

    Returns the histogram of every band, or none if values have no step.
    """
    plain, whole = path.with_suffix(".plain.tif"), path.with_suffix(".whole.tif")
    for draft in (plain, whole):
        # One that a kill has cut off: GDAL reads what it replaces, and would refuse it.
        draft.unlink(missing_ok=True)
    try:
        with writing(path):
            counts = _write_plain(rows, form, plain)
            rasterio.shutil.copy(
                plain,
                whole,
                driver="COG",
                blocksize=_BLOCK,
                compress="DEFLATE",
                overview_resampling=form.overviews,
                bigtiff="IF_SAFER",
            )
            whole.replace(path)
    finally:
        plain.unlink(missing_ok=True)
        whole.unlink(missing_ok=True)
    return counts


def _write_plain(rows: Rows, form: _Form, path: Path) -> list[Counts]:
    step, counted = form.step or 1, form.bands if form.step else 0
    counts = [histogram(np.empty(0), step) for _ in range(counted)]
    with form.create(path) as dataset:
        for y, part in rows:
            bands = part[None] if part.ndim == 2 else part
            window = rasterio.windows.Window(0, y, bands.shape[2], bands.shape[1])
            dataset.write(bands, window=window)
            for total, values in zip(counts, bands, strict=False):
                np.add(total, histogram(values, step), out=total)
        pixels = dataset.width * dataset.height
        for band, total in enumerate(counts, 1):
            dataset.update_tags(band, **statistics(total, step, pixels))
    return counts


def _bands(shape: tuple[int, int]) -> Iterable[tuple[int, int]]:
    return ((y, min(y + _BLOCK, shape[0])) for y in range(0, shape[0], _BLOCK))
