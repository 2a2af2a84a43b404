"""Worlds to learn from: of every season, in weather of their own, made when read."""

from __future__ import annotations

import numpy as np
import pytest

from overcast.geo.raster import UNKNOWN
from overcast.geo.tiling import Window
from overcast.worlds.scene import SceneSpec, simulate
from overcast.worlds.varied import (
    MOST,
    NUMBERS,
    SIDE,
    varied_scene,
    varied_stacks,
    varied_world,
    weathered,
)


def test_seasons_have_their_turns_and_land_is_plain_and_real() -> None:
    worlds = [varied_world(number, 64) for number in range(200, 208)]
    seasons = [world.region.season for world in worlds]
    assert seasons[:4] == seasons[4:]
    assert set(seasons) == {"spring", "summer", "autumn", "winter"}
    assert {world.nature.name for world in worlds} == {"plain", "real"}
    low = [w.region.sun_elevation for w in worlds if w.region.season == "winter"]
    assert max(low) <= 25.0


def test_a_third_has_clouds_and_all_have_weather() -> None:
    plain = simulate(200, 64, wanted=SceneSpec(()))
    varied = varied_scene(200, 64)
    assert set(varied.images) == {"s1", "s2"}
    assert varied.clouds is None
    assert (varied.images["s2"].values != plain.images["s2"].values).any()
    cloudy = varied_scene(201, 64)
    assert cloudy.clouds is not None
    assert cloudy.images["s2"].valid.all(), "no mask hides them"
    same = varied_scene(200, 64).images["s2"].values
    np.testing.assert_array_equal(same, varied.images["s2"].values)


def test_weather_adds_haze_and_takes_light_and_sharpness() -> None:
    image = simulate(1, 64, wanted=SceneSpec(())).images["s2"]
    seen = [weathered(image, np.random.default_rng(n)) for n in range(8)]
    blue = np.array([s.values[0].mean() for s in seen])
    assert np.ptp(blue) > 0.01
    detail = [np.abs(np.diff(s.values, axis=2)).mean() for s in (*seen, image)]
    assert max(detail) == detail[-1]
    for one in seen:
        rise = one.values.mean((1, 2)) - image.values.mean((1, 2))
        assert rise[0] > rise[-1], "haze is bluest"


def test_stacks_are_drawn_by_the_seed_and_made_when_read() -> None:
    one, same, other = (varied_stacks(3, seed) for seed in (0, 0, 1))
    grids = [[stack.grid for stack in stacks] for stacks in (one, same, other)]
    assert grids[0] == grids[1] != grids[2]
    chip = one[0].read(Window(8, 16, 32, 24))
    assert chip.labels is not None
    assert chip.images["s2"].values.shape == (10, 32, 24)
    assert (chip.labels.values != UNKNOWN).all()
    assert one[0].shape == (SIDE, SIDE)
    (bare,) = varied_stacks(1, 0, labels=False)
    assert bare.labels is None


def test_worlds_that_measure_are_never_learned_from() -> None:
    assert min(NUMBERS) >= 200
    assert max(NUMBERS) < 9000
    for count in (0, MOST + 1):
        with pytest.raises(
            ValueError, match=f"worlds is {count}; expected 1 to {MOST}"
        ):
            varied_stacks(count, 0)
