"""What a start from simulated worlds is worth on tiles of real ground.

    python -m bench.starts --worlds 48 --steps 1500 --tiles 282D 433D --seeds 0 1 2

The default network learns from ten patches of 16 x 16 pixels of a tile: from fresh weights,
and from the encoder of ``overcast pretrain --worlds``. Both are scored, and `weak` beside
them, on all other pixels of the tile: mIoU over its classes. ``--start RUN`` takes a run
that is there. A start is worth recommending if it is above fresh weights in the mean and in
three tiles of four.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from bench.real.sources import labels_of
from bench.real.tiles import TILES, Tile, read_tile

from overcast.accuracy.confusion import Confusion
from overcast.geo.arrays import LabelArray
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling
from overcast.jobs.pretraining import pretrain_on_worlds
from overcast.maps.predict import predict
from overcast.plan import choose
from overcast.progress import quiet

_LABELS = "patches-10"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=48)
    parser.add_argument("--steps", type=int, default=1500, help="of pretraining")
    parser.add_argument("--learning", type=int, default=300, help="steps on a tile")
    parser.add_argument("--start", type=Path)
    parser.add_argument("--tiles", nargs="+", choices=TILES, default=["282D", "433D"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        start = given.start or learned(given.worlds, given.steps, Path(scratch))
        ways = methods(start, given.learning)
        print("| tile | draw | " + " | ".join(ways) + " |")
        print("|---" * (len(ways) + 2) + "|")
        for name in given.tiles:
            tile = read_tile(name)
            for seed in given.seeds:
                found = [f"{score(tile, way, seed):.3f}" for way in ways.values()]
                print(f"| {name} | {seed} | " + " | ".join(found) + " |", flush=True)


def learned(worlds: int, steps: int, scratch: Path) -> Path:
    """Run folder of an encoder of simulated worlds."""
    settings = {"batch": 16, "schedule": {"steps": steps, "peak_rate": 4e-3}}
    pretrain_on_worlds(worlds, scratch / "run", settings, 0, False, quiet)
    return scratch / "run"


def methods(start: Path, steps: int) -> Mapping[str, Mapping[str, Any]]:
    """Ways to learn from ten patches, by name."""
    fresh = {
        "name": "network",
        "window": 16,
        "batch": 32,
        "schedule": {"steps": steps, "peak_rate": 4e-3},
    }
    return {
        "fresh weights": fresh,
        "start of worlds": {**fresh, "start": str(start)},
        "start of worlds, frozen": {**fresh, "start": str(start), "frozen": True},
        "weak": {"name": "weak", "cell": 2, "balance": 1.0},
    }


def score(tile: Tile, method: Mapping[str, Any], seed: int) -> float:
    """Mean IoU on the pixels without labels, of what was learned from the labels."""
    labels = labels_of(tile, _LABELS, seed)
    stack = Stack(grid=tile.grid, images=dict(tile.images), labels=LabelArray(labels))
    with tempfile.TemporaryDirectory() as folder:
        made = choose("methods", method)
        made.fit([stack], Path(folder), seed, quiet)
        predictor = made.load(Path(folder), tile.truth.legend, stack.sensors)
        raw = predict(predictor, stack, Tiling(512, 64), Path(folder))
        classes = raw.rows(0, stack.shape[0])[0]
    truth = np.where(labels.values == UNKNOWN, tile.truth.values, np.uint8(UNKNOWN))
    known = (truth != UNKNOWN) & (classes != UNKNOWN)
    counted = Confusion.of(truth[known], classes[known], len(tile.truth.legend))
    return float(counted.mean_iou)


if __name__ == "__main__":
    main()
