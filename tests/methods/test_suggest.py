"""Patches to label: those that hold what the scene holds, whatever is common in it."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from overcast.geo.arrays import ImageArray
from overcast.geo.tiling import Window
from overcast.methods import suggest
from overcast.methods.suggest import most_like_all, patches_of, telling_patches
from overcast.progress import quiet
from tests.methods.test_methods import stack


def coefficient(table: np.ndarray, rows: list[int]) -> float:
    p, q = table.sum(0), table[rows].sum(0)
    return float(np.sqrt(p / p.sum() * q / q.sum()).sum())


def test_what_was_chosen_is_about_as_like_all_as_can_be() -> None:
    random = np.random.default_rng(0)
    table = random.multinomial(64, random.dirichlet([0.3] * 6, 12))
    rows, likeness = most_like_all(table.astype(float), 4)
    assert len(set(rows.tolist())) == 4
    for n in range(4):
        own = coefficient(table, rows[: n + 1].tolist())
        assert likeness[n] == pytest.approx(own)
    alike = [coefficient(table, list(some)) for some in combinations(range(12), 4)]
    assert likeness[-1] > np.quantile(alike, 0.98)


def test_patches_without_anything_are_never_chosen() -> None:
    table = np.array([[0.0, 0], [5, 5], [0, 0], [9, 1]])
    rows, _ = most_like_all(table, 2)
    assert set(rows.tolist()) == {1, 3}


def test_patches_are_whole_and_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    found = patches_of((70, 100), 32, 0)
    assert found == [Window(y, x, 32, 32) for y in (0, 32) for x in (0, 32, 64)]
    monkeypatch.setattr(suggest, "MOST", 4)
    some = patches_of((70, 100), 32, 0)
    assert len(some) == 4
    assert sorted(some) == some
    assert set(some) < set(found)
    with pytest.raises(ValueError, match="no patch of 71 x 71 pixels in a grid of 70"):
        patches_of((70, 100), 71, 0)


def test_a_rare_kind_of_land_is_among_the_first_patches() -> None:
    whole = stack((128, 128))
    bright = np.array(whole.images["s2"].read(whole.grid).values)
    bright[:, 100:116, 40:56] = 0.8
    image = whole.images["s2"]
    assert isinstance(image, ImageArray)
    sources = {
        **whole.images,
        "s2": replace(image, image=replace(image.image, values=bright)),
    }
    scene = replace(whole, images=sources, labels=None)
    windows = patches_of(scene.shape, 16, 0)
    found = [p.window for p in telling_patches(scene, windows, 4, 0, quiet)]
    columns = {w.x < 64 for w in found}
    assert columns == {True, False}  # of both halves
    rare = Window(100, 40, 16, 16)
    assert any(abs(w.y - rare.y) < 16 and abs(w.x - rare.x) < 16 for w in found)
    more = telling_patches(scene, windows, 7, 0, quiet)
    assert [p.window for p in more[:4]] == found  # those who label go on from there
    assert more[-1].likeness > more[0].likeness


def test_more_patches_than_there_are_is_said() -> None:
    scene = replace(stack(), labels=None)
    with pytest.raises(ValueError, match="7 patches asked for, and 6 have anything"):
        telling_patches(scene, patches_of(scene.shape, 32, 0), 7, 0, quiet)
