"""A class map as polygons in a vector file, none below a minimum mapping unit.

Patches that are too small are given to their largest neighbour (sieving), the smallest
ones first, until none is left that has a neighbour large enough. Then the map is
outlined band by band; polygons that touch the edge of a band wait for the next one and
are joined. Pixels lie in files, so memory grows with the number of patches alone.
"""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyogrio.raw
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio import features

from overcast.errors import writing
from overcast.geo.extent import areas_ha, pixel_m
from overcast.geo.label_file import open_labels
from overcast.geo.legend import Legend
from overcast.geo.stack import LabelSource
from overcast.geo.tiling import pieces
from overcast.maps.memory import memory_map
from overcast.product.parquet import ParquetLayer
from overcast.product.rasters import written_legend
from overcast.product.style import polygon_style
from overcast.progress import Progress, quiet

Classes = NDArray[np.uint8]
Patch = tuple[Any, int]
"""A shapely polygon in coordinates of pixels, and its class index plus 1."""

_LAYER = "land_cover"
_BAND = 1024
_BATCH = 10_000


FORMATS = {".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".parquet": "GeoParquet"}
"""Formats by the ending of a file's name; the first two are drivers of GDAL."""


def write_polygons(
    mapped: Path,
    path: Path,
    mmu_ha: float = 0,
    progress: Progress = quiet,
    smooth_m: float = 0,
) -> int:
    """Write a map that overcast made as polygons, with their class and area.

    Every polygon has the fields ``code``, ``name`` and ``area_ha``. The layer carries
    its style for QGIS. Polygons of one class never share an edge; a patch smaller than
    `mmu_ha` hectares stays only where all around it is no data, or smaller still.

    With `smooth_m`, outlines are smoothed by about so many metres; borders that two
    polygons share stay shared. All polygons are in memory then. The name of `path` ends
    in one of `FORMATS`; only a GeoPackage holds a style.

    Returns
    -------
    int
        How many polygons were written.

    Raises
    ------
    ValueError
        If the map is refused, or no pixel of it has a class.
    ModuleNotFoundError
        If GeoParquet is asked for, and pyarrow is not installed.
    """
    legend = written_legend(mapped)
    labels = open_labels(mapped, legend)
    (pixel_ha,) = areas_ha(np.array([1]), labels.grid)
    largest = int(np.prod(labels.grid.shape)) * pixel_ha
    if not 0 <= mmu_ha < largest:
        raise ValueError(
            f"--mmu {mmu_ha:g}: expected 0 or more hectares, and fewer than the map's "
            f"{largest:.6g}"
        )
    size = math.ceil(round(mmu_ha / pixel_ha, 6))
    smooth = smooth_m / pixel_m(labels.grid)
    scratch = path.with_name(f"{path.name}.part{path.suffix}")
    with writing(path), ExitStack() as stack:
        stack.callback(scratch.unlink, missing_ok=True)
        folder = Path(
            stack.enter_context(
                TemporaryDirectory(dir=path.parent, prefix=".overcast-")
            )
        )
        classes = sieved(_on_disk(labels, folder), size, folder, progress)
        layer = _Layer(scratch, legend, labels.grid, pixel_ha)
        patches = outlined(classes, _BAND, progress)
        for patch in smoothed(patches, smooth) if smooth else patches:
            layer.add(patch)
        layer.close()
        scratch.replace(path)
    return layer.written


def _on_disk(labels: LabelSource, folder: Path) -> Classes:
    """Class indices plus 1 in a file; 0 is no data, which GDAL takes for a mask."""
    h, w = (int(n) for n in labels.grid.shape)
    classes = memory_map(folder / "unsieved.raw", np.uint8, (h, w))
    for rows, columns in pieces(labels.grid):
        # 255, unknown, wraps to 0.
        classes[rows] = labels.read(labels.grid[rows, columns]).values + np.uint8(1)
    return classes


def sieved(
    classes: Classes, size: int, folder: Path, progress: Progress = quiet
) -> Classes:
    """Give patches of fewer than `size` pixels to their largest neighbour.

    Parameters
    ----------
    classes
        uint8 ``[H, W]``, 0 where there is no data; it is overwritten.
    size
        Smallest number of pixels, joined by their sides, that stays.
    folder
        Where a file of the same size goes meanwhile.

    Returns
    -------
    NDArray[np.uint8]
        ``[H, W]``; no data is where it was.
    """
    if size < 2:
        return classes
    other = memory_map(folder / "sieved.raw", np.uint8, classes.shape)
    # One pass alone leaves small patches whose neighbours are all small too.
    steps = [2**n for n in range(1, math.ceil(math.log2(size)))]
    for done, step in enumerate(steps):
        progress("sieving", done, len(steps) + 1)
        features.sieve(classes, step, out=other, mask=classes)
        classes, other = other, classes
    while True:
        features.sieve(classes, size, out=other, mask=classes)
        if np.array_equal(classes, other):
            progress("sieving", len(steps) + 1, len(steps) + 1)
            return classes
        classes, other = other, classes


def outlined(
    classes: Classes, band: int = _BAND, progress: Progress = quiet
) -> Iterator[Patch]:
    """Polygons of the patches, in coordinates of pixels (x right, y down).

    Rows are taken `band` at a time. What comes does not depend on `band` but for its
    order.
    """
    height, width = classes.shape
    waiting: list[Patch] = []
    for top in range(0, height, band):
        end = min(top + band, height)
        values = np.ascontiguousarray(classes[top:end])
        shift = Affine.translation(0, top)
        outlines = features.shapes(values, mask=values > 0, transform=shift)
        patches = [(_polygon(shape), int(value)) for shape, value in outlines]
        joined = _joined(waiting, patches, top, width)
        waiting = []
        for polygon, value in joined:
            if polygon.bounds[3] == end < height:
                waiting.append((polygon, value))
            else:
                yield polygon, value
        progress("outlining", end, height)


def smoothed(patches: Iterable[Patch], tolerance_px: float) -> Iterator[Patch]:
    """Patches with smooth outlines, without gaps and overlaps between them.

    Corners that enclose the least area are left out first (Visvalingam and Whyatt 1993),
    alike for both polygons of a border (`shapely.coverage_simplify`). The edge of the map
    and of no data stays as it is, so the area of all stays too.
    """
    polygons, values = zip(*patches, strict=True)
    # A corner of one polygon must be a corner of its neighbour too.
    noded = shapely.segmentize(np.array(polygons, object), 1.0)
    whole = shapely.coverage_simplify(noded, tolerance_px, simplify_boundary=False)
    yield from zip(whole, values, strict=True)


def _polygon(shape: Any) -> Any:
    """Shapely polygon of what GDAL found.

    Where a patch closes a ring at a corner only, GDAL runs one ring twice through that
    corner; a valid polygon has a hole there.
    """
    shell, *holes = [shapely.linearrings(np.asarray(r)) for r in shape["coordinates"]]
    polygon = shapely.polygons(shell, holes or None)
    if polygon.is_valid:
        return polygon
    return shapely.make_valid(polygon, method="structure", keep_collapsed=False)


def _joined(
    above: list[Patch], below: list[Patch], seam: int, width: int
) -> list[Patch]:
    """Patches above and below a row's upper edge, those of one class as one."""
    touching = [p for p in below if p[0].bounds[1] == seam]
    rest = [p for p in below if p[0].bounds[1] > seam]
    if not above:
        return below
    upper, lower = (
        _numbers(patches, row, width)
        for patches, row in ((above, seam - 1), (touching, seam))
    )
    groups = list(range(len(above) + len(touching)))

    def root(item: int) -> int:
        while groups[item] != item:
            groups[item] = groups[groups[item]]
            item = groups[item]
        return item

    both = (upper >= 0) & (lower >= 0)
    for a, b in np.unique(np.stack([upper[both], lower[both]]), axis=1).T.tolist():
        if above[a][1] == touching[b][1]:
            groups[root(a)] = root(len(above) + b)
    members: dict[int, list[Patch]] = {}
    for item, patch in enumerate([*above, *touching]):
        members.setdefault(root(item), []).append(patch)
    return [*map(_union, members.values()), *rest]


def _numbers(patches: list[Patch], row: int, width: int) -> NDArray[np.int32]:
    """Return which of `patches` every pixel of a row is in; -1 for none."""
    line = Affine.translation(0, row)
    numbers = (
        features.rasterize(
            ((polygon, number) for number, (polygon, _) in enumerate(patches)),
            (1, width),
            fill=-1,
            transform=line,
            dtype="int32",
        )
        if patches
        else np.full((1, width), -1, np.int32)
    )
    return np.asarray(numbers[0], np.int32)


def _union(patches: list[Patch]) -> Patch:
    if len(patches) == 1:
        return patches[0]
    # Simplifying by nothing drops the corners that the seam made.
    whole = shapely.union_all([polygon for polygon, _ in patches])
    return shapely.simplify(whole, 0), patches[0][1]


@dataclass
class _Layer:
    """A layer that is written some thousand polygons at a time, where the format can."""

    path: Path
    legend: Legend
    grid: Any
    pixel_ha: float

    def __post_init__(self) -> None:
        self.driver = FORMATS[self.path.suffix.lower()]
        self.path.unlink(missing_ok=True)
        self.patches: list[Patch] = []
        self.written = 0
        self.parquet: ParquetLayer | None = None
        if self.driver == "GeoParquet":
            self.parquet = ParquetLayer(self.path, self.grid.crs.to_wkt())

    def add(self, patch: Patch) -> None:
        self.patches.append(patch)
        # FlatGeobuf has an index of the whole before its features.
        if len(self.patches) == _BATCH and self.driver != "FlatGeobuf":
            self._flush()

    def close(self) -> None:
        self._flush()
        if self.driver == "GPKG":
            self._write_style()
        if self.parquet is not None:
            self.parquet.close()

    def _flush(self) -> None:
        if not self.patches:
            return
        a, b, c, d, e, f = list(self.grid.affine)[:6]
        shapes = np.array([polygon for polygon, _ in self.patches], object)
        places = np.array([value - 1 for _, value in self.patches])
        area = shapely.area(shapes) * self.pixel_ha
        placed = shapely.transform(shapes, lambda xy: xy @ [[a, d], [b, e]] + [c, f])
        oriented = shapely.orient_polygons(placed)
        columns = {
            "code": np.array(self.legend.codes, np.int32)[places],
            "name": np.array(self.legend.names, object)[places],
            "area_ha": np.round(area, 4),
        }
        if self.parquet is not None:
            self.parquet.add(oriented, columns)
        else:
            self._write(oriented, columns)
        self.written += len(self.patches)
        self.patches = []

    def _write(self, shapes: NDArray[Any], columns: dict[str, NDArray[Any]]) -> None:
        pyogrio.raw.write(
            self.path,
            shapely.to_wkb(shapes),
            list(columns.values()),
            list(columns),
            layer=_LAYER,
            driver=self.driver,
            geometry_type="Polygon",
            crs=self.grid.crs.to_wkt(),
            append=self.written > 0,
            # What GDAL of 2022 reads.
            dataset_options={"VERSION": "1.2"} if self.driver == "GPKG" else None,
        )
        if self.driver == "FlatGeobuf":
            self._read_back(shapes, columns["code"])

    def _read_back(self, shapes: NDArray[Any], codes: NDArray[np.int32]) -> None:
        """Read polygons and codes again: on a full disk GDAL may leave some out unsaid.

        Raises
        ------
        OSError
            If the file does not hold them.
        """
        _, _, geometry, (read,) = pyogrio.raw.read(self.path, columns=["code"])
        written = sorted(zip(shapely.to_wkb(shapes), codes.tolist(), strict=True))
        if sorted(zip(geometry, read.tolist(), strict=True)) != written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def _write_style(self) -> None:
        """The table from which QGIS takes a layer's style, with all of its columns."""
        style = {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": _LAYER,
            "f_geometry_column": "geom",
            "styleName": "land cover",
            "styleQML": polygon_style(self.legend),
            "styleSLD": "",
            "useAsDefault": True,
            "description": "colours of the legend",
            "owner": "",
            "update_time": np.datetime64("now", "ms"),
        }
        pyogrio.raw.write(
            self.path,
            None,
            [
                np.array([v], object if isinstance(v, str) else None)
                for v in style.values()
            ],
            list(style),
            layer="layer_styles",
            driver="GPKG",
            append=True,
        )
