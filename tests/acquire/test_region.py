"""From a box and a year to a map: one command, and the same as by hand."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
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
SECRET = "planted-key-4712"
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
    run(mapped, *place, *words, "--out", out)
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


def test_a_map_of_a_box_that_is_killed_ends_in_the_same_bytes(
    out: Path, place: Place, tmp_path: Path
) -> None:
    """At ten random moments of one command, while it fetches and while it maps."""
    west, south, east, north = map(float, place[1].split(","))
    corner = (west, south, west + (east - west) / 3, south + (north - south) / 3)
    words = ["--bbox", ",".join(map(str, corner)), *place[2:], "--dates", "1"]
    words += ["--labels", "worldcover", "--method", "forest", "--set", "trees=4"]
    assert out  # what a map imports is imported
    length, _ = forked(partial(run, mapped, *words, "--out", tmp_path / "whole"))
    killed, random, kills = tmp_path / "killed", Random(5), 0
    command = partial(run, mapped, *words, "--out", killed)
    for moment in range(10):
        # Later and later: what is done already is passed over in no time.
        most = random.uniform(0.05, 0.1 + 0.08 * moment) * length
        kills += forked(command, most)[1]
    assert kills >= 5
    run(mapped, *words, "--out", killed)
    assert pixels(killed) == pixels(tmp_path / "whole")
    assert not list(killed.glob("**/.overcast-[!m]*"))


def forked(do: Callable[[], object], most: float = 0.0) -> tuple[float, bool]:
    """CPU seconds of what a child does, and whether it was killed after `most` of them.

    What ends it is no signal that Python handles; nothing is closed or put in order.
    """
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, most)
        do()
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    return used.ru_utime + used.ru_stime, os.WIFSIGNALED(status)


def pixels(out: Path) -> dict[str, str]:
    """Hashes of the pixels of a map, and of all bytes of what was fetched for it.

    A map's tags also have the times at which its inputs were written.
    """
    texts = {path.name: path.read_bytes() for path in (out / "data").glob("*.*")}
    for name in ("map.tif", "confidence.tif"):
        with rasterio.open(out / name) as dataset:
            texts[name] = dataset.read().tobytes()
    return {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}


def test_no_secret_is_in_a_map_or_in_what_it_says(
    server: Bed, box: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the key of a source, nor what its server signs addresses with."""
    monkeypatch.setenv("BED_KEY", SECRET)
    server.reset()
    server.faults.expire_s = 30.0
    source = tmp_path / "bed.toml"
    source.write_text(source_text(server.url, "token"), encoding="utf-8")
    out, place = tmp_path / "out", ("--bbox", box, "--year", "2024")
    words = (*place, "--source", source, "--dates", "1", "--out", out)
    said = run(mapped, *words, "--labels", "worldcover", *METHOD)
    assert server.keys == {SECRET}
    assert server.stats["denied"] == 0 < server.stats["tokens"]
    texts = [said.encode(), *(p.read_bytes() for p in out.rglob("*") if p.is_file())]
    assert not [t for t in texts if SECRET.encode() in t or server.secret.encode() in t]
    server.reset()


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
