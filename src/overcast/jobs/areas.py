"""Areas of a map in files, whole or by zone, as `overcast areas` states them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.accuracy.area import Estimate, StratifiedSample, estimates
from overcast.accuracy.confusion import plain
from overcast.accuracy.reference import ReferenceFile, ReferencePoints
from overcast.accuracy.sample_form import is_form, read_sample, strata_of
from overcast.accuracy.zones import (
    ASSUMPTIONS,
    ENOUGH,
    ZonedSample,
    ZoneEstimates,
    estimate_zones,
)
from overcast.documents import Document
from overcast.errors import writing
from overcast.geo.extent import areas_ha
from overcast.geo.label_file import LabelFile, open_labels
from overcast.geo.legend import Legend, load_legend
from overcast.geo.location import FilePath
from overcast.geo.overlay import PixelsUnder, under
from overcast.geo.raster import UNKNOWN
from overcast.geo.zones import ZoneCounts, Zones, count_zones, open_zones
from overcast.map_folder import maps_of
from overcast.output import refuse_to_replace, write_whole
from overcast.product.rasters import written_legend
from overcast.progress import Progress, quiet

OUTSIDE = "(in no zone)"
"""Name of the part of a map that lies in no zone."""
WHOLE = "(whole map)"
COUNTED = (
    "areas are pixels counted in the map, which errs more often for one class than for "
    "another, so they are not the areas on the ground; give --sample for those"
)
_VARIES = 0.01
"""Share by which pixels differ in size over a map, above which it is said."""
_COARSE = 100
"""Pixels below which a zone's area is uncertain by its border alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFile:
    """Polygons with the column that names them."""

    path: FilePath
    name: str


def measure_areas(
    mapped: Path,
    *,
    zones: ZoneFile | None = None,
    sample: ReferenceFile | None = None,
    legend: str | None = None,
    out: Path | None = None,
    overwrite: bool = False,
    progress: Progress = quiet,
) -> Document:
    """Areas of every class, counted and estimated, of a map and of its zones.

    Without a `sample` they are counted, by the centres of pixels. With one that
    `overcast sample` drew of this map, every zone has estimates with intervals of 95 %,
    how they were made, and what they assume.

    Raises
    ------
    ValueError
        If a file is refused, the sample is not one of this map, or `out` exists.
    """
    if out is not None:
        read = [mapped, *(f.path for f in (zones, sample) if f is not None)]
        refuse_to_replace(out, overwrite, tuple(read))
    paths = maps_of(mapped)
    classes = load_legend(legend) if legend else written_legend(paths[0])
    sources = [open_labels(path, classes) for path in paths]
    if zones is not None and sources[0].grid.crs is None:
        raise ValueError(
            f"{mapped}: has no coordinate reference system, so zones can't be laid over "
            "it; assign one (gdal_edit.py -a_srs EPSG:...)"
        )
    laid = None if zones is None else _lay(zones, sources)
    points = None if sample is None else _points(sample, sources)
    below = None if points is None else under(sources, points.points)
    counts = _count(sources, laid, below, progress)
    result = _counted(mapped, sources, laid, counts)
    if points is not None and below is not None:
        _estimate(result, classes, (points, below.classes), counts)
    result["notes"] = [*_notes(result, sources, laid, points)]
    if out is not None:
        text = json.dumps(result, indent=2, ensure_ascii=False)
        with writing(out):
            write_whole(out, text + "\n")
    return result


@dataclass(frozen=True, slots=True)
class _Laid:
    """Zones on each raster of a map; None where none lies on it."""

    each: tuple[Zones | None, ...]

    @property
    def first(self) -> Zones:
        """Those of a raster, by which their file is known."""
        return next(one for one in self.each if one is not None)


@dataclass(frozen=True, slots=True)
class _Counts:
    """Pixels of a map by zone and class, and what a pixel of it measures."""

    zoned: ZoneCounts
    pixel_ha: float


def _lay(zones: ZoneFile, sources: Sequence[LabelFile]) -> _Laid:
    """Lay zones over every raster of a map; one of them must have some."""
    each, problem = list[Zones | None](), ValueError()
    for source in sources:
        try:
            each.append(open_zones(zones.path, zones.name, source.grid))
        except ValueError as error:
            if len(sources) == 1:
                raise
            problem = error
            each.append(None)
    if not any(each):
        raise problem
    return _Laid(tuple(each))


