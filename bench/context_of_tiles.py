"""How much there is to learn from what lies around a pixel, on tiles of real ground.

    python -m bench.context_of_tiles --tiles 282D 433D --seeds 0 1

Networks with fields of view of 1, 9, 33 and 97 pixels a side, and `forest`, learn from half
of the blocks of 32 x 32 pixels of a tile, and are scored on the other half; seeds draw the
halves. Prints mIoU over the classes that a tile has. Labels are those of a product (of an
expert in gewata), with errors of its own: what a network learns of them is context too, so
that a wide field may gain here what it would not against the ground.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from bench.claims.problems.context import FIELDS, network_of
from bench.real.tiles import TILES, Tile, read_tile
from numpy.typing import NDArray

from overcast.accuracy.confusion import Confusion
from overcast.geo.arrays import LabelArray
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling
from overcast.maps.predict import predict
from overcast.plan import choose
from overcast.progress import quiet

BLOCK, WINDOW = 32, 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", nargs="+", choices=TILES, default=["282D", "433D"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--fields", type=int, nargs="+", choices=FIELDS)
    given = parser.parse_args()
    methods: dict[str, Mapping[str, Any]] = {
        f"field {side}": network_of(side, WINDOW, given.steps)
        for side in given.fields or FIELDS
    }
    methods["forest"] = {"name": "forest"}
    print("| tile | seed | " + " | ".join(methods) + " |")
    print("|---" * (len(methods) + 2) + "|")
    for name in given.tiles:
        tile = read_tile(name)
        for seed in given.seeds:
            found = [f"{score(tile, m, seed):.3f}" for m in methods.values()]
            print(f"| {name} | {seed} | " + " | ".join(found) + " |", flush=True)


def held_out(shape: tuple[int, int], seed: int) -> NDArray[np.bool_]:
    """Pixels ``[H, W]`` of half of the blocks, drawn by the seed."""
    rows, columns = (-(-side // BLOCK) for side in shape)
    numbers = np.random.default_rng(seed).permutation(rows * columns)
    odd = (numbers.reshape(rows, columns) % 2 == 1).repeat(BLOCK, 0).repeat(BLOCK, 1)
    return np.asarray(odd[: shape[0], : shape[1]])


def score(tile: Tile, method: Mapping[str, Any], seed: int) -> float:
    """Mean IoU on the tested blocks of what was learned on the others."""
    truth, away = tile.truth, held_out(tile.truth.values.shape, seed)
    values = np.where(away, np.uint8(UNKNOWN), truth.values)
    labels = Labels(values=values, grid=tile.grid, legend=truth.legend)
    stack = Stack(grid=tile.grid, images=dict(tile.images), labels=LabelArray(labels))
    with tempfile.TemporaryDirectory() as folder:
        made = choose("methods", method)
        made.fit([stack], Path(folder), seed, quiet)
        predictor = made.load(Path(folder), truth.legend, stack.sensors)
        raw = predict(predictor, stack, Tiling(512, 64), Path(folder))
        classes = raw.rows(0, stack.shape[0])[0]
    known = away & (truth.values != UNKNOWN) & (classes != UNKNOWN)
    counted = Confusion.of(truth.values[known], classes[known], len(truth.legend))
    return float(counted.mean_iou)


if __name__ == "__main__":
    main()
