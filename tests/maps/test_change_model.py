"""Change judged by classes and images, on scenes whose change is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import check_grad

from overcast.maps.change_model import PixelPairs, estimate_change_model
from overcast.maps.odds import _loss, _Side, estimate_odds
from overcast.maps.pairs import estimate_pairs, groups_of

SIDE = 96
SHARE = 0.05
CLASS_OF = np.array([0, 0, 1, 1, 2])
"""Five kinds of land, of three classes: two kinds of a class differ in spectrum."""


def scene(seed: int = 0) -> tuple[PixelPairs, NDArray[np.bool_]]:
    """Pixels whose spectra follow their kind, and what changed of them."""
    random = np.random.default_rng(seed)
    kinds = random.integers(0, 5, (SIDE // 8, SIDE // 8)).repeat(8, 0).repeat(8, 1)
    after = kinds.copy()
    for y, x in random.integers(0, SIDE - 12, (5, 2)):
        after[y : y + 9, x : x + 9] = random.integers(0, 5)
    spectra = random.normal(0, 2, (2, 5, 4))
    images = [
        np.float32(table[k.ravel()] + random.normal(0, 0.6, (SIDE**2, 4)))
        for table, k in zip(spectra, (kinds, after), strict=True)
    ]
    # Maps know the class alone, and err in about 30 %.
    chances = []
    for k in (kinds, after):
        score = random.normal(0, 1, (SIDE**2, 3))
        score += 1.4 * (CLASS_OF[k.ravel()][:, None] == np.arange(3))
        p = np.exp(1.4 * score)
        chances.append(np.float32(p / p.sum(1, keepdims=True)))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    groups = groups_of(rows.ravel(), columns.ravel())
    changed = CLASS_OF[kinds.ravel()] != CLASS_OF[after.ravel()]
    return PixelPairs(*chances, (images[0], images[1]), groups), changed


@pytest.fixture(scope="module")
def world() -> tuple[PixelPairs, NDArray[np.bool_]]:
    return scene()


def test_images_find_what_classes_miss(
    world: tuple[PixelPairs, NDArray[np.bool_]],
) -> None:
    pixels, changed = world
    model = estimate_change_model(pixels)
    assert model.odds is not None
    share = model.changed(pixels)
    called = share >= 0.5
    alone = model.joint.changed(pixels.first, pixels.second) >= 0.5
    apart = pixels.first.argmax(1) != pixels.second.argmax(1)
    assert apart[~changed].mean() > 0.2
    assert called[~changed].mean() < 0.02
    assert called[changed].mean() > max(0.7, 4 * alone[changed].mean())
    # The share of change is an expectation, though nobody said how much there is.
    assert share.mean() == pytest.approx(changed.mean(), abs=0.012)


def test_pixels_without_an_image_are_judged_by_their_classes(
    world: tuple[PixelPairs, NDArray[np.bool_]],
) -> None:
    pixels, _ = world
    assert pixels.images is not None
    second = pixels.images[1].copy()
    second[:200] = np.nan
    hidden = PixelPairs(
        pixels.first, pixels.second, (pixels.images[0], second), pixels.groups
    )
    model = estimate_change_model(hidden)
    share = model.changed(hidden)
    classes = model.joint.changed(hidden.first, hidden.second)
    assert np.isfinite(share).all()
    assert (share[:200] == classes[:200]).all()
    assert (share[200:] != classes[200:]).mean() > 0.9
    without = PixelPairs(pixels.first, pixels.second, None, pixels.groups)
    alone = estimate_change_model(without)
    assert alone.odds is None
    assert (alone.changed(without) == alone.joint.changed(*_both(without))).all()
    with pytest.raises(ValueError, match="images of both dates"):
        alone.scores(without)


def _both(pixels: PixelPairs) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return pixels.first, pixels.second


def test_surprise_of_one_kind_of_land_is_that_of_correlated_gaussians() -> None:
    """With one component s is known: x and y of correlation r, and their squares."""
    r = 0.8
    both = np.random.default_rng(0).multivariate_normal(
        [0, 0], [[1, r], [r, 1]], 149 * 2
    )
    x, y = np.float32(both[:, :1]), np.float32(both[:, 1:])
    pairs = estimate_pairs(x, y)
    assert len(pairs.means) == 1
    r = float(np.corrcoef(x[:, 0], y[:, 0])[0, 1])
    u, v = ((z[:, 0] - z.mean()) / z.std() for z in (x, y))
    expected = 0.5 * np.log(1 - r**2) + (r**2 * (u**2 + v**2) - 2 * r * u * v) / (
        2 * (1 - r**2)
    )
    assert pairs.surprise(x, y) == pytest.approx(expected, abs=0.05)
    with pytest.raises(ValueError, match="149 pixels"):
        estimate_pairs(x[:149], y[:149])


def test_odds_find_the_share_and_what_scores_are_worth() -> None:
    """Scores N(0, 1) of land that stays and N(2.5, 1) of change: the odds are known."""
    random = np.random.default_rng(1)
    changed = random.random(40_000) < SHARE
    scores = np.float32(random.normal(0, 1, (40_000, 1)) + 2.5 * changed[:, None])
    shuffled = np.float32(random.normal(2.5, 1, (40_000, 1)))
    odds = estimate_odds(scores, shuffled, np.ones(40_000, np.float32))
    assert odds.share == pytest.approx(SHARE, abs=0.012)
    assert odds.weights[0] == pytest.approx(2.5, abs=0.25)
    share = odds.probability(scores)
    part = (share > 0.3) & (share < 0.7)
    assert changed[part].mean() == pytest.approx(share[part].mean(), abs=0.1)


def test_the_gradient_of_the_loss_is_right() -> None:
    random = np.random.default_rng(2)
    sides = tuple(
        _Side(random.normal(0, 1, (50, 2)), np.full(50, 0.02), sign) for sign in (-1, 1)
    )
    at = np.array([0.4, -0.3, 0.2, -1.5])
    error = check_grad(
        lambda x: _loss(x, sides, 0.01)[0], lambda x: _loss(x, sides, 0.01)[1], at
    )
    assert error < 1e-6