def _points(sample: ReferenceFile, sources: Sequence[LabelFile]) -> ReferencePoints:
    source = sources[0]
    reference = sample.open(source.legend, *(one.grid for one in sources))
    if not isinstance(reference, ReferencePoints) or not is_form(reference.points):
        raise ValueError(
            f"{sample.path}: not a sample that overcast drew; areas need one: overcast "
            f"sample {source.path.name} --out sample.gpkg"
        )
    return reference


def _count(
    sources: Sequence[LabelFile],
    laid: _Laid | None,
    below: PixelsUnder | None,
    progress: Progress,
) -> _Counts:
    """Count all rasters of a map together."""
    size = len(sources[0].legend) + 1
    number = 0 if laid is None else len(laid.first.names)
    total = np.zeros((number + 1, size), np.int64)
    zone = np.full(0 if below is None else len(below.rows), number, np.int64)
    area = 0.0
    for k, source in enumerate(sources):
        here = np.flatnonzero(below.source == k) if below else np.empty(0, np.int64)
        rows = below.rows[here] if below else here
        columns = below.columns[here] if below else here
        own = None if laid is None else laid.each[k]
        counts = count_zones(source, own, rows, columns, progress)
        total[-len(counts.pixels) :] += counts.pixels
        zone[here] = counts.zone if own is not None else number
        area += areas_ha(counts.pixels[:, :-1].sum(keepdims=True)[0], source.grid)[0]
    pixels = int(total[:, :-1].sum())
    (pixel_ha,) = areas_ha(np.array([1]), sources[0].grid)
    if len(sources) > 1:
        # A zone's raster has no class where the pixels are those of its neighbour.
        total[:, -1] = 0
        pixel_ha = area / pixels if pixels else pixel_ha
    return _Counts(ZoneCounts(total, zone), pixel_ha)


def _names(laid: _Laid | None) -> tuple[str, ...]:
    return (WHOLE,) if laid is None else (*laid.first.names, OUTSIDE)


def _counted(
    mapped: Path, sources: Sequence[LabelFile], laid: _Laid | None, counts: _Counts
) -> Document:
    """Count the pixels of the map in every zone."""
    pixel_ha, zoned = counts.pixel_ha, counts.zoned
    drawn = np.zeros(0) if laid is None else laid.first.pixels()
    parts: Document = {}
    for k, (name, row) in enumerate(zip(_names(laid), zoned.pixels, strict=True)):
        if name == OUTSIDE and not row[:-1].any():
            continue
        pixels = int(row[:-1].sum())
        here = k < len(drawn) and drawn[k] > 0
        bare = int(row[-1])
        if len(sources) > 1:
            bare = round(max(drawn[k] - pixels, 0)) if here else 0
        parts[name] = {
            "pixels": pixels,
            "area_ha": plain(pixels * pixel_ha),
            "unmapped_ha": plain(bare * pixel_ha),
            "covered": plain(min(pixels / drawn[k], 1.0)) if here else None,
            "per_class": {
                c.name: {
                    "code": c.code,
                    "mapped_ha": plain(int(n) * pixel_ha),
                    "mapped_share": plain(n / pixels if pixels else np.nan),
                }
                for c, n in zip(sources[0].legend.classes, row[:-1], strict=True)
            },
        }
    return {
        "map": str(mapped),
        "counted_by": "centres of pixels",
        "pixel_ha": plain(pixel_ha),
        "zones": parts,
        "estimates": None,
    }


def _estimate(
    result: Document,
    legend: Legend,
    judged: tuple[ReferencePoints, NDArray[np.uint8]],
    counts: _Counts,
) -> None:
    """Put estimates beside what was counted; `judged` are points and mapped classes."""
    points, mapped = judged
    sample = read_sample(points.points, mapped, points.classes, legend)
    zoned = _zoned(legend, points, (mapped, sample), counts.zoned)
    made = estimate_zones(zoned)
    whole = float(sample.pixels.sum()) * counts.pixel_ha
    result["estimates"] = estimates(sample, legend, whole)
    names = list(result["zones"])
    for k, name in enumerate(names):
        part = result["zones"][name]
        part |= {
            "points": int(made.points[k]),
            "estimate": made.kind[k],
            "assumption": ASSUMPTIONS[made.kind[k]],
            "own_weight": plain(made.own_weight[k]),
            "overall_accuracy": _plain(made, made.accuracy, k, 1),
        }
        _put_areas(part, made, k, legend)
    result["likeness_of_errors"] = plain(made.phi)


