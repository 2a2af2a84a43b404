"""Paths and arrays go through one gate, mixed as one likes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray
from xarray.backends import BackendArray
from xarray.core import indexing

import overcast as oc
from overcast.api.simulate import SimulatedWorld
from overcast.geo.bands import Band
from overcast.geo.tiling import Window
from tests.api.conftest import Files

pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")


class Counted(BackendArray):  # type: ignore[misc]
    """An array that is read by window, and remembers the largest one."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.shape, self.dtype = values, values.shape, values.dtype
        self.largest = 0

    def __getitem__(self, key: Any) -> Any:
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.OUTER, self._read
        )

    def _read(self, key: Any) -> np.ndarray:
        read = self.values[
            np.ix_(*map(np.atleast_1d, map(self._numbers, key, self.shape)))
        ]
        self.largest = max(self.largest, read.size)
        return read.squeeze(
            tuple(
                i
                for i, k in enumerate(key)
                if np.ndim(k) == 0 and not isinstance(k, slice)
            )
        )

    @staticmethod
    def _numbers(key: Any, length: int) -> Any:
        return np.arange(length)[key]


def test_files_and_arrays_make_the_same_stack(
    files: Files, world: SimulatedWorld
) -> None:
    window = Window(10, 20, 30, 40)
    by_file = oc.scene(s1=files.path("s1"), s2=files.path("s2"))
    mixed = oc.scene(s1=world.images["s1"], s2=files.path("s2"))
    assert by_file.grid == mixed.grid
    one, other = (s.stack.read(window).images for s in (by_file, mixed))
    for name in ("s1", "s2"):
        np.testing.assert_allclose(one[name].values, other[name].values, atol=1e-6)


def test_an_array_is_checked_as_a_file_is(world: SimulatedWorld) -> None:
    linear = 10 ** (world.images["s1"] / 10)
    scene = oc.scene(s1=linear, s2=world.images["s2"] * 10_000)
    assert any("linear" in note for note in scene.notes)
    values = scene.stack.read(Window(0, 0, 8, 8)).images["s2"].values
    np.testing.assert_allclose(values, world.images["s2"][:, :8, :8], atol=1e-4)
    with pytest.raises(ValueError, match="array s1"):
        oc.scene(s1=world.images["s1"] * 1000)


def test_lazy_arrays_are_read_by_window(world: SimulatedWorld) -> None:
    image = world.images["s2"]
    tiled = np.tile(image.values, (1, 16, 16))
    counted = Counted(tiled)
    side = 16 * 128
    array = xarray.DataArray(
        indexing.LazilyIndexedArray(counted),
        dims=("band", "y", "x"),
        coords={
            "band": image.band,
            "y": image.y.values[0] - 10.0 * np.arange(side),
            "x": image.x.values[0] + 10.0 * np.arange(side),
            "spatial_ref": image.spatial_ref,
        },
    )
    scene = oc.scene(s2=array)
    scene.stack.read(Window(500, 500, 64, 64))
    assert 0 < counted.largest < tiled.size / 10


def test_variables_of_a_dataset_are_bands(world: SimulatedWorld) -> None:
    image = world.images["s2"]
    dataset = image.to_dataset("band")
    scene = oc.scene(s2=dataset.expand_dims("time"))
    window = Window(0, 0, 16, 16)
    wanted = oc.scene(s2=image).stack.read(window).images["s2"]
    found = scene.stack.read(window).images["s2"]
    assert found.sensor.names == wanted.sensor.names
    np.testing.assert_array_equal(found.values, wanted.values)


def test_a_mask_of_codes_hides(world: SimulatedWorld) -> None:
    mask = world.truth.copy(data=np.zeros((128, 128), np.uint8))
    mask[:10] = 1
    scene = oc.scene(s2=world.images["s2"], mask=mask, hidden=(1,))
    valid = scene.stack.read(Window(0, 0, 20, 20)).images["s2"].valid
    assert not valid[:10].any()
    assert valid[10:].all()


def test_a_grid_is_mapped_whole(world: SimulatedWorld) -> None:
    grid = world.scene.grid[:50, :60]
    assert oc.scene(s2=world.images["s2"], grid=grid).grid == grid


def test_a_sensor_of_ones_own(world: SimulatedWorld) -> None:
    heights = world.images["s2"][:1].assign_coords(band=["height"])
    sensor = oc.Sensor("dem", "optical", (Band("height", "m", 0, 1),))
    scene = oc.scene(s2=world.images["s2"], image={"dem": (heights, sensor)})
    assert scene.stack.sensors["dem"].names == ("height",)


def test_what_is_not_read_is_refused(world: SimulatedWorld) -> None:
    with pytest.raises(ValueError, match="no image given"):
        oc.scene()
    with pytest.raises(ValueError, match=r"s2_offset works with s2"):
        oc.scene(s1=world.images["s1"], s2_offset=0)
    with pytest.raises(ValueError, match="expected a path or an xarray"):
        oc.scene(s2=np.zeros((10, 4, 4)))  # type: ignore[arg-type]


def test_html_says_what_is_there(world: SimulatedWorld) -> None:
    page = world.scene._repr_html_()
    assert "128 x 128 pixels of 10" in page
    assert "B8A" in page
    assert "s1: sentinel-1 (VV, VH)" in repr(world.scene)


def test_labels_need_a_legend(world: SimulatedWorld) -> None:
    bare = world.truth.drop_attrs(deep=False)
    with pytest.raises(ValueError, match="what do the codes mean"):
        oc.labels(bare)
    assert len(oc.labels(bare, "simplified-igbp").legend) == 10
    assert oc.labels(world.truth).legend.name == "simplified-igbp"
