"""Whole jobs: learn and map, train alone, map elsewhere, and the demo."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from overcast.accuracy.reference import ReferenceFile
from overcast.geo.label_file import open_labels
from overcast.inputs import Inputs, open_inputs
from overcast.jobs.page import Findings, make_page
from overcast.jobs.publish import publish_map, publish_run
from overcast.jobs.scoring import Scores, score_all, score_map
from overcast.labels.contradictions import contradictions
from overcast.labels.place_file import reaches, read_place
from overcast.labels.support import remarks
from overcast.maps.predictor import Predictor
from overcast.output import Output
from overcast.plan import (
    Data,
    ImageInput,
    LabelInput,
    Plan,
    fingerprint,
    read_plan,
    to_tree,
    write_plan,
)
from overcast.product.stac import ITEM
from overcast.progress import Progress
from overcast.run import PLAN, Runs, is_trained, load_run, map_run, train_run

MAP_FILES = (
    "map.tif",
    "confidence.tif",
    "probabilities.tif",
    "set_sizes.tif",
    "clear.tif",
    "scores.json",
    "report.html",
)
_SUMMED_UP = ("average_accuracy", "mean_iou", "overall_accuracy")
BESIDE = ("map.tif.aux.xml", "map.qml", "confidence.qml", "legend.csv", ITEM)


@dataclass(frozen=True, slots=True)
class Made:
    """What a job made: a summary to print, and what was noticed on the way."""

    summary: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    scores: Scores = field(default_factory=dict)


def make_map(
    plan: Plan,
    out: Path,
    reference: ReferenceFile | None,
    overwrite: bool,
    progress: Progress,
    probabilities: bool = False,
) -> Made:
    """Learn from the labels of an area and map it, into the folder `out`.

    Raises
    ------
    ValueError
        If an input is refused or an output exists; nothing is left behind then.
    """
    inputs = open_inputs(plan.data)
    assert inputs.stack.labels is not None
    legend, grid = inputs.stack.labels.legend, inputs.stack.grid
    truth = None if reference is None else reference.labels(legend, grid)
    key = fingerprint([plan.fingerprint, inputs.fingerprint, _name(reference)])
    output = Output.begin(out, (*MAP_FILES, *BESIDE, "run"), key, overwrite)
    try:
        run = output.work / "run"
        if not is_trained(run):
            train_run(plan, run, progress, inputs)
        publish_run(run, plan, inputs, out / "run")
        found: Scores = {}
        mapped = map_run(
            Runs((run,)), inputs, plan.windows, output.work, progress, probabilities
        )
        beside = contradictions(
            open_labels(mapped, legend), inputs.stack.labels, inputs.stack.grid
        )
        if truth is not None:
            found = score_all(plan, inputs, output.work, truth, progress)
            if beside is not None:
                found["map"]["beside_labels"] = beside.tree()
            _write_json(found, output.work / "scores.json")
        notes = (
            *inputs.notes,
            *remarks(inputs.stack),
            *_said_of_place(run),
            *(() if beside is None else beside.notes()),
            *_said_of(found),
        )
        predictor = load_run(run)
        findings = Findings(scores=found, notes=notes)
        make_page((mapped, predictor), inputs, plan, findings, progress)
        publish_map(mapped, predictor, inputs, out, (out / "run",))
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
        publish_run(output.work / "run", plan, inputs, out / "run")
    except ValueError:
        output.discard()
        raise
    output.finish()
    return Made({"run": str(out / "run")}, inputs.notes)


def map_elsewhere(
    runs: Runs,
    data: Data,
    out: Path,
    reference: ReferenceFile | None,
    overwrite: bool,
    progress: Progress,
    *,
    probabilities: bool = False,
) -> Made:
    """Map other images with trained runs, into the folder `out`.

    Raises
    ------
    ValueError
        If a run or an input is refused, or an output exists; nothing is left behind.
    """
    predictor, first = runs.load(), runs.found[0]
    inputs = open_inputs(data)
    grid = inputs.stack.grid
    truth = None if reference is None else reference.labels(predictor.legend, grid)
    plan = Plan(data=data, method={"name": "run", "folder": first.name})
    key = fingerprint(
        [inputs.fingerprint, to_tree(data), to_tree(runs), _name(reference)]
    )
    output = Output.begin(out, (*MAP_FILES, *BESIDE, PLAN), key, overwrite)
    try:
        # Which images were mapped, for whoever looks at the map with them.
        learned = read_plan(first / PLAN)
        write_plan(replace(learned, data=data, scenes=()), output.work / PLAN)
        mapped = map_run(
            runs, inputs, plan.windows, output.work, progress, probabilities
        )
        found: Scores = {}
        if truth is not None:
            found = {
                "map": score_map(
                    mapped, predictor.legend, truth, _learned(runs), progress
                )
            }
            _write_json(found, output.work / "scores.json")
        notes = (
            *inputs.notes,
            *_said_without(runs),
            *_said_elsewhere(predictor, inputs),
            *_said_of(found),
        )
        findings = Findings(scores=found, notes=notes, calibration=runs.calibration)
        make_page((mapped, predictor), inputs, plan, findings, progress)
        publish_map(mapped, predictor, inputs, out, runs.found)
    except ValueError:
        output.discard()
        raise
    output.finish()
    return _made(out, found, notes)


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
    return make_map(plan, out, ReferenceFile(folder / "truth.tif"), overwrite, progress)


def _name(reference: ReferenceFile | None) -> str | None:
    return None if reference is None else str(reference)


def _learned(runs: Runs) -> Iterator[Data]:
    """All that several runs learned from."""
    for folder in runs.found:
        plan = read_plan(folder / "plan.yaml")
        yield from (plan.data, *plan.scenes)


def _said_without(runs: Runs) -> tuple[str, ...]:
    """What a map lacks that the run learned with."""
    if not runs.without:
        return ()
    names = ", ".join(runs.without)
    return (
        f"mapped without {names}, with which the run learned: it knows less than what "
        "its own scores say, and so does its confidence",
    )


def _said_of_place(run: Path) -> tuple[str, ...]:
    """How the labels of a run count as evidence of place."""
    place = read_place(run, load_run(run).legend)
    return () if place is None else place.notes


def _said_elsewhere(predictor: Predictor, inputs: Inputs) -> tuple[str, ...]:
    """That the labels of a run, which it maps with, are of another place."""
    if reaches(predictor, inputs.stack):
        return ()
    return (
        "place: the labels that the run learned from do not reach this scene; it is "
        "mapped by what pixels look like alone",
    )


def _said_of(found: Scores) -> tuple[str, ...]:
    """What was noticed of the reference."""
    return tuple(found["map"]["notes"]) if found else ()


def _write_json(tree: Any, path: Path) -> None:
    text = json.dumps(tree, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _made(out: Path, found: Scores, notes: tuple[str, ...]) -> Made:
    summary: dict[str, Any] = {
        name.split(".")[0]: str(out / name)
        for name in (*MAP_FILES, "run")
        if (out / name).exists()
    }
    if found:
        summary["accuracy"] = {
            name: {k: s[k] for k in _SUMMED_UP} for name, s in found.items()
        }
        if (intervals := found["map"]["intervals"]) is not None:
            summary["intervals"] = {k: intervals[k] for k in _SUMMED_UP}
    return Made(summary, notes, found)