def _put_areas(part: Document, made: ZoneEstimates, k: int, legend: Legend) -> None:
    for column, c in enumerate(legend.classes):
        entry = part["per_class"][c.name]
        entry["area_share"] = _plain(made, made.areas, (k, column), 1)
        entry["area_ha"] = _plain(made, made.areas, (k, column), part["area_ha"] or 0)


def _zoned(
    legend: Legend,
    points: ReferencePoints,
    judged: tuple[NDArray[np.uint8], StratifiedSample],
    counts: ZoneCounts,
) -> ZonedSample:
    """The sample's judged points with their zones."""
    mapped, sample = judged
    cells = counts.pixels[:, :-1]
    if int(cells.sum()) != int(sample.pixels.sum()):
        raise ValueError(
            f"{points.points.path}: was drawn of {int(sample.pixels.sum())} pixels, and "
            f"the map has a class in {int(cells.sum())}; give the map that it was drawn "
            "of, or draw a sample of this map"
        )
    _, stratum, _ = strata_of(points.points)
    known = points.classes != UNKNOWN
    column = np.where(mapped == UNKNOWN, len(legend), mapped).astype(np.int64)
    return ZonedSample(
        sample,
        stratum[known].astype(np.int64),
        column[known],
        points.classes[known].astype(np.int64),
        counts.zone[known],
        cells,
    )


def _plain(
    made: ZoneEstimates, estimate: Estimate, place: int | tuple[int, int], unit: float
) -> Document:
    low, high = made.interval(estimate)
    columns = {
        "value": estimate.value,
        "standard_error": estimate.standard_error,
        "low": low,
        "high": high,
    }
    return {name: plain(float(v[place]) * unit) for name, v in columns.items()}


def _notes(
    result: Document,
    sources: Sequence[LabelFile],
    laid: _Laid | None,
    points: ReferencePoints | None,
) -> Iterator[str]:
    if points is None:
        yield COUNTED
    else:
        yield from points.notes
    if laid is not None:
        yield from laid.first.notes
        yield from _on_zones(result["zones"])
    varies = max(_variation(source.grid) for source in sources)
    if varies > _VARIES:
        yield (
            f"pixels differ in size by {100 * varies:.0f} % over the map, and all count "
            "for the mean; map on an equal-area projection if zones are compared"
        )


def _on_zones(parts: Document) -> Iterator[str]:
    """Zones that are small, empty, cut off, or estimated by what lies elsewhere."""
    inside = {name: part for name, part in parts.items() if name != OUTSIDE}
    empty = [name for name, part in inside.items() if not part["pixels"]]
    small = [n for n, part in inside.items() if 0 < part["pixels"] < _COARSE]
    cut = [
        n
        for n, part in inside.items()
        if part["pixels"] and part["covered"] is not None and part["covered"] < 0.98
    ]
    few = [
        n for n, p in parts.items() if p["pixels"] and p.get("points", ENOUGH) < ENOUGH
    ]
    if empty:
        yield f"no pixel of the map has its centre in {_some(empty)}"
    if small:
        yield (
            f"fewer than {_COARSE} pixels lie in {_some(small)}; their areas are uncertain "
            "by the pixels along the border alone"
        )
    if cut:
        yield (
            f"the map covers a part of {_some(cut)} (see covered); areas are those of the "
            "part"
        )
    if few:
        yield (
            f"fewer than {ENOUGH} points of the sample lie in {_some(few)}; the estimates "
            "assume that the map errs there much as elsewhere (see assumption); for "
            "figures of their own, judge more points there"
        )
    if OUTSIDE in parts:
        yield f"a part of the map lies in no zone; it is the row {OUTSIDE}"


def _some(names: list[str]) -> str:
    if len(names) <= 5:
        return ", ".join(names)
    return f"{', '.join(names[:5])} and {len(names) - 5} more zones"


def _variation(grid: GeoBox) -> float:
    """Return how much the area of pixels differs between the top and the bottom row."""
    if grid.crs is None:
        return 0.0
    geod, size = pyproj.Geod(ellps="WGS84"), []
    for row in {0, int(grid.shape[0]) - 1}:
        outline = grid[row : row + 1, :].geographic_extent.geom
        size.append(abs(geod.geometry_area_perimeter(outline)[0]))
    return max(size) / min(size) - 1 if min(size) > 0 else 0.0
