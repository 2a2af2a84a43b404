"""Servers that misbehave: right pixels, or one line, and nothing lost of what was read."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from bench.catalogue.serve import Bed

from overcast.acquire.fetch import fetch, fetched_before
from overcast.acquire.search import search
from overcast.acquire.survey import Request
from overcast.errors import MachineError, explain
from overcast.progress import quiet

Make = Callable[..., Request]
SECRET = "planted-key-4711"
SMALL = ("sentinel-1", "worldcover", "elevation")


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.is_file()
    }


@pytest.fixture(scope="module")
def right(
    server: Bed, tmp_path_factory: pytest.TempPathFactory, box: str
) -> dict[str, str]:
    """What servers that behave give."""
    from bench.catalogue.make import source_text

    from overcast.acquire.catalogue import parse_catalogue
    from overcast.acquire.period import period_of
    from overcast.acquire.place import area_of

    server.reset()
    source = parse_catalogue(source_text(server.url), "bed")
    period = period_of(2024, None, None, None)
    request = Request(area_of(box), period, (source,), SMALL, count=1)
    out = tmp_path_factory.mktemp("right")
    fetch(request, out, False, quiet)
    return images(out)


def images(out: Path) -> dict[str, str]:
    return {name: text for name, text in hashes(out).items() if name.endswith(".tif")}


PASSING = ("busy_every", "limit_every", "short_every", "drop_every", "tokens_busy")


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_waited_for(
    fault: str, bed: Bed, request_of: Make, right: dict[str, str], tmp_path: Path
) -> None:
    """503, 429 with Retry-After, parts that are cut short, and closed connections."""
    setattr(bed.faults, fault, 2)
    fetch(request_of(*SMALL, sign="token"), tmp_path / "out", False, quiet)
    assert bed.stats["tokens" if fault == "tokens_busy" else "failed"] >= 3
    assert images(tmp_path / "out") == right


def test_a_server_that_knows_no_parts_is_read(
    bed: Bed, request_of: Make, right: dict[str, str], tmp_path: Path
) -> None:
    bed.faults.whole = True
    fetch(request_of(*SMALL), tmp_path / "out", False, quiet)
    assert images(tmp_path / "out") == right


STAYING: dict[str, object] = {
    "busy_every": 1,
    "limit_every": 1,
    "short_every": 1,
    "drop_every": 1,
    "deny": True,
    "page_of_words": True,
    "missing": "WC_10m",
    "tokens_busy": 99,
    "search_busy": 99,
}


@pytest.mark.parametrize("fault", STAYING)
def test_what_stays_is_one_line_and_costs_nothing_that_was_read(
    fault: str, bed: Bed, request_of: Make, right: dict[str, str], tmp_path: Path
) -> None:
    """Exit code 3; and the same command, later, reads nothing twice."""
    out, request = tmp_path / "out", request_of(*SMALL, sign="token")
    bed.faults.after = 3
    setattr(bed.faults, fault, STAYING[fault])
    with pytest.raises(MachineError) as error:
        fetch(request, out, False, quiet)
    code, line = explain(error.value)
    assert (code, "\n" in line, bed.secret in line) == (3, False, False)
    read = [path for path in asked_of(bed) if "rtc" in path]
    bed.reset()
    fetch(request, out, False, quiet)
    assert images(out) == right
    again = [path for path in asked_of(bed) if "rtc" in path]
    assert bool(again) == (not read)


def asked_of(bed: Bed) -> list[str]:
    """Files that were asked for."""
    return [path for path in bed.asked if path.startswith("/files")]


@pytest.mark.parametrize("moved", [False, True])
def test_a_fetch_that_was_killed_at_its_very_end_leaves_nothing_hidden(
    moved: bool, request_of: Make, tmp_path: Path
) -> None:
    """Killed while the work folder was removed, and afterwards: all files are there."""
    request, out = request_of("elevation"), tmp_path / "out"
    fetch(request, out, False, quiet)
    made = hashes(out)
    if moved:
        (out / ".overcast-done").write_text("key")
    else:
        (out / ".overcast-finished").mkdir()
        (out / ".overcast-finished" / "key").write_text("key")
    for name in (".overcast-lock", ".overcast-holder"):
        (out / name).touch()
    old = fetched_before(request, out)
    assert old is not None
    assert set(old.manifest["files"]) == set(images(out))
    assert hashes(out) == made


def test_signatures_are_made_at_the_read(
    bed: Bed,
    request_of: Make,
    right: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Traps 12, 13: they die in half a second; one token serves all threads; no secret
    is in any file."""
    monkeypatch.setenv("BED_KEY", SECRET)
    bed.faults.expire_s = 0.5
    fetch(request_of(*SMALL, sign="token"), tmp_path / "out", False, quiet)
    assert images(tmp_path / "out") == right
    assert 0 < bed.stats["tokens"] <= bed.stats["files"]
    texts = [
        path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()
    ]
    assert not any(bed.secret.encode() in t or SECRET.encode() in t for t in texts)


