import numpy as np
import pytest

from overcast.geo.tiling import Window
from overcast.worlds.clouds import (
    CLEAR,
    LOWEST_OPACITY,
    SHADOW,
    THICK,
    THIN,
    classify,
    draw_clouds,
    see_cloudy,
)
from overcast.worlds.noise import centres_of
from overcast.worlds.optical import see_optical
from overcast.worlds.world import World, WorldView, make_world


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(4, 400)


@pytest.mark.parametrize("cover", [0.0, 0.1, 0.5, 0.9])
def test_cover_is_what_was_asked_for(world: World, cover: float) -> None:
    at = centres_of(range(400))
    opacity = draw_clouds(world, cover).opacity(at, at)
    assert (opacity > LOWEST_OPACITY).mean() == pytest.approx(cover, abs=0.02)
    assert 0 <= opacity.min() <= opacity.max() <= 1


def test_dates_differ_and_repeat(world: World) -> None:
    first, again, other = (draw_clouds(world, 0.5, date) for date in (0, 0, 1))
    at = centres_of(range(100))
    assert np.array_equal(first.opacity(at, at), again.opacity(at, at))
    assert not np.array_equal(first.opacity(at, at), other.opacity(at, at))


def test_shadow_is_the_cloud_moved(world: World) -> None:
    clouds = draw_clouds(world, 0.4)
    at = centres_of(range(150))
    moved = clouds.opacity(at - clouds.cast[0], at - clouds.cast[1])
    assert np.array_equal(clouds.shadow(at, at), moved)
    assert clouds.cast[0] < 0  # the sun stands in the south, shadows fall north


def test_clear_pixels_are_untouched_and_others_as_measured(world: World) -> None:
    view = WorldView.of(world, Window(0, 0, 400, 400))
    clear = see_optical(view)
    clouds = draw_clouds(world, 0.5)
    seen, mask = see_cloudy(view, clouds, clear)
    at = centres_of(range(400))
    nothing = (clouds.opacity(at, at) == 0) & (clouds.shadow(at, at) == 0)
    assert nothing.any()
    assert np.array_equal(seen[0][nothing], clear[0][nothing])
    assert np.array_equal(mask, classify(clouds.opacity(at, at), clouds.shadow(at, at)))
    full = clouds.opacity(at, at) == 1
    assert seen[0][full].mean() / 1e4 == pytest.approx(clouds.bright[0], abs=0.04)
    dark = (clouds.shadow(at, at) == 1) & (clouds.opacity(at, at) == 0)
    if dark.sum() > 50:
        ratio = seen[6][dark].mean() / clear[6][dark].mean()
        assert ratio == pytest.approx(0.319, abs=0.03)
    assert set(np.unique(mask)) == {CLEAR, THIN, THICK, SHADOW}


def test_a_window_is_part_of_the_image(world: World) -> None:
    clouds = draw_clouds(world, 0.6)
    whole, mask = see_cloudy(WorldView.of(world, Window(0, 0, 200, 200)), clouds)
    part, part_mask = see_cloudy(WorldView.of(world, Window(40, 100, 51, 77)), clouds)
    assert np.array_equal(part, whole[:, 40:91, 100:177])
    assert np.array_equal(part_mask, mask[40:91, 100:177])


def test_impossible_cover_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match=r"0 to 0\.9"):
        draw_clouds(world, 0.95)
