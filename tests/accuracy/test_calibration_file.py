"""What calibrating found comes back from its file as it was written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from overcast.accuracy.calibration import Reliability
from overcast.accuracy.calibration_file import (
    Calibration,
    read_calibration,
    write_calibration,
)
from overcast.accuracy.conformal import ConformalSets
from overcast.accuracy.curve import ConfidenceCurve, Scaling
from overcast.run_folder import CALIBRATION as NAME


def found(sets: ConformalSets | None) -> Calibration:
    random = np.random.default_rng(0)
    sure = random.random(100)
    before = Reliability.of(sure, random.random(100) < sure)
    return Calibration(
        scaling=Scaling(1.25, ConfidenceCurve(np.linspace(0.1, 0.9, 65))),
        reference="sample.gpkg",
        pixels=100,
        before=before,
        after=before + before,
        sets=sets,
    )


def test_it_comes_back(tmp_path: Path) -> None:
    limits = np.array([0.5, np.inf])
    written = found(ConformalSets("aps", 0.9, limits))
    write_calibration(written, tmp_path)
    read = read_calibration(tmp_path)
    assert read is not None
    assert (read.reference, read.pixels) == ("sample.gpkg", 100)
    assert read.scaling.temperature == 1.25
    np.testing.assert_allclose(
        read.scaling.curve.values, written.scaling.curve.values, atol=1e-6
    )
    assert read.before.expected_error == pytest.approx(written.before.expected_error)
    np.testing.assert_array_equal(read.after.pixels, written.after.pixels)
    assert read.sets is not None
    probabilities = np.random.default_rng(1).dirichlet([1, 1], 50).T
    assert written.sets is not None
    np.testing.assert_array_equal(
        read.sets.of(probabilities), written.sets.of(probabilities)
    )
    json.loads((tmp_path / NAME).read_text(), parse_constant=pytest.fail)


def test_without_sets(tmp_path: Path) -> None:
    assert read_calibration(tmp_path) is None
    write_calibration(found(None), tmp_path)
    read = read_calibration(tmp_path)
    assert read is not None
    assert read.sets is None


@pytest.mark.parametrize(
    "text",
    ["", "{}", '{"temperature": "warm"}', '{"temperature": 1, "curve": [0, 1]}', "[1]"],
)
def test_a_broken_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(ValueError, match=f"{NAME}: .*calibrate the run again"):
        read_calibration(tmp_path)
