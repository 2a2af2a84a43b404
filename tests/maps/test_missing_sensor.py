"""Maps without an image that was learned with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.stack import Chip
from overcast.maps.missing_sensor import MissingSensor
from tests.maps.test_views import LEGEND, SENSOR, chip_of, random_values

CHIP = chip_of(random_values((3, 4)))


@dataclass(frozen=True)
class Seen:
    """The share of its images that saw a pixel, as probability of the first class."""

    names: tuple[str, ...] = ("x", "y")
    halo: int = 5
    legend: Legend = LEGEND

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        return {name: SENSOR for name in self.names}

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        share = np.mean([chip.images[name].valid for name in self.names], 0)
        return np.stack([share, 1 - share]).astype(np.float32)


def test_what_it_does_without_was_seen_nowhere() -> None:
    made = MissingSensor(Seen(), frozenset({"y"}))
    assert dict(made.sensors) == {"x": SENSOR}
    assert (made.legend, made.halo) == (LEGEND, 5)
    both = replace(CHIP, images={"x": CHIP.images["x"], "y": CHIP.images["x"]})
    np.testing.assert_allclose(Seen().predict(both)[0], 1)
    np.testing.assert_allclose(made.predict(CHIP)[0], 0.5)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"z"}, "without z: the run reads x, y"),
        ({"x", "y"}, "without x, y there is nothing to map from"),
    ],
)
def test_what_can_not_be_is_refused(names: set[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MissingSensor(Seen(), frozenset(names))
