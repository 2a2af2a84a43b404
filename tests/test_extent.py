"""How much of the first image a map covers is said, and a sliver is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.inputs import Inputs, open_inputs
from overcast.plan import (
    Data,
    ImageInput,
    LabelInput,
    Plan,
    read_plan,
    write_plan,
)
from overcast.trees import to_tree
from tests.rasters import CELL_M, backscatter, reflectance, utm, write

pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")

SIDE = 100


def data(folder: Path, *, s1: int = 0, labels: int = 0) -> Data:
    """Files of one size; Sentinel-1 and labels begin so many columns farther east."""
    shape = (SIDE, SIDE)
    s2 = write(folder / "s2.tif", reflectance(shape), utm(shape))
    radar = utm(shape, east=600_000 + 10 * s1)
    codes = np.full(shape, 1, np.uint8)
    write(folder / "labels.tif", codes, utm(shape, east=600_000 + 10 * labels))
    return Data(
        images={
            "s1": ImageInput(
                path=str(write(folder / "s1.tif", backscatter(shape), radar)),
                sensor="sentinel-1",
            ),
            "s2": ImageInput(path=str(s2), sensor="sentinel-2", offset=0),
        },
        labels=LabelInput(path=str(folder / "labels.tif"), legend="simplified-igbp"),
    )


def extent_notes(inputs: Inputs) -> list[str]:
    return [note for note in inputs.notes if "covers" in note or "have a label" in note]


def test_what_cuts_the_map_is_named_with_its_share(tmp_path: Path) -> None:
    inputs = open_inputs(data(tmp_path, s1=70, labels=60))
    s1, s2, labels = (tmp_path / f"{n}.tif" for n in ("s1", "s2", "labels"))
    assert inputs.stack.shape == (SIDE, 30)
    assert extent_notes(inputs) == [
        f"the map covers 30 % of {s2}: {s1} covers 30 % of it, "
        f"{labels} covers 40 % of it"
    ]


def test_a_border_is_nothing_to_be_said(tmp_path: Path) -> None:
    assert extent_notes(open_inputs(data(tmp_path))) == []
    assert extent_notes(open_inputs(data(tmp_path, s1=1))) == []
    assert len(extent_notes(open_inputs(data(tmp_path, s1=2)))) == 1


def test_a_sliver_is_refused_unless_it_is_meant(tmp_path: Path) -> None:
    sliver = data(tmp_path, s1=97)
    with pytest.raises(
        ValueError, match=r"s1.tif: the inputs overlap in 3.0 % of .*s2.tif only"
    ):
        open_inputs(sliver)
    inputs = open_inputs(replace(sliver, small_overlap=True))
    assert inputs.stack.shape == (SIDE, 3)
    assert "the map covers 3.0 % of" in extent_notes(inputs)[0]
    assert open_inputs(data(tmp_path, s1=90)).stack.shape == (SIDE, 10)


def test_a_given_grid_is_mapped_whole_and_gaps_are_said(tmp_path: Path) -> None:
    sliver = data(tmp_path, s1=97, labels=25)
    inputs = open_inputs(replace(sliver, grid=str(tmp_path / "s2.tif")))
    assert inputs.stack.shape == (SIDE, SIDE)
    assert extent_notes(inputs) == [
        f"{tmp_path / 's1.tif'} covers 3.0 % of the grid that is mapped; it says "
        "nothing of the rest",
        f"{tmp_path / 'labels.tif'} covers 75 % of the grid that is mapped; it says "
        "nothing of the rest",
    ]


def test_labels_with_hardly_a_class_are_said(tmp_path: Path) -> None:
    given = data(tmp_path)
    codes = np.zeros((SIDE, SIDE), np.uint8)
    codes[:2] = 1
    write(tmp_path / "labels.tif", codes, utm((SIDE, SIDE)), nodata=0)
    assert extent_notes(open_inputs(given)) == [
        f"{tmp_path / 'labels.tif'}: 2.0 % of the pixels that are mapped have a label"
    ]


def test_the_key_is_kept_and_changes_no_older_plan(tmp_path: Path) -> None:
    given = data(tmp_path)
    assert "small_overlap" not in to_tree(Plan(data=given))["data"]
    told = Plan(data=replace(given, small_overlap=True))
    assert told.fingerprint != Plan(data=given).fingerprint
    write_plan(told, tmp_path / "plan.yaml")
    assert read_plan(tmp_path / "plan.yaml").data.small_overlap


@pytest.mark.parametrize(("columns", "said"), [(60, True), (40, False)])
def test_an_image_with_few_observations_is_said(
    tmp_path: Path, columns: int, said: bool
) -> None:
    """The outline covers all of the map; most of it, or less than half, is no data."""
    given = data(tmp_path)
    stored = reflectance((SIDE, SIDE))
    stored[:, :, :columns] = 0
    path = write(tmp_path / "s2.tif", stored, utm((SIDE, SIDE)))
    notes = [n for n in open_inputs(given).notes if "observed" in n]
    share = f"about {100 - columns} % of the pixels that are mapped were observed"
    assert notes == ([f"{path}: {share}; the rest is no data"] if said else [])
    assert extent_notes(open_inputs(given)) == []


def test_large_scenes_are_looked_at_in_pieces(tmp_path: Path) -> None:
    shape = (640, 700)
    db = np.full((2, *shape), np.nan, np.float32)
    db[:, :, :200] = backscatter((640, 200))
    path = write(tmp_path / "s1.tif", db, utm(shape))
    image = ImageInput(path=str(path), sensor="sentinel-1")
    (note,) = open_inputs(Data(images={"s1": image})).notes
    share = float(note.split("about ")[1].split(" %")[0])
    assert share == pytest.approx(100 * 200 / 700, abs=8)


def test_labels_on_the_wrong_sphere_are_doubted(tmp_path: Path) -> None:
    given = data(tmp_path)
    crs = "+proj=sinu +datum=WGS84 +units=m"
    box = utm((SIDE, SIDE)).extent.to_crs(crs, resolution=100).boundingbox
    place = Affine(CELL_M, 0, box.left - 900, 0, -CELL_M, box.top + 900)
    codes = np.arange(100).reshape(10, 10) % 3 + 1
    write(tmp_path / "labels.tif", codes.astype("u1"), GeoBox((10, 10), place, crs))
    (note,) = [n for n in open_inputs(given).notes if "MODIS" in n]
    assert note.startswith(f"{tmp_path / 'labels.tif'}: has the pixels of MODIS, but ")
