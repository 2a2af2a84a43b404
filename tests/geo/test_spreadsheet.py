"""Names of classes are no formulas in any CSV that overcast writes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from overcast.accuracy.design import DrawnSample
from overcast.accuracy.sample_form import write_form
from overcast.geo.arrays import LabelArray
from overcast.geo.legend import LandClass, Legend, legend_to_csv, parse_legend
from overcast.geo.raster import Labels
from overcast.geo.spreadsheet import as_cell, of_cell
from overcast.geo.vectors import read_features
from tests.rasters import utm

EVIL = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1")
KIND = ("Forest", "'s-Hertogenbosch", "''", "-1.5", "+3", "a=b", "", "-inf")


@pytest.mark.parametrize("text", EVIL)
def test_formulas_get_an_apostrophe_and_lose_it(text: str) -> None:
    assert as_cell(text) == f"'{text}"
    assert of_cell(as_cell(text)) == text


@pytest.mark.parametrize("text", KIND)
def test_other_texts_stay(text: str) -> None:
    assert as_cell(text) == text
    assert of_cell(text) == text


def cells(text: str) -> list[str]:
    return [cell for row in csv.reader(text.splitlines()) for cell in row]


def is_formula(cell: str) -> bool:
    return (
        cell.startswith(("=", "+", "-", "@"))
        and not cell[1:].replace(".", "").isdigit()
    )


def test_a_legend_holds_no_formula_and_comes_back() -> None:
    names = EVIL[:4]
    classes = tuple(LandClass(k, n, "00ff00") for k, n in enumerate(names, 1))
    text = legend_to_csv(Legend("l", classes))
    assert not [cell for cell in cells(text) if is_formula(cell)]
    assert parse_legend(text, "l").names == names


def test_a_form_holds_no_formula_and_comes_back(tmp_path: Path) -> None:
    names = EVIL[:4]
    classes = tuple(LandClass(k, n, "00ff00") for k, n in enumerate(names))
    values = np.arange(16, dtype=np.uint8).reshape(4, 4) % 4
    labels = Labels(values=values, grid=utm((4, 4)), legend=Legend("l", classes))
    rows, columns = np.zeros(4, np.intp), np.arange(4)
    drawn = DrawnSample(rows, columns, values[0])
    path = tmp_path / "form.csv"
    write_form(path, LabelArray(labels), drawn, np.full(4, 4), {})
    assert not [cell for cell in cells(path.read_text()) if is_formula(cell)]
    found = read_features(path)
    assert tuple(found.column("stratum_name")) == names
