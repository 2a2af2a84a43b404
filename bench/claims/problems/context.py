"""How much there is to learn from what lies around a pixel, on true labels.

    python -m bench.claims context --base field-1 --methods field-9 field-33 field-97 weak
    python -m bench.context_of_tiles

All arms have true labels of the learning blocks, and networks that differ in their field of
view alone: 1, 9, 33 or 97 pixels a side, by the spacing of the taps of their convolutions.
All have 16 channels and learn from the same windows of 128 pixels, one a step. ``weak`` and
``forest`` average radar along the optical image, and optical bands not at all.

A second command asks the same of the tiles of real ground.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.claims.blocks import Problem, fine, whole

from overcast.worlds.scene import SceneSpec

FIELDS: Mapping[int, tuple[int, ...]] = {
    1: (0, 0, 0, 0),
    9: (1, 1, 1, 0),
    33: (1, 2, 4, 8),
    97: (1, 2, 4, 8, 16, 16),
}
"""Side of the field of view in pixels, and the dilations that give it."""


def network_of(side: int, window: int = 128, steps: int = 800) -> Mapping[str, Any]:
    """A network with a field of view of so many pixels a side."""
    return {
        "name": "network",
        "model": {"name": "fcn", "width": 16, "dilations": FIELDS[side]},
        "window": window,
        "batch": max(1, 128**2 // window**2),
        "schedule": {"steps": steps, "peak_rate": 4e-3},
    }


PROBLEMS = {
    "context": Problem(
        "true labels, fields of view of different size",
        SceneSpec(()),
        fine,
        fine,
        ceiling=whole,
        methods={f"field-{side}": network_of(side) for side in FIELDS},
    ),
}
