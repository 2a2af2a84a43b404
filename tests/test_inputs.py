"""A mask of a plan: what it hides is not observed, and what can't be a mask is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.cli import program
from overcast.geo.near import files_of
from overcast.inputs import Inputs, open_inputs
from overcast.label_quality.registration import misplaced
from overcast.plan import Data, ImageInput, MaskInput, Plan, read_plan, write_plan
from overcast.worlds.files import write_world
from tests.rasters import backscatter, reflectance, utm, write

pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")

FINE, COARSE = utm((32, 32)), utm((16, 16), size=20)
SCENE = np.full((16, 16), 4, np.uint8)
SCENE[:4] = 9  # cloud over the upper quarter
SCENE[4, 0] = 3
SCENE[5, 0] = 10


def opened(
    folder: Path, codes: NDArray[np.uint8], *hidden: int, grid: GeoBox = COARSE
) -> Inputs:
    s2 = write(folder / "s2.tif", reflectance((32, 32)), FINE)
    scl = write(folder / "SCL.tif", codes, grid, nodata=0)
    mask = MaskInput(path=str(scl), hidden=hidden or None)
    image = ImageInput(path=str(s2), sensor="sentinel-2", offset=0, mask=mask)
    return open_inputs(Data(images={"s2": image}))


def test_scene_classes_hide_cloud_shadow_and_cirrus(tmp_path: Path) -> None:
    inputs = opened(tmp_path, SCENE)
    seen = inputs.stack.images["s2"].read(inputs.stack.grid).valid
    clear = (SCENE == 4).repeat(2, 0).repeat(2, 1)
    np.testing.assert_array_equal(seen, clear)
    assert "s2: SCL.tif hides 26% of its own pixels" in inputs.notes


def test_a_mask_of_other_codes_says_which_hide(tmp_path: Path) -> None:
    codes = (np.arange(256).reshape(16, 16) % 2).astype(np.uint8)
    with pytest.raises(ValueError, match="say which codes hide the ground"):
        opened(tmp_path, codes)
    inputs = opened(tmp_path, codes, 1)
    seen = inputs.stack.images["s2"].read(inputs.stack.grid).valid
    np.testing.assert_array_equal(seen, (codes == 0).repeat(2, 0).repeat(2, 1))
    assert opened(tmp_path, np.zeros((16, 16), np.uint8), 1).stack is not None


def test_where_a_mask_says_nothing_the_image_is_kept(tmp_path: Path) -> None:
    inputs = opened(tmp_path, SCENE[:8], grid=COARSE[:8])
    assert inputs.stack.grid.shape == (32, 32)
    seen = inputs.stack.images["s2"].read(inputs.stack.grid).valid
    assert seen[16:].all()
    assert not seen[:8].any()


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"SCL\.tif: codes 77"):
        opened(tmp_path, np.full((16, 16), 77, np.uint8))
    with pytest.raises(ValueError, match=r"0 to 254.*\[300\]"):
        opened(tmp_path, SCENE, 300)
    with pytest.raises(ValueError, match=r"SCL\.tif: no overlap"):
        opened(tmp_path, SCENE, grid=utm((16, 16), size=20, east=700_000))


def test_another_mask_is_another_input(tmp_path: Path) -> None:
    one = opened(tmp_path, SCENE).fingerprint
    write(tmp_path / "SCL.tif", SCENE[::-1].copy(), utm((16, 16), size=20))
    path = tmp_path / "s2.tif"
    mask = MaskInput(path=str(tmp_path / "SCL.tif"))
    image = ImageInput(path=str(path), sensor="sentinel-2", offset=0, mask=mask)
    assert open_inputs(Data(images={"s2": image})).fingerprint != one


def test_a_plan_keeps_the_mask_and_finds_it_beside_itself(tmp_path: Path) -> None:
    text = (
        "data: {images: {s2: {path: a.tif, sensor: sentinel-2, mask: {path: m.tif}}}}"
    )
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    plan = read_plan(tmp_path / "plan.yaml")
    mask = plan.data.images["s2"].mask
    assert mask == MaskInput(path=str(tmp_path / "m.tif"))
    image = ImageInput(
        path=str(tmp_path / "a.tif"),
        sensor="sentinel-2",
        mask=MaskInput(path=str(tmp_path / "m.tif"), hidden=(1, 3)),
    )
    write_plan(Plan(data=Data(images={"s2": image})), tmp_path / "other.yaml")
    assert read_plan(tmp_path / "other.yaml").data.images["s2"] == image


def mapped(folder: Path, *options: str) -> Result:
    """`overcast map` of small files with some more options."""
    s1 = write(folder / "s1.tif", backscatter((32, 32)), FINE)
    s2 = write(folder / "s2.tif", reflectance((32, 32)), FINE)
    codes = np.arange(1024).reshape(32, 32) // 512 + 1
    labels = write(folder / "labels.tif", codes.astype(np.uint8), FINE)
    (folder / "legend.csv").write_text("code,name,colour\n1,A,000000\n2,B,ffffff\n")
    given = ["map", "--s1", s1, "--s2", s2, "--s2-offset", "0", "--labels", labels]
    given += ["--legend", folder / "legend.csv", "--method", "forest"]
    given += ["--set", "trees=2", *options, "--out", folder / "out", "--overwrite"]
    return CliRunner().invoke(program, list(map(str, given)))


def test_the_command_line_takes_a_mask(tmp_path: Path) -> None:
    scl = write(tmp_path / "SCL.tif", SCENE, COARSE)
    plain = mapped(tmp_path)
    assert plain.exit_code == 0, plain.output
    found = mapped(tmp_path, "--s2-mask", str(scl))
    assert found.exit_code == 0, found.output
    assert "hides 26% of its own pixels" in found.output
    kept = read_plan(tmp_path / "out" / "run" / "plan.yaml").data.images["s2"].mask
    assert kept == MaskInput(path=str(scl), dilation=40.0)
    other = mapped(tmp_path, "--s2-mask", str(scl), "--s2-hidden", "9")
    assert "hides 25% of its own pixels" in other.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--s2-hidden", "1"), "--s2-hidden works with --s2-mask"),
        (("--s2-mask", "SCL.tif", "--s2-hidden", "cloud"), "expected codes, such as"),
    ],
)
def test_options_that_make_no_sense(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    found = mapped(tmp_path, *options)
    assert isinstance(found.exception, ValueError)
    assert said in str(found.exception)


def images_of(folder: Path, *names: str, **arrays: NDArray[np.number]) -> Inputs:
    """Sentinel-2 files of these names, and Sentinel-1."""
    db = arrays.get("s1", backscatter((32, 32)))
    entries = {
        "s1": ImageInput(
            path=str(write(folder / "s1.tif", db, FINE)), sensor="sentinel-1"
        )
    }
    for k, name in enumerate(names):
        path = write(folder / name, reflectance((32, 32)), FINE)
        entries[f"s2{k}"] = ImageInput(path=str(path), sensor="sentinel-2", offset=0)
    return open_inputs(Data(images=entries))


def test_what_a_mask_misses_is_land(tmp_path: Path) -> None:
    """Thin cloud beyond the mask's edge: seen, and nothing is said but the share."""
    stored = reflectance((32, 32))
    stored[:, :12] += 1500  # the mask covers eight rows
    write(tmp_path / "SCL.tif", SCENE, COARSE, nodata=0)
    mask = MaskInput(path=str(tmp_path / "SCL.tif"))
    path = str(write(tmp_path / "s2.tif", stored, FINE))
    image = ImageInput(path=path, sensor="sentinel-2", offset=0, mask=mask)
    inputs = open_inputs(Data(images={"s2": image}))
    assert inputs.notes == ("s2: SCL.tif hides 26% of its own pixels",)
    seen = inputs.stack.images["s2"].read(inputs.stack.grid)
    assert seen.valid[8, 4:].all()
    np.testing.assert_allclose(
        seen.values[0, 8, 4:], stored[0, 8, 4:] * 1e-4, atol=1e-6
    )


