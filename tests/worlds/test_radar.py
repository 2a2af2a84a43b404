import numpy as np
import pytest

from overcast.geo.tiling import Window
from overcast.worlds.measured import WATER
from overcast.worlds.radar import see_radar, speckle
from overcast.worlds.world import World, WorldView, make_world


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(2, 200)


def test_speckle_has_the_measured_looks_and_correlation() -> None:
    looks = speckle(1, np.arange(600), np.arange(600))
    for band in looks:
        assert float(band.mean()) == pytest.approx(1, abs=0.02)
        assert float(band.mean() ** 2 / band.var()) == pytest.approx(5, rel=0.15)
        for lag, measured in ((1, 0.70), (2, 0.26), (3, 0.07)):
            r = np.corrcoef(band[:, lag:].ravel(), band[:, :-lag].ravel())[0, 1]
            assert r == pytest.approx(measured, abs=0.1)
    across = np.corrcoef(looks[0].ravel(), looks[1].ravel())[0, 1]
    assert across == pytest.approx(0.13, abs=0.05)


def test_a_window_is_part_of_the_image(world: World) -> None:
    whole = see_radar(WorldView.of(world, Window(0, 0, 200, 200)))
    part = see_radar(WorldView.of(world, Window(40, 100, 51, 77)))
    assert np.array_equal(part, whole[:, 40:91, 100:177])
    assert np.array_equal(whole, np.float32(np.rint(whole.astype(float) * 100) / 100))


def test_the_image_is_shifted_as_the_region_says(world: World) -> None:
    still = World(world.seed, world.size, world.region, world.terrain)
    view = WorldView.of(still, Window(0, 0, 200, 200))
    down, right = (round(s) for s in world.region.shift)
    vv = see_radar(view)[0]
    water = view.land.truth == WATER
    best = {}
    for dy in range(-4, 5):
        for dx in range(-4, 5):
            there = water[12 - dy : 212 - dy, 12 - dx : 212 - dx]
            best[dy, dx] = vv[there].mean() - vv[~there].mean()
    found = min(best, key=lambda shift: best[shift])
    assert abs(found[0] - down) <= 1
    assert abs(found[1] - right) <= 1
