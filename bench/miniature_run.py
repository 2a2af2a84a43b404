"""A miniature of the runs of this version, which later versions must read or refuse.

    python -m bench.miniature_run

Writes ``tests/runs/VERSION/``: a run of every method that needs no network, learned from
48 x 48 pixels, and the classes that each gives to them. `tests/test_old_runs.py` maps with
the runs of every version. Write them before a release (docs/releasing.md), and never again.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import xarray
from numpy.typing import NDArray
from odc.geo.xr import assign_crs

import overcast as oc
from overcast import map_folder
from overcast.run_folder import FORMAT

SIDE = 48
RUNS = Path(__file__).parents[1] / "tests" / "runs"
SETTINGS: dict[str, dict[str, object]] = {
    "weak": {"clusters": [8], "samples": 500, "forest": False},
    "forest": {"trees": 2},
    "kmeans": {},
}
_BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
_FOREST = (200, 350, 220, 600, 1800, 2200, 2400, 2500, 1100, 500)
_SOIL = (900, 1300, 1800, 2000, 2200, 2400, 2500, 2600, 3400, 2900)
"""Reflectance x 10,000. All of this is written here, so that no later change of simulated
worlds changes what old runs are shown."""


def image() -> xarray.DataArray:
    """Reflectance ``[10, 48, 48]``: forest on the left, soil on the right."""
    grain = np.random.default_rng(5).normal(0, 0.01, (len(_BANDS), SIDE, SIDE))
    spectra = np.array([_FOREST, _SOIL])[_truth()] / 10_000
    values = np.moveaxis(spectra, 2, 0) + grain
    return _placed(values.astype(np.float32), "s2").assign_coords(band=list(_BANDS))


def labels() -> xarray.DataArray:
    """Codes of WorldCover ``[48, 48]``, a fifth of them wrong."""
    wrong = np.random.default_rng(6).random((SIDE, SIDE)) < 0.2
    codes = np.array([10, 60], np.uint8)[_truth() ^ wrong]
    return _placed(codes, "labels")


def classes(run: Path) -> list[str]:
    """What a run gives to the image: a line for every row, with the tens of the codes."""
    made = oc.load(run).predict(oc.scene(s2=image())).land_cover
    return ["".join(str(int(code) // 10) for code in row) for row in made.values]


def _truth() -> NDArray[np.int_]:
    return np.tile((np.arange(SIDE) >= SIDE // 2).astype(int), (SIDE, 1))


def _placed(values: NDArray[np.generic], name: str) -> xarray.DataArray:
    """An array on a grid of 10 m in UTM."""
    dims = ("band", "y", "x")[-values.ndim :]
    place = {
        "y": 5_300_000 - 10 * np.arange(SIDE) - 5.0,
        "x": 600_000 + 10 * np.arange(SIDE) + 5.0,
    }
    array = xarray.DataArray(values, dims=dims, coords=place, name=name)
    return assign_crs(array, "EPSG:32632")


def main() -> None:
    """Write the miniatures of this version."""
    out = RUNS / oc.__version__
    shutil.rmtree(out, ignore_errors=True)
    given = {}
    for method, settings in SETTINGS.items():
        known = oc.labels(labels(), legend="worldcover")
        model = oc.fit(oc.scene(s2=image()), known, method=method, **settings)
        model.save(out / method)
        (out / method / map_folder.ITEM).unlink()
        given[method] = classes(out / method)
    text = json.dumps({"format": FORMAT, "classes": given}, indent=1)
    (out / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
