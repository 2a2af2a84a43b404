"""Does pretraining wait for its data? Steps from files, superpixels included.

    python bench/pretraining_speed.py --size 1024 --steps 100

A scene of Sentinel-1 and Sentinel-2 as compressed GeoTIFFs, superpixels computed while
training goes on, against the same scene in memory with its superpixels already there.
Both train the same network by `contrast` from the same windows, in turns. Bar: a step
from files takes at most 1.05 times as long, the first one apart, which waits for the
first region.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from overcast.geo.arrays import ImageArray
from overcast.geo.stack import Stack
from overcast.inputs import open_inputs
from overcast.learn.felzenszwalb import with_superpixels
from overcast.learn.stream import Crops, ahead
from overcast.learn.train import Schedule, train
from overcast.models.fcn import FCN
from overcast.plan import Data, ImageInput
from overcast.recipes.contrast import Contrast
from overcast.worlds.files import write_world
from overcast.worlds.scene import Wanted

_WINDOW, _BATCH = 32, 8


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=100)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        write_world(0, given.size, at / "world", Wanted(()))
        names = {"s1": "sentinel-1", "s2": "sentinel-2"}
        images = {
            name: ImageInput(path=str(at / "world" / f"{name}.tif"), sensor=sensor)
            for name, sensor in names.items()
        }
        files = open_inputs(Data(images=images)).stack
        memory = in_memory(with_superpixels(files))
        sides = [
            seconds(with_superpixels(files, at / "kept"), at / "files", given.steps),
            seconds(memory, at / "memory", given.steps),
        ]
        found = np.array([list(pair) for pair in zip(*sides, strict=True)])
    first, (file, array) = found[0, 0], found[1:].mean(0)
    print(
        f"from files {1e3 * file:.1f} ms a step, in memory {1e3 * array:.1f} ms, ratio "
        f"{file / array:.3f}; the first step from files {first:.1f} s"
    )


def in_memory(stack: Stack) -> Stack:
    """The same images as arrays."""
    read = {name: source.read(stack.grid) for name, source in stack.images.items()}
    return replace(stack, images={name: ImageArray(i) for name, i in read.items()})


def seconds(stack: Stack, folder: Path, steps: int) -> Iterator[float]:
    """Time of every step."""
    torch.manual_seed(0)
    model = FCN({name: len(s.bands) for name, s in stack.sensors.items()}, 1)
    with ahead(Crops(stack, _WINDOW, _BATCH), 0, steps) as stream:
        run = train(
            model, Contrast(), {"unlabelled": stream}, Schedule(steps=steps), folder
        )
        for _ in range(steps):
            begin = time.perf_counter()
            next(run)
            yield time.perf_counter() - begin


if __name__ == "__main__":
    main()
