"""What the areas of coarse labels hold, counted on development worlds.

    python -m bench.claims.areas

Writes areas.json beside it: mean and spread of the share of every class in the cells of
every label, and the label of the pixels of every class. Losses that are told such tables
(Malkin et al. 2019 had them from places with fine labels) are given these.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from bench.claims.transfer import WORLDS
from numpy.typing import NDArray

from overcast.geo.raster import UNKNOWN
from overcast.geo.warp import pixel_of
from overcast.worlds.scene import SceneSpec, WorldScene, simulate

_FILE = Path(__file__).parent / "areas.json"
_SIZE = 256
_WHOLE = 0.9
"""Of its pixels, a cell must have so many in the scene to be counted."""


@cache
def tables(kind: str) -> dict[str, Any]:
    """``mean``, ``spread`` ``[label, class]`` and ``transition`` ``[class, label]``."""
    found: dict[str, Any] = json.loads(_FILE.read_text("utf-8"))[kind]
    return found


def main() -> None:
    found = {}
    for kind in ("modis",):
        scenes = (simulate(w, _SIZE, wanted=SceneSpec((kind,))) for w in WORLDS)
        cells = [cells_of(scene, kind) for scene in scenes]
        labels, counts = (np.concatenate(parts) for parts in zip(*cells, strict=True))
        found[kind] = tables_of(labels, counts)
    _FILE.write_text(json.dumps(found) + "\n", encoding="utf-8")


def cells_of(
    scene: WorldScene, kind: str
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Label ``[J]`` and pixels of every class ``[J, C]`` of the cells in a scene."""
    labels, classes = scene.labels[kind], len(scene.truth.legend)
    row, column = pixel_of(labels.grid, scene.grid)
    cell = row * labels.grid.shape[1] + column
    pair = cell.ravel() * classes + scene.truth.values.ravel()
    counts = np.bincount(pair, minlength=labels.values.size * classes)
    counts = counts.reshape(-1, classes).astype(float)
    given = labels.values.ravel().astype(np.int64)
    whole = counts.sum(1) > _WHOLE * counts.sum(1).max()
    kept = whole & (given != UNKNOWN)
    return given[kept], counts[kept]


def tables_of(
    labels: NDArray[np.int64], counts: NDArray[np.float64]
) -> dict[str, list[list[float]]]:
    """Tables of cells; a label that no cell has says nothing, so holds the average."""
    classes = counts.shape[1]
    shares = counts / counts.sum(1, keepdims=True)
    mean = np.tile(shares.mean(0), (classes, 1))
    spread = np.tile(shares.std(0), (classes, 1))
    for c in np.unique(labels):
        mean[c], spread[c] = shares[labels == c].mean(0), shares[labels == c].std(0)
    called = np.stack([counts[labels == c].sum(0) for c in range(classes)], 1)
    transition = called / np.maximum(called.sum(1, keepdims=True), 1)
    found = {"mean": mean, "spread": spread, "transition": transition}
    return {name: table.round(4).tolist() for name, table in found.items()}


if __name__ == "__main__":
    main()
