"""Areas of a map in files, whole or by zone, as `overcast areas` states them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.accuracy.area import Estimate, StratifiedSample, estimates
from overcast.accuracy.confusion import plain
from overcast.accuracy.reference import ReferenceFile, ReferencePoints
from overcast.accuracy.response import is_form, read_sample, strata_of
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
from overcast.geo.overlay import classes_under, pixels_under
from overcast.geo.raster import UNKNOWN
from overcast.geo.zones import ZoneCounts, Zones, count_zones, open_zones
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
    classes = load_legend(legend) if legend else written_legend(mapped)
    source = open_labels(mapped, classes)
    if zones is not None and source.grid.crs is None:
        raise ValueError(
            f"{mapped}: has no coordinate reference system, so zones can't be laid over "
            "it; assign one (gdal_edit.py -a_srs EPSG:...)"
        )
    laid = None if zones is None else open_zones(zones.path, zones.name, source.grid)
    points = None if sample is None else _points(sample, source)
    places = _places(source, points)
    counts = count_zones(source, laid, *places, progress)
    result = _counted(mapped, source, laid, counts)
    if points is not None:
        _estimate(result, source, points, counts)
    result["notes"] = [*_notes(result, source, laid, points)]
    if out is not None:
        text = json.dumps(result, indent=2, ensure_ascii=False)
        with writing(out):
            write_whole(out, text + "\n")
    return result


def _points(sample: ReferenceFile, source: LabelFile) -> ReferencePoints:
    reference = sample.open(source.legend, source.grid)
    if not isinstance(reference, ReferencePoints) or not is_form(reference.points):
        raise ValueError(
            f"{sample.path}: not a sample that overcast drew; areas need one: overcast "
            f"sample {source.path.name} --out sample.gpkg"
        )
    return reference


def _places(
    source: LabelFile, points: ReferencePoints | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the points."""
    if points is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return pixels_under(source.grid, points.points)


def _names(laid: Zones | None) -> tuple[str, ...]:
    return (WHOLE,) if laid is None else (*laid.names, OUTSIDE)


def _counted(
    mapped: Path, source: LabelFile, laid: Zones | None, counts: ZoneCounts
) -> Document:
    """Count the pixels of the map in every zone."""
    (pixel_ha,) = areas_ha(np.array([1]), source.grid)
    drawn = np.zeros(0) if laid is None else laid.pixels()
    parts: Document = {}
    for k, (name, row) in enumerate(zip(_names(laid), counts.pixels, strict=True)):
        if name == OUTSIDE and not row[:-1].any():
            continue
        pixels = int(row[:-1].sum())
        here = k < len(drawn) and drawn[k] > 0
        parts[name] = {
            "pixels": pixels,
            "area_ha": plain(pixels * pixel_ha),
            "unmapped_ha": plain(int(row[-1]) * pixel_ha),
            "covered": plain(min(pixels / drawn[k], 1.0)) if here else None,
            "per_class": {
                c.name: {
                    "code": c.code,
                    "mapped_ha": plain(int(n) * pixel_ha),
                    "mapped_share": plain(n / pixels if pixels else np.nan),
                }
                for c, n in zip(source.legend.classes, row[:-1], strict=True)
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
    source: LabelFile,
    points: ReferencePoints,
    counts: ZoneCounts,
) -> None:
    """Put estimates beside what was counted."""
    mapped = classes_under(source, points.points)
    sample = read_sample(points.points, mapped, points.classes, source.legend)
    zoned = _zoned(source.legend, points, (mapped, sample), counts)
    made = estimate_zones(zoned)
    whole = areas_ha(sample.pixels.sum(keepdims=True), source.grid)[0]
    result["estimates"] = estimates(sample, source.legend, whole)
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
        _put_areas(part, made, k, source.legend)
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
    source: LabelFile,
    laid: Zones | None,
    points: ReferencePoints | None,
) -> Iterator[str]:
    if points is None:
        yield COUNTED
    else:
        yield from points.notes
    if laid is not None:
        yield from laid.notes
        yield from _on_zones(result["zones"], laid)
    varies = _variation(source.grid)
    if varies > _VARIES:
        yield (
            f"pixels differ in size by {100 * varies:.0f} % over the map, and all count "
            "for the mean; map on an equal-area projection if zones are compared"
        )


def _on_zones(parts: Document, laid: Zones) -> Iterator[str]:
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
