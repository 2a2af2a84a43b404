"""Dask arrays go in by window; rioxarray and odc-geo read what comes out."""

from __future__ import annotations

import numpy as np
import pytest

import overcast as oc
from overcast.api.simulate import SimulatedWorld
from overcast.geo.tiling import Window

pytestmark = [
    pytest.mark.filterwarnings("ignore:Use .@. matmul"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def test_dask_is_never_computed_whole(world: SimulatedWorld) -> None:
    dask = pytest.importorskip("dask.array", reason="dask is not installed")
    image, largest = world.images["s2"], 0

    def block(values: np.ndarray) -> np.ndarray:
        nonlocal largest
        largest += values.size
        return values

    tiled = dask.from_array(np.tile(image.values, (1, 16, 16)), chunks=(10, 256, 256))
    side = 16 * 128
    array = image[:, :1, :1].isel(y=0, x=0, drop=True).drop_vars("spatial_ref")
    array = array.expand_dims(
        y=image.y.values[0] - 10.0 * np.arange(side),
        x=image.x.values[0] + 10.0 * np.arange(side),
    ).transpose("band", "y", "x")
    array = array.copy(data=tiled.map_blocks(block, dtype=tiled.dtype))
    array = array.assign_coords(spatial_ref=image.spatial_ref)
    scene = oc.scene(s2=array)
    largest = 0
    scene.stack.read(Window(500, 500, 64, 64))
    assert 0 < largest <= 4 * 10 * 256 * 256


def test_rioxarray_and_odc_read_the_place(world: SimulatedWorld) -> None:
    pytest.importorskip("rioxarray", reason="rioxarray is not installed")
    pytest.importorskip("dask", reason="odc.geo.xr needs dask")
    import odc.geo.xr
    import rioxarray

    assert rioxarray
    assert odc.geo.xr
    truth, grid = world.truth, world.scene.grid
    assert truth.rio.crs == grid.crs
    assert truth.rio.transform() == grid.affine
    assert truth.odc.geobox == grid
    degrees = truth.rio.reproject("EPSG:4326", nodata=255)
    labels = oc.labels(degrees, legend="simplified-igbp")
    assert oc.fit(oc.scene(s2=world.images["s2"]), labels, "kmeans").legend.codes
