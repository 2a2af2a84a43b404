"""How much each of several sources of labels counts as evidence of place.

Each source i has a confusion with the truth of its own, M_i, from its share A_i of right
labels (`overcast.maps.placed`). Evidence multiplies:

    q(c | x, s) ∝ P(c | x)^a prod_i M_i(c | s)^(g_i / n)

Of a class that source i never names here, it says nothing.

**Accuracy.** Drawn labels tell how right a map is: with d drawn polygons or points, which
map i names rightly on a mean share h_i of their pixels, and A_0 the accuracy that is said
of the map, or 0.8,

    A_i = (d h_i + 10 A_0) / (d + 10).

Without drawn labels, A_i is what is said, or assumed as for a single source
(`overcast.methods.place.consistency`).

**Errors are not independent.** Maps come from the same satellites, or one learned from the
other, and the product would count a mistake that both make twice. Their disagreement
tells. Two maps that are right on shares A_1 and A_2 of the pixels, with K classes, agree on

    r_0 = A_1 A_2 + (1 - A_1) (1 - A_2) / (K - 1)    if their errors are independent,
    r_1 = 1 - |A_1 - A_2|                            if they are as alike as they can be,

and rho = (r - r_0) / (r_1 - r_0), 0 to 1, for the share r on which they do. Of m maps with
mean rho, each counts by n = 1 + (m - 1) rho less, as correlated experts do (Clemen and
Winkler 1985): one map given twice counts as one.

The limit: r says how alike errors are only if A_1 and A_2 are right. Mistakes that all
sources and the images share stay unseen; anchors see them.

Drawn labels (`overcast.label_quality.kind`) are right on 0.95 unless their
accuracy is said. Where one is, maps say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.ndimage import label

from overcast.geo.label_cells import cell_sides, labels_of
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource, Stack
from overcast.geo.tiling import pieces
from overcast.geo.translated import LabelsUnder
from overcast.label_quality.anchors import Anchors
from overcast.label_quality.kind import are_drawn
from overcast.label_quality.place_file import KeptPlace, OtherPlace
from overcast.label_quality.published import stated_accuracy
from overcast.label_quality.support import support
from overcast.maps.placed import Strength, combine
from overcast.maps.predictor import Predictor
from overcast.methods.place.by_anchors import at_anchors, likelihood
from overcast.methods.place.consistency import note_of, seen_by_images
from overcast.methods.place.strength import DRAWN, strength_of
from overcast.progress import Progress, quiet
from overcast.report.quicklook import look_at_classes, overview

_LONGEST_PX = 1000
_JOINT = 2
"""Sources whose strengths anchors choose together; more would be too many pairs."""
_EXPONENTS = (0.5, 0.7, 1.0, 1.4, 2.0)
_WRONG = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1.0)
_HELD, _ASSUMED = 10.0, 0.8
"""Polygons' worth of the accuracy of a map beside what drawn labels say; and an accuracy
where none is said."""


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Sources of a stack: which are drawn and so win, and the others, the maps."""

    parts: tuple[Stack, ...]
    wins: tuple[bool, ...]
    sides: tuple[int, ...]

    @classmethod
    def of(cls, stack: Stack, accuracies: Sequence[str | None] = ()) -> _Kinds:
        parts = stack.apart()
        said = [*accuracies, *[None] * len(parts)]
        wins = tuple(
            said[k] is None and are_drawn(labels_of(part), part.grid)
            for k, part in enumerate(parts)
        )
        return cls(parts, wins, tuple(cell_sides(part, 1)[0] for part in parts))

    @property
    def maps(self) -> list[int]:
        """Numbers of the sources that are maps."""
        return [k for k, drawn in enumerate(self.wins) if not drawn]

    def to_keep(
        self, strengths: Sequence[Strength | None], notes: Sequence[str]
    ) -> KeptPlace:
        """Return what a run keeps; drawn labels have their own strength."""
        count = len(labels_of(self.parts[0]).legend)
        right = Strength.of_accuracy(np.full(count, DRAWN))
        every = [
            right if drawn else strength
            for drawn, strength in zip(self.wins, strengths, strict=True)
        ]
        others = tuple(
            OtherPlace(k - 1, one, self.sides[k], self.wins[k] and not self.wins[0])
            for k, one in enumerate(every)
            if k and one is not None
        )
        return KeptPlace(every[0], self.sides[0], tuple(notes), others)


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
    kinds, legend = _Kinds.of(stack, accuracies), labels_of(stack).legend
    strengths: list[Strength | None] = [None] * len(kinds.parts)
    notes, means = list[str](), dict[int, float]()
    for k in kinds.maps:
        part = kinds.parts[k]
        said = accuracies[k] if k < len(accuracies) else None
        drawn, right = _beside_drawn(kinds, k)
        accuracy, power, mixed = np.full(len(legend), _ASSUMED), 1.0, None
        if said is not None:
            accuracy = stated_accuracy(said, legend)
        elif not drawn:
            seen = seen_by_images(predictor, part, seed, progress)
            notes.append(f"labels {k + 1}: {note_of(seen, legend)}")
            if not seen.power:
                continue
            accuracy, power, mixed = seen.accuracy, seen.power, seen.mixed
        accuracy = (right + _HELD * accuracy) / (drawn + _HELD)
        # The evidence of several maps multiplies; a single one is weighed as if alone.
        several = len(kinds.maps) > 1
        own = Strength.of_accuracy(accuracy, power=power)
        own = own if several else strength_of(accuracy, power, mixed)
        strengths[k] = replace(own, silent=_silent(part))
        means[k] = float(accuracy.mean())
        notes.append(_note(k, means[k], drawn))
    if len(means) > 1:
        rho = dependence([kinds.parts[k] for k in means], list(means.values()))
        less = 1 + (len(means) - 1) * rho
        for k in means:
            one = strengths[k]
            assert one is not None
            strengths[k] = replace(one, power=one.power / less)
        notes.append(
            f"place: the errors of the maps given as labels are alike by {rho:.2f} (0 "
            f"independent, 1 the same), so each counts by {1 / less:.2f}"
        )
    return kinds.to_keep(strengths, notes)


