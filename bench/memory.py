"""Peak resident memory of mapping 4096 x 4096 and 4096 x 16384 pixels.

Columns by rows. Inputs are GeoTIFFs of four bands (deflate, blocks of 512), the
predictor is NumPy, COGs are written; each size runs in a fresh process. Bar: within
10 % of each other.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import rasterio
from numpy.typing import NDArray

from overcast.geo.bands import SENTINEL_2, SENTINEL_2_ENCODING, Sensor
from overcast.geo.image_file import open_image
from overcast.geo.legend import LandClass, Legend
from overcast.geo.stack import Chip, Stack
from overcast.geo.tiling import Tiling
from overcast.maps.predict import predict
from overcast.product.rasters import write_confidence, write_map

WIDTH, ROWS = 4096, (4096, 16384)
SENSOR = SENTINEL_2.select(("B02", "B03", "B04", "B08"))
CLASSES = 10
LEGEND = Legend(
    "ten", tuple(LandClass(k, f"class {k}", f"{k}0{k}0{k}0") for k in range(CLASSES))
)


@dataclass(frozen=True)
class Brightness:
    """Classes by the brightness of one band: cheap, and not constant."""

    legend: Legend = LEGEND
    halo: int = 0
    threaded: ClassVar[bool] = True

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """One image."""
        return {"s2": SENSOR}

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        """Share of every class by its distance in brightness."""
        centres = np.linspace(0, 0.4, CLASSES, dtype=np.float32)[:, None, None]
        values = np.exp(-100 * np.abs(chip.images["s2"].values[3] - centres))
        return np.asarray(values / values.sum(0), np.float32)


def write_input(path: Path, rows: int) -> None:
    """Write noise over a ramp, block row by block row."""
    rng = np.random.default_rng(0)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=WIDTH,
        height=rows,
        count=4,
        dtype="uint16",
        crs="EPSG:32633",
        transform=rasterio.Affine(10, 0, 500_000, 0, -10, 4_000_000),
        tiled=True,
        blockxsize=512,
        blockysize=512,
        compress="deflate",
        nodata=0,
    ) as file:
        file.descriptions = SENSOR.names
        for y in range(0, rows, 512):
            ramp = np.linspace(200, 3800, WIDTH)
            values = (ramp + rng.integers(0, 200, (4, 512, WIDTH))).astype(np.uint16)
            window = rasterio.windows.Window(0, y, WIDTH, 512)
            file.write(values, window=window)


def map_one(folder: Path) -> None:
    """Map the input in `folder` and print this process's peak memory in MiB."""
    source = open_image(folder / "s2.tif", SENSOR, SENTINEL_2_ENCODING)
    stack = Stack(grid=source.grid, images={"s2": source})
    raw = predict(Brightness(), stack, Tiling(512, 128), folder)
    write_map(raw, stack.grid, LEGEND, folder / "map.tif", {})
    write_confidence(raw, stack.grid, folder / "confidence.tif", {})
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def peak_mib(rows: int) -> float:
    """Peak memory of mapping so many rows in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        # A process begins with its parent's peak, so the input has one of its own.
        for task in ("input", "map"):
            done = subprocess.run(
                [sys.executable, __file__, task, name, str(rows)],
                check=True,
                capture_output=True,
                text=True,
            )
        return float(done.stdout)


def main() -> None:
    """Print both peaks and their ratio; or, with arguments, do one task."""
    if len(sys.argv) == 4:
        task, folder, rows = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
        if task == "input":
            write_input(folder / "s2.tif", rows)
        else:
            map_one(folder)
        return
    small, large = map(peak_mib, ROWS)
    for rows, peak in zip(ROWS, (small, large), strict=True):
        print(f"{WIDTH} x {rows}: peak {peak:.0f} MiB")
    print(f"ratio {large / small:.3f}")


if __name__ == "__main__":
    main()
