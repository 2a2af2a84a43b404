"""How much each of several sources of labels counts as evidence of place.

Each source i has its own share of right labels A_i, stated, chosen or assumed as for one
(`overcast.methods.place`), and so its own confusion with the truth. A pixel's class is

    q(c | x, s) ∝ P(c | x)^a prod_i M_i(c | s)^(g_i / n_i)        (`overcast.maps.placed`)

with n_i = 1 wherever errors are independent. Maps are often not: they come from the same
satellites, or one learned from the other, and the product would count a mistake that
both make twice. Their disagreement tells. Two maps that are right on shares A_1 and A_2
of the pixels, with K classes, agree on

    r_0 = A_1 A_2 + (1 - A_1) (1 - A_2) / (K - 1)    if their errors are independent,
    r_1 = 1 - |A_1 - A_2|                            if they are as alike as they can be,

and rho = (r - r_0) / (r_1 - r_0), 0 to 1, for the share r on which they do. Of m maps with
mean rho, each counts by n = 1 + (m - 1) rho less, as correlated experts do (Clemen and
Winkler 1985): one map given twice counts as one.

The limit: r says how alike errors are only if A_1 and A_2 are right. Mistakes that all
sources and the images share stay unseen; anchors see them.

Drawn labels (`overcast.labels.kind`) are right on 0.95 unless their accuracy is said. Where
one is, maps say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Stack
from overcast.labels.anchors import Anchors
from overcast.labels.kind import are_drawn
from overcast.labels.place_file import KeptPlace, OtherPlace
from overcast.labels.published import stated_accuracy
from overcast.maps.placed import Strength, combine
from overcast.maps.predictor import Predictor
from overcast.methods.cells import cell_sides, labels_of
from overcast.methods.place import (
    DRAWN,
    EXPONENTS,
    WRONG,
    at_anchors,
    likelihood,
    place_by_accuracy,
    place_by_consistency,
)
from overcast.pages.quicklook import look_at_classes, overview
from overcast.progress import Progress, quiet

_LONGEST_PX = 1000
_JOINT = 2
"""Sources whose strengths anchors choose together; more would be too many pairs."""


def place_of_sources(
    predictor: Predictor,
    stack: Stack,
    accuracies: Sequence[str | None],
    seed: int,
    progress: Progress = quiet,
) -> KeptPlace:
    """Place of all sources of a stack, without anchors.

    `accuracies` is what is said of each source in order, as ``--labels-accuracy`` says it.
    """
    parts, legend = stack.apart(), labels_of(stack).legend
    places, wins, notes = [], [], list[str]()
    for number, part in enumerate(parts):
        said = accuracies[number] if number < len(accuracies) else None
        drawn = said is None and are_drawn(part.labels, part.grid)  # type: ignore[arg-type]
        if said is not None:
            place = place_by_accuracy(part, stated_accuracy(said, legend))
        else:
            place = place_by_consistency(predictor, part, seed, progress)
        places.append(place)
        wins.append(drawn)
        notes += [f"labels {number + 1}: {note}" for note in place.notes]
    maps = [k for k, p in enumerate(places) if p.strength is not None and not wins[k]]
    if len(maps) > 1:
        rho = dependence(
            [parts[k] for k in maps],
            [accuracy_of(places[k].strength) for k in maps],  # type: ignore[arg-type]
        )
        less = 1 + (len(maps) - 1) * rho
        for k in maps:
            strength = places[k].strength
            assert strength is not None
            weaker = replace(strength, power=strength.power / less)
            places[k] = replace(places[k], strength=weaker)
        notes.append(
            f"place: the errors of the maps given as labels are alike by {rho:.2f} (0 "
            f"independent, 1 the same), so each counts by {1 / less:.2f}"
        )
    return _kept(places, wins, notes)


def place_of_sources_by_anchors(
    predictor: Predictor, stack: Stack, anchors: Anchors
) -> KeptPlace:
    """Place of all sources under which the classes of anchors are likely.

    Strengths of the first two maps are chosen together; further ones are not asked.
    """
    parts = stack.apart()
    count = len(labels_of(stack).legend)
    wins = [are_drawn(part.labels, part.grid) for part in parts]  # type: ignore[arg-type]
    maps = [k for k, drawn in enumerate(wins) if not drawn][:_JOINT]
    sides = [cell_sides(part, 1)[0] for part in parts]
    seen = [
        at_anchors(predictor, part, anchors, side)
        for part, side in zip(parts, sides, strict=True)
    ]
    grid = list(product(EXPONENTS, *[WRONG] * len(maps)))
    fits = []
    for exponent, *wrong in grid:
        values = seen[0][0]
        for n, (k, w) in enumerate(zip(maps, wrong, strict=True)):
            strength = Strength((w,) * count, 1.0 if n else exponent)
            values = combine(values, seen[k][1], strength)
        fits.append(likelihood(values, anchors))
    chance = np.exp(np.array(fits) - max(fits))
    chance /= chance.sum()
    means = np.exp(chance @ np.log(np.array(grid)))
    places = [KeptPlace(None, side, ()) for side in sides]
    for n, (k, w) in enumerate(zip(maps, means[1:], strict=True)):
        strength = Strength(
            (min(float(w), 1.0),) * count, 1.0 if n else float(means[0])
        )
        places[k] = KeptPlace(strength, sides[k], ())
    right = Strength.of_accuracy(np.full(count, DRAWN))
    for k, drawn in enumerate(wins):
        if drawn:
            places[k] = KeptPlace(right, sides[k], ())
    said = ", ".join(
        f"labels {k + 1} as if {means[1 + n]:.0%} of them were drawn at random"
        for n, k in enumerate(maps)
    )
    note = (
        f"place: chosen by {len(anchors.classes)} anchors: {said}; images with the "
        f"exponent {means[0]:.2f}"
    )
    return _kept(places, wins, [note])


def dependence(parts: Sequence[Stack], accuracies: Sequence[float]) -> float:
    """Rho of sources of labels that are right on such shares, mean over pairs."""
    grid = overview(parts[0].grid, _LONGEST_PX)
    seen = [look_at_classes(labels_of(part), grid).values for part in parts]
    classes = len(labels_of(parts[0]).legend)
    found = []
    for i in range(len(parts)):
        for j in range(i):
            both = (seen[i] != UNKNOWN) & (seen[j] != UNKNOWN)
            if not both.any():
                found.append(0.0)
                continue
            first, second = accuracies[i], accuracies[j]
            chance = (1 - first) * (1 - second) / max(classes - 1, 1)
            least, most = first * second + chance, 1 - abs(first - second)
            same = float((seen[i] == seen[j])[both].mean())
            found.append(float(np.clip((same - least) / max(most - least, 1e-9), 0, 1)))
    return float(np.mean(found))


def accuracy_of(strength: Strength) -> float:
    """Mean share of right labels that a strength stands for."""
    count = len(strength.wrong)
    return 1 - float(np.mean(strength.wrong)) * (count - 1) / count


def _kept(
    places: Sequence[KeptPlace], wins: Sequence[bool], notes: Sequence[str]
) -> KeptPlace:
    first = places[0]
    others = tuple(
        OtherPlace(k - 1, place.strength, place.side, wins[k] and not wins[0])
        for k, place in enumerate(places)
        if k and place.strength is not None
    )
    return KeptPlace(first.strength, first.side, tuple(notes), others)
