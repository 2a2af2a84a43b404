"""Whether speckle filtered over dates helps: ``python -m bench.dates_of_worlds [SEED]``.

Worlds of 256 pixels a side with four dates of Sentinel-2 and Sentinel-1, labels of 500 m
cells, without labels as evidence of place. Each date is learned with the Sentinel-1 image
nearest to it, as it is or filtered over all dates (`overcast.geo.despeckle`). The score is
mIoU over all pixels. Prints a table for docs/dates.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overcast.geo.arrays import ImageArray
from overcast.geo.despeckle import filter_dates
from overcast.geo.label_file import open_labels
from overcast.geo.raster import Image
from overcast.geo.series import chip_at
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.inputs import open_inputs
from overcast.maps.by_date import ByDate
from overcast.methods.by_date import fit_by_date, load_by_date
from overcast.methods.forest import Forest
from overcast.methods.weak import Weak
from overcast.plan import Data, ImageInput, LabelInput, ObservationInput
from overcast.progress import quiet
from overcast.worlds.files import write_world
from overcast.worlds.scene import SceneSpec

SIDE, DATES, LEGEND = 256, 4, "simplified-igbp"


def main() -> None:
    """Print the table."""
    seeds = [int(text) for text in sys.argv[1:]] or [1, 2, 3, 4]
    print("| world | method | S1 | mean of dates | best date | four dates |")
    print("|---|---|---|---|---|---|")
    for seed in seeds:
        for name, speckle, scores in rows(seed):
            shown = " | ".join(f"{score:.3f}" for score in scores)
            print(f"| {seed} | {name} | {speckle} | {shown} |", flush=True)


def rows(seed: int) -> Iterator[tuple[str, str, tuple[float, float, float]]]:
    """Method, what S1 is, and the scores of a world."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_world(seed, SIDE, folder, SceneSpec(dates=DATES))
        stack = open_inputs(data_of(folder)).stack
        assert stack.labels is not None
        truth = open_labels(folder / "truth.tif", stack.labels.legend)
        values = truth.read(stack.grid).values
        arms = {"nearest": stack, "filtered": filtered(stack)}
        for method in (Weak(), Forest()):
            for name, arm in arms.items():
                found = scores(
                    method, arm, values, folder / type(method).__name__ / name
                )
                yield type(method).__name__.lower(), name, found


def data_of(folder: Path) -> Data:
    """All dates of a world and its labels."""

    def image(name: str, sensor: str) -> ImageInput:
        paths = sorted(folder.glob(f"{name}_*.tif"))
        dates = tuple(ObservationInput(path=str(path)) for path in paths)
        return ImageInput(sensor=sensor, dates=dates)

    labels = LabelInput(path=str(folder / "labels.tif"), legend=LEGEND)
    images = {"s2": image("s2", "sentinel-2"), "s1": image("s1", "sentinel-1")}
    return Data(images=images, labels=labels)


def filtered(stack: Stack) -> Stack:
    """The stack with its Sentinel-1 dates filtered together."""
    names = [n for n, s in stack.images.items() if s.sensor.kind == "sar"]
    before = np.stack([stack.images[n].read(stack.grid).values for n in names])
    after = {
        name: ImageArray(Image.of(values, stack.grid, stack.images[name].sensor))
        for name, values in zip(names, filter_dates(before), strict=True)
    }
    return replace(stack, images={**stack.images, **after})


def scores(
    method: Any, stack: Stack, truth: NDArray[np.uint8], run: Path
) -> tuple[float, float, float]:
    """Mean and best score of single dates, and that of all."""
    assert stack.labels is not None
    legend = stack.labels.legend
    run.mkdir(parents=True)
    fit_by_date(method, [stack], run, 0, quiet)
    predictor = load_by_date(method, run, legend, stack.sensors)
    assert isinstance(predictor, ByDate)
    chip = stack.read(Window(0, 0, *stack.shape))
    single = [
        score(member.predict(chip_at(chip, day)[0]), truth, len(legend))
        for member, day in zip(predictor.members, predictor.days, strict=True)
    ]
    every = score(predictor.predict(chip), truth, len(legend))
    return float(np.mean(single)), max(single), every


def score(values: NDArray[np.float32], truth: NDArray[np.uint8], classes: int) -> float:
    """Mean IoU over the classes that occur in the truth."""
    known, best = truth < classes, values.argmax(0)
    here = np.unique(truth[known])
    pairs = [((best == k) & known, truth == k) for k in here]
    return float(np.mean([(a & b).sum() / (a | b).sum() for a, b in pairs]))


if __name__ == "__main__":
    main()
