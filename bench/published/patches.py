"""Patches as Schmitt et al. 2020 saw them: their bands, ranges and nine classes.

Backscatter is clipped to [-25, 0] dB and reflectance to [0, 1], both to be scaled to
[0, 1]; Savanna is no class at 10 m, so its pixels are not learned from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.accuracy.confusion import Confusion
from overcast.datasets.dataset import Patch
from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.bands import SENTINEL_1, SENTINEL_2_L1C, Sensor
from overcast.geo.derived import Derived
from overcast.geo.legend import Crosswalk, Legend, load_legend
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Chip, ImageSource, Stack
from overcast.geo.tiling import Window
from overcast.maps.predictor import Predictor
from overcast.progress import Progress
from overcast.train.batch import Batch

TEN = load_legend("simplified-igbp")
NINE = Legend(
    "simplified-igbp without Savanna",
    tuple(c for c in TEN.classes if c.name != "Savanna"),
)
INPUTS = {"S2 only": ("s2",), "S1+S2": ("s1", "s2")}
"""Images of a patch, by what the paper calls the choice."""
SENSORS: dict[str, Sensor] = {
    "s1": replace(
        SENTINEL_1,
        bands=tuple(replace(b, low=-25.0, high=0.0) for b in SENTINEL_1.bands),
    ),
    "s2": replace(
        SENTINEL_2_L1C,
        bands=tuple(replace(b, low=0.0, high=1.0) for b in SENTINEL_2_L1C.bands),
    ),
}
"""The sensors with the paper's ranges."""
_WITHOUT_SAVANNA = Crosswalk(
    TEN, NINE, np.array([[float(a == b) for b in NINE.codes] for a in TEN.codes])
)


def stack_of(patch: Patch, inputs: str, labels: str | None) -> Stack:
    """The patch with some of its images, and labels by name in all ten classes."""
    stack = patch.stack(labels)
    return replace(stack, images={name: stack.images[name] for name in INPUTS[inputs]})


def read_as_is(patch: Patch, inputs: str, labels: str | None) -> Chip:
    """Read a whole patch as overcast reads anything."""
    stack = stack_of(patch, inputs, labels)
    return stack.read(whole(stack))


def read_chip(patch: Patch, inputs: str, labels: str | None) -> Chip:
    """Read a whole patch, clipped as in the paper; labels by name, in nine classes."""
    chip = read_as_is(patch, inputs, labels)
    known = None
    if chip.labels is not None:
        values = _WITHOUT_SAVANNA.indices(chip.labels.values)
        known = Labels(values=values, grid=chip.grid, legend=NINE)
    images = {name: clipped(i, SENSORS[name]) for name, i in chip.images.items()}
    return Chip(images=images, labels=known, grid=chip.grid)


def clipped(image: Image, sensor: Sensor) -> Image:
    """The bands of `sensor` by name, no value outside the range of its band."""
    places = [image.sensor.names.index(name) for name in sensor.names]
    low, high = (
        np.array([getattr(b, end) for b in sensor.bands], np.float32)[:, None, None]
        for end in ("low", "high")
    )
    return Image.of(np.clip(image.values[places], low, high), image.grid, sensor)


@dataclass(frozen=True, slots=True)
class Clipped(Derived[ImageSource]):
    """An image as `clipped` leaves it, as an `ImageSource`."""

    sensor: Sensor

    def read(self, grid: GeoBox) -> Image:
        """Values on `grid`, clipped."""
        return clipped(self.source.read(grid), self.sensor)


def some(patches: Sequence[Patch], count: int | None) -> list[Patch]:
    """So many patches spread evenly over all; all of them if there are no more."""
    if count is None or count >= len(patches):
        return list(patches)
    places = np.linspace(0, len(patches) - 1, count).round().astype(int)
    return [patches[place] for place in places]


