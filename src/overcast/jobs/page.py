"""Fill the report page of a map from what the job has at hand."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from importlib import metadata
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast import map_folder
from overcast.accuracy.calibration import Reliability
from overcast.accuracy.calibration_file import Calibration, reliability_of
from overcast.acquire.origins import origins_in, origins_of
from overcast.documents import Document
from overcast.geo.bands import Sensor
from overcast.geo.extent import areas_ha, width_m
from overcast.geo.label_file import open_labels
from overcast.geo.legend import Legend
from overcast.geo.location import Location
from overcast.geo.series import shown_of
from overcast.geo.stack import ImageSource, LabelSource, Stack, file_name_of, file_of
from overcast.geo.tiling import Window
from overcast.inputs import Inputs
from overcast.jobs.publish import read_files
from overcast.maps.predictor import Predictor
from overcast.plan import Plan
from overcast.progress import Progress
from overcast.report.graticule import map_furniture
from overcast.report.heading import NOTHING_SAID, Heading
from overcast.report.page import MAP_TITLE, Page, Panel, write_report
from overcast.report.quicklook import (
    class_picture,
    confidence_picture,
    jpeg,
    look_at_classes,
    look_at_image,
    look_at_values,
    overview,
    png,
    rgb,
)
from overcast.report.training_log import pseudo_labels, read_log
from overcast.run_folder import RunFolder

_WINDOWS, _WINDOW_PX = 5, 64
"""Windows along each side, and their pixels, that tell how much of a map a date saw."""
_LIBRARIES = ("numpy", "rasterio", "scikit-learn", "torch")


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFindings:
    """The facts of a map that are not in its files.

    Attributes
    ----------
    scores
        By what was scored, see `overcast.jobs.scoring`.
    notes
        What the reader must know, a sentence each.
    estimates
        From a filled sample, see `overcast.accuracy.area.estimates`.
    calibration
        Of the run that made the map, if it was calibrated.
    heading
        What a person said of the map.
    """

    scores: Mapping[str, Document] = field(default_factory=dict)
    notes: Sequence[str] = ()
    estimates: Document | None = None
    calibration: Calibration | None = None
    heading: Heading = NOTHING_SAID


def make_page(
    made: tuple[Path, Predictor],
    inputs: Inputs,
    plan: Plan,
    findings: MapFindings,
    progress: Progress,
) -> None:
    """Write report.html beside a map; `made` is its path and predictor."""
    mapped, predictor = made
    progress("report", 0, 1)
    legend, grid = predictor.legend, inputs.stack.grid
    areas = areas_ha(_counts(mapped, legend), grid)
    reliability, measured = _reliability(findings)
    log = read_log(RunFolder.beside(mapped).log)
    origins = origins_of(read_files(inputs)) + origins_in(inputs.stack.images.values())
    dates = seen_by_date(inputs.stack)
    page = Page(
        title=MAP_TITLE,
        heading=findings.heading,
        facts=_facts(grid, plan, sum(areas)),
        legend=legend,
        panels=list(_panels(made, inputs, dates, findings.calibration)),
        width_m=width_m(grid),
        areas_ha=areas,
        estimates=findings.estimates,
        scores=findings.scores,
        reliability=reliability,
        reliability_text=measured,
        dates=dates,
        curve=[(int(step["step"]), step["loss"]) for step in log],
        pseudo_labels=pseudo_labels(log, legend.names),
        warnings=findings.notes,
        provenance=provenance(mapped, inputs, plan),
        plan=_plan_text(RunFolder.beside(mapped).plan),
        origins=origins.lines,
        credits=origins.credits,
    )
    write_report(page, mapped.with_name(map_folder.REPORT))
    progress("report", 1, 1)


def _facts(grid: GeoBox, plan: Plan, mapped_ha: float) -> list[str]:
    height, width = grid.shape
    size = grid.resolution.map(abs)
    assert grid.crs is not None
    unit = "°" if grid.crs.geographic else " m"
    across = (
        f"{size.x:g}{unit}" if size.x == size.y else f"{size.x:g} x {size.y:g}{unit}"
    )
    return [
        f"Method {plan.method['name']}",
        f"{width} x {height} pixels of {across}",
        f"{mapped_ha / 100:,.1f} km²".replace(",", "\u202f"),
        _crs_name(grid),
    ]


def _panels(
    made: tuple[Path, Predictor],
    inputs: Inputs,
    dates: Mapping[str, Mapping[date, float]],
    calibration: Calibration | None,
) -> Iterator[Panel]:
    """The map first, the labels beside it, then confidence, optical images and SAR."""
    mapped, predictor = made
    grid = overview(inputs.stack.grid)
    classes = look_at_classes(open_labels(mapped, predictor.legend), grid)
    yield Panel(
        title="Map",
        picture=png(class_picture(classes)),
        text="The most probable class of every pixel.",
        over=map_furniture(grid),
    )
    given = {panel.title: panel for panel in input_panels(inputs, grid, dates)}
    if (labels := given.pop("labels", None)) is not None:
        yield replace(labels, title="Labels")
    sure = look_at_values(mapped.with_name(map_folder.CONFIDENCE), grid)
    yield Panel(
        title="Confidence",
        picture=jpeg(confidence_picture(sure)),
        text="Probability of the class, "
        + (
            "as the method sees it; not calibrated."
            if calibration is None
            else f"calibrated on {calibration.pixels} pixels of {calibration.reference}."
        ),
        ramp=("0 unsure", "1 sure"),
    )
    sets = mapped.with_name(map_folder.SET_SIZES)
    if calibration is not None and calibration.sets is not None and sets.is_file():
        yield _set_sizes(sets, grid, calibration)
    yield from given.values()


def input_panels(
    inputs: Inputs, grid: GeoBox, dates: Mapping[str, Mapping[date, float]]
) -> Iterator[Panel]:
    """Images, optical ones first, by their names, then what was learned from.

    `dates` says how much of the scene each date saw (`seen_by_date`).
    """
    images = shown_of(inputs.stack, dates).items()
    for name, source in sorted(images, key=lambda item: item[1].sensor.kind):
        yield Panel(
            title=name,
            picture=jpeg(rgb(look_at_image(source, grid))),
            text=f"{file_name_of(source)}, {source.sensor.name}: {_look(source.sensor)}",
        )
    if (labels := inputs.stack.labels) is not None:
        seen = look_at_classes(labels, grid)
        yield Panel(
            title="labels",
            picture=png(class_picture(seen)),
            codes=frozenset(np.unique(labels.legend.to_codes(seen.values)).tolist()),
            text=f"What was learned from: {file_name_of(labels)}, "
            f"legend {labels.legend.name}.",
        )


def seen_by_date(stack: Stack) -> dict[str, dict[date, float]]:
    """Share of a stack that each date of a series saw, optical series first.

    Of a large one, from windows spread over it, so that memory stays constant.
    """
    ordered = sorted(stack.moments.items(), key=lambda item: item[1].day)
    ordered.sort(key=lambda item: stack.images[item[0]].sensor.kind)
    grids = [stack.grid[window.slices] for window in _spread(stack.shape)]
    shares: dict[str, dict[date, float]] = {}
    for name, moment in ordered:
        valid = [stack.images[name].read(grid).valid for grid in grids]
        share = sum(v.sum() for v in valid) / sum(v.size for v in valid)
        shares.setdefault(moment.series, {})[moment.day] = float(share)
    return shares


def _spread(shape: tuple[int, int]) -> list[Window]:
    """Windows spread evenly over a grid; all of a small one."""
    height, width = shape
    if max(shape) <= _WINDOWS * _WINDOW_PX:
        return [Window(0, 0, height, width)]
    h, w = min(height, _WINDOW_PX), min(width, _WINDOW_PX)
    rows, columns = (
        sorted({int(at) for at in np.linspace(0, n - side, _WINDOWS)})
        for n, side in ((height, h), (width, w))
    )
    return [Window(y, x, h, w) for y in rows for x in columns]


def _set_sizes(path: Path, grid: GeoBox, calibration: Calibration) -> Panel:
    assert calibration.sets is not None
    sizes = look_at_values(path, grid)
    most = max(2, int(sizes[sizes != 255].max(initial=2)))
    unsure = np.where(sizes == 255, np.nan, (most - sizes) / (most - 1))
    return Panel(
        title="How many classes it may be",
        picture=jpeg(confidence_picture(unsure.astype(np.float32))),
        text="Classes in a pixel's set; sets hold the true class in "
        f"{100 * calibration.sets.coverage:g} % of the pixels"
        f"{' of every class' if calibration.sets.by_class else ''}.",
        ramp=(f"{most} classes", "1 class"),
    )


def _look(sensor: Sensor) -> str:
    """Return which bands a picture shows."""
    if sensor.kind == "sar":
        return "VV, VH and their ratio as red, green and blue."
    return "true colour." if sensor.index("B04", "B03", "B02") else "its first bands."


def _counts(path: Path, legend: Legend) -> NDArray[np.int64]:
    """Pixels of every class in a map, read block by block."""
    total = np.zeros(256, np.int64)
    with rasterio.open(path) as dataset:
        for _, window in dataset.block_windows(1):
            codes = dataset.read(1, window=window)
            total += np.bincount(codes.ravel(), minlength=256)
    return total[list(legend.codes)]


def _reliability(findings: MapFindings) -> tuple[dict[str, Reliability], str]:
    """Give the reliability of confidence, before and after calibration, and its source."""
    if (calibration := findings.calibration) is not None:
        return (
            {
                "calibrated": calibration.after,
                "as the method saw it": calibration.before,
            },
            f"Calibrated with temperature {calibration.scaling.temperature:.2f} and a "
            f"curve on {calibration.pixels} pixels of {calibration.reference}; each was "
            "judged with what was learned from others. A pixel "
            "of a stratified sample counts for all that it stands for.",
        )
    tree = findings.scores.get("map", {}).get("reliability")
    if tree is None:
        return {}, ""
    return (
        {"not calibrated": reliability_of(tree, "the scores: reliability")},
        "Measured with the reference, at every pixel that it knows.",
    )


def _plan_text(path: Path) -> str:
    """The plan beside a map that was learned for; nothing where another run mapped."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def provenance(mapped: Path, inputs: Inputs, plan: Plan) -> dict[str, str]:
    """Return the origin of a map: version, method, inputs, grid, hashes."""
    with rasterio.open(mapped) as dataset:
        tags = dataset.tags()
    sources: dict[str, ImageSource | LabelSource] = {
        f"image {n}": s for n, s in inputs.stack.images.items()
    }
    if inputs.stack.labels is not None:
        sources["labels"] = inputs.stack.labels
    given = ((k, json.dumps(v)) for k, v in plan.method.items() if k != "name")
    settings = ", ".join(f"{k} {v}" for k, v in given).replace('"', "")
    return {
        "method": f"{plan.method['name']}" + (f": {settings}" if settings else ""),
        "seed": str(plan.seed),
        **{name: _file(source) for name, source in sources.items()},
        "coordinate reference system": _crs_name(inputs.stack.grid),
        "model": f"{tags['OVERCAST_MODEL']} (hash of what was learned)",
        "plan": f"{tags['OVERCAST_PLAN']} (hash of the plan below)",
        "inputs": f"{inputs.fingerprint} (hash of sizes, times and grid of the files)",
        "overcast": tags["OVERCAST_VERSION"],
        "versions": ", ".join(_versions()),
    }


def _file(source: ImageSource | LabelSource) -> str:
    if (path := file_of(source)) is None:
        return "in memory"
    height, width = source.grid.shape
    shape = f"{width} x {height} pixels"
    if (file := Location.of(path).container) is None or not file.is_file():
        return f"{path.name}, {shape}"
    size = file.stat().st_size
    size_text = f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
    return f"{path.name}, {size_text}, {shape}"


def _versions() -> Iterator[str]:
    yield f"Python {platform.python_version()}"
    yield f"GDAL {rasterio.__gdal_version__}"
    for name in _LIBRARIES:
        with suppress(metadata.PackageNotFoundError):  # torch is an extra
            yield f"{name} {metadata.version(name)}"


def _crs_name(grid: GeoBox) -> str:
    assert grid.crs is not None
    code = grid.crs.to_epsg()
    return f"EPSG:{code}" if code else str(grid.crs.proj.name)
