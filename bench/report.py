"""Time, memory and size of the report of a map of 10980 x 10980 pixels.

    python bench/report.py

A Sentinel-2 tile's size: a map with its confidence, ten bands of Sentinel-2, two of
Sentinel-1 and 500 m labels, each a simulated scene of 512 x 512 pixels again and again,
in files without overviews whose blocks hold all bands. Opening and checking the inputs
and making the page are timed apart, in a process of their own; on a busy machine wall
time grows with its load, processor time does not. Memory is the peak of the process, and
what it held before. The same is done for a quarter of the pixels. Bars: 5 MB, a minute,
and no more memory for four times the pixels.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Sensor
from overcast.geo.legend import Legend, load_legend
from overcast.geo.stack import Chip
from overcast.inputs import open_inputs
from overcast.jobs.page import MapFindings, make_page
from overcast.plan import Data, ImageInput, LabelInput, Plan
from overcast.progress import quiet
from overcast.worlds.scene import simulate

SIDES, BLOCK, METRES, CELL = (5490, 10980), 512, 10, 500
LEGEND = load_legend("simplified-igbp")
TAGS = {f"OVERCAST_{name}": "bench" for name in ("MODEL", "PLAN", "VERSION")}


@dataclass(frozen=True)
class Nothing:
    """The predictor of the map, of which the page needs the legend alone."""

    legend: Legend = LEGEND
    halo: int = 0

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """None."""
        return {}

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        """Never called."""
        raise NotImplementedError


def write(path: Path, block: NDArray[Any], side: int, **profile: Any) -> None:
    """Write a block ``[C, 512, 512]`` again and again."""
    names = profile.pop("names", ())
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=side,
        height=side,
        count=len(block),
        dtype=block.dtype,
        crs="EPSG:32632",
        transform=Affine(METRES, 0, 399_960, 0, -METRES, 5_100_000),
        tiled=True,
        blockxsize=BLOCK,
        blockysize=BLOCK,
        compress="deflate",
        zlevel=1,
        bigtiff="if_safer",
        **profile,
    ) as dataset:
        for _, window in dataset.block_windows(1):
            dataset.write(block[:, : window.height, : window.width], window=window)
        dataset.descriptions = names or dataset.descriptions
        dataset.update_tags(**TAGS)


def write_inputs(folder: Path, side: int) -> None:
    """Write a map, its confidence, and what it was made from."""
    scene, random = simulate(0, BLOCK), np.random.default_rng(0)
    truth = LEGEND.to_codes(scene.truth.values)[None]
    sure = random.integers(64, 257, truth.shape).astype(np.float32) / 256
    write(folder / "map.tif", truth, side, nodata=255)
    write(folder / "confidence.tif", sure, side, nodata=np.nan)
    backscatter = scene.images["s1"].values
    write(folder / "s1.tif", backscatter, side, nodata=np.nan, names=SENTINEL_1.names)
    stored = np.rint(1e4 * scene.images["s2"].values).clip(1).astype(np.uint16)
    write(folder / "s2.tif", stored, side, nodata=0, names=SENTINEL_2.names)
    cells = -(-side * METRES // CELL)
    codes = random.choice(LEGEND.codes, (1, cells, cells)).astype(np.uint8)
    with rasterio.open(
        folder / "labels.tif",
        "w",
        driver="GTiff",
        width=cells,
        height=cells,
        count=1,
        dtype="uint8",
        nodata=255,
        crs="EPSG:32632",
        transform=Affine(CELL, 0, 399_960, 0, -CELL, 5_100_000),
    ) as dataset:
        dataset.write(codes)


def make(folder: Path) -> None:
    """Open inputs, make the page, and print the figures of both."""
    data = Data(
        images={
            name: ImageInput(path=str(folder / f"{name}.tif"), sensor=sensor)
            for name, sensor in (("s1", "sentinel-1"), ("s2", "sentinel-2"))
        },
        labels=LabelInput(path=str(folder / "labels.tif"), legend=LEGEND.name),
    )
    held, made = peak_mib(), (folder / "map.tif", Nothing())
    with timed("inputs"):
        inputs = open_inputs(data)
    with timed("page"):
        make_page(made, inputs, Plan(data=data), MapFindings(), quiet)
    page = (folder / "report.html").stat().st_size / 1e6
    print(f"{peak_mib() - held:.0f} MiB beyond {held:.0f} MiB, page of {page:.2f} MB")


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long something took, and how long the processor worked on it."""
    wall, busy = time.perf_counter(), time.process_time()
    yield
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    print(f"{what} {wall:.1f} s, processor {busy:.1f} s", end="; ")


def peak_mib() -> float:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the figures of both sizes; or, with arguments, do one task."""
    if len(sys.argv) == 4:
        task, folder, side = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
        if task == "input":
            write_inputs(folder, side)
        else:
            make(folder)
        return
    for side in SIDES:
        with tempfile.TemporaryDirectory() as name:
            for task in ("input", "page"):
                command = [sys.executable, __file__, task, name, str(side)]
                done = subprocess.run(
                    command, check=True, capture_output=True, text=True
                )
        print(f"{side} x {side}: {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    main()
