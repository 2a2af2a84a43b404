"""The baselines of Schmitt et al. 2020: learned from coarse labels, scored on others.

Every arm leaves its scores in a file as soon as it has them, so that a benchmark that
was stopped goes on with the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.published.benchmark import kept
from bench.published.deep import Training
from bench.published.patches import (
    INPUTS,
    TEN,
    assess,
    classify,
    draw_pixels,
    read_as_is,
    read_chip,
    some,
    stack_of,
)
from bench.published.settings import Settings
from bench.published.shallow import cluster, grow_forest
from bench.published.survey import compare_labels

from overcast.accuracy.confusion import scores
from overcast.datasets.dataset import Patch
from overcast.geo.stack import Chip
from overcast.maps.predictor import Predictor
from overcast.plan import choose
from overcast.progress import Progress
from overcast.report.quicklook import class_picture, png, rgb

Scores = Mapping[str, Any]
Reader = Callable[[Patch, str, str | None], Chip]
"""A patch, a key of `INPUTS` and the name of labels, or none, to a chip of all of it."""
BY_HOLDOUT = "chosen on the hold-out scenes"
BY_TEST = "upper bound: chosen on the test data, as in the paper"


@dataclass(frozen=True, slots=True)
class Row:
    """Scores of one arm; `chosen` says how its epoch was, where it had several."""

    method: str
    inputs: str
    scores: Scores
    epoch: int | None = None
    chosen: str = ""

    @property
    def name(self) -> str:
        """What the paper's table calls it."""
        return ", ".join(filter(None, (self.method, self.inputs)))


