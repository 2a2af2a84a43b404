import numpy as np
import pytest

from overcast.worlds.land import build_land, majority
from overcast.worlds.measured import CLASSES, CROP, FOREST, GRASS, SAVANNA, SNOW, URBAN
from overcast.worlds.region import draw_region
from overcast.worlds.spectra import SLOTS
from overcast.worlds.terrain import Terrain, shape_terrain


@pytest.fixture(scope="module")
def terrain() -> Terrain:
    return shape_terrain(5, 300, draw_region(5))


def test_a_window_is_part_of_the_land(terrain: Terrain) -> None:
    whole = build_land(5, terrain, range(40, 140), range(-20, 100))
    part = build_land(5, terrain, range(60, 120), range(10, 50))
    inner = slice(4, -4)
    of_whole = whole.code[80:320, 120:280]
    assert np.array_equal(part.code[inner, inner], of_whole[inner, inner])
    assert np.array_equal(part.truth[1:-1, 1:-1], whole.truth[21:79, 31:69])
    assert np.array_equal(part.relief, whole.relief[20:80, 30:70])


def test_classes_are_possible_and_codes_belong_to_them(terrain: Terrain) -> None:
    land = build_land(5, terrain, range(300), range(300))
    classes = land.code // SLOTS
    assert set(np.unique(classes)) <= set(CLASSES)
    assert not {SAVANNA, SNOW} & set(np.unique(land.truth))
    assert np.array_equal(land.truth, majority(classes.astype(np.uint8), 4))
    # Roads and hedges: some pixels hold more than one class.
    blocks = classes.reshape(300, 4, 300, 4)
    mixed = blocks.max((1, 3)) != blocks.min((1, 3))
    assert 0.05 < mixed.mean() < 0.6


def test_zones_have_the_shares_of_the_region(terrain: Terrain) -> None:
    at = np.arange(300) + 0.5
    margins = terrain.margins(at, at)
    free = np.ones((300, 300), bool)
    for c, margin in margins.items():
        took = free & (margin > 0)
        assert took.mean() == pytest.approx(terrain.region.shares[c], abs=0.02)
        free &= ~took


def test_years_ago_some_of_it_was_another_class(terrain: Terrain) -> None:
    now, then = (
        build_land(5, terrain, range(300), range(300), years).truth
        for years in (0.0, 10.0)
    )
    assert 0.02 < (now != then).mean() < 0.25
    assert (then == URBAN).sum() < (now == URBAN).sum()
    swapped = (now == CROP) & (then == GRASS)
    assert swapped.any()


def test_majority_takes_the_lower_of_equals() -> None:
    classes = np.array([[FOREST, GRASS], [GRASS, FOREST]], np.uint8)
    assert majority(classes, 2).tolist() == [[min(FOREST, GRASS)]]
    counted = np.random.default_rng(0).integers(0, 10, (40, 40)).astype(np.uint8)
    blocks = counted.reshape(10, 4, 10, 4).swapaxes(1, 2).reshape(10, 10, 16)
    slow = [[np.bincount(b, minlength=10).argmax() for b in row] for row in blocks]
    assert majority(counted, 4).tolist() == np.array(slow).tolist()


def test_regions_differ_and_are_drawn_as_said() -> None:
    regions = [draw_region(seed) for seed in range(100)]
    seasons = [region.season for region in regions]
    assert set(seasons) == {"summer", "spring", "autumn", "winter"}
    assert 0.4 < seasons.count("summer") / 100 < 0.7
    shift = np.array([region.shift for region in regions])
    size = np.hypot(*shift.T)
    # 36 scenes: median 1.5 px, mostly along range.
    assert np.median(size) == pytest.approx(1.5, abs=0.5)
    assert np.abs(shift).max() <= 4
    assert shift[:, 1].std() > 1.1 * shift[:, 0].std()
    assert regions[3] == draw_region(3)
