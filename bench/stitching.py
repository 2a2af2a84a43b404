"""Stitching alone against a plain NumPy row-band accumulator, in one run.

4096 x 4096 pixels, 10 classes, windows of 512 overlapping by 128; the network is a
precomputed array and reading costs nothing. Both sides blend, take class and
confidence, put them in the same raw files and, where said, write the same two COGs.
The plain side adds value * weight and weight, divides, and takes argmax and max; it
has no nodata, journal, or check. Bar: ratio with COGs at most 1.5.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.bands import Band, Sensor
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import Image
from overcast.geo.stack import Chip, Stack
from overcast.geo.tiling import Tiling
from overcast.maps.predict import RawMap, predict
from overcast.product.rasters import write_confidence, write_map

SIDE, CLASSES, TILING, REPEATS = 4096, 10, Tiling(512, 128), 3
GRID = GeoBox((SIDE, SIDE), Affine(10, 0, 500_000, 0, -10, 4_000_000), "EPSG:32633")
SENSOR = Sensor("one", "optical", (Band("a", "reflectance", 0, 1),))
LEGEND = Legend(
    "ten", tuple(LandClass(k, f"class {k}", f"{k}0{k}0{k}0") for k in range(CLASSES))
)


def network_output() -> NDArray[np.float32]:
    """Smooth random probabilities ``[K, 512, 512]``: patches, as maps have."""
    coarse = np.random.default_rng(0).random((CLASSES, 16, 16), np.float32) * 8
    values = np.exp(coarse.repeat(32, 1).repeat(32, 2))
    return np.asarray(values / values.sum(0), np.float32)


@dataclass(frozen=True)
class Constant:
    """A source that costs nothing: one array for every window."""

    image: NDArray[np.float32]
    grid: GeoBox = GRID
    blocks: tuple[int, int] = (1, 1)
    sensor: Sensor = SENSOR

    def read(self, grid: GeoBox) -> Image:
        """Return the array as it is."""
        valid = np.ones(self.image.shape[1:], np.bool_)
        return Image(values=self.image, valid=valid, grid=grid, sensor=SENSOR)


@dataclass(frozen=True)
class Dummy:
    """A network that has always finished already."""

    output: NDArray[np.float32]
    legend: Legend = LEGEND
    halo: int = 0

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """One image."""
        return {"x": SENSOR}

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        """Return the precomputed probabilities."""
        return self.output


def ours(output: NDArray[np.float32], folder: Path) -> RawMap:
    """Map with `predict`."""
    source = Constant(np.zeros((1, TILING.size, TILING.size), np.float32))
    stack = Stack(grid=GRID, images={"x": source})
    return predict(Dummy(output), stack, TILING, folder)


def plain(output: NDArray[np.float32], folder: Path) -> RawMap:
    """Accumulate row bands as one would in a script."""
    raw = RawMap(folder / "classes.raw", folder / "confidence.raw", (SIDE, SIDE))
    edge = np.minimum(np.arange(TILING.size), np.arange(TILING.size)[::-1]) + 1
    ramp = np.minimum(edge / (TILING.overlap + 1), 1).astype(np.float32)
    weight = np.outer(ramp, ramp)
    starts = TILING.starts(SIDE)
    sums = np.zeros((CLASSES, TILING.size, SIDE), np.float32)
    total = np.zeros((TILING.size, SIDE), np.float32)
    with raw.classes.open("wb") as classes, raw.confidence.open("wb") as confidence:
        for y, end in zip(starts, [*starts[1:], SIDE], strict=True):
            for x in starts:
                columns = slice(x, x + TILING.size)
                sums[:, :, columns] += output * weight
                total[:, columns] += weight
            rows = end - y
            band = sums[:, :rows] / total[:rows]
            classes.write(band.argmax(0).astype(np.uint8).tobytes())
            confidence.write((np.rint(band.max(0) * 256) / 256).tobytes())
            keep = TILING.size - rows
            for array in (sums, total[None]):
                array[:, :keep] = array[:, rows:].copy()
                array[:, keep:] = 0
    return raw


def seconds(
    side: Callable[[NDArray[np.float32], Path], RawMap], output: NDArray[np.float32]
) -> tuple[float, float]:
    """Time without and with the two COGs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        raw = side(output, folder)
        mapped = time.perf_counter() - start
        write_map(raw, GRID, LEGEND, folder / "map.tif", {})
        write_confidence(raw, GRID, folder / "confidence.tif", {})
        return mapped, time.perf_counter() - start


def main() -> None:
    """Take the best of a few interleaved runs of each, and print the ratios."""
    output = network_output()
    runs = [(seconds(ours, output), seconds(plain, output)) for _ in range(REPEATS)]
    for index, what in enumerate(("without COGs", "with COGs")):
        mine = min(run[0][index] for run in runs)
        theirs = min(run[1][index] for run in runs)
        print(
            f"{what}: overcast {mine:.2f} s, plain NumPy {theirs:.2f} s, "
            f"ratio {mine / theirs:.2f}"
        )


if __name__ == "__main__":
    main()
