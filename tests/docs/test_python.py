"""The Python that is shown to users runs: on a small world, and on the real tile."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import xarray
from bench.tiles import TILES, coarse_labels

import overcast as oc
from overcast.api.simulate import SimulatedWorld
from tests.docs.pages import ROOT, blocks

pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")


def python(page: str) -> str:
    """All Python of a page, one block after the other."""
    return "\n".join(text for kind, text in blocks(ROOT / page) if kind == "python")


def executed(code: str, **values: Any) -> dict[str, Any]:
    """What the names of a piece of code hold in the end."""
    exec(compile(code, "<docs>", "exec"), values)
    return values


@pytest.fixture(scope="module")
def world() -> SimulatedWorld:
    """Return a world whose arrays stand for those of the reader."""
    return oc.simulate(7, 128)


def arrays(world: SimulatedWorld) -> dict[str, xarray.DataArray]:
    """Images and labels under the names of the pages."""
    bare = world.labels["modis"].drop_attrs(deep=False)
    return {"s1": world.images["s1"], "s2": world.images["s2"], "modis": bare}


def test_the_readme_makes_a_map_of_arrays(world: SimulatedWorld) -> None:
    code = python("README.md").replace('"igbp"', '"simplified-igbp"')
    assert len([line for line in code.splitlines() if line]) <= 5
    result = executed(code, **arrays(world))["result"]
    assert result.land_cover.shape == (128, 128)
    right = (result.land_cover == world.truth).mean()
    assert right > 0.4  # labels of 500 m, of which 16 lie in the scene


def test_the_page_runs(
    world: SimulatedWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = python("docs/python.md").replace('"igbp"', '"simplified-igbp"')
    if find_spec("folium") is None or find_spec("matplotlib") is None:
        # The extra [notebook] is not installed: all but the pictures.
        code = re.sub(r"^.*result\.overcast.*\n", "", code, flags=re.MULTILINE)
    names = executed(code, **arrays(world))
    assert names["agreement"] > 0.4


@pytest.mark.skipif(not TILES.is_dir(), reason=f"the real tiles are not at {TILES}")
def test_the_readme_makes_a_map_of_the_real_tile(tmp_path: Path) -> None:
    tile = TILES / "433D_629L_3_1"
    coarse = coarse_labels(tile / "land_cover_esri.tif", tmp_path / "coarse.tif")
    legend = repr(str(TILES / "legend.csv"))
    names = executed(
        python("README.md").replace('"igbp"', legend),
        s1=opened(tile / "s1_rtc.tif"),
        s2=opened(tile / "s2_l2a.tif"),
        modis=opened(coarse).isel(band=0),
    )
    assert any("offset of -1000" in note for note in names["scene"].notes)
    truth = opened(tile / "land_cover_esri.tif").isel(band=0)
    known = (truth != 0).values
    right = names["result"].land_cover.values[known] == truth.values[known]
    assert right.mean() > 0.6


def opened(path: Path) -> xarray.DataArray:
    """Bands of a file as rioxarray would open them."""
    with rasterio.open(path) as file:
        x, y = (
            [file.xy(0, n)[0] for n in range(file.width)],
            [file.xy(n, 0)[1] for n in range(file.height)],
        )
        attributes: dict[str, Any] = {"long_name": file.descriptions}
        if file.nodata is not None:
            attributes["_FillValue"] = file.nodata
        return xarray.DataArray(
            file.read(),
            dims=("band", "y", "x"),
            coords={
                "band": np.arange(1, file.count + 1),
                "y": y,
                "x": x,
                "spatial_ref": ((), 0, {"crs_wkt": file.crs.to_wkt()}),
            },
            attrs=attributes,
        )