@dataclass(frozen=True, slots=True)
class Curve:
    """Scores of a network after every epoch, on two sets of patches."""

    name: str
    holdout: Sequence[Scores]
    test: Sequence[Scores]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """All baselines on one division of the data.

    Attributes
    ----------
    learn
        Patches whose ``coarse`` labels are learned from.
    test
        Patches with ``fine`` labels to score against.
    holdout
        Patches that an epoch is chosen by, on their ``coarse`` labels.
    examples
        Patches that pictures are made of.
    """

    learn: Sequence[Patch]
    test: Sequence[Patch]
    holdout: Sequence[Patch]
    examples: Sequence[Patch]
    settings: Settings
    folder: Path
    seed: int
    progress: Progress

    def coarse(self) -> Row:
        """The coarse labels themselves; Savanna is an error wherever they say it."""
        found = kept(
            self.folder / "coarse.json",
            lambda: scores(
                compare_labels(self.test, "coarse", "fine", self.progress), TEN
            ),
        )
        for patch in self.examples:
            self._picture(patch, "1 S2", rgb(_image(patch, "s2")))
            self._picture(patch, "2 S1", rgb(_image(patch, "s1")))
            for place, labels in enumerate(("coarse", "fine"), 3):
                source = patch.labels(labels)
                picture = class_picture(source.read(source.grid))
                self._picture(patch, f"{place} {labels}", picture)
        return Row("LR-HR", "", found)

    def shallow(self) -> list[Row]:
        """k-means and random forest, with Sentinel-2 alone and with both sensors."""
        return [
            Row(name, inputs, kept(self._file(name, inputs), partial(make, inputs)))
            for name, make in (("k-means", self._clusters), ("RF", self._forest))
            for inputs in INPUTS
        ]

    def methods(self) -> list[Row]:
        """Methods of overcast, which the paper does not have."""
        return [
            Row(
                name,
                inputs,
                kept(self._file(name, inputs), partial(self._fit, name, inputs)),
            )
            for name in self.settings.methods
            for inputs in INPUTS
        ]

    def _fit(self, name: str, inputs: str) -> Scores:
        folder = self._file(name, inputs).with_suffix("")
        folder.mkdir(parents=True, exist_ok=True)
        patches = some(self.learn, self.settings.patches)
        stacks = [stack_of(patch, inputs, "coarse") for patch in patches]
        method = choose("methods", self.settings.methods[name])
        method.fit(stacks, folder, self.seed, self.progress)
        found = method.load(folder, TEN, stacks[0].sensors)
        return self._score(name, inputs, found, read_as_is)

    def _clusters(self, inputs: str) -> Scores:
        found = cluster(
            self._pixels(inputs), self.settings.clusters, self.seed, self.progress
        )
        return self._score("k-means", inputs, found)

    def _forest(self, inputs: str) -> Scores:
        folder = self._file("RF", inputs).with_suffix("")
        pixels, trees = self._pixels(inputs), self.settings.trees
        found = grow_forest(pixels, trees, folder, self.seed, self.progress)
        return self._score("RF", inputs, found)

    def _pixels(self, inputs: str) -> Any:
        patches = some(self.learn, self.settings.patches)
        count = self.settings.pixels
        return draw_pixels(patches, inputs, count, self.seed, self.progress)

    def deep(self) -> tuple[list[Row], list[Curve]]:
        """Networks, by the epoch that the hold-out scenes choose and the test data do."""
        rows, curves = list[Row](), list[Curve]()
        for name, network in self.settings.networks.items():
            for inputs in INPUTS:
                training = Training(
                    network=network,
                    inputs=inputs,
                    epochs=self.settings.epochs,
                    batch=self.settings.batch,
                    peak_rate=self.settings.peak_rate,
                    seed=self.seed,
                )
                curve, found = self._train(name, training)
                curves.append(curve)
                rows += found
        return rows, curves

    def _train(self, name: str, training: Training) -> tuple[Curve, list[Row]]:
        inputs = training.inputs
        folder = self._file(name, inputs).with_suffix("")
        files = training.train(self.learn, folder, self.progress)
        epochs = [
            kept(file.with_suffix(".json"), partial(self._both, training, file))
            for file in files
        ]
        holdout = [epoch["holdout"] for epoch in epochs]
        test = [epoch["test"] for epoch in epochs]
        chosen, best = _highest(holdout), _highest(test)
        self._draw(name, inputs, training.load(files[chosen]))
        rows = [
            Row(name, inputs, test[chosen], chosen + 1, BY_HOLDOUT),
            Row(name, inputs, test[best], best + 1, BY_TEST),
        ]
        return Curve(f"{name}, {inputs}", holdout, test), rows

    def _both(self, training: Training, file: Path) -> dict[str, Scores]:
        predictor, inputs = training.load(file), training.inputs
        sets = (("holdout", self.holdout, "coarse"), ("test", self.test, "fine"))
        return {
            name: self._assess(predictor, patches, partial(_as_paper, inputs, labels))
            for name, patches, labels in sets
        }

    def _score(
        self, name: str, inputs: str, predictor: Predictor, read: Reader = read_chip
    ) -> Scores:
        self._draw(name, inputs, predictor, read)
        return self._assess(
            predictor, self.test, lambda patch: read(patch, inputs, "fine")
        )

    def _assess(
        self,
        predictor: Predictor,
        patches: Sequence[Patch],
        read: Callable[[Patch], Chip],
    ) -> Scores:
        found = assess(predictor, patches, read, self.progress)
        return scores(found, predictor.legend)

    def _draw(
        self, name: str, inputs: str, predictor: Predictor, read: Reader = read_chip
    ) -> None:
        for patch in self.examples:
            mapped = classify(predictor, read(patch, inputs, None))
            self._picture(patch, f"{name}, {inputs}", class_picture(mapped))

    def _picture(self, patch: Patch, what: str, picture: Any) -> None:
        file = self.folder / "panels" / patch.name / f"{what}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(picture))

    def _file(self, name: str, inputs: str) -> Path:
        return self.folder / "arms" / f"{name} {inputs}.json"


def _as_paper(inputs: str, labels: str, patch: Patch) -> Chip:
    return read_chip(patch, inputs, labels)


def _image(patch: Patch, name: str) -> Any:
    stack = patch.stack()
    return stack.images[name].read(stack.grid)


def _highest(epochs: Sequence[Scores]) -> int:
    """Place of the highest average accuracy; the first of equal ones."""
    values = [epoch["average_accuracy"] or 0.0 for epoch in epochs]
    return values.index(max(values))
