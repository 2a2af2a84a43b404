"""How near `overcast labels audit` comes to the truth.

    python bench/audit.py

On development worlds with labels of 500, 100 and 10 m, the default method learns from
the labels; what it says of them is compared with what truth and labels say at all pixels.
Printed for every power that probabilities may be counted with, and for unmixing instead:
the mean absolute error of the entries of T, over the rows of classes that exist (bar
.05), the row that is worst, the error of R, and of the class shares; then how often the
intervals hold the true entries above .02, how wide they are, how well suspicion tells
wrong pixels from right ones (area under the curve; .5 is chance), and how far the share
of pixels that are wrong is off.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling
from overcast.label_quality.audit.label_confusion import POWERS, Tables
from overcast.label_quality.cells import LabelCells
from overcast.maps.predict import probabilities
from overcast.methods.method import method_of
from overcast.plan import Data, Plan
from overcast.progress import quiet
from overcast.worlds.scene import SceneSpec, WorldScene, simulate

KINDS = ("modis", "corine", "worldcover")
WORTH = 0.02
"""True entries from which an interval is asked to hold them."""
Floats = NDArray[np.float64]


class Seen:
    """Known pixels of a scene: probabilities, labels, truth, cells and blocks."""

    def __init__(self, scene: WorldScene, kind: str, seed: int) -> None:
        source = LabelArray(scene.labels[kind])
        images = {name: ImageArray(scene.images[name]) for name in ("s1", "s2")}
        stack = Stack(grid=scene.grid, images=images, labels=source)
        found = np.empty((len(source.legend), *stack.shape), np.float32)
        with tempfile.TemporaryDirectory() as folder:
            method = method_of(Plan(data=Data(images={})))
            method.fit((stack,), Path(folder), seed, quiet)
            predictor = method.load(Path(folder), source.legend, stack.sensors)
            for window, band in probabilities(predictor, stack, Tiling(512, 64)):
                found[:, *window.slices] = band
        labels = source.read(scene.grid).values
        known = labels != UNKNOWN
        self.cells = LabelCells.of(source.grid, scene.grid)
        cell, block = self.cells.numbers(scene.grid)
        self.names = source.legend.names
        self.probabilities = found[:, known] / found[:, known].sum(0)
        self.labels, self.truth = labels[known], scene.truth.values[known]
        self.cell, self.block = cell[known], block[known]

    @property
    def true(self) -> Floats:
        """Pixels ``[K, K]`` by truth and label."""
        size = len(self.names)
        place = self.truth.astype(np.int64) * size + self.labels
        return np.bincount(place, minlength=size**2).reshape(size, size) * 1.0

    @property
    def suspicion(self) -> Floats:
        """What suspicious.tif has at every pixel."""
        place = self.labels[None].astype(np.intp)
        own = np.take_along_axis(self.probabilities, place, 0)[0]
        if self.cells.are_labels:
            pixels = np.maximum(np.bincount(self.cell), 1)
            own = (np.bincount(self.cell, own) / pixels)[self.cell]
        return np.asarray(1 - own, np.float64)


def unmixed(seen: Seen, joint: Floats, rounds: int = 50) -> Floats:
    """J by expectation maximisation: labels drawn from T, whatever the pixel."""
    for _ in range(rounds):
        table = joint / np.maximum(joint.sum(1, keepdims=True), 1e-9)
        weight = seen.probabilities * table[:, seen.labels]
        weight /= np.maximum(weight.sum(0), 1e-12)
        joint = np.stack(
            [np.bincount(seen.labels, w, minlength=len(joint)) for w in weight]
        )
    return joint


def rows(joint: Floats) -> Floats:
    """Rows that sum to 1; 0 where a row is empty."""
    return np.asarray(joint / np.maximum(joint.sum(1, keepdims=True), 1e-9))


def errors(joint: Floats, seen: Seen) -> tuple[float, float, float, float, str]:
    """Errors of T, of its worst row, of R, of class shares; and the worst row."""
    true = seen.true
    exists, called = true.sum(1) > 0, true.sum(0) > 0
    by_row = np.abs(rows(joint) - rows(true)).mean(1)
    reverse = np.abs(rows(joint.T) - rows(true.T)).mean(1)
    share = np.abs(joint.sum(1) - true.sum(1)).sum() / true.sum() / 2
    worst = int(np.where(exists, by_row, -1).argmax())
    return (
        by_row[exists].mean(),
        by_row[worst],
        reverse[called].mean(),
        share,
        seen.names[worst],
    )


def main() -> None:
    given = _arguments()
    total = defaultdict(list)
    held = defaultdict(list)
    print("labels      world  counted with        T   worst  row            R   shares")
    for world in given.worlds:
        scene = simulate(world, given.size, wanted=SceneSpec(KINDS))
        for kind in KINDS:
            seen = Seen(scene, kind, given.seed)
            tables = Tables(seen.cells.blocks, len(seen.names))
            tables.add(seen.probabilities, seen.labels, seen.block)
            counted = zip(POWERS, tables.weights, strict=True)
            joints = {f"power {power:g}": table.sum(0) for power, table in counted}
            joints["unmixing"] = unmixed(seen, joints["power 1"])
            for name, joint in joints.items():
                *found, row = errors(joint, seen)
                total[kind, name].append(found)
                t, worst, r, share = found
                print(
                    f"{kind:12}{world:5}  {name:12}{t:9.4f}{worst:8.3f}  {row:10}"
                    f"{r:9.4f}{share:9.3f}",
                    flush=True,
                )
            held[kind].append(_held(tables, seen))
    print("\nmeans                             T   worst        R   shares")
    for (kind, name), found in total.items():
        t, worst, r, share = np.mean(found, 0)
        print(f"{kind:12}{name:12}{t:11.4f}{worst:8.3f}{r:9.4f}{share:9.3f}")
    print("\nlabels      entries held   width   area under the curve   wrong, off by")
    for kind, values in held.items():
        inside, width, area, off = np.mean(values, 0)
        print(f"{kind:12}{100 * inside:10.0f} %{width:8.3f}{area:15.3f}{off:19.3f}")


def _held(tables: Tables, seen: Seen) -> tuple[float, float, float, float]:
    """Share of entries held, mean width, area under the curve, error of share wrong."""
    found, true = tables.labels_of_classes(), rows(seen.true)
    worth = (true >= WORTH) & np.isfinite(found.low)
    inside = (found.low <= true) & (true <= found.high)
    wrong = seen.labels != seen.truth
    area = roc_auc_score(wrong, seen.suspicion)
    said = 1 - np.nansum(tables.class_shares * np.diag(found.value))
    width = (found.high - found.low)[worth].mean()
    return inside[worth].mean(), width, area, abs(said - wrong.mean())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worlds", type=int, nargs="+")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", action="store_true", help="worlds from 100 on")
    given = parser.parse_args()
    given.worlds = given.worlds or ([100, 101, 102] if given.report else [0, 2, 3])
    low, high = (100, 199) if given.report else (0, 99)
    if not all(low <= world <= high for world in given.worlds):
        parser.error(f"worlds must lie from {low} to {high}; --report takes 100 to 199")
    return given


if __name__ == "__main__":
    main()
