"""Ensembles: a weighted mean, of members that may be averaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.stack import Chip
from overcast.maps.ensemble import Ensemble
from overcast.maps.views import Viewed
from tests.maps.test_views import LEGEND, SENSOR, chip_of, random_values


@dataclass(frozen=True)
class Constant:
    """One probability of the first class, everywhere."""

    share: float
    halo: int = 0
    legend: Legend = LEGEND
    sensors: Mapping[str, Sensor] = field(default_factory=lambda: {"x": SENSOR})

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        one = np.full(chip.grid.shape, self.share, np.float32)
        return np.stack([one, 1 - one])


CHIP = chip_of(random_values((3, 4)))


@pytest.mark.parametrize(
    ("weights", "expected"),
    [((), 0.4), ((1.0, 1.0), 0.4), ((3.0, 1.0), 0.25), ((0.0, 2.0), 0.7)],
)
def test_mean_is_weighted_and_only_ratios_matter(
    weights: tuple[float, ...], expected: float
) -> None:
    found = Ensemble((Constant(0.1), Constant(0.7)), weights).predict(CHIP)
    np.testing.assert_allclose(found[0], expected, atol=1e-6)
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-6)


def test_it_is_what_its_members_are() -> None:
    made = Ensemble((Constant(0.1, halo=2), Constant(0.2, halo=9)))
    assert made.halo == 9
    assert made.legend == LEGEND
    assert made.sensors == {"x": SENSOR}


def test_views_and_ensembles_nest() -> None:
    made = Viewed(Ensemble((Constant(0.2), Constant(0.4))))
    np.testing.assert_allclose(made.predict(CHIP)[0], 0.3, atol=1e-6)


def test_members_must_be_alike() -> None:
    other = Legend("other", LEGEND.classes[:1])
    with pytest.raises(ValueError, match=r"run 2 has the legend other \(low\)"):
        Ensemble((Constant(0.1), replace(Constant(0.1), legend=other)))
    bare = {"x": SENSOR.select(("a",))}
    with pytest.raises(ValueError, match=r"run 3 reads x \(two: a\), the first x"):
        Ensemble((Constant(0), Constant(0), replace(Constant(0), sensors=bare)))
    with pytest.raises(ValueError, match="needs a member"):
        Ensemble(())


@pytest.mark.parametrize(
    "weights", [(1.0, -1.0), (0.0, 0.0), (float("nan"), 1.0), (float("inf"), 1.0)]
)
def test_weights_must_weigh(weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="none negative"):
        Ensemble((Constant(0), Constant(0)), weights)


def test_every_member_needs_its_weight() -> None:
    with pytest.raises(ValueError, match="1 weights for 2 runs"):
        Ensemble((Constant(0), Constant(0)), (1.0,))
