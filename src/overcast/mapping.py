"""Whole jobs: learn and map, train alone, map elsewhere, and the demo."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from overcast.geo.files import open_labels
from overcast.geo.stack import LabelSource
from overcast.inputs import Inputs, open_inputs
from overcast.maps.accuracy import compare, scores
from overcast.maps.predictor import Predictor
from overcast.output import Output
from overcast.page import make_page
from overcast.plan import Data, ImageInput, LabelInput, Plan, fingerprint, to_tree
from overcast.progress import Progress
from overcast.run import Reference, is_trained, load_run, map_run, train_run

_MAP_FILES = (
    "map.tif",
    "map.tif.aux.xml",
    "confidence.tif",
    "scores.json",
    "report.html",
)
Scores = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Made:
    """What a job made: a summary to print, and what was noticed on the way."""

    summary: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    scores: Scores = field(default_factory=dict)


def make_map(
    plan: Plan,
    out: Path,
    reference: Reference | None,
    overwrite: bool,
    progress: Progress,
) -> Made:
    """Learn from the labels of an area and map it, into the folder `out`.

    Raises
    ------
    ValueError
        If an input is refused or an output exists; nothing is left behind then.
    """
    inputs = open_inputs(plan.data)
    assert inputs.stack.labels is not None
    truth = None if reference is None else reference.open(inputs.stack.labels.legend)
    key = fingerprint([plan.fingerprint, inputs.fingerprint, _name(reference)])
    output = Output.begin(out, (*_MAP_FILES, "run"), key, overwrite)
    try:
        run = output.work / "run"
        if not is_trained(run):
            train_run(plan, run, progress, inputs)
        found: Scores = {}
        mapped = map_run(run, inputs, plan.windows, output.work, progress)
        if truth is not None:
            found = _score_all(plan, inputs, output.work, truth, progress)
            _write_json(found, output.work / "scores.json")
        notes = (*inputs.notes, *_thin_classes(inputs))
        make_page((mapped, load_run(run)), inputs, plan, (found, notes), progress)
    except ValueError:
        output.discard()
        raise
    output.finish()
    return _made(out, found, notes)


def train_only(plan: Plan, out: Path, overwrite: bool, progress: Progress) -> Made:
    """Carry out the learning of a plan, into the run folder `out`."""
    inputs = open_inputs(plan.data)
    key = fingerprint([plan.fingerprint, inputs.fingerprint])
    output = Output.begin(out, ("run",), key, overwrite)
    try:
        train_run(plan, output.work / "run", progress, inputs)
    except ValueError:
        output.discard()
        raise
    output.finish()
    return Made({"run": str(out / "run")}, inputs.notes)


def map_elsewhere(
    run: Path,
    data: Data,
    out: Path,
    reference: Reference | None,
    overwrite: bool,
    progress: Progress,
) -> Made:
    """Map other images with a trained run, into the folder `out`."""
    run = run if (run / "plan.yaml").is_file() else run / "run"
    predictor = load_run(run)
    inputs = open_inputs(data)
    truth = None if reference is None else reference.open(predictor.legend)
    plan = Plan(data=data, method={"name": "run", "folder": run.name})
    key = fingerprint([inputs.fingerprint, to_tree(data), str(run), _name(reference)])
    output = Output.begin(out, _MAP_FILES, key, overwrite)
    try:
        mapped = map_run(run, inputs, plan.windows, output.work, progress)
        found: Scores = {}
        if truth is not None:
            found = {"map": _score(output.work / "map.tif", predictor, truth, progress)}
            _write_json(found, output.work / "scores.json")
        make_page((mapped, predictor), inputs, plan, (found, inputs.notes), progress)
    except ValueError:
        output.discard()
        raise
    output.finish()
    return _made(out, found, inputs.notes)


def make_demo(
    world: tuple[int, int],
    out: Path,
    method: str | None,
    overwrite: bool,
    progress: Progress,
) -> Made:
    """Simulate a scene (seed, size), map it from its coarse labels, and score that."""
    from overcast.worlds.files import write_world

    folder = out / "world"
    if not (folder / "world.json").exists() or overwrite:
        write_world(*world, folder, overwrite=overwrite, progress=progress)
    data = Data(
        images={
            "s1": ImageInput(
                path=str((folder / "s1.tif").resolve()), sensor="sentinel-1"
            ),
            "s2": ImageInput(
                path=str((folder / "s2.tif").resolve()), sensor="sentinel-2"
            ),
        },
        labels=LabelInput(
            path=str((folder / "labels.tif").resolve()), legend="simplified-igbp"
        ),
    )
    plan = Plan(data=data)
    if method is not None:
        plan = replace(plan, method={"name": method})
    return make_map(plan, out, Reference(folder / "truth.tif"), overwrite, progress)


def _name(reference: Reference | None) -> str | None:
    return None if reference is None else str(reference)


def _score(
    mapped: Path, predictor: Predictor, truth: LabelSource, progress: Progress
) -> dict[str, Any]:
    legend = predictor.legend
    return scores(
        compare(open_labels(mapped, legend), truth, progress=progress), legend
    )


def _score_all(
    plan: Plan, inputs: Inputs, work: Path, truth: LabelSource, progress: Progress
) -> Scores:
    """The coarse labels, the random forest and the map, against one reference."""
    labels, grid = inputs.stack.labels, inputs.stack.grid
    assert labels is not None
    found = {"labels": scores(compare(labels, truth, grid, progress), labels.legend)}
    baseline = work / "baseline"
    forest = replace(plan, method={"name": "forest"})
    if forest.method == plan.method:
        forest_map, folder = work / "map.tif", work / "run"
    else:
        folder = baseline / "run"
        if not is_trained(folder):
            train_run(forest, folder, progress, inputs)
        map_run(folder, inputs, plan.windows, baseline, progress)
        forest_map = baseline / "map.tif"
    found["forest"] = _score(forest_map, load_run(folder), truth, progress)
    found["map"] = _score(work / "map.tif", load_run(work / "run"), truth, progress)
    shutil.rmtree(baseline, ignore_errors=True)
    return found


def _thin_classes(inputs: Inputs) -> list[str]:
    """Classes of the legend that the labels hardly have: they can't be learned here."""
    from overcast.maps.quicklook import overview

    labels = inputs.stack.labels
    assert labels is not None
    found = labels.read(overview(inputs.stack.grid, 1000)).values
    share = [(found == k).mean() for k in range(len(labels.legend))]
    thin = [n for n, s in zip(labels.legend.names, share, strict=True) if 0 < s < 0.01]
    never = [n for n, s in zip(labels.legend.names, share, strict=True) if s == 0]
    notes = []
    if thin:
        notes.append(
            f"under 1 % of the labels, hardly to be learned: {', '.join(thin)}"
        )
    if never:
        notes.append(
            f"nowhere in the labels, so nowhere in the map: {', '.join(never)}"
        )
    return notes


def _write_json(tree: Any, path: Path) -> None:
    text = json.dumps(tree, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _made(out: Path, found: Scores, notes: tuple[str, ...]) -> Made:
    summary: dict[str, Any] = {
        name.split(".")[0]: str(out / name)
        for name in (*_MAP_FILES, "run")
        if (out / name).exists() and not name.endswith(".xml")
    }
    if found:
        summary["accuracy"] = {
            name: {
                k: s[k] for k in ("average_accuracy", "mean_iou", "overall_accuracy")
            }
            for name, s in found.items()
        }
    return Made(summary, notes, found)
