"""Confidence made to mean what it says, from places whose class is known.

The temperature of a run and the curve of its confidence (see `overcast.accuracy.curve`)
are learned from a filled sample or another reference, and the area of the run is mapped
anew with them: the same classes, another confidence.
"""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np

from overcast import again, map_folder
from overcast.accuracy.calibrated import probabilities_of
from overcast.accuracy.calibration import HeldOut, Reliability
from overcast.accuracy.calibration_file import (
    Calibration,
    read_calibration,
    write_calibration,
)
from overcast.accuracy.conformal import ConformalSets
from overcast.accuracy.curve import Scaling
from overcast.accuracy.held_out import KnownPixels, known_pixels
from overcast.accuracy.independence import are_fine
from overcast.accuracy.reference import Reference, ReferenceFile, ReferenceRaster
from overcast.documents import Document
from overcast.geo.dataset import stamp
from overcast.geo.layers import file_of
from overcast.geo.legend import Legend
from overcast.geo.stack import Stack
from overcast.inputs import Inputs, open_inputs
from overcast.jobs.after import attempt, describe_map, describe_run
from overcast.jobs.assess import assess_files
from overcast.jobs.mapping import JobResult
from overcast.jobs.reporting import findings_with
from overcast.jobs.scoring import SCORES, on_labels, read_scores, write_scores
from overcast.map_folder import BESIDE, MAP_FILES
from overcast.maps.by_date import for_dates
from overcast.maps.matched import matched
from overcast.maps.predict import PROBABILITY_STEPS
from overcast.output import Output, finish_left, forget
from overcast.plan import Plan, fingerprint, read_plan
from overcast.product.rasters import write_set_sizes
from overcast.progress import Progress, quiet
from overcast.run import Runs, load_run, map_run, model_hash, tiling_of
from overcast.run_folder import CALIBRATION, RUN, RunFolder
from overcast.threads import steady_learning
from overcast.trees import to_tree

_FEWEST = 50
"""Pixels below which a temperature says more of them than of the map."""
_FOLDS = 5
_MADE = (*MAP_FILES, *BESIDE, RUN, again.MADE)


def calibrate_map(
    out: Path,
    known: ReferenceFile,
    *,
    coverage: float | None = None,
    by_class: bool = False,
    overwrite: bool = False,
    progress: Progress = quiet,
) -> JobResult:
    """Calibrate the run in ``out/run`` and map its area anew, in the same folder.

    `out` is what `overcast map` made. Writes ``run/calibration.json``, and all else
    there anew; with a `coverage` also ``probabilities.tif`` and ``set_sizes.tif``: how
    many classes a pixel's conformal set holds, at that coverage on average over the
    map or, with `by_class`, within every class.

    Raises
    ------
    ValueError
        If `out` has no finished run, it is calibrated already and `overwrite` is not
        set, or `known` can't be learned from; nothing is changed then.
    """
    if coverage is not None and not 0 < coverage < 1:
        raise ValueError(f"coverage is {coverage}, expected between 0 and 1")
    run, left = out / RUN, finish_left(out)
    legend = load_run(run).legend
    plan = read_plan(RunFolder(run).plan)
    inputs = open_inputs(plan.data)
    truth = _open(known, legend, inputs, plan)
    facts = [
        model_hash(run, calibrated=False),
        inputs.fingerprint,
        to_tree(known),
        coverage,
        by_class,
    ]
    key = fingerprint([*facts, stamp(file_of(known.path))])
    if key == left:
        forget(out)
        return _made(out, inputs.notes)
    if read_calibration(run) is not None and not overwrite:
        raise ValueError(f"{run}: calibrated already; give --overwrite to do it anew")
    output = Output.begin(out, (), key, overwrite)
    with dataclasses.replace(output, names=_MADE):
        copy = output.work / RUN
        if read_calibration(copy) is None:
            unlike = shutil.ignore_patterns(CALIBRATION)
            shutil.copytree(run, copy, ignore=unlike, dirs_exist_ok=True)
            pixels = known_pixels(truth, legend)
            held = held_out(
                Runs((copy,)), inputs.stack, pixels, str(known.path), progress
            )
            with steady_learning():
                calibration = calibrate(held, known.path.name, coverage, by_class)
            write_calibration(calibration, copy)
        failures = describe_run(copy, plan, inputs, run)
        notes = _map_anew(out, output.work, inputs, known, progress)
    return _made(out, (*output.notes, *notes, *failures))


