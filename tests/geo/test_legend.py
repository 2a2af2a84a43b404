from __future__ import annotations

import csv
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overcast.geo.legend import (
    Crosswalk,
    LandClass,
    Legend,
    built_in_legends,
    load_crosswalk,
    load_legend,
    parse_legend,
)

UNMAPPED = {("corine", 33), ("esri", 10)}
"""Burnt area and cloud say nothing about what grows there."""

CROSSWALKS = sorted(
    path.name.removesuffix(".csv")
    for path in (files("overcast.geo") / "legends").iterdir()
    if "--" in path.name
)


def legend(*codes: int) -> Legend:
    return Legend("test", tuple(LandClass(c, f"class {c}", "00ff00") for c in codes))


@given(st.data())
def test_indices_and_codes_are_inverse(data: st.DataObject) -> None:
    codes = data.draw(st.lists(st.integers(0, 254), min_size=1, unique=True))
    classes = legend(*codes)
    pixels = data.draw(st.lists(st.sampled_from([*codes, 255]), max_size=30))
    array = np.array(pixels, np.uint8).reshape(-1, 1)
    indices = classes.to_indices(array, nodata=255)
    assert indices.dtype == np.uint8
    assert indices.shape == array.shape
    np.testing.assert_array_equal(classes.to_codes(indices), array)


def test_position_not_code_is_the_class() -> None:
    codes = np.array([[30, 10], [20, -9999]], np.int16)
    indices = legend(10, 30, 20).to_indices(codes, nodata=-9999)
    assert indices.tolist() == [[1, 0], [2, 255]]


def test_stray_codes_are_named_with_what_is_known() -> None:
    with pytest.raises(ValueError, match=r"codes 7, 9 .*\(1, 2\).*no nodata tag"):
        legend(1, 2).to_indices(np.array([1, 7, 9, 2, 7]))
    with pytest.raises(ValueError, match=r"codes 3, 4, 5, 6, 7 \.\.\. .*nodata 0"):
        legend(1).to_indices(np.arange(3, 20), nodata=0)
    with pytest.raises(ValueError, match="codes 0 are not in"):
        legend(1).to_indices(np.zeros((2, 2), np.uint8))


def test_nodata_of_the_file_wins_over_a_class_of_that_code() -> None:
    codes = np.array([0, 1], np.uint8)
    assert legend(0, 1).to_indices(codes).tolist() == [0, 1]
    assert legend(0, 1).to_indices(codes, nodata=0).tolist() == [255, 1]


def test_bad_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="code 4 occurs twice"):
        legend(4, 1, 4)
    with pytest.raises(ValueError, match="no classes"):
        legend()
    for code in (-1, 255, 300):
        with pytest.raises(ValueError, match="expected 0 to 254"):
            legend(code)
    for colour in ("green", "#00ff00", "00ff0", "00ff0g"):
        with pytest.raises(ValueError, match="expected rrggbb"):
            LandClass(1, "Forest", colour)
    assert LandClass(1, "Forest", "0aFF10").rgb == (10, 255, 16)


