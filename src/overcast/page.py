"""Fill the report page of a map from what the job has at hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from overcast.geo.files import open_labels
from overcast.geo.raster import UNKNOWN, Labels
from overcast.inputs import Inputs
from overcast.maps.predictor import Predictor
from overcast.maps.quicklook import (
    areas_ha,
    class_picture,
    confidence_picture,
    overview,
    png,
    rgb,
)
from overcast.maps.report import Page, Panel, write_report
from overcast.plan import Plan
from overcast.progress import Progress


def make_page(
    made: tuple[Path, Predictor],
    inputs: Inputs,
    plan: Plan,
    said: tuple[Mapping[str, Mapping[str, Any]], Sequence[str]],
    progress: Progress,
) -> None:
    """Write report.html beside a map; `made` is its path and predictor.

    `said` holds the scores, by what was scored, and the warnings.
    """
    mapped, predictor = made
    progress("report", 0, 1)
    legend = predictor.legend
    labels = open_labels(mapped, legend)
    grid = overview(inputs.stack.grid)
    counts = _counts(mapped, len(legend), legend.to_indices)
    page = Page(
        title=f"Land cover, {plan.method['name']}",
        legend=legend,
        map=Panel(title="Map", png=png(class_picture(labels.read(grid)))),
        confidence=Panel(
            title="Confidence",
            png=png(
                confidence_picture(_confidence(mapped.with_name("confidence.tif")))
            ),
            text="Probability of the class, as the method sees it; not calibrated.",
        ),
        inputs=_panels(inputs, grid),
        areas_ha=areas_ha(counts, inputs.stack.grid),
        scores=said[0],
        curve=_curve(mapped.parent / "run" / "log.jsonl"),
        warnings=said[1],
        provenance=_provenance(mapped, inputs, plan),
    )
    write_report(page, mapped.with_name("report.html"))
    progress("report", 1, 1)


def _counts(path: Path, classes: int, to_indices: Any) -> Any:
    total = np.zeros(classes, np.int64)
    with rasterio.open(path) as dataset:
        for _, window in dataset.block_windows(1):
            found = to_indices(dataset.read(1, window=window), UNKNOWN)
            total += np.bincount(found[found != UNKNOWN], minlength=classes)
    return total


def _confidence(path: Path, longest: int = 700) -> Any:
    with rasterio.open(path) as dataset:
        factor = max(1.0, max(dataset.shape) / longest)
        shape = tuple(max(1, round(n / factor)) for n in dataset.shape)
        return dataset.read(1, out_shape=shape)


def _panels(inputs: Inputs, grid: Any) -> list[Panel]:
    panels = [
        Panel(
            title=name,
            png=png(rgb(source.read(grid))),
            text=f"{source.sensor.name}: {', '.join(source.sensor.names)}",
        )
        for name, source in inputs.stack.images.items()
    ]
    if inputs.stack.labels is not None:
        labels: Labels = inputs.stack.labels.read(grid)
        text = f"what was learned from: legend {labels.legend.name}"
        panels.append(Panel(title="labels", png=png(class_picture(labels)), text=text))
    return panels


def _curve(log: Path) -> list[tuple[int, float]]:
    if not log.is_file():
        return []
    records = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    return [(int(r["step"]), float(r["loss"])) for r in records]


def _provenance(mapped: Path, inputs: Inputs, plan: Plan) -> dict[str, str]:
    with rasterio.open(mapped) as dataset:
        tags = dataset.tags()
    grid = inputs.stack.grid
    size = grid.resolution.map(abs)
    files = {f"image {n}": Path(i.path).name for n, i in plan.data.images.items()}
    if plan.data.labels is not None:
        files["labels"] = Path(plan.data.labels.path).name
    return {
        "overcast": tags["OVERCAST_VERSION"],
        "method": ", ".join(f"{k} {v}" for k, v in plan.method.items()),
        "seed": str(plan.seed),
        **files,
        "grid": f"{grid.shape[1]} x {grid.shape[0]} pixels of {size.x:g} x {size.y:g}",
        "coordinate reference system": _crs_name(grid),
        "model": tags["OVERCAST_MODEL"],
        "plan": tags["OVERCAST_PLAN"],
    }


def _crs_name(grid: Any) -> str:
    code = grid.crs.to_epsg()
    return f"EPSG:{code}" if code else str(grid.crs.proj.name)