def calibrate(
    held: HeldOut,
    reference: str,
    coverage: float | None = None,
    by_class: bool = False,
) -> Calibration:
    """Learn temperature and curve from held-out pixels, and sets of a `coverage`.

    What they do is measured on fifths of the pixels, each with what was learned from
    the other four; sets are learned from those as well, since a curve fits the very
    pixels that it was learned from too well.

    Raises
    ------
    ValueError
        If there are fewer than 50 pixels, or `coverage` is not between 0 and 1.
    """
    count = len(held.classes)
    if count < _FEWEST:
        raise ValueError(
            f"{reference}: {count} pixels of the map with a known class, expected "
            f"{_FEWEST} or more to calibrate with"
        )
    fold = np.random.default_rng(0).permutation(count) % _FOLDS
    values = np.empty_like(held.probabilities)
    for k in range(_FOLDS):
        learned = Scaling.fit(held.part(fold != k))
        values[:, fold == k] = learned.of(held.probabilities[:, fold == k])
    apart = dataclasses.replace(held, probabilities=values)
    sets = None
    if coverage is not None:
        # As probabilities.tif has them, so that the promise holds for what it says.
        steps = np.rint(values * PROBABILITY_STEPS) / PROBABILITY_STEPS
        stored = dataclasses.replace(held, probabilities=steps)
        sets = ConformalSets.fit(stored, coverage, "aps", by_class)
    return Calibration(
        scaling=Scaling.fit(held),
        reference=reference,
        pixels=count,
        before=_reliability(held),
        after=_reliability(apart),
        sets=sets,
    )


def _reliability(held: HeldOut) -> Reliability:
    right = held.probabilities.argmax(0) == held.classes
    return Reliability.of(held.probabilities.max(0), right, weights=held.weights)


def _open(
    known: ReferenceFile, legend: Legend, inputs: Inputs, plan: Plan
) -> Reference:
    """Open what is known; refused where it would make confidence worse."""
    grid = inputs.stack.grid
    truth = known.open(legend, grid)
    if isinstance(truth, ReferenceRaster):
        if not are_fine(truth.truth.grid, grid):
            raise ValueError(
                f"{known.path}: its cells are larger than the map's pixels; confidence "
                "that was fitted to coarse labels is worse than as it was, so give "
                "points, or a raster as fine as the map"
            )
        for text in on_labels(truth.truth, (plan.data, *plan.scenes), grid):
            raise ValueError(f"{known.path}: nothing to calibrate with: {text}")
    return truth


def held_out(
    runs: Runs,
    stack: Stack,
    pixels: KnownPixels,
    reference: str,
    progress: Progress = quiet,
) -> HeldOut:
    """Probabilities of known pixels, as runs that are not calibrated give them.

    Raises
    ------
    ValueError
        If the `reference` knows no class where the map has one.
    """
    predictor = runs.load()
    stack = matched(stack, predictor.sensors)
    predictor = for_dates(predictor, stack)
    tiling = tiling_of(
        predictor, read_plan(RunFolder(runs.run_folders[0]).plan).windows
    )
    places = pixels.rows, pixels.columns
    probabilities = probabilities_of(predictor, stack, tiling, places, progress)
    if not probabilities.any():
        raise ValueError(
            f"{reference}: knows no class where the map has one; give places of the map"
        )
    return HeldOut.of(probabilities, pixels.classes, pixels.weights)


def _map_anew(
    out: Path, work: Path, inputs: Inputs, known: ReferenceFile, progress: Progress
) -> tuple[str, ...]:
    """Map with the calibrated run in `work`; what is to be said of it."""
    runs = Runs((work / RUN,))
    plan, predictor = read_plan(RunFolder(work / RUN).plan), runs.load()
    calibration = runs.calibration
    assert calibration is not None
    sets = calibration.sets
    keep = sets is not None or (out / map_folder.PROBABILITIES).is_file()
    mapped = map_run(runs, inputs, plan.windows, work, progress, keep)
    if sets is not None:
        write_set_sizes(
            work / map_folder.PROBABILITIES, sets, work / map_folder.SET_SIZES
        )
    _, notes = attempt(
        "no scores kept", lambda: _keep_scores(out / SCORES, work / SCORES), None
    )
    nothing: Document = {"notes": []}
    judged, more = attempt(
        "no scores of the map", lambda: assess_files(mapped, known), nothing
    )
    findings = findings_with(judged, work, inputs, calibration)
    notes = [*findings.notes, *notes, *more]
    findings = dataclasses.replace(findings, notes=notes)
    made, published = (mapped, predictor), (out, (out / RUN,))
    notes += describe_map(made, inputs, plan, findings, published, progress)
    return tuple(notes)


def _keep_scores(given: Path, path: Path) -> None:
    """Scores are those of the classes, which stay; reliability was of what was before."""
    if given.is_file():
        scored = read_scores(given)
        scored.scores.get("map", {}).pop("reliability", None)
        write_scores(scored, path)


def summary_of(run: Path) -> Document:
    """What a calibrated run says of its calibration."""
    calibration = read_calibration(run)
    assert calibration is not None
    return {
        "calibration": str(RunFolder(run).calibration),
        "temperature": round(calibration.scaling.temperature, 4),
        "pixels": calibration.pixels,
        "expected_error": {
            "before": round(calibration.before.expected_error, 4),
            "after": round(calibration.after.expected_error, 4),
        },
    }


def _made(out: Path, notes: tuple[str, ...]) -> JobResult:
    summary: Document = {
        **summary_of(out / RUN),
        **{
            name.split(".")[0]: str(out / name)
            for name in MAP_FILES
            if (out / name).exists()
        },
    }
    return JobResult(summary, notes)
