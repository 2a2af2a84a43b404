import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from overcast.geo.tiling import Window
from overcast.worlds.measured import BANDS, CROP
from overcast.worlds.optical import NATIVE_20_M, see_optical
from overcast.worlds.world import World, WorldView, make_world


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(2, 200)


@pytest.fixture(scope="module")
def whole(world: World) -> np.ndarray:
    return see_optical(WorldView.of(world, Window(0, 0, 200, 200)))


def test_a_window_is_part_of_the_image(world: World, whole: np.ndarray) -> None:
    part = see_optical(WorldView.of(world, Window(40, 100, 51, 77)))
    assert np.array_equal(part, whole[:, 40:91, 100:177])


def test_20_m_bands_are_copied_onto_10_m(whole: np.ndarray) -> None:
    for band, name in zip(whole, BANDS, strict=True):
        pairs = band[::2] == band[1::2]
        assert pairs.all() == (name in NATIVE_20_M)


def test_texture_within_parcels_is_as_measured(world: World) -> None:
    view = WorldView.of(world, Window(0, 0, 200, 200))
    image = see_optical(view) / 1e4
    patch = view.land.code[2::4, 2::4][view.inner]
    spreads = []
    for code in np.unique(patch[view.land.truth[view.inner] == CROP]):
        inside = binary_erosion(patch == code, iterations=2)
        if inside.sum() > 60:
            spreads.append(image[:, inside].std(1))
    # Croplands in summer, within parcels: B04 .0077, B08 .0191 (90 region-dates).
    b04, b08 = np.median(spreads, 0)[[BANDS.index("B04"), BANDS.index("B08")]]
    assert 0.004 < b04 < 0.014
    assert 0.011 < b08 < 0.035
