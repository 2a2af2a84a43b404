"""What only one dataset has: its split, its traps, its places."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from overcast.datasets import dfc2020, m3m_cr, openearthmap_sar, sen12ms, whu_opt_sar
from overcast.datasets.rasters import open_classes
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window


def whole(stack: Stack) -> Window:
    return Window(0, 0, *stack.shape)


def test_sen12ms_holds_out_the_official_scenes(tmp_path: Path) -> None:
    sen12ms.fake(tmp_path)
    dataset = sen12ms.open(tmp_path)
    held = {patch.scene for patch in dataset.split("holdout")}
    assert held == {
        *("ROIs1158_spring/63", "ROIs1868_summer/43"),
        *("ROIs1970_fall/120", "ROIs2017_winter/64"),
    }
    assert sum(map(len, sen12ms.HOLDOUT_SCENES.values())) == 26
    # Scene 63 is held out in spring alone.
    for part in sen12ms.RELEASE.parts:
        folder = tmp_path / "ROIs1970_fall"
        for file in (folder / f"{part}_120").iterdir():
            name = file.name.replace("_120_", "_63_")
            (folder / f"{part}_63").mkdir(exist_ok=True)
            shutil.copy(file, folder / f"{part}_63" / name)
    train = {patch.scene for patch in sen12ms.open(tmp_path).split("train")}
    assert "ROIs1970_fall/63" in train


def test_sen12ms_has_its_patch_with_nan(tmp_path: Path) -> None:
    sen12ms.fake(tmp_path)
    (patch,) = [
        p
        for p in sen12ms.open(tmp_path).split("train")
        if p.name == "ROIs1868_summer_146_p202"
    ]
    image = patch.stack().read(Window(0, 0, 128, 128)).images["s1"]
    assert not image.valid[20:90, 30:70].any()
    assert image.valid.sum() == 128 * 128 - 70 * 40


def test_sen12ms_patches_are_neighbours_on_one_lattice(tmp_path: Path) -> None:
    sen12ms.fake(tmp_path)
    first, second = sen12ms.open(tmp_path).stacks("holdout")[:2]
    there = first.read(Window(0, 64, 128, 64)).images["s2"].values
    assert (second.read(Window(0, 0, 128, 64)).images["s2"].values == there).all()
    assert first.grid.crs == second.grid.crs
    assert second.grid.affine.c - first.grid.affine.c == 640


def test_sen12ms_a_folder_too_high_is_said(tmp_path: Path) -> None:
    sen12ms.fake(tmp_path / "data")
    with pytest.raises(ValueError, match=r"one folder too high; give .*data"):
        sen12ms.open(tmp_path)


def test_dfc2020_as_the_contest_had_it(tmp_path: Path) -> None:
    dfc2020.fake(tmp_path)
    dataset = dfc2020.open(tmp_path)
    assert list(dataset.splits) == ["validation", "test"]
    numbers = [p.name.rpartition("_p")[2] for p in dataset.split("test")]
    assert numbers == ["0", "1", "2", "10"]  # not as text
    assert dataset.split("test")[0].stack().grid.crs is None
    fine = dataset.split("test")[0].labels("fine")
    names = [dataset.legend.names[i] for i in np.unique(fine.read(fine.grid).values)]
    assert not {"Savanna", "Snow/Ice"} & set(names)


def test_dfc2020_as_published_has_regions(tmp_path: Path) -> None:
    dfc2020.fake(tmp_path, public=True)
    dataset = dfc2020.open(tmp_path)
    assert set(dataset.splits) == {"Mumbai", "BlackForest"}
    grids = [
        stack.grid for region in dataset.splits for stack in dataset.stacks(region)
    ]
    assert all(grid.crs is not None for grid in grids)


def test_whu_opt_sar_has_the_official_test_scenes(tmp_path: Path) -> None:
    whu_opt_sar.fake(tmp_path)
    dataset = whu_opt_sar.open(tmp_path)
    assert [p.name for p in dataset.split("test")] == ["NH49E001014", "NH50E007002"]
    assert [p.name for p in dataset.split("train")] == ["NH49E001018", "NH49E002013"]
    assert any("2 train, 2 test" in note for note in dataset.notes)
    assert len(whu_opt_sar.TEST_SCENES) == 20


def test_whu_opt_sar_says_that_it_has_no_place(tmp_path: Path) -> None:
    whu_opt_sar.fake(tmp_path)
    dataset = whu_opt_sar.open(tmp_path)
    assert any("no place on the ground" in note for note in dataset.notes)
    stack = dataset.stacks("train", "fine")[0]
    assert stack.grid.crs is None
    assert abs(stack.grid.affine.a) == 5
    chip = stack.read(whole(stack))
    assert chip.labels is not None
    assert not chip.images["optical"].valid[:, -10:].any()  # background
    assert not chip.images["sar"].valid[:, -10:].any()
    assert (chip.labels.values[:, -10:] == UNKNOWN).all()
    assert (chip.labels.values[:, :-10] != UNKNOWN).all()


def test_openearthmap_sar_has_no_optical_test_images(tmp_path: Path) -> None:
    openearthmap_sar.fake(tmp_path)
    dataset = openearthmap_sar.open(tmp_path)
    assert {len(s.images) for s in dataset.stacks("train", "pseudo")} == {2}
    (stack, *_) = dataset.stacks("test")
    assert set(stack.images) == {"sar"}
    with pytest.raises(ValueError, match="there are: none"):
        dataset.stacks("test", "pseudo")
    scenes = [patch.scene for patch in dataset.split("train")]
    assert sorted(set(scenes)) == ["train/Agen", "train/Tokyo"]


def test_openearthmap_sar_is_not_valid_outside_its_footprint(tmp_path: Path) -> None:
    openearthmap_sar.fake(tmp_path)
    (stack, *_) = openearthmap_sar.open(tmp_path).stacks("test")
    valid = stack.read(whole(stack)).images["sar"].valid
    rows, columns = np.indices(valid.shape)
    assert not valid[rows + columns < 40].any()
    assert valid[rows + columns >= 40].mean() > 0.99


def test_m3m_cr_has_two_resolutions_in_one_stack(tmp_path: Path) -> None:
    m3m_cr.fake(tmp_path)
    stack = m3m_cr.open(tmp_path).stacks("train", "fine")[0]
    sides = {name: abs(s.grid.affine.a) for name, s in stack.images.items()}
    assert sides == {"planet": 3, "s1": 10, "clear": 3, "cloud": 3}
    assert stack.targets == {"clear", "cloud"}
    assert set(stack.sensors) == {"planet", "s1"}
    chip = stack.read(whole(stack))
    assert {image.valid.shape for image in chip.images.values()} == {(100, 100)}


def test_m3m_cr_cloud_mask_is_where_the_twins_differ(tmp_path: Path) -> None:
    m3m_cr.fake(tmp_path)
    for stack in m3m_cr.open(tmp_path).stacks("train"):
        images = stack.read(whole(stack)).images
        cloud = images["cloud"].values[0] == 1
        assert 0.05 < cloud.mean() < 0.95
        both = images["planet"].valid & images["clear"].valid
        apart = np.abs(images["planet"].values - images["clear"].values).max(0) > 0.01
        assert (apart == cloud)[both].all()


def test_m3m_cr_has_six_classes_and_no_others(tmp_path: Path) -> None:
    m3m_cr.fake(tmp_path)
    patch = m3m_cr.open(tmp_path).split("train")[0]
    source = patch.labels("fine")
    values = source.read(source.grid).values
    codes = open_classes(patch.path("landcover"), load_legend("worldcover"), 0, 10)
    theirs = codes.legend.to_codes(codes.read(codes.grid).values)
    names = {10: "Forest", 20: "Rangeland", 30: "Rangeland", 40: "Agriculture"}
    names |= {50: "Urban", 60: "Barren", 80: "Water", 90: "Water"}
    for code in np.unique(theirs):
        (index,) = np.unique(values[theirs == code])
        if code in (70, 95, 100):
            assert index == UNKNOWN
        else:
            assert m3m_cr.LEGEND.names[index] == names[int(code)]


def test_m3m_cr_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    m3m_cr.fake(tmp_path)
    patch = m3m_cr.open(tmp_path).split("test")[0]
    mask = patch.path("cloudmask").with_suffix(".npy")
    np.save(mask, np.zeros((90, 90), bool))
    with pytest.raises(
        ValueError, match=r"a mask of \(90, 90\), expected \(100, 100\)"
    ):
        patch.stack()
    mask.write_text("no numpy")
    with pytest.raises(ValueError, match="not a readable NumPy file"):
        patch.stack()
