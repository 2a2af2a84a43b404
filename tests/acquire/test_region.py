"""From a box and a year to a map: one command, and the same as by hand."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import pytest
import rasterio
from bench.catalogue.make import source_text
from bench.catalogue.serve import Bed
from click.testing import CliRunner

from overcast.cli.commands.fetch import command as fetch
from overcast.cli.commands.map import command as mapped
from overcast.product.rasters import written_legend

Place = tuple[str, ...]
METHOD = ("--method", "forest", "--set", "trees=20", "--seed", "3")


@pytest.fixture(scope="module")
def place(server: Bed, box: str, tmp_path_factory: pytest.TempPathFactory) -> Place:
    source = tmp_path_factory.mktemp("source") / "bed.toml"
    source.write_text(source_text(server.url), encoding="utf-8")
    return ("--bbox", box, "--year", "2024", "--source", str(source))


def run(command: Any, *words: str | Path) -> str:
    done = CliRunner().invoke(command, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def out(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("map") / "out"
    words = ("--labels", "worldcover", "--dates", "2", *METHOD)
    started = resource.getrusage(resource.RUSAGE_SELF)
    run(mapped, *place, *words, "--out", out)
    ended = resource.getrusage(resource.RUSAGE_SELF)
    assert ended.ru_utime - started.ru_utime < 60
    return out


def test_a_map_of_a_box_given_again_has_nothing_to_do(out: Path, place: Place) -> None:
    """And one of another time is refused, since a map is there."""
    words = ("--labels", "worldcover", "--dates", "2", *METHOD, "--out", str(out))
    before = (out / "map.tif").stat().st_mtime_ns
    run(mapped, *place, *words)
    assert (out / "map.tif").stat().st_mtime_ns == before
    assert not list(out.glob("**/.overcast-[!m]*"))
    done = CliRunner().invoke(mapped, [*place, "--season", "summer", *words])
    assert done.exit_code != 0
    assert "exists; give another --out" in str(done.exception) + done.output


def test_one_command_maps_a_place(out: Path) -> None:
    assert written_legend(out / "map.tif").name == "simplified-igbp"
    item = json.loads((out / "stac-item.json").read_text())
    sources = [link["href"] for link in item["links"] if link.get("title") == "Source"]
    assert any(href.endswith("S2A_32UPA_20240914_0_L2A") for href in sources)
    assert any("/worldcover/items/" in href for href in sources)
    about = item["properties"]
    assert about["start_datetime"] == "2024-05-12T10:30:31Z"
    assert about["end_datetime"] == "2024-09-14T10:30:45Z"
    report = (out / "report.html").read_text()
    assert "s2_2024-09-14.tif: sentinel-2, of 2024-09-14" in report
    assert "Contains modified Copernicus Sentinel data 2024" in report
    assert "© ESA WorldCover project 2021" in report
    assert "Place: box 8." in report


def test_its_pixels_are_those_of_a_map_by_hand(out: Path, tmp_path: Path) -> None:
    data = out / "data"
    by_hand = (
        *("--s2", data / "s2_2024-05-12.tif", "--s2", data / "s2_2024-09-14.tif"),
        *("--s1", data / "s1_2024-05-14_desc.tif"),
        *("--s1", data / "s1_2024-09-11_desc.tif"),
        *("--labels", data / "labels_worldcover_2021.tif"),
        *("--legend", "simplified-igbp", *METHOD),
    )
    run(mapped, *by_hand, "--out", tmp_path / "out")
    for name in ("map.tif", "confidence.tif"):
        with (
            rasterio.open(out / name) as a,
            rasterio.open(tmp_path / "out" / name) as b,
        ):
            assert (a.read() == b.read()).all()
            assert a.transform == b.transform


def test_a_dry_run_reads_nothing_whole(place: Place, bed: Bed, tmp_path: Path) -> None:
    text = run(fetch, *place, "--dry-run", "--out", tmp_path / "out")
    assert "Not read:" in text
    assert "clearer days are chosen" in text or "at least 50%" in text
    assert "MB of memory" in text
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--labels", "modis", "--source", "earth-search"), "Earthdata login"),
        (("--labels", "corine"), "needs a login"),
        (("--s2", "s2.tif", "--labels", "worldcover"), "--s2: a place is given"),
        ((), "--labels: give labels to fetch"),
    ],
)
def test_what_can_not_be_is_refused(
    words: Place, said: str, place: Place, tmp_path: Path
) -> None:
    given = place[:4] if "--source" in words else place
    with pytest.raises(ValueError, match=said):
        run(mapped, *given, *words, "--out", tmp_path / "out")


def test_a_time_without_a_place_is_refused(tmp_path: Path) -> None:
    words = (
        "--s2",
        "s2.tif",
        "--labels",
        "l.tif",
        "--legend",
        "igbp",
        "--year",
        "2024",
    )
    with pytest.raises(ValueError, match="--year: of which place"):
        run(mapped, *words, "--out", tmp_path / "out")
