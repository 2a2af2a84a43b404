"""Pseudo-labels: what networks say of an area, to be learned from as labels are.

A folder of pseudo-labels is a map with the probability of every class, which a plan can
read as a target image of the sensor class-probabilities. Where there are
official labels as well, a second map keeps the pixels on which both agree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overcast import map_folder
from overcast.accuracy.confusion import Confusion, scores, translation
from overcast.accuracy.reference import ReferenceFile
from overcast.documents import Document
from overcast.geo.label_file import open_labels
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource
from overcast.geo.tiling import pieces
from overcast.inputs import Inputs, open_inputs
from overcast.jobs.after import attempt
from overcast.jobs.mapping import JobResult, refuse_unread
from overcast.jobs.scoring import open_reference
from overcast.output import Output
from overcast.plan import Data, Windows, fingerprint
from overcast.product.rasters import write_classes
from overcast.progress import Progress
from overcast.run import Runs, map_run
from overcast.trees import to_tree

AGREED, AGREEMENT = "agreed.tif", "agreement.json"
FILES = (
    map_folder.MAP,
    map_folder.CONFIDENCE,
    map_folder.PROBABILITIES,
    AGREED,
    AGREEMENT,
)
_BESIDE = (
    map_folder.CATEGORIES,
    map_folder.STYLE,
    map_folder.style_of(map_folder.CONFIDENCE),
    map_folder.LEGEND,
    map_folder.auxiliary_of(AGREED),
)


def make_pseudo_labels(
    runs: Runs,
    data: Data,
    out: Path,
    official: ReferenceFile | None,
    overwrite: bool,
    progress: Progress,
) -> JobResult:
    """Label an area with trained runs, into the folder `out`.

    Writes ``map.tif``, ``confidence.tif`` and ``probabilities.tif``; with `official`
    labels also ``agreement.json``, scores of the pseudo-labels against them, and
    ``agreed.tif``: pseudo-labels but for pixels that the official ones call otherwise.

    Raises
    ------
    ValueError
        If an input is refused or an output exists; nothing is left behind then.
    """
    predictor = runs.load()
    refuse_unread(data, predictor)
    inputs = open_inputs(data)
    legend, grid = predictor.legend, inputs.stack.grid
    theirs = None if official is None else open_reference(official, legend, grid)
    facts = [inputs.fingerprint, runs.model, to_tree(data), str(official)]
    output = Output.begin(out, (*FILES, *_BESIDE), fingerprint(facts), overwrite)
    failures: list[str] = []
    if not output.finished:
        with output:
            failures = label(runs, inputs, output.work, theirs, progress)
    made: Document = {
        name.split(".")[0]: str(out / name) for name in FILES if (out / name).exists()
    }
    return JobResult(made, (*output.notes, *inputs.notes, *failures))


def label(
    runs: Runs,
    inputs: Inputs,
    folder: Path,
    official: LabelSource | None,
    progress: Progress,
) -> list[str]:
    """Write pseudo-labels of a stack into `folder`; notes on what failed after that."""
    legend = runs.load().legend
    mapped = map_run(runs, inputs, Windows(), folder, progress, probabilities=True)
    if official is None:
        return []

    def compare() -> None:
        agreement = keep_agreed(mapped, legend, official, progress)
        text = json.dumps(agreement, indent=2, ensure_ascii=False) + "\n"
        (folder / AGREEMENT).write_text(text, encoding="utf-8")

    _, notes = attempt("not compared with the official labels", compare, None)
    if notes:
        (folder / AGREED).unlink(missing_ok=True)
    return notes


def keep_agreed(
    mapped: Path, legend: Legend, official: LabelSource, progress: Progress
) -> Document:
    """Write ``agreed.tif`` beside a map, and score the map against `official` labels.

    A pixel that has no official label keeps its pseudo-label.

    Raises
    ------
    ValueError
        If the legends differ and there is no crosswalk.
    """
    ours, to_ours = open_labels(mapped, legend), translation(official.legend, legend)
    total, windows = Confusion.none(len(legend)), pieces(ours.grid)

    def agreed() -> Iterator[tuple[int, NDArray[np.uint8]]]:
        nonlocal total
        for done, window in enumerate(windows, 1):
            here = ours.read(ours.grid[window]).values
            theirs = to_ours(official.read(ours.grid[window]).values)
            total += Confusion.of(theirs, here, len(legend))
            alike = (here == theirs) | (theirs == UNKNOWN)
            agreeing = np.where(alike, here, np.uint8(UNKNOWN))
            yield window[0].start, legend.to_codes(agreeing)
            progress("comparing", done, len(windows))

    write_classes(agreed(), ours.grid, legend, mapped.with_name(AGREED), {})
    return scores(total, legend)
