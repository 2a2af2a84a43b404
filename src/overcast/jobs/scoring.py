"""How good a map is, as `overcast map --reference` says it beside the map.

The labels that were learned from, a random forest and the map are scored alike, with
intervals from a bootstrap of blocks; the map's confidence is held against the same
reference, and whether that reference can judge at all is said with the scores.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from odc.geo.geobox import GeoBox

from overcast.accuracy.bootstrap import FEWEST, block_side, intervals
from overcast.accuracy.calibration import Reliability
from overcast.accuracy.calibration_file import reliability_tree
from overcast.accuracy.confusion import Confusion, compare_blocks, scores, translation
from overcast.accuracy.independence import are_fine, remark
from overcast.geo.dataset import dataset_of
from overcast.geo.label_file import open_labels
from overcast.geo.legend import Legend
from overcast.geo.location import Location
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource
from overcast.geo.tiling import pieces
from overcast.inputs import Inputs, open_given_labels
from overcast.plan import Data, Plan
from overcast.progress import Progress, quiet
from overcast.run import Runs, is_trained, map_run, train_run

Scores = dict[str, dict[str, Any]]


def score_all(
    plan: Plan, inputs: Inputs, work: Path, truth: LabelSource, progress: Progress
) -> Scores:
    """The labels, a random forest and the map in `work`, against one reference."""
    labels, grid = inputs.stack.labels, inputs.stack.grid
    assert labels is not None
    found = {"labels": _score(labels, truth, grid, progress)}
    forest, mapped = replace(plan, method={"name": "forest"}), work / "map.tif"
    if forest.method != plan.method:
        mapped = work / "baseline" / "map.tif"
        run = work / "baseline" / "run"
        if not is_trained(run):
            train_run(forest, run, progress, inputs)
        map_run(Runs((run,)), inputs, plan.windows, mapped.parent, progress)
    source = open_labels(mapped, labels.legend)
    found["forest"] = _score(source, truth, grid, progress)
    learned = (plan.data, *plan.scenes)
    found["map"] = score_map(work / "map.tif", labels.legend, truth, learned, progress)
    shutil.rmtree(work / "baseline", ignore_errors=True)
    return found


def score_map(
    mapped: Path,
    legend: Legend,
    truth: LabelSource,
    learned: Iterable[Data],
    progress: Progress,
) -> dict[str, Any]:
    """Scores of a map with ``intervals``, ``reliability`` and ``notes``.

    `learned` is what was learned from, wherever that was.

    Raises
    ------
    ValueError
        If nowhere both the map and the reference are known.
    """
    source = open_labels(mapped, legend)
    found = _score(source, truth, source.grid, progress)
    notes = list(on_labels(truth, learned, source.grid))
    if found["intervals"] is None:
        notes.append(f"no intervals: the reference lies in fewer than {FEWEST} blocks")
    reliability = reliability_against(mapped, legend, truth)
    return {**found, "reliability": reliability_tree(reliability), "notes": notes}


def _score(
    source: LabelSource, truth: LabelSource, grid: GeoBox, progress: Progress
) -> dict[str, Any]:
    legend = source.legend
    blocks = list(compare_blocks(source, truth, block_side(grid), grid, progress))
    total = sum(blocks, Confusion.none(len(legend)))
    if not total.counts.any():
        raise ValueError("map and reference have no pixel in common; do they overlap?")
    return {**scores(total, legend), "intervals": intervals(blocks, legend)}


def on_labels(
    truth: LabelSource, learned: Iterable[Data], grid: GeoBox
) -> Iterator[str]:
    """What is to be said of a reference and the labels that were learned from."""
    for data in learned:
        if data.labels is None:
            continue
        path = Location.of(data.labels.path)
        if path.local is not None and not path.is_file():
            yield f"{path}, which was learned from, is gone: not checked"
            continue
        labels = open_given_labels(data.labels, grid)
        blocks = compare_blocks(labels, truth, block_side(grid), grid, quiet)
        found = sum(blocks, Confusion.none(len(labels.legend)))
        if text := remark(found, are_fine(labels.grid, grid)):
            yield text


def reliability_against(
    mapped: Path, legend: Legend, truth: LabelSource
) -> Reliability:
    """How often the confidence beside a map was right; read by bands of rows."""
    source = open_labels(mapped, legend)
    confidence = dataset_of(mapped.with_name("confidence.tif"))
    to_map = translation(truth.legend, legend)
    total = Reliability.of(np.empty(0), np.empty(0, np.bool_))
    for spans in pieces(source.grid):
        there = source.grid[spans]
        classes, true = source.read(there).values, to_map(truth.read(there).values)
        sure = confidence.read(1, window=tuple((s.start, s.stop) for s in spans))
        known = (true != UNKNOWN) & (classes != UNKNOWN)
        total += Reliability.of(sure[known], (classes == true)[known])
    return total
