"""Draw the picture of the README: labels, map, truth and confidence of a simulated scene.

    python bench/readme.py        # docs/pictures/map.jpg

The scene is that of `overcast demo`; the map is made by the command's own job.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from PIL import Image

from overcast.geo.label_file import open_labels
from overcast.geo.legend import load_legend
from overcast.geo.location import Location
from overcast.report.quicklook import class_picture

ROOT = Path(__file__).parents[1]
_GAP, _SIZE = 6, 512
Picture = NDArray[np.uint8]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "demo"
        command = [sys.executable, "-m", "overcast", "demo", "--out", str(demo)]
        subprocess.run(command, check=True, capture_output=True, text=True)
        parts = [_optical(demo), *(_classes(demo, name) for name in _CLASSES)]
    gap = np.full((_SIZE, _GAP, 3), 255, np.uint8)
    row = np.concatenate([p for part in parts for p in (part, gap)][:-1], 1)
    Image.fromarray(row).save(ROOT / "docs" / "pictures" / "map.jpg", quality=85)


_CLASSES = ("world/labels.tif", "map.tif", "world/truth.tif")


def _optical(demo: Path) -> Picture:
    with rasterio.open(demo / "world" / "s2.tif") as dataset:
        red, green, blue = (dataset.read(b).astype(np.float32) for b in (3, 2, 1))
    colours = np.stack([red, green, blue], -1) / 2500
    return np.asarray(255 * colours.clip(0, 1) ** 0.7, np.uint8)


def _classes(demo: Path, name: str) -> Picture:
    with rasterio.open(demo / "world" / "s2.tif") as dataset:
        grid = GeoBox(dataset.shape, dataset.transform, str(dataset.crs))
    legend = load_legend("simplified-igbp")
    labels = open_labels(Location.of(str(demo / name)), legend, None).read(grid)
    return class_picture(labels)[..., :3]


if __name__ == "__main__":
    main()
