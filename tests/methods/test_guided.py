"""Averages along an optical image, against what they must do by definition."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.bands import SENTINEL_2
from overcast.geo.raster import Image
from overcast.methods.guided import guided
from tests.methods.test_boxes import box_mean

RADIUS = 3


def guide(values: np.ndarray) -> Image:
    """A single red band, of reflectance."""
    grid = GeoBox(values.shape, Affine(10, 0, 0, 0, -10, 0), "EPSG:32632")
    sensor = SENTINEL_2.select(("B04",))
    return Image.of(values[None].astype(np.float32), grid, sensor)


def test_a_box_has_its_valid_pixels_alone() -> None:
    random = np.random.default_rng(0)
    values = random.random((20, 21)).astype(np.float32)
    valid = random.random((20, 21)) > 0.4
    found = box_mean(values, valid, 2)
    for y, x in ((0, 0), (7, 9), (19, 20)):
        box = np.s_[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
        assert found[y, x] == pytest.approx(values[box][valid[box]].mean(), abs=1e-5)
    assert not box_mean(values, np.zeros_like(valid), 2).any()


def test_what_a_guide_explains_is_kept() -> None:
    random = np.random.default_rng(1)
    seen = guide(random.random((30, 30)) * 0.4)
    layer = 3 * seen.sensor.to_network(seen.values)[0] - 1
    flat = np.full((30, 30), 0.7, np.float32)
    found = guided(seen, np.stack([layer, flat]), seen.valid, RADIUS)
    np.testing.assert_allclose(found[0], layer, atol=0.08)
    np.testing.assert_allclose(found[1], flat, atol=1e-3)


def test_noise_is_averaged_and_borders_stay() -> None:
    random = np.random.default_rng(2)
    step = np.where(np.arange(40) < 20, 0.05, 0.35) * np.ones((40, 1))
    truth = np.where(step > 0.2, 1, 0).astype(np.float32)
    noisy = truth + random.normal(0, 0.3, truth.shape).astype(np.float32)
    (found,) = guided(guide(step), noisy[None], np.ones_like(truth, bool), RADIUS)
    assert np.abs(found - truth).mean() < 0.3 * np.abs(noisy - truth).mean()
    at_border = np.abs(found - truth)[:, 18:22].mean()
    assert (
        at_border
        < 0.5 * np.abs(box_mean(noisy, truth >= 0, 3) - truth)[:, 18:22].mean()
    )


def test_what_is_not_valid_counts_for_nothing_and_context_is_two_radii() -> None:
    random = np.random.default_rng(3)
    seen = guide(random.random((41, 41)) * 0.4)
    layer = random.random((1, 41, 41)).astype(np.float32)
    valid = np.ones((41, 41), np.bool_)
    other = layer.copy()
    other[0, 20, 20] += 100
    apart = guided(seen, layer, valid, RADIUS) - guided(seen, other, valid, RADIUS)
    rows = np.flatnonzero(np.abs(apart[0]).max(1) > 1e-3)
    assert 20 - 2 * RADIUS <= rows.min() <= rows.max() <= 20 + 2 * RADIUS
    valid[20, 20] = False
    np.testing.assert_allclose(
        guided(seen, layer, valid, RADIUS),
        guided(seen, other, valid, RADIUS),
        atol=1e-5,
    )
