"""Names that files have for their codes, and codes that look like another legend's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import rasterio

from overcast.geo.categories import read_categories, write_categories
from overcast.geo.label_check import check_codes
from overcast.geo.legend import LandClass, Legend, load_legend
from overcast.geo.meanings import meanings
from overcast.product.attributes import auxiliary
from tests.rasters import utm, write

MINE = {1: "Water", 2: "Forest", 3: "Crops", 4: "Town"}


def legend_of(names: dict[int, str]) -> Legend:
    return Legend("mine", tuple(LandClass(c, n, "00ff00") for c, n in names.items()))


def raster(folder: Path) -> Path:
    return write(folder / "l.tif", np.ones((4, 4), np.uint8), utm((4, 4)))


def notes(path: Path, legend: Legend, *codes: int) -> list[str]:
    return check_codes(path, legend, dict.fromkeys(codes or legend.codes, 5))


def test_names_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = raster(tmp_path)
    assert read_categories(path) is None
    write_categories(path, legend_of(MINE))
    found = read_categories(path)
    assert found is not None
    assert (found.names, found.where) == (MINE, "l.tif.aux.xml")
    assert notes(path, legend_of(MINE)) == []


def test_an_attribute_table_names_codes(tmp_path: Path) -> None:
    path = raster(tmp_path)
    text = auxiliary(legend_of(MINE), np.zeros(257, np.int64), 1.0)
    start, end = text.index("<CategoryNames>"), text.index("</CategoryNames>")
    beside = path.with_name("l.tif.aux.xml")
    beside.write_text(text[:start] + text[end + len("</CategoryNames>") :])
    found = read_categories(path)
    assert found is not None
    assert found.names == MINE


@pytest.mark.parametrize("name", ["l.tif.vat.dbf", "l.vat.dbf"])
def test_a_table_of_arcgis_names_codes(tmp_path: Path, name: str) -> None:
    path = raster(tmp_path)
    made = tmp_path / "made.dbf"
    pyogrio.raw.write(
        made,
        None,
        [np.array(list(MINE)), np.array(list(MINE.values()), object)],
        np.array(["Value", "Class_Name"], object),
        driver="ESRI Shapefile",
        geometry_type=None,
    )
    made.rename(tmp_path / name)
    found = read_categories(path)
    assert found is not None
    assert (found.names, found.where) == (MINE, name)


def test_the_legend_of_a_map_names_codes(tmp_path: Path) -> None:
    path = raster(tmp_path)
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(LEGEND_CLASSES="code,name,colour\n1,Water,0000ff\n")
    found = read_categories(path)
    assert found is not None
    assert found.names == {1: "Water"}


def test_damaged_metadata_name_nothing(tmp_path: Path) -> None:
    path = raster(tmp_path)
    (tmp_path / "l.tif.aux.xml").write_text("<PAMDataset><PAM")
    (tmp_path / "l.vat.dbf").write_bytes(b"junk")
    assert read_categories(path) is None


@pytest.mark.parametrize(
    "own",
    [
        {1: "Forest", 2: "Water", 3: "Crops", 4: "Town"},  # the same names, swapped
        {1: "Open water", 2: "Evergreen trees", 3: "Grassland", 4: "Built-up"},
        {1: "Urban fabric", 2: "Arable land", 3: "Broad-leaved forest", 4: "Sea"},
    ],
)
def test_names_that_contradict_are_refused(tmp_path: Path, own: dict[int, str]) -> None:
    path = raster(tmp_path)
    write_categories(path, legend_of(own))
    with pytest.raises(ValueError, match=r"l\.tif: l\.tif\.aux\.xml calls \d .*mine"):
        notes(path, legend_of(MINE))
    assert check_codes(path, legend_of(MINE), {1: 1}, trust=True) == []


@pytest.mark.parametrize(
    "own",
    [
        {1: " water ", 2: "FOREST", 3: "Cropland", 4: "Built-up area"},
        {1: "Permanent water bodies", 2: "Tree cover", 3: "Agriculture", 4: "Urban"},
        {1: "No data", 2: "Forest"},
    ],
)
def test_names_that_agree_are_not_mentioned(
    tmp_path: Path, own: dict[int, str]
) -> None:
    path = raster(tmp_path)
    write_categories(path, legend_of(own))
    assert notes(path, legend_of(MINE)) == []


def test_only_codes_that_occur_are_compared(tmp_path: Path) -> None:
    path = raster(tmp_path)
    write_categories(path, legend_of({1: "Water", 3: "Glacier"}))
    assert notes(path, legend_of(MINE), 1, 2) == []
    with pytest.raises(
        ValueError, match="calls 3 Glacier, which the legend mine calls"
    ):
        notes(path, legend_of(MINE), 1, 3)


def test_names_that_nobody_can_compare_are_shown(tmp_path: Path) -> None:
    path = raster(tmp_path)
    write_categories(path, legend_of({1: "Gewässer", 2: "Wald"}))
    (note,) = notes(path, legend_of(MINE))
    assert "calls 1 Gewässer, 2 Wald, and the legend mine 1 Water, 2 Forest" in note


def test_a_short_legend_under_a_long_one_is_noticed(tmp_path: Path) -> None:
    path, corine = raster(tmp_path), load_legend("corine")
    (note,) = notes(path, corine, *range(1, 9))
    assert (
        "of the 44 codes of the legend corine only the first 8 occur (1 to 8)" in note
    )
    assert notes(path, corine, 1, 2, 3, 12, 23) == []
    assert notes(path, corine, 1, 2) == []
    assert notes(path, load_legend("worldcover"), 10, 20, 30) == []


def test_what_names_mean() -> None:
    assert meanings("111 Continuous urban fabric") == {"built"}
    assert meanings("Seasonal sealed surface") == {"built"}
    assert meanings("Iceland moss") == {"grass"}
    assert meanings("Other") == frozenset()
    for name in ("simplified-igbp", "igbp", "worldcover", "esri", "dynamic-world"):
        assert all(meanings(n) for n in load_legend(name).names), name


def test_codes_without_names_are_those_of_the_legend(tmp_path: Path) -> None:
    """Another legend of the same codes: nothing in the file says so."""
    path = raster(tmp_path)
    other = legend_of({1: "Water", 2: "Forest", 3: "Town", 4: "Crops"})
    assert notes(path, other) == notes(path, legend_of(MINE)) == []
