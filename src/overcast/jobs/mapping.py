"""Whole jobs: learn and map, train alone, map elsewhere, and the demo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from overcast import __version__, map_folder
from overcast.accuracy.reference import ReferenceFile
from overcast.again import is_done, remember_work
from overcast.documents import Document
from overcast.geo.label_file import open_labels
from overcast.geo.legend import Legend
from overcast.inputs import open_inputs
from overcast.jobs.after import describe_map, describe_run
from overcast.jobs.page import MapFindings
from overcast.jobs.scoring import (
    SCORES,
    Scored,
    Scores,
    open_reference,
    read_scores,
    score_all,
    score_each,
    score_map,
    write_scores,
)
from overcast.label_quality.contradictions import Contradictions, contradictions
from overcast.label_quality.place_file import read_place, said_elsewhere
from overcast.label_quality.support import remarks
from overcast.map_folder import BESIDE, MAP_FILES
from overcast.maps.predictor import Predictor
from overcast.methods.by_date import said_of_dates
from overcast.output import Output, finish_left, forget, refuse_inputs
from overcast.plan import (
    Data,
    ImageInput,
    LabelInput,
    PlaceInput,
    Plan,
    files_of,
    fingerprint,
    read_plan,
    write_plan,
)
from overcast.progress import Progress
from overcast.run import Runs, is_trained, load_run, map_run, train_run
from overcast.run_folder import PLAN, RUN, RunFolder
from overcast.trees import to_tree

_NOTHING = "nothing to do: the same command made what is there, and it is unchanged"
_SUMMED_UP = ("average_accuracy", "mean_iou", "overall_accuracy")


@dataclass(frozen=True, slots=True)
class JobResult:
    """The result of a job: a summary to print, and notes."""

    summary: Mapping[str, object]
    notes: tuple[str, ...] = ()
    scores: Scores = field(default_factory=dict)


def make_map(
    plan: Plan,
    out: Path,
    reference: ReferenceFile | None,
    overwrite: bool,
    progress: Progress,
    probabilities: bool = False,
) -> JobResult:
    """Learn from the labels of an area and map it, into the folder `out`.

    Raises
    ------
    ValueError
        If an input is refused or an output exists; nothing is left behind then.
    """
    inputs = open_inputs(plan.data)
    labels = inputs.stack.labels
    assert labels is not None
    legend, grid = labels.legend, inputs.stack.grid
    truth = open_reference(reference, legend, grid) if reference else None
    facts = [plan.fingerprint, inputs.fingerprint, _name(reference), probabilities]
    key = fingerprint([*facts, *_stamps(plan.place, reference)])
    names = (*MAP_FILES, *BESIDE, RUN)
    folder = (out, names, _read(plan, reference))
    output = _begun(folder, key, overwrite, inputs.notes)
    if isinstance(output, JobResult):
        return output
    with output:
        run = output.work / RUN
        if not is_trained(run):
            train_run(plan, run, progress, inputs)
        output.hold()
        failures = describe_run(run, plan, inputs, out / RUN)
        mapped = map_run(
            Runs((run,)), inputs, plan.windows, output.work, progress, probabilities
        )
        beside = contradictions(open_labels(mapped, legend), labels, grid)
        scored = Scored()
        if truth is not None:
            scored = score_all(plan, inputs, output.work, truth, progress)
            _write_beside(scored, beside, output.work)
        notes = [
            *inputs.notes,
            *remarks(inputs.stack, plan.method),
            *said_of_dates(run),
            *_said_of_place(run, legend),
            *(() if beside is None else beside.notes()),
            *scored.notes,
            *failures,
        ]
        findings = MapFindings(scores=scored.scores, notes=notes)
        made, published = (mapped, load_run(run)), (out, (out / RUN,))
        notes += describe_map(made, inputs, plan, findings, published, progress)
        remember_work(output, key)
    return _made(out, scored.scores, (*output.notes, *notes))


def _write_beside(scored: Scored, beside: Contradictions | None, work: Path) -> None:
    """Write scores, with what the map shows beside its labels."""
    if beside is not None and "map" in scored.scores:
        scored.scores["map"]["beside_labels"] = beside.tree()
    write_scores(scored, work / SCORES)


def train_only(plan: Plan, out: Path, overwrite: bool, progress: Progress) -> JobResult:
    """Carry out the learning of a plan, into the run folder `out`."""
    inputs = open_inputs(plan.data)
    stamps = _stamps(plan.place, also=files_of(*plan.scenes))
    key = fingerprint([plan.fingerprint, inputs.fingerprint, *stamps])
    if not overwrite and is_done(out, key):
        return JobResult({"run": str(out / RUN)}, (_NOTHING, *inputs.notes))
    refuse_inputs(out, (RUN,), files_of(plan.data, *plan.scenes))
    output = Output.begin(out, (RUN,), key, overwrite)
    if output.finished:
        return JobResult({"run": str(out / RUN)}, (*output.notes, *inputs.notes))
    with output:
        run = output.work / RUN
        train_run(plan, run, progress, inputs)
        output.hold()
        failures = describe_run(run, plan, inputs, out / RUN)
        remember_work(output, key)
    notes = (*output.notes, *inputs.notes, *failures)
    return JobResult({"run": str(out / RUN)}, notes)


def map_elsewhere(
    runs: Runs,
    data: Data,
    out: Path,
    reference: ReferenceFile | None,
    overwrite: bool,
    progress: Progress,
    *,
    probabilities: bool = False,
) -> JobResult:
    """Map other images with trained runs, into the folder `out`.

    Raises
    ------
    ValueError
        If a run or an input is refused, or an output exists; nothing is left behind.
    """
    predictor, first = runs.load(), runs.run_folders[0]
    refuse_unread(data, predictor)
    inputs = open_inputs(data)
    grid, legend = inputs.stack.grid, predictor.legend
    truth = None if reference is None else open_reference(reference, legend, grid)
    plan = _elsewhere(first, data)
    facts = [inputs.fingerprint, to_tree(data), to_tree(runs), runs.model]
    facts += [_name(reference), *_stamps(plan.place, reference), probabilities]
    key = fingerprint(facts)
    names = (*MAP_FILES, *BESIDE, PLAN)
    folder = (out, names, _read(plan, reference))
    output = _begun(folder, key, overwrite, inputs.notes)
    if isinstance(output, JobResult):
        return output
    with output:
        write_plan(plan, output.work / PLAN)
        mapped = map_run(
            runs, inputs, plan.windows, output.work, progress, probabilities
        )
        output.hold()
        scored = Scored()
        if truth is not None:
            known = (truth, _learned(runs), progress)
            scored = score_each({"map": partial(score_map, mapped, legend, *known)})
            write_scores(scored, output.work / SCORES)
        notes = [
            *inputs.notes,
            *_said_without(runs),
            *said_elsewhere(predictor, inputs.stack),
            *scored.notes,
        ]
        findings = MapFindings(
            scores=scored.scores, notes=notes, calibration=runs.calibration
        )
        made, published = (mapped, predictor), (out, runs.run_folders)
        notes += describe_map(made, inputs, plan, findings, published, progress)
        remember_work(output, key)
    return _made(out, scored.scores, (*output.notes, *notes))


def _elsewhere(run: Path, data: Data) -> Plan:
    """The plan of a run with the images that are mapped; what it learned from is past."""
    learned = read_plan(RunFolder(run).plan)
    return replace(learned, data=data, scenes=(), place=PlaceInput())


def refuse_unread(data: Data, predictor: Predictor) -> None:
    """Refuse images that a run would pass over.

    Raises
    ------
    ValueError
        If there are any.
    """
    names = predictor.sensors.keys()
    # An image that is missing is refused where the stack is matched.
    if names <= data.images.keys() and (unread := data.images.keys() - names):
        raise ValueError(
            f"{', '.join(sorted(unread))}: given, and not read; the run maps from "
            f"{', '.join(predictor.sensors)}, so leave out the others"
        )


def make_demo(
    world: tuple[int, int],
    out: Path,
    method: str | None,
    overwrite: bool,
    progress: Progress,
) -> JobResult:
    """Simulate a scene (seed, size), map it from its coarse labels, and score that."""
    from overcast.worlds.files import WORLD, world_of, write_world

    folder = out / "world"
    finish_left(folder)
    if not (folder / WORLD).exists() or overwrite:
        write_world(*world, folder, overwrite=overwrite, progress=progress)
    elif (present := world_of(folder)) != world:
        raise ValueError(
            f"{folder}: holds the world of seed {present[0]} and size {present[1]}; give "
            "another --out, or --overwrite"
        )
    forget(folder)
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
            path=str((folder / map_folder.LABELS).resolve()), legend="simplified-igbp"
        ),
    )
    plan = Plan(data=data)
    if method is not None:
        plan = replace(plan, method={"name": method})
    return make_map(plan, out, ReferenceFile(folder / "truth.tif"), overwrite, progress)


def _name(reference: ReferenceFile | None) -> str | None:
    return None if reference is None else str(reference)


def _read(plan: Plan, reference: ReferenceFile | None) -> list[str]:
    """Files that a command reads."""
    others = [] if reference is None else [str(reference.path)]
    stated = (plan.place.accuracy, plan.place.anchors)
    others += [text for text in stated if text is not None]
    return files_of(plan.data, *plan.scenes) + others


def _learned(runs: Runs) -> Iterator[Data]:
    """All that several runs learned from."""
    for folder in runs.run_folders:
        plan = read_plan(RunFolder(folder).plan)
        yield from (plan.data, *plan.scenes)


def _said_without(runs: Runs) -> tuple[str, ...]:
    """Name the inputs of the training that a map lacks."""
    if not runs.without:
        return ()
    names = ", ".join(runs.without)
    return (
        f"mapped without {names}, with which the run learned: it knows less than what "
        "its own scores say, and so does its confidence",
    )


def _said_of_place(run: Path, legend: Legend) -> tuple[str, ...]:
    """Say how the labels of a run count as evidence of place."""
    place = read_place(run, legend)
    return () if place is None else place.notes


def _stamps(
    place: PlaceInput, reference: ReferenceFile | None = None, also: Sequence[str] = ()
) -> list[object]:
    """Software, and size and time of files besides the images and labels of a plan."""
    texts = [place.accuracy, place.anchors, *also]
    texts += [] if reference is None else [str(reference.path)]
    named = (Path(text) for text in texts if text is not None)
    stats = [path.stat() for path in named if path.is_file()]
    return [__version__, *([stat.st_size, stat.st_mtime_ns] for stat in stats)]


def _begun(
    folder: tuple[Path, tuple[str, ...], Sequence[str]],
    key: str,
    overwrite: bool,
    notes: tuple[str, ...],
) -> Output | JobResult:
    """Begin to write a map; the result instead, if this command has made it before.

    `folder` is the folder, the names of what comes into it, and the files that are read.
    """
    out, names, read = folder
    if not overwrite and is_done(out, key):
        return _made_before(out, (_NOTHING, *notes))
    refuse_inputs(out, names, read)
    output = Output.begin(out, names, key, overwrite)
    if output.finished:
        return _made_before(out, (*output.notes, *notes))
    return output


def _made_before(out: Path, notes: tuple[str, ...]) -> JobResult:
    """Return the result of a command that was stopped while its files moved."""
    return _made(out, read_scores(out / SCORES).scores, notes)


def _made(out: Path, scores: Scores, notes: tuple[str, ...]) -> JobResult:
    summary: Document = {
        name.split(".")[0]: str(out / name)
        for name in (*MAP_FILES, RUN)
        if (out / name).exists()
    }
    if scores:
        summary["accuracy"] = {
            name: {k: s[k] for k in _SUMMED_UP} for name, s in scores.items()
        }
    if (intervals := scores.get("map", {}).get("intervals")) is not None:
        summary["intervals"] = {k: intervals[k] for k in _SUMMED_UP}
    return JobResult(summary, notes, scores)
