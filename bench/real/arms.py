"""Maps of a tile from labels, by several ways of learning."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from bench.claims.scoring import METHODS
from bench.real.tiles import Tile
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from overcast.accuracy.calibration import Reliability
from overcast.accuracy.confusion import Confusion, scores
from overcast.geo.arrays import LabelArray
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling, Window
from overcast.label_quality.anchors import Anchors
from overcast.label_quality.place_file import KeptPlace, with_place
from overcast.maps.placed import soft_labels
from overcast.maps.predict import probabilities
from overcast.maps.predictor import Predictor
from overcast.methods.features import guide_of, pixel_features
from overcast.methods.guided import guided
from overcast.methods.place.by_anchors import place_by_anchors
from overcast.methods.place.consistency import place_by_consistency
from overcast.methods.place.several import (
    place_of_sources,
    place_of_sources_by_anchors,
)
from overcast.methods.place.strength import place_by_accuracy
from overcast.plan import choose
from overcast.progress import quiet

Floats = NDArray[np.float32]
Scores = dict[str, float]
_TREES, _RADIUS, _MODE_PX = 300, 4, 5
_MOST_PIXELS = 60_000
_RARE = 0.05
"""Share of the reference below which a class is rare."""


@dataclass
class Case:
    """A tile, labels of it, and a seed; what several arms need is made once."""

    tile: Tile
    labels: Labels
    seed: int
    others: tuple[Labels, ...] = ()

    @cached_property
    def stack(self) -> Stack:
        """Images and labels."""
        return Stack(
            grid=self.tile.grid,
            images=self.tile.images,
            labels=LabelArray(self.labels),
            others=tuple(LabelArray(labels) for labels in self.others),
        )

    @property
    def alone(self) -> tuple[Case, ...]:
        """A case for each source of labels."""
        every = (self.labels, *self.others)
        return tuple(replace(self, labels=one, others=()) for one in every)

    @cached_property
    def near(self) -> NDArray[np.uint8]:
        """Labels on the grid of the images."""
        return LabelArray(self.labels).read(self.tile.grid).values

    @cached_property
    def accuracy(self) -> float:
        """Share of the labelled pixels on which the labels are right."""
        truth = self.tile.truth.values
        both = (truth != UNKNOWN) & (self.near != UNKNOWN)
        return float((truth == self.near)[both].mean())

    @cached_property
    def weak(self) -> tuple[Predictor, Floats]:
        """`weak`, without place: its predictor and probabilities."""
        return self.learned({"name": "weak"})

    def learned(self, method: Mapping[str, Any]) -> tuple[Predictor, Floats]:
        """Predictor and probabilities of a method."""
        with tempfile.TemporaryDirectory() as folder:
            made = choose("methods", method)
            made.fit(self.stack.apart(), Path(folder), self.seed, quiet)
            predictor = made.load(Path(folder), self.labels.legend, self.stack.sensors)
            return predictor, self.mapped(predictor)

    def mapped(self, predictor: Predictor) -> Floats:
        """Probabilities ``[K, H, W]``."""
        out = np.empty((len(self.labels.legend), *self.stack.shape), np.float32)
        for window, band in probabilities(predictor, self.stack, Tiling(512, 64)):
            out[:, *window.slices] = band
        return out

    def placed(self, place: KeptPlace) -> Floats:
        """`weak` with the labels as evidence of place."""
        predictor, values = self.weak
        if place.strength is None and not place.others:
            return values
        sources = [LabelArray(self.labels)]
        sources += [LabelArray(self.others[one.index]) for one in place.others]
        return self.mapped(with_place(predictor, place, sources))

    def anchors(self, count: int) -> Anchors:
        """So many random pixels with their true class."""
        truth = self.tile.truth.values
        rows, columns = np.nonzero(truth != UNKNOWN)
        random = np.random.default_rng((self.seed, 9))
        drawn = random.choice(len(rows), count, replace=False)
        rows, columns = rows[drawn], columns[drawn]
        return Anchors(rows, columns, truth[rows, columns], np.ones(count))


def _labels(case: Case) -> Floats:
    return _one_hot(case.near, len(case.labels.legend))


def _blurred(case: Case) -> Floats:
    return soft_labels(LabelArray(case.labels), case.tile.grid, 1)


def _forest_majority(case: Case) -> Floats:
    """The balanced forest, and the most frequent class of 5 x 5 pixels around each."""
    found = case.learned(METHODS["forest"])[1]
    votes = _one_hot(found.argmax(0).astype(np.uint8), len(found))
    return np.stack([uniform_filter(v, _MODE_PX, mode="nearest") for v in votes])


def _boosting(case: Case) -> Floats:
    """LightGBM on bands, indices and filtered backscatter, then the guided filter."""
    from lightgbm import LGBMClassifier

    chip = case.stack.read(Window(0, 0, *case.stack.shape))
    features = pixel_features(chip, case.stack.sensors, True)
    pixels = features.reshape(len(features), -1).T
    known = np.flatnonzero(case.near.ravel() != UNKNOWN)
    random = np.random.default_rng(case.seed)
    drawn = random.permutation(known)[:_MOST_PIXELS]
    model = LGBMClassifier(
        n_estimators=_TREES,
        learning_rate=0.05,
        class_weight="balanced",
        random_state=case.seed,
        n_jobs=1,
        verbose=-1,
    )
    model.fit(np.asarray(pixels[drawn]), case.near.ravel()[drawn])
    out = np.zeros((len(case.labels.legend), len(pixels)), np.float32)
    out[model.classes_.astype(int)] = model.predict_proba(pixels).T
    maps = out.reshape(-1, *case.stack.shape)
    guide = guide_of(chip, case.stack.sensors)
    if guide is None:
        return maps
    return np.where(guide.valid, guided(guide, maps, guide.valid, _RADIUS), maps)


def _one_hot(classes: NDArray[np.uint8], count: int) -> Floats:
    return np.stack([classes == k for k in range(count)]).astype(np.float32)


ARMS: dict[str, Callable[[Case], Floats]] = {
    "labels": _labels,
    "labels, blurred": _blurred,
    "plain forest": lambda case: case.learned(METHODS["plain-forest"])[1],
    "balanced forest": lambda case: case.learned(METHODS["forest"])[1],
    "forest, majority filter": _forest_majority,
    "LightGBM, guided filter": _boosting,
    "weak, as of a map": lambda case: case.learned(
        {"name": "weak", "cell": 4, "balance": 0.5}
    )[1],
    "weak, without place": lambda case: case.weak[1],
    "weak": lambda case: case.placed(
        place_by_consistency(case.weak[0], case.stack, case.seed)
    ),
    "weak, accuracy stated": lambda case: case.placed(
        place_by_accuracy(case.stack, np.full(len(case.labels.legend), case.accuracy))
    ),
    "weak, 20 anchors": lambda case: case.placed(
        place_by_anchors(case.weak[0], case.stack, case.anchors(20), case.seed)
    ),
    "weak, 50 anchors": lambda case: case.placed(
        place_by_anchors(case.weak[0], case.stack, case.anchors(50), case.seed)
    ),
}
"""What makes probabilities ``[K, H, W]`` of a case, by the name of an arm."""
_ALONE = "LightGBM, guided filter"
PAIR_ARMS: dict[str, Callable[[Case], Floats]] = {
    "labels": _labels,
    f"{_ALONE}, map": lambda case: _boosting(case.alone[0]),
    f"{_ALONE}, drawn": lambda case: _boosting(case.alone[1]),
    "weak, map": lambda case: _default(case.alone[0]),
    "weak, drawn": lambda case: _default(case.alone[1]),
    "weak, both": lambda case: _both(case, (None, None)),
    "weak, both, accuracy stated": lambda case: _both(
        case, (f"{case.accuracy:.3f}", None)
    ),
    "weak, both, 50 anchors": lambda case: case.placed(
        place_of_sources_by_anchors(case.weak[0], case.stack, case.anchors(50))
    ),
}
"""The same where a case has a map and drawn labels."""


def _default(case: Case) -> Floats:
    return case.placed(place_by_consistency(case.weak[0], case.stack, case.seed))


def _both(case: Case, said: tuple[str | None, ...]) -> Floats:
    predictor = case.weak[0]
    return case.placed(place_of_sources(predictor, case.stack, said, case.seed))


def measure(
    case: Case, arms: list[str], drawn: Labels | None
) -> Iterator[tuple[str, Scores]]:
    """Scores of arms, on the pixels that are not drawn; not of drawn labels."""
    truth = case.tile.truth.values
    tested = truth != UNKNOWN
    if drawn is not None:
        tested = tested & (drawn.values == UNKNOWN)
    known = PAIR_ARMS if case.others else ARMS
    labelled = tested & (case.near != UNKNOWN)
    lacking = drawn is None and bool((tested & ~labelled).any())
    for name in arms:
        if name.startswith("labels") and drawn is case.labels:
            continue
        values = known[name](case)
        total = values.sum(0)
        classes = values.argmax(0).astype(np.uint8)
        count = len(case.labels.legend)
        # An unknown label is a wrong one: the reference knows the pixel.
        counted = Confusion.of(
            truth[tested], np.where(total > 0, classes, UNKNOWN)[tested], count
        )
        found = scores(counted, case.labels.legend)
        sure = (values.max(0) / np.maximum(total, 1e-9))[tested]
        right = (classes == truth)[tested]
        result = {
            "mean_iou": found["mean_iou"],
            "overall_accuracy": found["overall_accuracy"],
            "calibration_error": Reliability.of(sure, right).expected_error,
        } | _rare(counted)
        if lacking:
            result |= _at(case, classes, labelled)
        yield name, result


def _at(case: Case, classes: NDArray[np.uint8], where: NDArray[np.bool_]) -> Scores:
    """Scores of a map where labels are."""
    truth, legend = case.tile.truth.values[where], case.labels.legend
    found = scores(Confusion.of(truth, classes[where], len(legend)), legend)
    return {
        f"labelled_{name}": found[name] for name in ("mean_iou", "overall_accuracy")
    }


def _rare(counted: Confusion) -> Scores:
    """Mean precision and recall of the classes with little of the reference, if any."""
    support = counted.support
    rare = (support > 0) & (support < _RARE * support.sum())
    if not rare.any():
        return {}
    precision = np.nan_to_num(counted.users_accuracy[rare])
    return {
        "rare_precision": float(precision.mean()),
        "rare_recall": float(counted.producers_accuracy[rare].mean()),
    }
