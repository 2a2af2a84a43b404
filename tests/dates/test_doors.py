"""The command line takes several dates: files, folders, patterns, masks beside."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from overcast.cli import program
from overcast.cli.arguments import data_of
from overcast.plan import read_plan
from tests.rasters import BANDS, SPECTRA, utm, write

pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")

SIDE = 64
GRID = utm((SIDE, SIDE))
QUICK = ("--method", "weak", "--set", "clusters=[16, 16]", "--set", "samples=2000")
MONTHS = {4: ("soil", "crops"), 6: ("crops", "crops"), 8: ("crops", "soil")}


def given(**options: Any) -> dict[str, Any]:
    empty = dict.fromkeys(
        ("s2_offset", "s2_bands", "s2_hidden", "mask_dilation", "grid")
    )
    lists = {"s1": (), "s2": (), "others": (), "s2_mask": ()}
    flags = {
        "trust": False,
        "small_overlap": False,
        "register": False,
        "s1_units": "auto",
    }
    return {**empty, **lists, **flags, **options}


def fields() -> NDArray[np.bool_]:
    """Fields of two crops, eight pixels wide."""
    rows, columns = np.indices((SIDE, SIDE)) // 16
    return np.asarray((rows + columns) % 2 == 0)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three dates: the crops differ in April and in August, in June they are alike."""
    folder = tmp_path_factory.mktemp("scene")
    one, random = fields(), np.random.default_rng(0)
    for month, (here, there) in MONTHS.items():
        spectra = np.where(
            one,
            np.array(SPECTRA[here])[:, None, None],
            np.array(SPECTRA[there])[:, None, None],
        )
        values = spectra * random.normal(1, 0.1, spectra.shape)
        path = folder / f"s2_2024-0{month}-03.tif"
        write(path, values.clip(1).astype(np.uint16), GRID, nodata=0, names=BANDS)
    classes = np.full((32, 32), 4, np.uint8)
    classes[:6] = 9
    write(folder / "s2_2024-04-03_scl.tif", classes, utm((32, 32), size=20))
    labels = np.where(one[4::8, 4::8], 1, 2).astype(np.uint8)
    write(folder / "labels.tif", labels, utm((8, 8), size=80), nodata=0)
    (folder / "legend.csv").write_text("code,name,colour\n1,A,aa0000\n2,B,00aa00\n")
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(program, arguments, catch_exceptions=True)


def learned(scene: Path) -> tuple[str, ...]:
    labels, legend = str(scene / "labels.tif"), str(scene / "legend.csv")
    return ("--labels", labels, "--legend", legend, *QUICK)