def place_of_sources_by_anchors(
    predictor: Predictor, stack: Stack, anchors: Anchors
) -> KeptPlace:
    """Place of all sources under which the classes of anchors are likely.

    Strengths of the first two maps are chosen together; further ones are not asked.
    """
    kinds = _Kinds.of(stack)
    maps = kinds.maps[:_JOINT]
    seen = [
        at_anchors(predictor, part, anchors, side)
        for part, side in zip(kinds.parts, kinds.sides, strict=True)
    ]
    silent = {k: _silent(kinds.parts[k]) for k in maps}
    grid = list(product(_EXPONENTS, *[_WRONG] * len(maps)))
    fits = np.empty(len(grid))
    for number, (exponent, *wrong) in enumerate(grid):
        values = seen[0][0]
        for n, (k, w) in enumerate(zip(maps, wrong, strict=True)):
            own = _strength(silent[k], w, 1.0 if n else exponent)
            values = combine(values, seen[k][1], own)
        fits[number] = likelihood(values, anchors)
    chance = np.exp(fits - fits.max())
    chance /= chance.sum()
    means = np.exp(chance @ np.log(np.array(grid)))
    strengths: list[Strength | None] = [None] * len(kinds.parts)
    for n, (k, w) in enumerate(zip(maps, means[1:], strict=True)):
        strengths[k] = _strength(silent[k], float(w), 1.0 if n else float(means[0]))
    said = ", ".join(
        f"labels {k + 1} as if {means[1 + n]:.0%} of them were drawn at random"
        for n, k in enumerate(maps)
    )
    note = (
        f"place: chosen by {len(anchors.classes)} anchors: {said}; images with the "
        f"exponent {means[0]:.2f}"
    )
    return kinds.to_keep(strengths, [note])


def dependence(parts: Sequence[Stack], accuracies: Sequence[float]) -> float:
    """Rho of sources of labels that are right on such shares, mean over pairs."""
    grid = overview(parts[0].grid, _LONGEST_PX)
    seen = [look_at_classes(_bare(part), grid).values for part in parts]
    classes = len(labels_of(parts[0]).legend)
    alike = []
    for i in range(len(parts)):
        for j in range(i):
            both = (seen[i] != UNKNOWN) & (seen[j] != UNKNOWN)
            if not both.any():
                alike.append(0.0)
                continue
            first, second = accuracies[i], accuracies[j]
            chance = (1 - first) * (1 - second) / max(classes - 1, 1)
            least, most = first * second + chance, 1 - abs(first - second)
            same = float((seen[i] == seen[j])[both].mean())
            alike.append(float(np.clip((same - least) / max(most - least, 1e-9), 0, 1)))
    return float(np.mean(alike))


def _strength(silent: tuple[bool, ...], wrong: float, exponent: float) -> Strength:
    return Strength((min(wrong, 1.0),) * len(silent), exponent, silent=silent)


def _silent(part: Stack) -> tuple[bool, ...]:
    """Classes that a source never names in the scene."""
    return tuple((support(_bare(part), part.grid) == 0).tolist())


def _beside_drawn(kinds: _Kinds, k: int) -> tuple[int, float]:
    """How many polygons and points are drawn, and how many of them map `k` names rightly.

    A polygon counts as one, by the share of its pixels.
    """
    drawn, rightly = 0, 0.0
    source = _bare(kinds.parts[k])
    for own, wins in zip(kinds.parts, kinds.wins, strict=True):
        if not wins:
            continue
        for spans in pieces(own.grid):
            grid = own.grid[spans]
            values = labels_of(own).read(grid).values
            if (values == UNKNOWN).all():
                continue
            named = source.read(grid).values
            for c in np.unique(values[values != UNKNOWN]):
                numbers, _ = label((values == c) & (named != UNKNOWN))
                pixels = np.bincount(numbers.ravel())[1:]
                same = np.bincount(numbers[named == c], minlength=len(pixels) + 1)[1:]
                drawn += len(pixels)
                rightly += float((same / np.maximum(pixels, 1)).sum())
    return drawn, rightly


def _bare(part: Stack) -> LabelSource:
    """Labels of a source, where others win over it too."""
    labels = labels_of(part)
    return labels.source if isinstance(labels, LabelsUnder) else labels


def _note(k: int, accuracy: float, drawn: int) -> str:
    by = f", corrected by {drawn} drawn labels" if drawn else ""
    return (
        f"place: labels {k + 1} count as a map that is right on {accuracy:.0%} of the "
        f"pixels{by}"
    )