def test_a_users_csv_works_like_a_built_in_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    text = 'code,name,colour\n1, Forest ,#009900\n7,"Built, dense",FF0000\n'
    path.write_text(text, encoding="utf-8-sig")  # as Excel writes it, with a BOM
    mine = load_legend(path)
    assert mine == load_legend(str(path))
    assert (mine.name, mine.codes) == ("mine", (1, 7))
    assert mine.names == ("Forest", "Built, dense")
    assert mine.classes[0].rgb == (0, 153, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"code|name|colour\n1|Forest|009900\n", "header code,name,colour"),
        (b"code,name\n1,Forest\n", "header code,name,colour"),
        (b"code,name,colour\n1,Forest\n", "class 1 of the legend has 2 cells"),
        (b"code,name,colour\none,Forest,009900\n", "'one'"),
        (b"code,name,colour\n1,Forest,green\n", "expected rrggbb"),
        (b"code,name,colour\n1,A,009900\n1,B,009900\n", "code 1 occurs twice"),
        (b"", "header code,name,colour"),
        (b"code,name,colour\n", "no classes"),
        (b"code,name,colour\n1,W\xe4lder,009900\n", "UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00", "UTF-8"),
    ],
)
def test_bad_csv_is_refused_by_name(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        load_legend(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_unknown_legend_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"legend wordcover.*corine.*worldcover"):
        load_legend("wordcover")


@pytest.mark.parametrize("name", built_in_legends())
def test_built_in_legend_loads(name: str) -> None:
    classes = load_legend(name)
    assert classes.name == name
    assert len(set(classes.names)) == len(classes)
    assert len({c.colour for c in classes.classes}) == len(classes) or name == "corine"


def test_built_in_legends_have_the_published_number_of_classes() -> None:
    assert {name: len(load_legend(name)) for name in built_in_legends()} == {
        "corine": 44,
        "dynamic-world": 9,
        "esri": 9,
        "igbp": 17,
        "nlcd": 20,
        "openearthmap": 8,
        "simplified-igbp": 10,
        "whu-opt-sar": 7,
        "worldcover": 11,
    }


@pytest.mark.parametrize("name", CROSSWALKS)
def test_built_in_crosswalk_maps_every_class_it_can(name: str) -> None:
    walk = load_crosswalk(*name.split("--"))
    sums = dict(zip(walk.source.codes, walk.weights.sum(1), strict=True))
    for code, total in sums.items():
        expected = 0 if (walk.source.name, code) in UNMAPPED else 1
        assert total == pytest.approx(expected), code


@pytest.mark.parametrize("name", CROSSWALKS)
def test_built_in_crosswalk_has_no_line_twice(name: str) -> None:
    path = files("overcast.geo") / "legends" / f"{name}.csv"
    lines = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    pairs = [(line["source"], line["target"]) for line in lines]
    assert len(set(pairs)) == len(pairs)


def test_igbp_simplifies_as_schmitt_2020_says() -> None:
    walk = load_crosswalk("igbp", "simplified-igbp")
    codes = walk.target.to_codes(walk.indices(np.arange(17, dtype=np.uint8)))
    expected = [1, 1, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 6, 8, 9, 10]
    assert codes.tolist() == expected


def test_mixtures_without_a_majority_are_unknown_but_keep_their_mass() -> None:
    walk = load_crosswalk("esri", "simplified-igbp")
    rangeland, cloud = (walk.source.codes.index(code) for code in (11, 10))
    assert (
        walk.indices(np.array([rangeland, cloud, 255], np.uint8)).tolist() == [255] * 3
    )
    shares = np.zeros((9, 1), np.float32)
    shares[rangeland] = 0.8
    out = walk.shares(shares)[:, 0]
    at = dict(zip(walk.target.names, out.tolist(), strict=True))
    assert at["Grassland"] == at["Shrubland"] == pytest.approx(0.4)
    assert out.sum() == pytest.approx(0.8)


@given(st.data())
def test_mass_is_preserved(data: st.DataObject) -> None:
    rows, columns = (data.draw(st.integers(1, 8)) for _ in range(2))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    weights = generator.dirichlet(np.ones(columns), rows)
    walk = Crosswalk(legend(*range(rows)), legend(*range(columns)), weights)
    shares = generator.dirichlet(np.ones(rows), (3, 4)).transpose(2, 0, 1)
    out = walk.shares(shares.astype(np.float32))
    assert out.shape == (columns, 3, 4)
    np.testing.assert_allclose(out.sum(0), 1, atol=1e-5)


@given(st.permutations(range(6)))
def test_one_to_one_goes_there_and_back(order: list[int]) -> None:
    there = np.eye(6)[order]
    a, b = legend(*range(6)), legend(*range(10, 16))
    indices = np.array([0, 1, 2, 3, 4, 5, 255], np.uint8)
    out = Crosswalk(a, b, there).indices(indices)
    assert out.tolist() == [*order, 255]
    np.testing.assert_array_equal(Crosswalk(b, a, there.T).indices(out), indices)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones((2, 3)), r"\(2, 3\), expected \(2, 2\)"),
        (np.array([[0.5, 0.4], [0, 1]]), "sum to 1"),
        (np.array([[1.5, -0.5], [0, 1]]), "sum to 1"),
        (np.array([[np.nan, 1], [0, 1]]), "sum to 1"),
    ],
)
def test_bad_weights_are_refused(weights: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Crosswalk(legend(1, 2), legend(1, 2), weights)


def test_crosswalk_to_itself_is_the_identity() -> None:
    walk = load_crosswalk("worldcover", "worldcover")
    np.testing.assert_array_equal(walk.weights, np.eye(11))


def test_missing_crosswalk_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"worldcover to nlcd.*nlcd--simplified"):
        load_crosswalk("worldcover", "nlcd")


