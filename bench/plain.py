"""A land-cover map as a plain script makes it, with rasterio and scikit-learn.

    python bench/plain.py SCENE OUT.tif [forest | lightgbm]

Labels are repeated for every pixel that they lie on, 60,000 pixels are drawn, a forest of
100 trees of depth 10 (or 100 rounds of LightGBM) learns their bands, and every pixel is
classified, band of rows by band of rows. `bench/peers.py` runs it beside overcast.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.vrt import WarpedVRT

_SAMPLES, _ROWS = 60_000, 256


def learner(name: str) -> Any:
    """An untrained classifier."""
    if name == "lightgbm":
        from lightgbm import LGBMClassifier

        return LGBMClassifier(n_estimators=100, n_jobs=1, verbose=-1)
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(100, max_depth=10, n_jobs=1, random_state=0)


def main() -> None:
    """Learn and classify."""
    scene, out = Path(sys.argv[1]), sys.argv[2]
    name = sys.argv[3] if len(sys.argv) > 3 else "forest"
    with ExitStack() as stack:
        images = [
            stack.enter_context(rasterio.open(scene / f)) for f in ("s1.tif", "s2.tif")
        ]
        grid = {
            k: images[1].profile[k] for k in ("crs", "transform", "width", "height")
        }
        source = stack.enter_context(rasterio.open(scene / "labels.tif"))
        labels = stack.enter_context(WarpedVRT(source, **grid))

        def rows(y: int) -> NDArray[np.float32]:
            height = min(_ROWS, grid["height"] - y)
            window = rasterio.windows.Window(0, y, grid["width"], height)
            parts = [image.read(window=window) for image in images]
            values = np.concatenate(parts).astype(np.float32)
            return np.nan_to_num(values.reshape(len(values), -1).T)

        known = labels.read(1).ravel()
        random = np.random.default_rng(0)
        usable = np.flatnonzero((known != source.nodata) & (known != 255))
        chosen = np.sort(random.choice(usable, min(_SAMPLES, len(usable)), False))
        values = np.concatenate([rows(y) for y in range(0, grid["height"], _ROWS)])
        model = learner(name).fit(values[chosen], known[chosen])
        del values
        profile = {**grid, "driver": "GTiff", "count": 1, "dtype": "uint8"}
        with rasterio.open(out, "w", **profile, compress="deflate", tiled=True) as file:
            for y in range(0, grid["height"], _ROWS):
                found = model.predict(rows(y)).reshape(-1, grid["width"])
                window = rasterio.windows.Window(0, y, grid["width"], len(found))
                file.write(found.astype(np.uint8), 1, window=window)


if __name__ == "__main__":
    main()