def test_dates_in_names_are_not_believed(tmp_path: Path) -> None:
    names = "S2A_MSIL2A_20180105T101559.tif", "S2B_MSIL2A_20240720T101559.tif"
    assert images_of(tmp_path, *names).notes == ()


def test_one_place_in_two_files_is_not_noticed(tmp_path: Path) -> None:
    inputs = images_of(tmp_path, "one.tif", "two.tif")
    one, two = (tmp_path / name for name in ("one.tif", "two.tif"))
    assert one.read_bytes() == two.read_bytes()
    assert inputs.notes == ()


def test_register_moves_what_lies_beside(tmp_path: Path) -> None:
    paths = write_world(2, 160, tmp_path / "w", processes=1)
    entries = {
        name: ImageInput(path=str(paths[name]), sensor=sensor)
        for name, sensor in (("s1", "sentinel-1"), ("s2", "sentinel-2"))
    }
    beside = open_inputs(Data(images=entries))
    [note] = [note for note in beside.notes if "lies about" in note]
    assert note.startswith(f"{paths['s1']}: lies about ")
    assert note.endswith(
        f"m to the north-west of {paths['s2']}; --register moves it there"
    )
    shift = misplaced(beside.stack)["s1"]
    down, right = round(shift.down), round(shift.right)
    assert min(down, right) > 0
    inputs = open_inputs(Data(images=entries, register=True))
    assert set(files_of(inputs.stack)) == {paths["s1"], paths["s2"]}
    assert any("it is moved there" in note for note in inputs.notes)
    before, after = (
        one.stack.images["s1"].read(one.stack.grid).values for one in (beside, inputs)
    )
    assert np.array_equal(after[:, down:, right:], before[:, :-down, :-right])


@pytest.mark.parametrize("pixels", [1, 3])
def test_shifts_of_small_scenes_are_not_noticed(tmp_path: Path, pixels: int) -> None:
    shifted = np.roll(backscatter((32, 32)), pixels, 2)
    inputs = images_of(tmp_path, "s2.tif", s1=shifted)
    assert inputs.notes == ()
    seen = inputs.stack.images["s1"].read(inputs.stack.grid).values
    np.testing.assert_allclose(seen, shifted, atol=1e-4)