def test_another_legend_under_a_built_in_name_is_refused() -> None:
    impostor = Legend("worldcover", legend(1, 2).classes)
    with pytest.raises(ValueError, match="rename yours"):
        load_crosswalk(impostor, "simplified-igbp")


def table(rows: str, header: str = "code,name,colour") -> Legend:
    return parse_legend(f"{header}\n{rows}\n", "mine")


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("code,name,color", "1,Forest,009900"),
        ("Code;Name;Colour", "1;Forest;#009900"),
        ("colour\tcode\tname", "009900\t1\tForest"),
        ("\ufeffcode,name,colour", "1,Forest,009900"),
        ("sep=;\ncode;name;colour", "1;Forest;009900"),
        ("id,code,name,colour", "7,1.0,Forest,009900"),
    ],
)
def test_dialects_of_a_legend(header: str, row: str) -> None:
    assert table(row, header).classes == (LandClass(1, "Forest", "009900"),)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("1,Forest,", "class 'Forest' has colour ''"),
        ("1,,009900", "class 1 of the legend, code 1, has no name"),
        ("1.5,Forest,009900", "class 1 of the legend has code '1.5'"),
        ("1,Built, dense,009900", "class 1 of the legend has 4 cells, expected 3"),
        ("1,A,009900\n2,B", "class 2 of the legend has 2 cells, expected 3"),
        ("1,For\x00est,009900", "has a control character|not a legend"),
        ("1,For\x08est,009900", "has a control character"),
        ("1,For\uffffest,009900", "has a control character"),
        ("1,Forest,009900\n2, FOREST ,009901", "codes 1 and 2 are both called FOREST"),
        (
            "1,W\u00e4lder,009900\n2,Wa\u0308lder,009901",
            "codes 1 and 2 are both called",
        ),
        ("1,A B,009900\n2,a\u00a0b,009901", "codes 1 and 2 are both called"),
        ("\n".join(f"{k},N{k},009900" for k in range(256)), "more than 255 rows"),
        ("1,Forest,009900\n" * 100_000, "more than 255 rows"),
    ],
)
def test_rows_that_are_no_classes_are_named(rows: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        table(rows)


def test_as_many_classes_as_there_are_codes() -> None:
    assert len(table("\n".join(f"{k},N{k},009900" for k in range(255)))) == 255


def test_columns_that_occur_twice_are_refused() -> None:
    with pytest.raises(ValueError, match="column name occurs twice"):
        table("1,A,B,009900", "code,name,name,colour")


def test_codes_of_floats_and_several_for_no_data() -> None:
    codes = np.array([[1, 2, np.nan], [0, -9999, 2]], np.float32)
    assert legend(1, 2).to_indices(codes, (0, -9999)).tolist() == [
        [0, 1, 255],
        [255, 255, 1],
    ]
    with pytest.raises(ValueError, match="nodata -1, 0"):
        legend(1).to_indices(np.array([5]), (0, -1))


def test_a_legend_that_only_has_a_built_in_name_is_refused() -> None:
    own = load_legend("worldcover").classes
    named = (LandClass(10, "Water", own[0].colour), *own[1:])
    with pytest.raises(ValueError, match="calls 10 Tree cover, yours Water; rename"):
        load_crosswalk(Legend("worldcover", named), "simplified-igbp")