@dataclass(frozen=True, slots=True)
class Epochs:
    """Batches of whole patches, every patch once an epoch, as a `Stream`.

    The last patches of an epoch that don't fill a batch wait for another one.
    """

    patches: Sequence[Patch]
    read: Callable[[Patch], Chip]
    batch: int
    seed: int

    def __post_init__(self) -> None:
        if len(self.patches) < self.batch:
            raise ValueError(
                f"{len(self.patches)} patches to learn from don't fill a batch of "
                f"{self.batch}; set batch lower"
            )

    @property
    def length(self) -> int:
        """Batches in an epoch."""
        return len(self.patches) // self.batch

    def __call__(self, step: int) -> Batch:
        """Batch of a step, whatever came before."""
        epoch, place = divmod(step, self.length)
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.patches))
        chosen = order[place * self.batch : (place + 1) * self.batch]
        return Batch.of([self.read(self.patches[index]) for index in chosen])


def draw_pixels(
    patches: Sequence[Patch], inputs: str, count: int, seed: int, progress: Progress
) -> Stack:
    """About `count` labelled pixels, as many of every patch, side by side as a stack.

    Where they lay is lost: the stack is for classifiers that look at single pixels.

    Raises
    ------
    ValueError
        If no pixel has a known class.
    """
    each = math.ceil(count / len(patches))
    values, classes = [], []
    for done, patch in enumerate(patches, 1):
        chip = read_chip(patch, inputs, "coarse")
        assert chip.labels is not None
        bands = np.concatenate([image.values for image in chip.images.values()])
        usable = np.flatnonzero(chip.labels.valid & np.isfinite(bands).all(0))
        random = np.random.default_rng((seed, done))
        drawn = random.choice(usable, min(each, len(usable)), replace=False)
        values.append(bands.reshape(len(bands), -1)[:, drawn])
        classes.append(chip.labels.values.ravel()[drawn])
        progress("drawing pixels", done, len(patches))
    return _as_stack(np.concatenate(values, 1), np.concatenate(classes), inputs)


def _as_stack(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    classes: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    inputs: str,
) -> Stack:
    if not classes.size:
        raise ValueError("no pixel to learn from has a known class other than Savanna")
    side = math.ceil(math.sqrt(classes.size))
    grid = GeoBox((side, side), Affine.scale(10, -10), None)
    image = np.full((len(values), side * side), np.nan, np.float32)
    image[:, : classes.size] = values
    labels = np.full(side * side, UNKNOWN, np.uint8)
    labels[: classes.size] = classes
    images, first = {}, 0
    for name in INPUTS[inputs]:
        sensor = SENSORS[name]
        bands = image[first : first + len(sensor.bands)].reshape(-1, side, side)
        images[name] = ImageArray(Image.of(bands, grid, sensor))
        first += len(sensor.bands)
    known = Labels(values=labels.reshape(side, side), grid=grid, legend=NINE)
    return Stack(grid=grid, images=images, labels=LabelArray(known))


def whole(stack: Stack) -> Window:
    """All of a stack."""
    return Window(0, 0, *stack.shape)


def classify(predictor: Predictor, chip: Chip) -> Labels:
    """Most probable class of every pixel; unknown where no sensor saw the ground."""
    best = predictor.predict(chip).argmax(0).astype(np.uint8)
    seen = np.logical_or.reduce([image.valid for image in chip.images.values()])
    values = np.where(seen, best, np.uint8(UNKNOWN))
    return Labels(values=values, grid=chip.grid, legend=predictor.legend)


def assess(
    predictor: Predictor,
    patches: Sequence[Patch],
    read: Callable[[Patch], Chip],
    progress: Progress,
) -> Confusion:
    """Confusion of a predictor with the labels of patches, all patches together."""
    classes = len(predictor.legend)
    total = Confusion.none(classes)
    for done, patch in enumerate(patches, 1):
        chip = read(patch)
        assert chip.labels is not None
        mapped = classify(predictor, chip).values
        total += Confusion.of(chip.labels.values, mapped, classes)
        progress("assessing", done, len(patches))
    return total
