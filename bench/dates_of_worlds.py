"""What dates are worth on simulated scenes: ``python -m bench.dates_of_worlds PART``.

    weak     weak with labels of 500 m cells: single dates and all of them, without
             clouds, and where masks of clouds hide about half of the pixels
    forest   a forest with true labels of half of the ground, mapped on the other half:
             bands of all dates stacked, one forest a date, and the curves of
             `overcast.methods.curves`
    speckle  Sentinel-1 as it is, or filtered over dates (`overcast.geo.despeckle`)

with numbers of worlds behind it. Labels are no evidence of place here; each date of
Sentinel-2 has the Sentinel-1 image nearest in time. The score is mIoU over all pixels of
384 x 384 (speckle: 256 x 256). Each part prints a table for docs/dates.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.despeckle import filter_dates
from overcast.geo.label_file import open_labels
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.series import at, chip_at, days_of
from overcast.geo.stack import Chip, Stack
from overcast.geo.tiling import Window
from overcast.inputs import open_inputs
from overcast.maps.by_date import ByDate
from overcast.maps.predictor import Predictor
from overcast.methods.by_date import fit_by_date, load_by_date
from overcast.methods.forest import Forest, GrownForest
from overcast.methods.weak import Weak
from overcast.plan import Data, ImageInput, LabelInput, MaskInput, ObservationInput
from overcast.progress import quiet
from overcast.worlds.files import write_world
from overcast.worlds.scene import SceneSpec

SIDE, LEGEND, CLOUD, BLOCK = 384, "simplified-igbp", 0.2, 32
"""Clouds of a fifth of the ground: with haze, shadows, 40 m around, masks hide half."""
Row = tuple[str, ...]


def main() -> None:
    """Print the table of a part."""
    part, *seeds = sys.argv[1:]
    heads, rows = PARTS[part]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for seed in map(int, seeds or ("1", "2")):
        with TemporaryDirectory() as scratch:
            for row in rows(seed, Path(scratch)):
                print("| " + " | ".join((str(seed), *row)) + " |", flush=True)


def of_weak(seed: int, folder: Path) -> Iterator[Row]:
    """Mean IoU of `weak` on clear and on cloudy dates, and what more dates regain."""
    for dates in (4, 6):
        *clear, every, _ = apart(Weak(), seed, folder / f"{dates}", dates)
        *single, cloudy, hidden = apart(
            Weak(), seed, folder / f"c{dates}", dates, CLOUD
        )
        above, below = np.mean(clear), np.mean(single)
        shown = (above, max(clear), every, below, cloudy)
        regained = (cloudy - below) / (above - below)
        numbers = (f"{x:.3f}" for x in shown)
        yield (f"{dates}", *numbers, f"{hidden:.0%}", f"{regained:.0%}")


def of_forest(seed: int, folder: Path) -> Iterator[Row]:
    """Mean IoU of forests with true labels, and how many features they look at."""
    for dates, cloud in ((4, None), (12, None), (12, CLOUD)):
        stack, truth = world(seed, folder / f"{dates}-{cloud}", dates, cloud)
        name = f"{dates}, {hidden_of(stack):.0%} hidden" if cloud else f"{dates}"
        half = _half(truth, seed)
        taught = replace(stack, labels=_known(stack, truth, half))
        scores = _forests(taught, truth, half, folder / f"runs-{dates}-{cloud}")
        yield (name, *(f"{v:.3f} ({n})" for v, n in scores))


def _forests(
    stack: Stack, truth: NDArray[np.uint8], half: NDArray[np.bool_], runs: Path
) -> Iterator[tuple[float, int]]:
    """Scores on the other half, and numbers of features: stacked, apart, as curves."""
    stack = replace(stack.only(("s2",)), labels=stack.labels)
    optical = list(stack.images)
    rest = np.where(half, UNKNOWN, truth)
    bands = len(stack.images[optical[0]].sensor.bands)
    stacked = replace(stack, moments={})
    forest = Forest(balanced=False, leaf=2, samples=15_000)
    plain = replace(forest, filtered=False)
    assert stack.labels is not None
    legend = stack.labels.legend
    chip = stack.read(Window(0, 0, *stack.shape))
    fresh = _folders(runs)

    folder = next(fresh)
    plain.fit([stacked], folder, 0, quiet)
    model: Predictor = plain.load(folder, legend, stacked.sensors)
    whole = stacked.read(Window(0, 0, *stack.shape))
    yield score(model.predict(whole), rest, len(legend)), bands * len(optical)

    members, days = [], []
    for day in days_of(stack):
        folder = next(fresh)
        one = at(stack, day)
        if not (one.read(Window(0, 0, *stack.shape)).images["s2"].valid & half).any():
            continue
        forest.fit([one], folder, 0, quiet)
        members.append(forest.load(folder, legend, stack.sensors))
        days.append(day)
    mean = ByDate(tuple(members), tuple(days), (1.0,) * len(days))
    yield score(mean.predict(chip), rest, len(legend)), _width(members[0])

    folder = next(fresh)
    forest.fit([stack], folder, 0, quiet)
    curves = forest.load(folder, legend, stack.sensors)
    yield score(curves.predict(chip), rest, len(legend)), _width(curves)


def _width(forest: GrownForest) -> int:
    """Number of features that a forest looks at."""
    return len(forest.look.names(forest.sensors, forest.filtered))


def _folders(root: Path) -> Iterator[Path]:
    """Fresh folders, as many as are asked for."""
    number = 0
    while True:
        folder = root / str(number)
        folder.mkdir(parents=True)
        yield folder
        number += 1


def _half(truth: NDArray[np.uint8], seed: int) -> NDArray[np.bool_]:
    """Pixels of a random half of the blocks of a scene."""
    rows, columns = (-(-length // BLOCK) for length in truth.shape)
    order = np.random.default_rng(seed).permutation(rows * columns)
    chosen = (order < rows * columns // 2).reshape(rows, columns)
    wide = chosen.repeat(BLOCK, 0).repeat(BLOCK, 1)
    return wide[: truth.shape[0], : truth.shape[1]]


def _known(
    stack: Stack, truth: NDArray[np.uint8], half: NDArray[np.bool_]
) -> LabelArray:
    """True labels of the pixels of `half`."""
    assert stack.labels is not None
    values = np.where(half, truth, UNKNOWN).astype(np.uint8)
    return LabelArray(
        Labels(values=values, grid=stack.grid, legend=stack.labels.legend)
    )


def of_speckle(seed: int, folder: Path) -> Iterator[Row]:
    """What Sentinel-1 is, and mean, best and joint score of four dates with `weak`."""
    stack, truth = world(seed, folder / "world", 4, side=256)
    for name, arm in {"nearest date": stack, "filtered": filtered(stack)}.items():
        values = scores(Weak(), arm, truth, folder / name)
        shown = (np.mean(values[:-1]), max(values[:-1]), values[-1])
        yield (name, *(f"{x:.3f}" for x in shown))


def filtered(stack: Stack) -> Stack:
    """The stack with its Sentinel-1 dates filtered together."""
    names = [n for n, s in stack.images.items() if s.sensor.kind == "sar"]
    before = np.stack([stack.images[n].read(stack.grid).values for n in names])
    after = {
        name: ImageArray(Image.of(values, stack.grid, stack.images[name].sensor))
        for name, values in zip(names, filter_dates(before), strict=True)
    }
    return replace(stack, images={**stack.images, **after})


def apart(
    method: Any, seed: int, folder: Path, dates: int, cloud: float | None = None
) -> list[float]:
    """Scores of every date of a world, of all together, and the share that is hidden."""
    stack, truth = world(seed, folder / "world", dates, cloud)
    return [*scores(method, stack, truth, folder / "run"), hidden_of(stack)]


def hidden_of(stack: Stack) -> float:
    """Share of the pixels of optical dates that masks hide."""
    chip = stack.read(Window(0, 0, *stack.shape))
    optical = [i for i in chip.images.values() if i.sensor.kind == "optical"]
    return 1 - float(np.mean([image.valid.mean() for image in optical]))


def world(
    seed: int, folder: Path, dates: int, cloud: float | None = None, side: int = SIDE
) -> tuple[Stack, NDArray[np.uint8]]:
    """A world of several dates with 500 m labels, and its true classes."""
    write_world(seed, side, folder, SceneSpec(dates=dates, cloud=cloud))
    stack = open_inputs(data_of(folder)).stack
    assert stack.labels is not None
    truth = open_labels(folder / "truth.tif", stack.labels.legend)
    return stack, truth.read(stack.grid).values


def data_of(folder: Path) -> Data:
    """All dates of a world, their scene classes if it has some, and its labels."""

    def image(name: str, sensor: str) -> ImageInput:
        dates = []
        for path in sorted(folder.glob(f"{name}_*.tif")):
            if path.stem.endswith("_scl"):
                continue
            scl = path.with_name(f"{path.stem}_scl.tif")
            mask = MaskInput(path=str(scl), dilation=40) if scl.exists() else None
            dates.append(ObservationInput(path=str(path), mask=mask))
        return ImageInput(sensor=sensor, dates=tuple(dates))

    labels = LabelInput(path=str(folder / "labels.tif"), legend=LEGEND)
    images = {"s2": image("s2", "sentinel-2"), "s1": image("s1", "sentinel-1")}
    return Data(images=images, labels=labels)


def scores(
    method: Any, stack: Stack, truth: NDArray[np.uint8], run: Path
) -> list[float]:
    """Score of every date, mapped by what was learned from it, then of all dates."""
    assert stack.labels is not None
    legend = stack.labels.legend
    run.mkdir(parents=True)
    fit_by_date(method, [stack], run, 0, quiet)
    predictor = load_by_date(method, run, legend, stack.sensors)
    chip = stack.read(Window(0, 0, *stack.shape))
    single = [_alone(predictor, chip, day) for day in days_of(stack)]
    every = [*single, predictor.predict(chip)]
    return [score(values, truth, len(legend)) for values in every]


def _alone(predictor: Predictor, chip: Chip, day: Any) -> NDArray[np.float32]:
    """What is said of one date alone."""
    one = chip_at(chip, day)[0]
    if isinstance(predictor, ByDate):
        return predictor.members[predictor.days.index(day)].predict(one)
    return predictor.predict(one)


def score(values: NDArray[np.float32], truth: NDArray[np.uint8], classes: int) -> float:
    """Mean IoU over the classes that occur in the truth."""
    known, best = truth < classes, values.argmax(0)
    here = np.unique(truth[known])
    pairs = [((best == k) & known, truth == k) for k in here]
    return float(np.mean([(a & b).sum() / (a | b).sum() for a, b in pairs]))


PARTS: Mapping[str, tuple[tuple[str, ...], Callable[[int, Path], Iterator[Row]]]] = {
    "weak": (
        (
            "world",
            "dates",
            "clear: mean of one",
            "best",
            "all",
            "under cloud: mean of one",
            "all",
            "hidden",
            "regained",
        ),
        of_weak,
    ),
    "forest": (
        ("world", "dates", "stacked bands", "a forest a date", "curves"),
        of_forest,
    ),
    "speckle": (
        ("world", "Sentinel-1", "mean of dates", "best date", "four dates"),
        of_speckle,
    ),
}


if __name__ == "__main__":
    main()
