"""Does pretraining wait for its data? Steps from files, superpixels included.

    python bench/pretraining_speed.py --size 4096 --steps 200

A scene of Sentinel-1 and Sentinel-2 as compressed GeoTIFFs, superpixels computed while
training goes on, against the same scene in memory with its superpixels already there.
Both train the default network by `contrast` from the same windows, as many in a step as
`overcast pretrain` takes, one after the other, so that neither reads ahead while the other
is timed. A scene must be larger than what is held at once, or all of it is read in the
first step, and the rest compares memory with memory: from about 2100 pixels a side on.
Bar: a step from files takes at most 1.05 times as long, the first one apart, which waits
for the first region.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from overcast.geo.arrays import ImageArray
from overcast.geo.stack import Stack
from overcast.inputs import open_inputs
from overcast.models.fcn import FCN
from overcast.plan import Data, ImageInput
from overcast.recipes.contrast import Contrast
from overcast.train.blocks.units import unit_edges
from overcast.train.felzenszwalb import with_superpixels
from overcast.train.loop import Schedule, train
from overcast.train.stream import Crops, ahead
from overcast.worlds.files import write_world
from overcast.worlds.scene import SceneSpec

_WINDOW, _BATCH = 32, 32


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--parts", type=int, default=4, help="stretches to report")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        write_world(0, given.size, at / "world", SceneSpec(()))
        names = {"s1": "sentinel-1", "s2": "sentinel-2"}
        images = {
            name: ImageInput(path=str(at / "world" / f"{name}.tif"), sensor=sensor)
            for name, sensor in names.items()
        }
        files = open_inputs(Data(images=images)).stack
        cut = unit_edges(files, _WINDOW, 1 << 30)
        print(f"units held: {' x '.join(str(len(edges) - 1) for edges in cut)}")
        lazy = with_superpixels(files, at / "kept")
        file = seconds(lazy, at / "files", given.steps)
        # The tiles that were computed are read again, the others are computed now.
        array = seconds(in_memory(lazy), at / "memory", given.steps)
    first, file, array = file[0], file[1:], array[1:]
    print(
        f"from files {1e3 * file.mean():.1f} ms a step, in memory "
        f"{1e3 * array.mean():.1f} ms, ratio {file.mean() / array.mean():.3f}; the first "
        f"step from files {first:.1f} s"
    )
    parts = zip(*(np.array_split(s, given.parts) for s in (file, array)), strict=True)
    ratios = ", ".join(f"{one.mean() / two.mean():.3f}" for one, two in parts)
    print(f"ratio over training, in {given.parts} stretches: {ratios}")


def in_memory(stack: Stack) -> Stack:
    """The same images as arrays."""
    read = {name: source.read(stack.grid) for name, source in stack.images.items()}
    return replace(stack, images={name: ImageArray(i) for name, i in read.items()})


def seconds(stack: Stack, folder: Path, steps: int) -> NDArray[np.float64]:
    """Time of every step."""
    torch.manual_seed(0)
    model = FCN({name: len(s.bands) for name, s in stack.sensors.items()}, 1)
    found = []
    with ahead(Crops(stack, _WINDOW, _BATCH), 0, steps) as stream:
        run = train(
            model, Contrast(), {"unlabelled": stream}, Schedule(steps=steps), folder
        )
        for _ in range(steps):
            begin = time.perf_counter()
            next(run)
            found.append(time.perf_counter() - begin)
    return np.array(found)


if __name__ == "__main__":
    main()
