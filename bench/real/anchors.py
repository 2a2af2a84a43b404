"""Measure what the strength of place that anchors choose loses to the best one.

    python -m bench.real.anchors --tiles 433D --labels majority-100

For every draw of 20 and of 50 random pixels with their true class, the mean IoU of the map
with the strength that they choose, against the best of a grid of strengths that are the
same for all classes. The grid is searched with the truth of every pixel. What was measured
is kept in bench/results/real_anchors/, and ``python -m bench.real --report`` writes it into
docs/real.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from bench.real.arms import Case, Floats
from bench.real.sources import labels_of
from bench.real.tiles import TILES, read_tile

from overcast.accuracy.confusion import Confusion, scores
from overcast.geo.arrays import LabelArray
from overcast.geo.bands import Sensor
from overcast.geo.label_cells import cell_sides
from overcast.geo.legend import Legend
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Chip
from overcast.maps.placed import Strength, combine, soft_labels
from overcast.methods.place.by_anchors import place_by_anchors
from overcast.methods.place.consistency import place_by_consistency

KEPT = Path(__file__).parents[2] / "bench" / "results" / "real_anchors"
COUNTS, _DRAWS = (20, 50), 6
_EXPONENTS = (0.5, 0.7, 1.0, 1.4, 2.0)
_WRONG = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 0.93, 1.0)
COARSE = (
    *("majority-100", "majority-300", "majority-500", "majority-900"),
    *("majority-1500", "confused-100", "confused-300", "product-77"),
)
"""Label sources that are measured, where a tile has them."""


@dataclass(frozen=True)
class Mapped:
    """A predictor that repeats a map ``[K, H, W]`` which it made before."""

    case: Case
    values: Floats
    halo: int = 0

    @property
    def legend(self) -> Legend:
        """Classes of the map."""
        return self.case.labels.legend

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """Sensors of the scene."""
        return self.case.stack.sensors

    def predict(self, chip: Chip) -> Floats:
        """Return the part of the map that lies under a chip."""
        inverse: Any = ~self.case.tile.grid.affine
        affine: Any = inverse * chip.grid.affine
        row, column = round(affine.f), round(affine.c)
        height, width = chip.grid.shape
        return self.values[:, row : row + height, column : column + width]


def losses(case: Case, draws: int = _DRAWS) -> dict[str, Any]:
    """Mean IoU of labels, default, best strength, and of every draw of anchors."""
    stack, truth = case.stack, case.tile.truth
    pixel = case.weak[1]
    side = cell_sides(stack, 1)[0]
    around = soft_labels(LabelArray(case.labels), case.tile.grid, side)
    predictor = Mapped(case, pixel)
    count = len(truth.legend)

    def score(strength: Strength | None) -> float:
        values = pixel if strength is None else combine(pixel, around, strength)
        return _iou(case, values.argmax(0).astype(np.uint8))

    found: dict[str, Any] = {
        "labels": _iou(case, case.near),
        "default": score(place_by_consistency(predictor, stack, case.seed).strength),
        "best": max(
            score(Strength((w,) * count, a)) for a in _EXPONENTS for w in _WRONG
        ),
    }
    for n in COUNTS:
        places = (
            place_by_anchors(predictor, stack, replace(case, seed=k).anchors(n))
            for k in range(draws)
        )
        found[str(n)] = [score(place.strength) for place in places]
    return found


def _iou(case: Case, classes: Any) -> float:
    truth = case.tile.truth
    known = truth.values != UNKNOWN
    counted = Confusion.of(truth.values[known], classes[known], len(truth.legend))
    assert UNKNOWN not in truth.values[known]
    return float(scores(counted, truth.legend)["mean_iou"])


def main() -> None:
    given = _arguments()
    KEPT.mkdir(parents=True, exist_ok=True)
    for name in given.tiles:
        tile = read_tile(name)
        sizes = {f"{kind}-{s}" for kind in ("majority", "confused") for s in tile.sizes}
        for source in given.labels:
            path = KEPT / f"{name}_{source}.json"
            if source not in sizes | {"product-77"}:
                continue
            if path.is_file() and not given.again:
                continue
            found = losses(Case(tile, labels_of(tile, source, 0), 0))
            path.write_text(json.dumps(found, indent=1) + "\n")
            lost = [found["best"] - np.mean(found[str(n)]) for n in COUNTS]
            print(path.stem, np.round(lost, 3), file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tiles", nargs="*", default=list(TILES), choices=TILES)
    parser.add_argument("--labels", nargs="*", default=list(COARSE), choices=COARSE)
    parser.add_argument("--again", action="store_true", help="measure anew")
    return parser.parse_args()


if __name__ == "__main__":
    main()