def test_no_secret_is_left_where_reading_stopped(
    bed: Bed, request_of: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BED_KEY", SECRET)
    bed.faults.expire_s, bed.faults.stop_after = 60.0, 3
    with pytest.raises(MachineError) as error:
        fetch(request_of(*SMALL, sign="token"), tmp_path / "out", False, quiet)
    texts = [p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert len(texts) > 2
    texts.append(str(error.value).encode())
    assert not any(bed.secret.encode() in t or SECRET.encode() in t for t in texts)


def test_a_missing_file_is_one_line_and_a_way_on(
    bed: Bed, request_of: Make, tmp_path: Path
) -> None:
    name = "S2A_32UPA_20240914_0_L2A"
    bed.faults.missing = f"{name}/B11"
    with pytest.raises(MachineError, match=f"{name}.*no such file") as error:
        fetch(request_of(), tmp_path / "out", False, quiet)
    assert "\n" not in str(error.value)
    fetch(request_of(skip=(name,)), tmp_path / "two", False, quiet)
    assert (tmp_path / "two/s2_2024-05-12.tif").exists()


def test_a_missing_scene_classification_leaves_the_day_out(
    bed: Bed, request_of: Make, tmp_path: Path
) -> None:
    bed.faults.missing = "20240914_0_L2A/SCL"
    made = fetch(request_of(), tmp_path / "out", False, quiet)
    assert "s2_2024-05-12.tif" in made.manifest["files"]
    why = {left["name"]: left["why"] for left in made.manifest["left_out"]}
    assert "no such file" in why["Sentinel-2 2024-09-14"]


@pytest.mark.parametrize("fault", ["repeat_page", "twice", "search_busy", "unfiltered"])
def test_a_search_gives_every_item_once(fault: str, bed: Bed, request_of: Make) -> None:
    """Pages and items that come again, 504, and servers that pass over conditions.

    This one answers nothing to a `query`, as real ones do.
    """
    bed.faults.page = 99 if fault == "repeat_page" else 3
    setattr(bed.faults, fault, 2 if fault == "search_busy" else True)
    request = request_of()
    source, area = request.catalogues[0], request.area
    names = ("sentinel-2-l2a",)
    answer = search(source, names, area.bbox, request.period.interval)
    assert len({item["id"] for item in answer.items}) == len(answer.items) == 9
    said = {
        "repeat_page": "came twice",
        "twice": "more than once",
        "unfiltered": "not asked for",
    }
    assert [said.get(fault, "") in note for note in answer.notes] == [True] * (
        fault in said
    )


def test_a_kill_anywhere_ends_in_the_same_bytes(
    bed: Bed, request_of: Make, tmp_path: Path
) -> None:
    """SIGKILL at ten random moments of a process; then the same command."""
    request = request_of("sentinel-2", "sentinel-1", "worldcover")
    started = time.monotonic()
    fetch(request, tmp_path / "whole", False, quiet)
    length = time.monotonic() - started
    out, rng, kills = tmp_path / "killed", random.Random(7), 0
    for _ in range(10):
        child = os.fork()
        if child == 0:
            fetch(request, out, False, quiet)
            os._exit(0)
        time.sleep(rng.uniform(0.05, 0.6) * length)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        kills += os.WIFSIGNALED(status)
    assert kills >= 3
    fetch(request, out, False, quiet)
    assert hashes(out) == hashes(tmp_path / "whole")


def test_a_catalogue_that_is_not_there_is_said_in_a_few_words(
    bed: Bed, request_of: Make, tmp_path: Path
) -> None:
    request = request_of()
    (source,) = request.catalogues
    patience = replace(source.patience, tries=1)
    gone = replace(source, api="http://127.0.0.1:9/stac?key=planted", patience=patience)
    with pytest.raises(MachineError) as error:
        fetch(replace(request, catalogues=(gone,)), tmp_path / "out", False, quiet)
    said = str(error.value)
    assert "does not answer a search (no connection; is there a network?)" in said
    assert "Caused by" not in said
    assert "planted" not in said
