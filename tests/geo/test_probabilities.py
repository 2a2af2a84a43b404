"""Class probabilities in a file, and what only looks like them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overcast.geo.probabilities import open_probabilities
from tests.rasters import utm, write

SHARES = np.stack([np.full((16, 16), p, np.float32) for p in (0.7, 0.2, 0.1)])


def test_probabilities_are_read_and_their_sum_is_looked_at(tmp_path: Path) -> None:
    names = ("Water", "Forest", "Town")
    path = write(tmp_path / "p.tif", SHARES, utm((16, 16)), names=names)
    checked = open_probabilities(path)
    found = checked.image.read(checked.image.grid).values
    np.testing.assert_allclose(found, SHARES, atol=1e-6)
    assert checked.notes == ()
    part = write(tmp_path / "part.tif", SHARES[:2], utm((16, 16)), names=names[:2])
    assert "sum to 0.90, not 1" in open_probabilities(part).notes[0]


@pytest.mark.parametrize("change", [lambda p: p * 255, np.log])
def test_what_is_no_probability_is_refused(tmp_path: Path, change: object) -> None:
    values = change(SHARES).astype(np.float32)  # type: ignore[operator]
    path = write(tmp_path / "p.tif", values, utm((16, 16)), names=("a", "b", "c"))
    with pytest.raises(ValueError, match=r"p\.tif: values from .* from 0 to 1"):
        open_probabilities(path)
