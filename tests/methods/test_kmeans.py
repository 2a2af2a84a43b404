"""A pixel has the class of the nearest centre, whatever other centres there are."""

import numpy as np
import pytest

from overcast.geo.bands import SENTINEL_1
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import Image
from overcast.geo.stack import Chip
from overcast.methods.kmeans import NamedClusters
from tests.rasters import utm

LEGEND = Legend("three", tuple(LandClass(k, f"c{k}", "000000") for k in (1, 2, 3)))


def predictor(centres: list[list[float]], classes: list[int]) -> NamedClusters:
    arrays = {
        "centres": np.float32(centres),
        "mean": np.float32([-10, -17]),
        "spread": np.float32([2, 4]),
        "classes": np.float32(classes),
    }
    return NamedClusters(LEGEND, {"s1": SENTINEL_1}, arrays)


def chip(scaled: np.ndarray) -> Chip:
    """A row of pixels with these standardised VV and VH ``[2, n]``."""
    values = np.float32([[-10], [-17]]) + np.float32([[2], [4]]) * scaled
    grid = utm((1, scaled.shape[1]))
    image = Image.of(values[:, None].astype(np.float32), grid, SENTINEL_1)
    return Chip(images={"s1": image}, labels=None, grid=grid)


def test_many_centres_of_a_class_do_not_outvote_the_nearest() -> None:
    # A pixel at the one centre of class 0; seven of class 1 lie close by.
    ring = [[0.3 * np.cos(a), 0.3 * np.sin(a)] for a in np.arange(7)]
    found = predictor([[0, 0], *ring], [0] + [1] * 7).predict(chip(np.zeros((2, 1))))
    # d^2 / 2F is 0 at its own centre and .09 / 4 at the nearest of the others.
    one = np.exp(-0.09 / 4)
    assert found[:, 0, 0] == pytest.approx(
        [1 / (1 + one), one / (1 + one), 0], abs=1e-6
    )


def test_the_class_is_that_of_the_nearest_centre() -> None:
    rng = np.random.default_rng(0)
    centres, classes = rng.normal(0, 1, (8, 2)), [0, 0, 0, 0, 0, 1, 1, 2]
    pixels = rng.normal(0, 1.5, (2, 4000))
    found = predictor(centres.tolist(), classes).predict(chip(pixels))
    distance = ((pixels.T[:, None] - centres) ** 2).sum(2)
    nearest = np.array(classes)[distance.argmin(1)]
    near = np.sort(
        np.stack([distance[:, :5].min(1), distance[:, 5:7].min(1), distance[:, 7]]), 0
    )
    clear = near[1] - near[0] > 1e-4
    assert clear.mean() > 0.99
    assert np.array_equal(found[:, 0].argmax(0)[clear], nearest[clear])
    assert found.sum(0) == pytest.approx(np.ones((1, 4000)), abs=1e-5)
    assert set(nearest) == {0, 1, 2}
