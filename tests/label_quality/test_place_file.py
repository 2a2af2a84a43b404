"""Labels that a run keeps as evidence of place."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from overcast.geo.stack import Stack
from overcast.label_quality.place_file import (
    KeptPlace,
    placed,
    read_place,
    said_elsewhere,
    write_place,
)
from overcast.maps.placed import Placed, Strength, soft_labels
from tests.methods.test_place import GRID, LEGEND, Looking, cells_of, stack_of, wrong
from tests.rasters import utm

PLACE = KeptPlace(Strength((0.1, 0.2, 0.3, 0.4), 1.4, 0.5), 1, ("a note",))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_place(PLACE, stack_of(cells_of(wrong(0))), tmp_path)
    assert read_place(tmp_path, LEGEND) == PLACE


def test_labels_of_mixed_cells_are_read(tmp_path: Path) -> None:
    named = tuple(tuple(row) for row in (np.eye(4) * 0.6 + 0.1).round(6).tolist())
    place = replace(PLACE, strength=Strength((0.1,) * 4, named=named))
    write_place(place, stack_of(cells_of(wrong(0))), tmp_path)
    assert read_place(tmp_path, LEGEND) == place


def test_a_run_maps_with_the_labels_that_it_keeps(tmp_path: Path) -> None:
    labels = cells_of(wrong(0.2))
    write_place(PLACE, stack_of(labels), tmp_path)
    found = placed(Looking(), tmp_path)
    assert isinstance(found, Placed)
    assert found.strength == PLACE.strength
    assert soft_labels(found.labels, GRID, 1) == pytest.approx(
        soft_labels(labels, GRID, 1), abs=1e-6
    )


def test_labels_of_a_part_are_cut_with_what_lies_around(tmp_path: Path) -> None:
    """A scene in the middle of a larger map of labels sees them as that map has them."""
    labels = cells_of(wrong(0.2))
    whole = stack_of(labels)
    part = Stack(grid=GRID[50:70, 50:70], images=whole.images, labels=labels)
    write_place(PLACE, part, tmp_path)
    found = placed(Looking(), tmp_path)
    assert isinstance(found, Placed)
    assert soft_labels(found.labels, part.grid, 1) == pytest.approx(
        soft_labels(labels, part.grid, 1), abs=1e-6
    )


def test_a_run_without_labels_for_place_maps_as_it_is(tmp_path: Path) -> None:
    predictor = Looking()
    assert placed(predictor, tmp_path) is predictor
    write_place(KeptPlace(None, 1, ("said",)), stack_of(cells_of(wrong(0))), tmp_path)
    assert placed(predictor, tmp_path) is predictor
    assert read_place(tmp_path, LEGEND) == KeptPlace(None, 1, ("said",))
    assert not (tmp_path / "place.tif").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"named": [[1]]},
        {"wrong": [0.1]},
        {"wrong": [2, 0, 0, 0]},
        {"power": "much"},
        {"side": None},
    ],
)
def test_another_file_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    write_place(PLACE, stack_of(cells_of(wrong(0))), tmp_path)
    path = tmp_path / "place.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=r"place.json: .*; train the run again"):
        read_place(tmp_path, LEGEND)


def test_whether_labels_reach_a_scene(tmp_path: Path) -> None:
    whole = stack_of(cells_of(wrong(0)))
    write_place(PLACE, whole, tmp_path)
    predictor = placed(Looking(), tmp_path)
    assert said_elsewhere(predictor, whole) == ()
    away = Stack(grid=utm((20, 20), east=620_000), images=whole.images)
    (sentence,) = said_elsewhere(predictor, away)
    assert "do not reach this scene" in sentence
    assert said_elsewhere(Looking(), away) == ()
