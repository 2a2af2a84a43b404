import json
from pathlib import Path

import numpy as np
import pytest

from overcast.geo.tiling import Window
from overcast.worlds.drift import directions, drift_of
from overcast.worlds.files import write_world
from overcast.worlds.land import Land, majority
from overcast.worlds.measured import CROP, FOREST, GRASS, URBAN, statistics
from overcast.worlds.nature import PLAIN, Nature
from overcast.worlds.optical import see_optical
from overcast.worlds.region import draw_region
from overcast.worlds.scene import SceneSpec, simulate
from overcast.worlds.spectra import SLOTS
from overcast.worlds.world import WorldView, make_world

SIZE, REAL = 256, Nature.of("real")


def land_of(seed: int, nature: Nature) -> Land:
    world = make_world(seed, SIZE, nature)
    return WorldView.of(world, Window(0, 0, SIZE, SIZE)).land


def differ(classes: np.ndarray) -> float:
    down, right = classes[1:] != classes[:-1], classes[:, 1:] != classes[:, :-1]
    return float((down.mean() + right.mean()) / 2)


@pytest.mark.parametrize(
    ("name", "nature"),
    [
        ("plain", PLAIN),
        ("real", REAL),
        ("use", Nature(use=True)),
        ("drift, calm", Nature(drift=True, calm=True)),
    ],
)
def test_a_nature_has_a_name(name: str, nature: Nature) -> None:
    assert Nature.of(name) == nature
    assert Nature.of(nature.name) == nature


def test_other_names_are_refused() -> None:
    with pytest.raises(ValueError, match="'wild' is none of plain, real, use, drift"):
        Nature.of("use,wild")


def test_a_plain_world_looks_like_what_it_is() -> None:
    land = land_of(3, PLAIN)
    assert land.look is land.code
    assert land.cover is land.truth


def test_land_use_looks_like_another_class() -> None:
    plain, used = land_of(3, PLAIN), land_of(3, Nature(use=True))
    other = used.look // SLOTS != used.code // SLOTS
    assert 0.05 < other.mean() < 0.35
    # Patches stay what they were, but for parks, which belong to their town.
    same = plain.code // SLOTS == used.code // SLOTS
    assert (used.code // SLOTS)[~same].tolist() == [URBAN] * int((~same).sum())
    assert same.mean() > 0.95
    classes = (used.look // SLOTS).astype(np.uint8)
    assert np.array_equal(used.cover, majority(classes, 4))
    as_forest = (used.code // SLOTS == CROP) & (used.look // SLOTS == FOREST)
    assert as_forest.any()
    # A patch keeps its own number, so that its spectrum is that of one patch of forest.
    assert np.array_equal(
        (used.look % SLOTS)[as_forest], (used.code % SLOTS)[as_forest]
    )


def test_land_use_gathers_in_a_part_of_the_scene() -> None:
    land = land_of(3, Nature(use=True))
    mine = land.truth == CROP
    coffee = mine & (land.cover == FOREST)
    blocks = [
        coffee[y : y + 64, x : x + 64].sum()
        / max(mine[y : y + 64, x : x + 64].sum(), 1)
        for y in range(0, 256, 64)
        for x in range(0, 256, 64)
    ]
    assert max(blocks) > 3 * coffee.sum() / mine.sum()
    assert min(blocks) == 0


def test_drift_is_field_times_direction() -> None:
    cover = np.full((40, 60), GRASS, np.uint8)
    cover[:, 30:] = FOREST
    at = np.arange(60) * 40.0
    moved = drift_of(3, "summer", cover, at[:40], at, slice(0, 12))
    change = directions(3, "summer")
    for c, part in ((GRASS, moved[:, :, :30]), (FOREST, moved[:, :, 30:])):
        field = part[6] / change[c, 6]
        for band in range(12):
            assert part[band] == pytest.approx(change[c, band] * field, abs=1e-6)
        assert 0.3 < field.std() < 1.5
    strength = change[GRASS] / statistics(GRASS).std
    assert np.sqrt(np.mean(strength**2)) == pytest.approx(0.55, abs=0.01)


def test_a_window_of_a_drifting_world_is_part_of_it() -> None:
    world = make_world(3, SIZE, REAL)
    whole = see_optical(WorldView.of(world, Window(0, 0, 128, 128)))
    part = see_optical(WorldView.of(world, Window(32, 64, 40, 40)))
    assert np.array_equal(part, whole[:, 32:72, 64:104])
    plain = see_optical(WorldView.of(make_world(3, SIZE), Window(0, 0, 128, 128)))
    assert not np.array_equal(plain, whole)


@pytest.mark.parametrize("seed", range(1, 5))
def test_one_class_covers_most_of_an_uneven_world(seed: int) -> None:
    shares = Nature(uneven=True).shape(seed, draw_region(seed)).shares
    largest = max(*shares.values(), 1 - sum(shares.values()))
    assert 0.45 <= largest <= 0.88
    assert min(shares.values()) >= 0


def test_a_calm_world_has_fewer_borders() -> None:
    for seed in (1, 2):
        plain, calm = (land_of(seed, Nature(calm=flag)) for flag in (False, True))
        assert differ(calm.truth) < 0.8 * differ(plain.truth)


def test_products_are_as_right_as_they_say() -> None:
    right = []
    for seed in (1, 3):
        kinds = SceneSpec(labels=("worldcover",), nature=REAL)
        scene = simulate(seed, 192, wanted=kinds)
        right.append((scene.labels["worldcover"].values == scene.truth.values).mean())
    assert 0.7 < np.mean(right) < 0.85


def test_files_say_what_the_land_is(tmp_path: Path) -> None:
    write_world(1, 64, tmp_path / "a", SceneSpec(nature=REAL), processes=1)
    write_world(1, 64, tmp_path / "b", processes=1)
    assert json.loads((tmp_path / "a" / "world.json").read_text())["land"] == "real"
    assert "land" not in json.loads((tmp_path / "b" / "world.json").read_text())