@pytest.fixture(scope="module")
def mapped(scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("mapped") / "out"
    found = run("map", "--s2", str(scene), *learned(scene), "--out", str(out))
    assert found.exit_code == 0, (found.output, found.exception)
    assert "3 dates" in found.output
    return out


def test_a_folder_is_mapped_and_says_which_dates_tell(mapped: Path) -> None:
    tree = json.loads((mapped / "run" / "dates.json").read_text())
    assert tree["days"] == ["2024-04-03", "2024-06-03", "2024-08-03"]
    april, june, august = tree["weights"]
    assert june < 0.1 < min(april, august)
    with rasterio.open(mapped / "map.tif") as dataset:
        codes = dataset.read(1)
    right = codes == np.where(fields(), 1, 2)
    # April is under cloud in the upper rows; August tells them apart there.
    assert right.mean() > 0.97
    assert right[:12].mean() > 0.95
    plan = read_plan(mapped / "run" / "plan.yaml")
    masks = [one.mask is not None for one in plan.data.images["s2"].dates]
    assert masks == [True, False, False]


def test_the_report_draws_what_each_date_saw(mapped: Path) -> None:
    page = (mapped / "report.html").read_text()
    for said in ("2024-04-03: 75%", "2024-06-03: 100%", "2024-08-03: 100%"):
        assert f"s2 {said}</title>" in page
    assert "<script" not in page


def test_any_order_of_files_gives_the_same_bytes(
    scene: Path, mapped: Path, tmp_path: Path
) -> None:
    files = [f"--s2={scene / f's2_2024-0{m}-03.tif'}" for m in (8, 4, 6)]
    found = run("map", *files, *learned(scene), "--out", str(tmp_path / "out"))
    assert found.exit_code == 0, found.output
    for name in ("map.tif", "confidence.tif"):
        with (
            rasterio.open(mapped / name) as a,
            rasterio.open(tmp_path / "out" / name) as b,
        ):
            np.testing.assert_array_equal(a.read(), b.read())


@pytest.mark.parametrize("months", [(4, 8), (8,)])
def test_a_run_of_three_dates_maps_others(
    scene: Path, mapped: Path, tmp_path: Path, months: tuple[int, ...]
) -> None:
    files = [f"--s2=2025-0{m}-09={scene / f's2_2024-0{m}-03.tif'}" for m in months]
    out = tmp_path / "out"
    found = run(
        "predict", str(mapped / "run"), *files, "--s2-mask=none", "--out", str(out)
    )
    assert found.exit_code == 0, (found.output, found.exception)
    with rasterio.open(out / "map.tif") as dataset:
        assert (dataset.read(1) == np.where(fields(), 1, 2)).mean() > 0.97


def test_a_run_of_one_date_maps_several(scene: Path, tmp_path: Path) -> None:
    one = ("--s2", str(scene / "s2_2024-08-03.tif"))
    found = run("map", *one, *learned(scene), "--out", str(tmp_path / "run"))
    assert found.exit_code == 0, (found.output, found.exception)
    both = [f"--s2={scene / f's2_2024-0{m}-03.tif'}" for m in (6, 8)]
    trained, out = str(tmp_path / "run" / "run"), str(tmp_path / "out")
    found = run("predict", trained, *both, "--out", out)
    assert found.exit_code == 0, (found.output, found.exception)


def test_patterns_dates_and_masks(scene: Path) -> None:
    data = data_of(given(s2=(str(scene / "s2_*.tif"),)))
    names = [Path(one.path).name for one in data.images["s2"].dates]
    assert names == [f"s2_2024-0{m}-03.tif" for m in (4, 6, 8)]
    file = str(scene / "s2_2024-06-03.tif")
    (one,) = data_of(given(s2=(f"2023-01-02={file}",))).images["s2"].dates
    assert (one.day, one.path) == (date(2023, 1, 2), file)
    alone = data_of(given(s2=(file,))).images["s2"]
    assert (alone.path, alone.dates, alone.mask) == (file, (), None)
    none = data_of(given(s2=(str(scene),), s2_mask=("none",))).images["s2"]
    assert all(one.mask is not None and one.mask.path == "none" for one in none.dates)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"s2": ("nowhere_*.tif",)}, "no file has such a name"),
        ({"s2": ("{}/s2_2024-06-03.tif", "{}/s2_2024-06-03.tif")}, "given twice"),
        ({"s1": ("{}",)}, "no file in it has s1 in its name"),
        ({"s2": ("2024-13-03={}/s2_2024-06-03.tif",)}, "2024-13-03 is no date"),
        (
            {
                "s2": ("{}/s2_2024-06-03.tif",),
                "s2_mask": ("{}/a_2023-01-01.tif", "{}/b_2023-01-01.tif"),
            },
            "of no --s2 that is given",
        ),
    ],
)
def test_what_is_refused(scene: Path, options: dict[str, Any], said: str) -> None:
    filled = {k: tuple(t.format(scene) for t in v) for k, v in options.items()}
    with pytest.raises(ValueError, match=said):
        data_of(given(**filled))


def test_inspect_shows_a_table_of_dates(scene: Path) -> None:
    found = run("inspect", str(scene / "s2_*.tif"))
    assert found.exit_code == 0, found.output
    lines = found.output.splitlines()
    assert lines[0].split()[:3] == ["date", "clear", "orbit"]
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["2024-04-03", "81"],
        ["2024-06-03", "100"],
        ["2024-08-03", "100"],
    ]
