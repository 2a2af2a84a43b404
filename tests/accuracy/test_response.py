"""A form goes out and comes back: with it, the design that it was drawn by."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from overcast.accuracy.design import allocate, count_classes, draw
from overcast.accuracy.response import is_form, read_sample, weights_of, write_form
from overcast.geo.arrays import LabelArray
from overcast.geo.legend import load_legend
from overcast.geo.overlay import classes_under
from overcast.geo.raster import Labels
from overcast.geo.vectors import Features, read_features
from tests.rasters import utm

LEGEND = load_legend("simplified-igbp")


def mapped() -> LabelArray:
    random = np.random.default_rng(0)
    values = random.choice(np.uint8([0, 4, 6]), (90, 80), p=[0.7, 0.25, 0.05])
    return LabelArray(Labels(values=values, grid=utm((90, 80)), legend=LEGEND))


@pytest.fixture(params=[".gpkg", ".csv"])
def form(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    source, path = mapped(), tmp_path / f"form{request.param}"
    pixels = count_classes(source)
    drawn = draw(source, pixels, allocate(pixels, 200), seed=1)
    write_form(path, source, drawn, pixels, {"seed": "1"})
    return path


def test_a_form_lies_on_the_pixels_it_was_drawn_from(form: Path) -> None:
    points, source = read_features(form), mapped()
    assert is_form(points)
    found = classes_under(source, points)
    assert [str(LEGEND.codes[k]) for k in found] == list(points.columns["stratum"])
    assert [LEGEND.names[k] for k in found] == list(points.columns["stratum_name"])
    assert set(points.columns["reference"]) == {""}


def test_a_form_knows_its_design(form: Path) -> None:
    points, source = read_features(form), mapped()
    found = classes_under(source, points)
    sample = read_sample(points, found, found, LEGEND)
    shares = count_classes(source) / source.labels.values.size
    np.testing.assert_allclose(sample.areas.value, shares, atol=1e-12)
    assert sample.taken.sum() == 200
    assert sample.pixels.sum() == 90 * 80


def test_weights_add_up_to_the_map(form: Path) -> None:
    points, source = read_features(form), mapped()
    found = classes_under(source, points)
    judged = np.where(np.arange(200) % 7 == 0, np.uint8(255), found)
    weights = weights_of(points, judged)
    assert (weights[judged == 255] == 0).all()
    pixels = count_classes(source)
    for k in (0, 4, 6):
        assert weights[found == k].sum() == pytest.approx(pixels[k])


def without(path: Path, stratum: str) -> Features:
    with path.open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["stratum_name"] != stratum]
    shorter = path.with_name("shorter.csv")
    with shorter.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return read_features(shorter)


@pytest.mark.parametrize("form", [".csv"], indirect=True)
def test_deleted_rows_are_noticed(form: Path) -> None:
    points = without(form, "Forest")
    found = classes_under(mapped(), points)
    with pytest.raises(ValueError, match="rows were deleted"):
        read_sample(points, found, found, LEGEND)


@pytest.mark.parametrize("form", [".csv"], indirect=True)
def test_a_stratum_that_nobody_judged_is_named(form: Path) -> None:
    points, unknown = read_features(form), np.uint8(255)
    found = classes_under(mapped(), points)
    rare = np.where(found == 6, unknown, found)
    code = LEGEND.codes[6]
    with pytest.raises(ValueError, match=rf"form\.csv: stratum {code} has 0 points"):
        read_sample(points, found, rare, LEGEND)
