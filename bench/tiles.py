"""The main job on the two real tiles with 100 m labels, by several methods.

    python bench/tiles.py

Labels are the majority of a tile's own 10 m land-cover product in 100 m cells of the
MODIS grid, and that product is also what maps are compared with: it has errors of its
own, and tiles are 224 pixels wide, so that rows say what happens on real files and rank
nothing. The tiles are not in this project: they are read at ../shared/tiles.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.warp import Resampling, reproject, transform_bounds

TILES = Path(__file__).parents[2] / "shared" / "tiles"
NAMES = ["282D_485L_3_3", "433D_629L_3_1"]
SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
METHODS = {
    "random forest of Schmitt et al. 2020": (
        *("--method", "forest", "--set", "depth=10", "--set", "leaf=1"),
        *("--set", "balanced=false", "--set", "filtered=false"),
    ),
    "class-balanced forest": ("--method", "forest"),
    "network, cross-entropy": ("--method", "network"),
    "weak": ("--method", "weak"),
}


def coarse_labels(source: Path, path: Path, size: float = 100) -> Path:
    """Majority of the classes in cells of `size` metres of the MODIS grid."""
    with rasterio.open(source) as fine:
        left, bottom, right, top = transform_bounds(fine.crs, SINUSOIDAL, *fine.bounds)
        x0, y0 = np.floor(left / size) * size, np.ceil(top / size) * size
        shape = (int(np.ceil((y0 - bottom) / size)), int(np.ceil((right - x0) / size)))
        grid = GeoBox(shape, Affine(size, 0, x0, 0, -size, y0), SINUSOIDAL)
        cells = np.zeros(shape, np.uint8)
        reproject(
            fine.read(1),
            cells,
            src_transform=fine.transform,
            src_crs=fine.crs,
            src_nodata=0,
            dst_transform=grid.affine,
            dst_crs=SINUSOIDAL,
            dst_nodata=0,
            resampling=Resampling.mode,
        )
    profile = {"driver": "GTiff", "count": 1, "dtype": "uint8", "nodata": 0}
    with rasterio.open(
        path,
        "w",
        **profile,
        height=shape[0],
        width=shape[1],
        crs=SINUSOIDAL,
        transform=grid.affine,
    ) as out:
        out.write(cells, 1)
    return path


def main() -> None:
    print("| tile | map | overall accuracy | average accuracy | mean IoU |")
    print("|---|---|---|---|---|")
    for name in NAMES:
        tile = TILES / name
        with tempfile.TemporaryDirectory() as folder:
            truth = tile / "land_cover_esri.tif"
            labels = coarse_labels(truth, Path(folder) / "coarse.tif")
            for number, (method, options) in enumerate(METHODS.items()):
                words = [
                    *(sys.executable, "-m", "overcast", "map"),
                    *("--s2", tile / "s2_l2a.tif", "--s1", tile / "s1_rtc.tif"),
                    *("--labels", labels, "--legend", TILES / "legend.csv"),
                    *("--reference", truth, "--reference-nodata", "0", *options),
                    *("--out", Path(folder) / f"{number}"),
                ]
                found = subprocess.run(words, check=True, capture_output=True)
                accuracy = json.loads(found.stdout)["accuracy"]
                if not number:
                    row(name, "the labels themselves", accuracy["labels"])
                row(name, method, accuracy["map"])


def row(tile: str, name: str, scores: dict[str, float]) -> None:
    keys = ("overall_accuracy", "average_accuracy", "mean_iou")
    print(f"| {tile} | {name} |", " | ".join(f"{scores[k]:.3f}" for k in keys), "|")


if __name__ == "__main__":
    main()
