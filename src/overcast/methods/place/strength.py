"""How much labels count as evidence of place: stated, or cautiously.

What labels say beside a map that was learned from them is either land use that the
images don't show, or a mistake that neighbouring labels share. Labels alone can't tell
which (see docs/real.md for what was tried). Three things can:

- **Accuracy** of the labels, as published or known: labels of class l are right on a
  share A_l of the pixels, and w follows (`overcast.maps.placed.Strength`).
- **Anchors**, 20 to 200 points with a known class
  (`overcast.methods.place.by_anchors`).
- **Consistency** with what images show, where nothing is known
  (`overcast.methods.place.consistency`).

Where accuracy is stated or assumed, the pixel has the exponent

    a = 0.7 - 0.2 r(A; 0.88, 0.95),    A the mean over the classes,

as one voice of a logarithmic opinion pool (Genest and Zidek 1986): a pixel that
contradicts labels which are nearly always right is more often a mistake of the map. The
result is raised to the power T = 0.9, since map and labels share mistakes, and their
product is too sure. Where labels count by g only, the classes are those of P^a M^g, and
the confidence goes to that of P as g goes to 0:

    T = (1 - g (1 - a)) / a (1 - 0.1 g).

As far as the size of cells explains where labels and map disagree (f_c of
`overcast.methods.place.mixed_cells`), labels are the majority of what the map shows. They
say what most of a cell is, and the pixel decides the rest. With F the mean of f_c over the
pixels, a rises by F to 1, what is wrong with labels is in N, and

    w = (p_N - A) / (p_N - 1 / K),    p_N = mean N(c | c) over the pixels,

at least 0.02 F.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from overcast.geo.label_cells import cell_sides
from overcast.geo.stack import Stack
from overcast.label_quality.place_file import KeptPlace
from overcast.maps.placed import Strength
from overcast.methods.place.mixed_cells import MixedCells

Floats = NDArray[np.float64]
PIXEL, _PIXEL_LEAST, _NEARLY, _ALWAYS = 0.7, 0.5, 0.88, 0.95
"""Exponents of the pixel, and accuracies of the labels from which it falls to the second,
and at which it is there."""
TEMPER = 0.9
"""T of `overcast.maps.placed`."""
DRAWN = 0.95
"""Accuracy of drawn labels: somebody looked, and borders are borders."""
_LEAST_WRONG = 0.02
"""w of labels that are the majority of their cells, at least."""


def place_by_accuracy(stack: Stack, accuracy: Floats) -> KeptPlace:
    """Place of labels whose classes are right on shares ``[K]`` of the pixels."""
    note = (
        "place: the labels count as evidence of place, as labels that are right on "
        f"{accuracy.mean():.0%} of the pixels"
    )
    strength = strength_of(accuracy)
    return KeptPlace(strength, cell_sides(stack, 1)[0], (note,))


def strength_of(
    accuracy: Floats, power: float = 1.0, mixed: tuple[MixedCells, Floats] | None = None
) -> Strength:
    """Strength of labels whose classes are, or may be, right on shares ``[K]``.

    `mixed` is how cells divide the pixels of a map, and f ``[K]``.
    """
    count = len(accuracy)
    cells, explained = mixed or (MixedCells.none(count), np.zeros(count))
    mean = float(cells.shares @ explained)
    nearly = rise(float(accuracy.mean()), _NEARLY, _ALWAYS)
    exponent = PIXEL - (PIXEL - _PIXEL_LEAST) * nearly
    exponent += (1 - exponent) * mean
    less = (1 - power * (1 - exponent)) / exponent
    temper = less * (1 - power * (1 - TEMPER))
    if not mean:
        return Strength.of_accuracy(accuracy, exponent, power, temper)
    pure = cells.pure_by(explained)
    wrong = (pure - accuracy) / max(pure - 1 / count, 1e-9)
    wrong = wrong.clip(_LEAST_WRONG * mean, 1)
    named = tuple(tuple(row) for row in cells.named(explained).tolist())
    return Strength(tuple(wrong.tolist()), exponent, power, temper=temper, named=named)


def rise(value: float, low: float, high: float) -> float:
    """Return r: 0 up to `low`, 1 from `high`."""
    return float(np.clip((value - low) / (high - low), 0, 1))
