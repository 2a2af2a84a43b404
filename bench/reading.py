"""Training windows per second out of a large deflate GeoTIFF, against plain reading.

Four bands of uint16 with texture and noise, once in strips (what GDAL writes if not
told otherwise) and once in tiles of 512; windows of 256, one process, the file in the
operating system's cache, the sides in turns. Our side is `Crops` through a `Stack`,
from its making, so that it pays for its first regions; it gives normalised float32
tensors with validity, and reads a region with up to four threads (`taskset -c 0` shows
it with one core). The plain side opens the file with rasterio and reads a window at a
random place, as stored; kept open instead, it is timed too. Bar: at least 5 times as
many windows as the plain side, in both layouts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import rasterio
import torch
from rasterio.transform import from_origin
from rasterio.windows import Window

from overcast.geo.bands import SENTINEL_2, SENTINEL_2_ENCODING
from overcast.geo.image_file import open_image
from overcast.geo.stack import Stack
from overcast.train.stream import Crops

BANDS = ("B02", "B03", "B04", "B08")
WINDOW, BATCH, ROWS = 256, 8, 512
LAYOUTS: dict[str, dict[str, object]] = {
    "strips": {},
    "tiles": {"tiled": True, "blockxsize": 512, "blockysize": 512},
}


def write(path: Path, size: int, layout: dict[str, object]) -> None:
    """Write a scene by rows: fields of 32 pixels, and noise of some per cent."""
    random = np.random.default_rng(0)
    noise = random.normal(0, 40, (len(BANDS), ROWS, size)).astype(np.int16)
    profile = {
        "driver": "GTiff",
        "width": size,
        "height": size,
        "count": len(BANDS),
        "dtype": "uint16",
        "crs": "EPSG:32633",
        "transform": from_origin(500_000, 5_000_000, 10, 10),
        "compress": "deflate",
        "num_threads": "all_cpus",
        **layout,
    }
    with rasterio.open(path, "w", **profile) as file:
        for index, name in enumerate(BANDS, 1):
            file.set_band_description(index, name)
        for top in range(0, size, ROWS):
            fields = random.integers(
                500, 4000, (len(BANDS), ROWS // 32, size // 32 + 1)
            )
            smooth = fields.repeat(32, 1).repeat(32, 2)[..., :size]
            values = smooth + np.roll(noise, int(random.integers(size)), 2)
            rows = min(ROWS, size - top)
            part = values[:, :rows].astype(np.uint16)
            file.write(part, window=Window(0, top, size, rows))


def ours(path: Path) -> Iterator[int]:
    """Draw batches from a new stream; gives the number of windows after each."""
    source = open_image(path, SENTINEL_2.select(BANDS), SENTINEL_2_ENCODING)
    crops = Crops(Stack(grid=source.grid, images={"s2": source}), WINDOW, BATCH)
    for step in count():
        yield len(crops(step).valid["s2"])


def reopened(path: Path) -> Iterator[int]:
    """Open the file for every window."""
    for window in places(path):
        with rasterio.open(path) as file:
            yield len([file.read(window=window)])


def kept_open(path: Path) -> Iterator[int]:
    """Open the file once, so that GDAL may find a block in its cache."""
    with rasterio.open(path) as file:
        for window in places(path):
            yield len([file.read(window=window)])


def places(path: Path) -> Iterator[Window]:
    """Windows at random places."""
    random = np.random.default_rng(0)
    with rasterio.open(path) as file:
        last = np.subtract(file.shape, WINDOW - 1)
    while True:
        y, x = random.integers(last)
        yield Window(int(x), int(y), WINDOW, WINDOW)


def rates(path: Path, seconds: float) -> list[float]:
    """Windows per second of the three sides, in turns of a second."""
    sides = [side(path) for side in (ours, reopened, kept_open)]
    done, spent = [0, 0, 0], [0.0, 0.0, 0.0]
    while min(spent) < seconds:
        for side, windows in enumerate(sides):
            begin = time.perf_counter()
            while time.perf_counter() < begin + 1:
                done[side] += next(windows)
            spent[side] += time.perf_counter() - begin
    return [n / s for n, s in zip(done, spent, strict=True)]


def main() -> None:
    """Write each file, time all sides, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=10980, help="side in pixels")
    parser.add_argument("--seconds", type=float, default=10, help="for each side")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for name, layout in LAYOUTS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "scene.tif"
            write(path, chosen.size, layout)
            fast, slow, once = rates(path, chosen.seconds)
            print(
                f"{name} ({path.stat().st_size / 1e6:.0f} MB): {fast:.0f} windows/s; "
                f"plain {slow:.1f}, ratio {fast / slow:.1f}; "
                f"plain kept open {once:.1f}, ratio {fast / once:.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
