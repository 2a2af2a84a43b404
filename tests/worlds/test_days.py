import datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio

from overcast.worlds.days import FADE_DAYS, Day, days_of, region_on, spectra_on
from overcast.worlds.files import write_world
from overcast.worlds.measured import CROP, GRASS, URBAN, statistics
from overcast.worlds.region import draw_region
from overcast.worlds.scene import SceneSpec, WorldScene, simulate
from overcast.worlds.spectra import SLOTS, kinds_of

SEED = 3


@pytest.fixture(scope="module")
def tables() -> tuple[tuple[Day, ...], list[np.ndarray]]:
    days = days_of(SEED, 8)
    region = draw_region(SEED)
    drawn = [spectra_on(day, days, SEED, region) for day in days]
    return days, [table.reshape(10, SLOTS, 12) for table in drawn]


def within(values: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    means = np.bincount(kinds, values) / np.maximum(np.bincount(kinds), 1)
    return values - means[kinds]


@pytest.fixture(scope="module")
def scene() -> WorldScene:
    return simulate(SEED, 128, wanted=SceneSpec(dates=3, cloud=0.4))


def test_days_lie_in_equal_parts_of_a_year() -> None:
    days = days_of(SEED, 12)
    assert [day.number for day in days] == list(range(1, 13))
    assert [day.of_year * 12 // 367 for day in days] == list(range(12))


@pytest.mark.parametrize("count", [0, 1, 74])
def test_other_numbers_of_days_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="expected 2 to 73"):
        days_of(SEED, count)


@pytest.mark.parametrize(
    ("date", "season"),
    [((2024, 7, 1), "summer"), ((2024, 12, 30), "winter"), ((2024, 10, 1), "autumn")],
)
def test_a_day_has_a_season(date: tuple[int, int, int], season: str) -> None:
    assert Day(1, datetime.date(*date)).season == season
    region = region_on(Day(1, datetime.date(*date)), SEED, draw_region(SEED))
    assert region.season == season


def test_patches_remember_less_after_longer(tables: tuple) -> None:
    days, drawn = tables

    def alike(one: int, two: int) -> float:
        # Within subtypes: there are four of grass, too few for a correlation.
        a, b = (within(drawn[k][GRASS][:, 6], kinds) for k in (one, two))
        return float(np.corrcoef(a, b)[0, 1])

    kinds = kinds_of(SEED, GRASS, draw_region(SEED))

    near = alike(3, 4)
    far = alike(0, 7)
    gap = (days[4].date - days[3].date).days
    # A fifth lasts, the rest fades; limits of reflectance and scores blur it a little.
    assert near == pytest.approx(0.2 + 0.8 * np.exp(-gap / FADE_DAYS), abs=0.12)
    assert 0.1 < far < 0.35
    assert near > far


def test_towns_stay_what_they_are(tables: tuple) -> None:
    _, drawn = tables
    a, b = (drawn[k][URBAN][:, 6] for k in (0, 7))
    assert np.corrcoef(a, b)[0, 1] > 0.75


def test_spectra_follow_the_season(tables: tuple) -> None:
    days, drawn = tables
    for day, table in zip(days, drawn, strict=True):
        if day.season == "summer":
            red, near = table[GRASS][:, 2].mean(), table[GRASS][:, 6].mean()
            of = statistics(GRASS)
            assert near == pytest.approx(of.mean[6], abs=of.std[6])
            assert near > 2 * red


def test_kinds_of_crops_grow_at_times_of_their_own(tables: tuple) -> None:
    _, drawn = tables
    kinds = kinds_of(SEED, CROP, draw_region(SEED))
    greenest = set()
    for kind in np.unique(kinds):
        mine = kinds == kind
        green = [(t[CROP][mine, 6] - t[CROP][mine, 2]).mean() for t in drawn]
        greenest.add(int(np.argmax(green)))
        assert max(green) - min(green) > 0.08
    assert len(greenest) > 1


def test_every_day_has_both_images_and_its_own_clouds(scene: WorldScene) -> None:
    dates = sorted({name[3:13] for name in scene.images})
    assert len(dates) == 3
    names = {f"s2_{d}" for d in dates} | {f"s1_{d}_asc" for d in dates}
    assert set(scene.images) == names
    masks = [scene.scene_classes[f"s2_{d}_scl"] for d in dates]
    for mask in masks:
        assert set(np.unique(mask)) <= {3, 5, 9, 10}
        assert np.isin(mask, (9, 10)).mean() == pytest.approx(0.4, abs=0.12)
    assert not np.array_equal(masks[0], masks[1])


def test_speckle_of_days_is_independent(scene: WorldScene) -> None:
    s1 = [scene.images[n].values for n in sorted(scene.images) if n.startswith("s1")]
    town = scene.truth.values == URBAN
    assert town.sum() > 200
    fine = [v[0] - np.roll(v[0], 5, 0) for v in s1]
    # Corners and houses last; speckle does not.
    assert np.corrcoef(fine[0].ravel(), fine[1].ravel())[0, 1] < 0.6


def test_the_land_is_that_of_one_date(scene: WorldScene) -> None:
    one = simulate(SEED, 128)
    assert np.array_equal(one.truth.values, scene.truth.values)
    assert np.array_equal(one.coarse.values, scene.coarse.values)


def test_files_have_their_dates(tmp_path: Path, scene: WorldScene) -> None:
    paths = write_world(SEED, 128, tmp_path, SceneSpec(dates=3, cloud=0.4), processes=1)
    for name, image in scene.images.items():
        with rasterio.open(paths[name]) as dataset:
            values = dataset.read()
            day = dataset.tags()["TIFFTAG_DATETIME"]
            assert dataset.descriptions[0] in ("VV", "B02")
        assert day == f"{name[3:13].replace('-', ':')} 12:00:00"
        scale = 1e-4 if name.startswith("s2") else 1
        assert values * scale == pytest.approx(image.values, abs=1e-6)
    for name, mask in scene.scene_classes.items():
        with rasterio.open(paths[name]) as dataset:
            assert np.array_equal(dataset.read(1), mask)
            assert dataset.descriptions == ("SCL",)
    assert "s2" not in paths
