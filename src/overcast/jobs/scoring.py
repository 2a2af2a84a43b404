"""How good a map is, as `overcast map --reference` says it beside the map.

The labels that were learned from, a random forest and the map are scored alike, with
intervals from a bootstrap of blocks; the map's confidence is held against the same
reference, and whether that reference can judge at all is said with the scores.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from odc.geo.geobox import GeoBox

from overcast import map_folder
from overcast.accuracy.bootstrap import FEWEST, block_side, intervals
from overcast.accuracy.calibration import Reliability
from overcast.accuracy.calibration_file import reliability_tree
from overcast.accuracy.confusion import Confusion, compare_blocks, scores, translation
from overcast.accuracy.independence import are_fine, remark
from overcast.accuracy.reference import ReferenceFile
from overcast.documents import Document
from overcast.geo.dataset import dataset_of
from overcast.geo.label_file import open_labels
from overcast.geo.layers import file_of
from overcast.geo.legend import Legend
from overcast.geo.location import Location
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource, notes_of
from overcast.geo.tiling import pieces
from overcast.inputs import Inputs
from overcast.jobs.after import attempt
from overcast.plan import Data, Plan
from overcast.progress import Progress, quiet
from overcast.run import Runs, is_trained, map_run, train_run
from overcast.run_folder import RUN
from overcast.sources import legend_of, open_translated
from overcast.texts import read_text

Scores = dict[str, Document]
SCORES = map_folder.SCORES
_FAILED = "failed"
"""What `scores.json` calls the notes on scores that it lacks."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores by what was scored, and notes on those that could not be made."""

    scores: Scores = field(default_factory=dict)
    failed: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """All that the reader must know of the scores."""
        return (*self.failed, *self.scores.get("map", {}).get("notes", ()))


def open_reference(
    reference: ReferenceFile, legend: Legend, grid: GeoBox
) -> LabelSource:
    """Open what a map will be judged by, before there is one.

    Raises
    ------
    ValueError
        If it is refused, or knows the class of no pixel of the grid.
    """
    truth = reference.labels(legend, grid)
    to_map = translation(truth.legend, legend)
    for spans in pieces(grid):
        if (to_map(truth.read(grid[spans]).values) != UNKNOWN).any():
            return truth
    raise ValueError(
        f"{reference.path}: no class is known on the map's grid; give a reference of "
        "the same place, or leave it out"
    )


def score_all(
    plan: Plan, inputs: Inputs, work: Path, truth: LabelSource, progress: Progress
) -> Scored:
    """The labels, a random forest and the map in `work`, against one reference.

    What can't be scored is left out, with a note.
    """
    labels, grid = inputs.stack.labels, inputs.stack.grid
    assert labels is not None
    learned = (plan.data, *plan.scenes)
    mapped = work / map_folder.MAP
    rows: dict[str, Callable[[], Document]] = {
        "labels": lambda: _score(labels, truth, grid, progress),
        "forest": lambda: _score_forest(plan, inputs, work, truth, progress),
        "map": lambda: score_map(mapped, labels.legend, truth, learned, progress),
    }
    scored = score_each(rows)
    shutil.rmtree(work / "baseline", ignore_errors=True)
    return scored


def score_each(rows: Mapping[str, Callable[[], Document]]) -> Scored:
    """Scores of every row that can be made, and notes on the others."""
    scores: Scores = {}
    failed: list[str] = []
    for name, make in rows.items():
        row, notes = attempt(f"no scores of the {name}", make, None)
        failed += notes
        if row is not None:
            scores[name] = row
    return Scored(scores, tuple(failed))


def write_scores(scored: Scored, path: Path) -> None:
    """Write scores as JSON, with what could not be scored under ``failed``."""
    failed = {_FAILED: list(scored.failed)} if scored.failed else {}
    text = json.dumps({**scored.scores, **failed}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_scores(path: Path) -> Scored:
    """Read what `write_scores` wrote; nothing if the file is missing."""
    if not path.is_file():
        return Scored()
    tree = json.loads(read_text(path))
    failed = tuple(tree.pop(_FAILED, ()))
    return Scored(tree, failed)


def _score_forest(
    plan: Plan, inputs: Inputs, work: Path, truth: LabelSource, progress: Progress
) -> Document:
    """Scores of a random forest that learned from the same labels."""
    assert inputs.stack.labels is not None
    forest, mapped = replace(plan, method={"name": "forest"}), work / map_folder.MAP
    if forest.method != plan.method:
        mapped = work / "baseline" / map_folder.MAP
        run = work / "baseline" / RUN
        if not is_trained(run):
            train_run(forest, run, progress, inputs)
        map_run(Runs((run,)), inputs, plan.windows, mapped.parent, progress)
    source = open_labels(mapped, inputs.stack.labels.legend)
    return _score(source, truth, inputs.stack.grid, progress)


def score_map(
    mapped: Path,
    legend: Legend,
    truth: LabelSource,
    learned: Iterable[Data],
    progress: Progress,
) -> Document:
    """Scores of a map with ``intervals``, ``reliability`` and ``notes``.

    `learned` is what was learned from, wherever that was.

    Raises
    ------
    ValueError
        If nowhere both the map and the reference are known.
    """
    source = open_labels(mapped, legend)
    scores = _score(source, truth, source.grid, progress)
    notes = [*on_labels(truth, learned, source.grid), *notes_of(truth)]
    if scores["intervals"] is None:
        notes.append(f"no intervals: the reference lies in fewer than {FEWEST} blocks")
    reliability = reliability_against(mapped, legend, truth)
    return {**scores, "reliability": reliability_tree(reliability), "notes": notes}


def _score(
    source: LabelSource, truth: LabelSource, grid: GeoBox, progress: Progress
) -> Document:
    legend = source.legend
    blocks = list(compare_blocks(source, truth, block_side(grid), grid, progress))
    total = sum(blocks, Confusion.none(len(legend)))
    if not total.counts.any():
        raise ValueError("they have no pixel in common with the reference")
    return {**scores(total, legend), "intervals": intervals(blocks, legend)}


def on_labels(
    truth: LabelSource, learned: Iterable[Data], grid: GeoBox
) -> Iterator[str]:
    """Say how a reference relates to the labels that the map learned from."""
    for data in learned:
        for entry in data.every_labels:
            path = file_of(Location.of(entry.path))
            if not path.exists():
                yield f"{path}, which was learned from, is gone: not checked"
                continue
            labels = open_translated(entry, grid, legend_of(data))
            blocks = compare_blocks(labels, truth, block_side(grid), grid, quiet)
            confusion = sum(blocks, Confusion.none(len(labels.legend)))
            if text := remark(confusion, are_fine(labels.grid, grid)):
                yield text


def reliability_against(
    mapped: Path, legend: Legend, truth: LabelSource
) -> Reliability:
    """Return how often the confidence beside a map was right; read by bands of rows."""
    source = open_labels(mapped, legend)
    confidence = dataset_of(mapped.with_name(map_folder.CONFIDENCE))
    to_map = translation(truth.legend, legend)
    total = Reliability.of(np.empty(0), np.empty(0, np.bool_))
    for spans in pieces(source.grid):
        grid = source.grid[spans]
        classes, true = source.read(grid).values, to_map(truth.read(grid).values)
        sure = confidence.read(1, window=tuple((s.start, s.stop) for s in spans))
        known = (true != UNKNOWN) & (classes != UNKNOWN)
        total += Reliability.of(sure[known], (classes == true)[known])
    return total
