"""What changed between two maps, as `overcast change` finds it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast import __version__, map_folder
from overcast.accuracy.area import estimates
from overcast.accuracy.change import OTHER, ChangeLegend, estimate_change
from overcast.accuracy.confusion import plain
from overcast.accuracy.reference import ReferenceFile
from overcast.accuracy.sample_form import REFERENCE, is_form, read_sample, refuse_moved
from overcast.documents import Document
from overcast.geo.extent import areas_ha
from overcast.geo.label_file import open_labels
from overcast.geo.layers import is_vector
from overcast.geo.legend import legend_to_csv
from overcast.geo.overlay import classes_under
from overcast.geo.vectors import Features, read_features
from overcast.jobs.change_page import page_of
from overcast.jobs.change_raster import (
    Changes,
    DatedMap,
    class_rows,
    find_changes,
    open_dated,
)
from overcast.output import Output, refuse_inputs
from overcast.plan import fingerprint
from overcast.product.rasters import write_classes, write_shares
from overcast.product.style import class_style, write_style
from overcast.progress import Progress, quiet
from overcast.report.change import write_change_page
from overcast.report.heading import read_heading
from overcast.run_folder import RunFolder

NAMES = (
    *(map_folder.CHANGE, map_folder.auxiliary_of(map_folder.CHANGE)),
    *(map_folder.style_of(map_folder.CHANGE), map_folder.LEGEND),
    *(
        map_folder.CHANGE_PROBABILITY,
        map_folder.style_of(map_folder.CHANGE_PROBABILITY),
    ),
    *(map_folder.CHANGE_RESULT, map_folder.CHANGE_PAGE),
)
_BAND = 256
COUNTED = (
    "mapped areas are pixels counted in the map of change, which has errors, so they are "
    "not the areas on the ground. For areas with intervals, fill a sample (overcast sample "
    "change.tif --out sample.gpkg) and give it as --sample"
)
APART = (
    "two maps made apart differ in {apart} ha, of which {joint} ha are probable "
    "change. The rest is mostly errors of one map or the other, so never report the "
    "difference of two maps' areas as change"
)

CLASSES_ALONE = (
    "change is judged by the classes of both maps alone. Images of a date are not where "
    "they were, or show too little of the same ground; with the images of both dates, less "
    "change is missed"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSettings:
    """The settings by which a pixel counts as changed.

    Attributes
    ----------
    least
        Probability of any change, 0 to 1.
    mmu_ha
        Minimum mapping unit of changed patches, in hectares.
    """

    least: float = 0.5
    mmu_ha: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.least < 1:
            raise ValueError(
                f"--probability {self.least:g}: expected a number between 0 and 1"
            )


def map_change(
    paths: tuple[Path, Path],
    out: Path,
    settings: ChangeSettings,
    *,
    sample: ReferenceFile | None = None,
    overwrite: bool = False,
    progress: Progress = quiet,
) -> Document:
    """Map what changed between two maps of one place into the folder `out`.

    With a filled sample of the map of change, areas are estimated. Returns what
    ``change.json`` holds.

    Raises
    ------
    ValueError
        If a map is refused, their legends differ, the sample is not one of the map of
        change, or `out` exists.
    """
    dates = open_dated(paths[0]), open_dated(paths[1])
    _refuse_apart(dates)
    read = [*paths, *([] if sample is None else [sample.path])]
    refuse_inputs(out, NAMES, map(str, read))
    facts = [*map(str, read), settings.least, settings.mmu_ha]
    facts += [dated.path.stat().st_mtime_ns for dated in dates]
    facts += [None if d.seen is None else d.seen.fingerprint for d in dates]
    output = Output.begin(out, NAMES, fingerprint(facts), overwrite)
    if output.finished:
        text = (out / map_folder.CHANGE_RESULT).read_text(encoding="utf-8")
        return dict(json.loads(text))
    with output, TemporaryDirectory(dir=output.work) as scratch:
        changes = find_changes(
            dates, settings.least, settings.mmu_ha, Path(scratch), progress
        )
        classes = ChangeLegend.of(dates[0].legend, changes.counts)
        mapped = _write(dates[0], changes, classes, output.work)
        result = _result(paths, dates, changes, settings)
        if sample is not None:
            _estimate(result, mapped, sample, (classes, changes))
        result["sentence"] = sentence_of(result)
        result["notes"] = [*_notes(result, dates, sample is not None)]
        page = page_of(result, dates, classes, output.work)
        page = replace(page, heading=read_heading(out))
        write_change_page(page, output.work / map_folder.CHANGE_PAGE)
        text = json.dumps(result, indent=2, ensure_ascii=False)
        (output.work / map_folder.CHANGE_RESULT).write_text(
            text + "\n", encoding="utf-8"
        )
    return result


def _refuse_apart(dates: tuple[DatedMap, DatedMap]) -> None:
    first, second = dates
    if not first.legend.same_as(second.legend):
        raise ValueError(
            f"{first.path} has the legend {first.legend.name} and {second.path} "
            f"{second.legend.name}; map both dates with one legend"
        )
    if first.classes.grid.crs is None or second.classes.grid.crs is None:
        raise ValueError(
            f"{first.path} and {second.path}: a map without a coordinate reference "
            "system can't be laid over another; assign one (gdal_edit.py -a_srs EPSG:...)"
        )


def _write(
    first: DatedMap, changes: Changes, classes: ChangeLegend, folder: Path
) -> Path:
    """Write the map of change and its probability; the path of the former."""
    path, grid, legend = folder / map_folder.CHANGE, first.classes.grid, classes.legend
    tags = {"OVERCAST_VERSION": __version__, "OVERCAST_KIND": "change"}
    codes = np.array(legend.codes, np.uint8)
    write_classes(
        class_rows(changes, classes.positions, codes), grid, legend, path, tags
    )
    write_style(path, class_style(legend))
    (folder / map_folder.LEGEND).write_text(legend_to_csv(legend), encoding="utf-8")
    whole = changes.probability
    rows = ((y, whole[y : y + _BAND]) for y in range(0, len(whole), _BAND))
    write_shares(
        rows,
        grid,
        folder / map_folder.CHANGE_PROBABILITY,
        tags,
        "probability that the class has changed",
    )
    return path


def _result(
    paths: tuple[Path, Path],
    dates: tuple[DatedMap, DatedMap],
    changes: Changes,
    settings: ChangeSettings,
) -> Document:
    """Areas counted in the map of change, and expected of the probabilities."""
    names, grid = dates[0].legend.names, dates[0].classes.grid
    (pixel_ha,) = areas_ha(np.array([1]), grid)
    counts, known = changes.counts, int(changes.counts.sum())
    mapped, expected = counts * pixel_ha, changes.expected * pixel_ha
    apart = int(changes.apart.sum() - np.trace(changes.apart)) * pixel_ha
    moves = [
        {
            "from": names[a],
            "to": names[b],
            "mapped_ha": plain(float(mapped[a, b])),
            "expected_ha": plain(float(expected[a, b])),
        }
        for a, b in np.argwhere(counts).tolist()
    ]
    return {
        "before": str(paths[0]),
        "after": str(paths[1]),
        "judged_by": ["classes", "images"] if changes.by_images else ["classes"],
        "least_probability": settings.least,
        "mmu_ha": settings.mmu_ha,
        "compared_ha": plain(known * pixel_ha),
        "changed_ha": plain(float(mapped.sum() - np.trace(mapped))),
        "expected_changed_ha": plain(float(expected.sum() - np.trace(expected))),
        "difference_of_maps_ha": plain(apart),
        "transitions": sorted(
            (m for m in moves if m["from"] != m["to"]), key=lambda m: -m["mapped_ha"]
        ),
        "unchanged": [m for m in moves if m["from"] == m["to"]],
        "per_class": {
            name: {
                "gain": _sums(mapped[:, k], expected[:, k], k),
                "loss": _sums(mapped[k], expected[k], k),
            }
            for k, name in enumerate(names)
        },
        "estimates": None,
    }


def _sums(
    mapped: NDArray[np.floating], expected: NDArray[np.floating], k: int
) -> Document:
    """Return the gain or loss of a class, from a column or row of transitions."""
    return {
        "mapped_ha": plain(float(np.delete(mapped, k).sum())),
        "expected_ha": plain(float(np.delete(expected, k).sum())),
    }


def _estimate(
    result: Document,
    mapped: Path,
    sample: ReferenceFile,
    made: tuple[ChangeLegend, Changes],
) -> None:
    """Put areas with intervals beside what was counted."""
    source = open_labels(mapped, made[0].legend)
    points, classes = _judged(sample, made[0], source.grid)
    judged = points.classes(sample.column or REFERENCE, classes.legend)
    here = classes_under(source, points)
    drawn = read_sample(points, here, judged, classes.legend)
    whole = areas_ha(drawn.pixels.sum(keepdims=True), source.grid)[0]
    result["estimates"] = estimates(drawn, classes.legend, whole)
    groups = estimate_change(drawn, classes, whole)
    result["changed_estimate_ha"] = groups["change"]
    for kind in ("gain", "loss"):
        for name, entry in groups[kind].items():
            result["per_class"][name][kind]["area_ha"] = entry
    per_class = result["estimates"]["per_class"]
    (pixel_ha,) = areas_ha(np.array([1]), source.grid)
    result["transitions"] += _unmapped(made, classes, pixel_ha)
    for move in result["transitions"]:
        entry = per_class.get(f"{move['from']} to {move['to']}")
        if entry is not None:
            move["area_ha"] = entry["area_ha"]


def _unmapped(
    made: tuple[ChangeLegend, Changes], classes: ChangeLegend, pixel_ha: float
) -> Iterator[Document]:
    """Transitions that a judge saw, and the map has not as a class of its own."""
    mapped, changes = made
    names, new = classes.land.names, slice(len(mapped.legend), None)
    for a, b in zip(classes.before[new], classes.after[new], strict=True):
        if not changes.counts[a, b]:
            expected = plain(float(changes.expected[a, b]) * pixel_ha)
            move = {"from": names[a], "to": names[b], "mapped_ha": 0.0}
            yield move | {"expected_ha": expected}


def _judged(
    sample: ReferenceFile, classes: ChangeLegend, grid: GeoBox
) -> tuple[Features, ChangeLegend]:
    """The form that was filled, and the classes with all transitions that it names."""
    column = sample.column or REFERENCE
    points = read_features(sample.path, column) if is_vector(sample.path) else None
    if points is None or not points.are_points or not is_form(points):
        raise ValueError(
            f"{sample.path}: not a sample that overcast drew; draw one of the map of "
            "change: overcast sample change.tif --out sample.gpkg"
        )
    refuse_moved(points, grid)
    return points, classes.naming(points.column(column))


def sentence_of(result: Document) -> str:
    """The sentence on change that a report needs."""
    estimate, whole = result.get("changed_estimate_ha"), result["compared_ha"]
    if estimate is not None and estimate["low"] is not None:
        value, low, high = (estimate[k] for k in ("value", "low", "high"))
        return (
            f"{_ha(value)} ha changed ({_ha(low)} to {_ha(high)} with a confidence of "
            f"95 %), {100 * value / whole:.1f} % of {_ha(whole)} ha."
        )
    return (
        f"The map shows change on {_ha(result['changed_ha'])} ha of {_ha(whole)} ha; the "
        f"probabilities of both dates expect {_ha(result['expected_changed_ha'])} ha."
    )


def _ha(area: float) -> str:
    """Hectares for a sentence; small areas have a decimal."""
    return f"{area:,.1f}" if abs(area) < 100 else f"{area:,.0f}"


def _notes(
    result: Document, dates: tuple[DatedMap, DatedMap], sampled: bool
) -> Iterator[str]:
    if not sampled:
        yield COUNTED
    yield APART.format(
        apart=_ha(result["difference_of_maps_ha"]), joint=_ha(result["changed_ha"])
    )
    if "images" not in result["judged_by"]:
        yield CLASSES_ALONE
    for dated in dates:
        if not dated.has_probabilities:
            yield (
                f"{dated.path.parent.name}: has no probabilities.tif, so what is left of "
                "the confidence was spread evenly over the other classes; map it with "
                "overcast predict RUN --probabilities for a better judgement"
            )
        if not RunFolder.beside(dated.path).calibration.is_file():
            yield (
                f"{dated.path.parent.name}: its confidence was not calibrated "
                "(overcast calibrate), so what is called probable may be too much or too "
                "little"
            )
    other = result["estimates"]["per_class"].get(OTHER) if sampled else None
    if other is not None and other["area_ha"]["value"]:
        yield (
            f"rare transitions are one class, {OTHER}; they are in all change, and in no "
            "gain or loss"
        )
