"""`overcast map` and `overcast predict` take a region as they take a scene."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from overcast.cli import main
from tests.region.conftest import Small
from tests.region.test_tiles import values

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["overcast", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, *capsys.readouterr()

    return run


def test_a_region_given_again_has_nothing_to_do(call: Call, small: Small) -> None:
    code, text, err = call("map", "--region", small.file, "--out", small.out)
    assert code == 0, err
    assert json.loads(text)["nothing_to_do"]
    assert "nothing to do: all 9 tiles are finished" in err


def test_an_outline_with_images_by_options_is_the_same_region(
    call: Call, small: Small, tmp_path: Path
) -> None:
    images = ("--s2", small.folder / "w" / "s2.tif", "--s1", small.folder / "w/s1.tif")
    outline = small.folder / "outline.geojson"
    out = tmp_path / "out"
    words = ("predict", small.run, "--region", outline, "--tiles", 64, *images)
    code, _, err = call(*words, "--log", "json", "--out", out)
    assert code == 0, err
    events = [json.loads(line) for line in err.splitlines()]
    assert [e["event"] for e in events].count("tile") == 9
    np.testing.assert_array_equal(
        values(out / "map-32632.vrt"), values(small.out / "map-32632.vrt")
    )


def test_tiles_that_failed_are_exit_code_3(
    call: Call, small: Small, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(small.out, out)
    (name, *_) = sorted(path.name for path in (out / "tiles").iterdir())
    shutil.rmtree(out / "tiles" / name)
    (out / "tiles" / name).write_text("in the way")
    words = ("map", "--region", small.file, "--retries", 0, "--out", out)
    code, text, err = call(*words)
    assert (code, text) == (3, "")
    assert "1 of 9 tiles failed" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--seed", 3), "--seed: region.yaml says it; leave one out"),
        (("--s1", "a.tif"), "--s1: region.yaml says it; leave one out"),
        (("--reference", "t.tif"), "--reference: not for --region; leave it out"),
        (("--year", 2024), "--year: region.yaml says it; leave one out"),
        (("--memory", "2GiB"), "--memory is for processes of --workers"),
        (("--dask", "tcp://a:1", "--workers", 2), "--dask and --workers: give one"),
    ],
)
def test_what_would_be_passed_over_is_refused(
    call: Call,
    small: Small,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[object, ...],
    message: str,
) -> None:
    monkeypatch.chdir(small.folder)
    code, _, err = call("map", "--region", "region.yaml", *words, "--out", tmp_path)
    assert code == 2
    assert message in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--year", 2024, "--s2", "a.tif"), "--s2: a time is given"),
        (("--season", "summer"), "--season: of which time?"),
        (("--area", "32UPU", "--year", 2024), "--bbox and --area: both say the place"),
        (("--region", "a.gpkg", "--year", 2024), "--bbox: --region says the place"),
    ],
)
def test_a_box_in_tiles_is_a_place_and_a_time(
    call: Call, tmp_path: Path, words: tuple[object, ...], message: str
) -> None:
    box = ("--bbox", "8.1,47.2,9.0,48.0", "--tiles", 512)
    code, _, err = call("map", *box, *words, "--out", tmp_path)
    assert code == 2
    assert message in err


@pytest.mark.parametrize("words", [("--workers", 2), ("--retries", 0), ("--dry-run",)])
def test_options_of_regions_need_one(
    call: Call, tmp_path: Path, words: tuple[object, ...]
) -> None:
    code, _, err = call("map", "--s2", "a.tif", *words, "--out", tmp_path)
    assert code == 2
    assert f"{words[0]} is for regions; give --region as well" in err
