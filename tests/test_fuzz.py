"""Readers of files from elsewhere, fed with right files that were changed at random.

Whatever comes, a reader gives a value or one line that names the file. The seed is
printed: FUZZ_SEED=7 python -m pytest tests/test_fuzz.py feeds the same files again.
`python -m bench.faults fuzz --minutes 60` feeds for an hour. What fell once is in
``tests/fuzz``, and is fed here first.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest
from bench.faults.fuzz import KEPT, feed, folder_of, kept
from bench.faults.readers import READERS, Reader, readers, tried

EXAMPLES = int(os.environ.get("FUZZ", "25"))
SEED = int(os.environ.get("FUZZ_SEED", str(time.time_ns() // 1000 % 1000)))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    return readers(tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_is_right_is_read(name: str) -> None:
    assert tried(READERS[name], READERS[name].right) is None


@pytest.mark.parametrize("name", READERS)
def test_a_changed_file_is_read_or_refused_in_a_line(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    feed(name, READERS[name], SEED, counts, EXAMPLES)
    assert not counts[name, "fault"], f"FUZZ_SEED={SEED}: {capsys.readouterr().out}"
    assert counts[name, "refused"]


def test_run_folders_with_a_changed_file_are_read_or_refused(
    known: dict[str, Reader], capsys: pytest.CaptureFixture[str]
) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for name in known.keys() - READERS.keys():
        assert tried(known[name], known[name].right) is None
        feed(name, known[name], SEED, counts, 8)
    faults = [name for name, word in counts if word == "fault"]
    assert not faults, f"FUZZ_SEED={SEED}: {capsys.readouterr().out}"


def test_what_fell_once_is_read_or_refused_in_a_line(known: dict[str, Reader]) -> None:
    places = {folder_of(name): name for name in known}
    for folder in KEPT.iterdir():
        name = places[folder]
        for path in kept(name):
            tried(known[name], path.read_bytes())


def test_a_reader_that_falls_is_noticed_and_the_file_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(path: Path) -> object:
        return {}[path.read_bytes()[:1]]

    monkeypatch.setattr("bench.faults.fuzz.KEPT", tmp_path)
    counts: Counter[tuple[str, str]] = Counter()
    feed("a bad reader", Reader("a.csv", b"1,2", fall), 0, counts, 5)
    assert counts["a bad reader", "fault"] == 1
    (path,) = kept("a bad reader")
    with pytest.raises(AssertionError, match="exit 4"):
        tried(Reader("a.csv", b"1,2", fall), path.read_bytes())
