"""Short texts are read whole, and what is far too long or no file is refused before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from overcast.geo.legend import load_legend
from overcast.plan import read_plan
from overcast.texts import MOST_BYTES, read_text


def test_a_text_is_read_as_python_reads_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffä\r\nb\rc\n".encode())
    assert read_text(path, "utf-8-sig") == path.read_text(encoding="utf-8-sig")
    assert read_text(path, "utf-8-sig") == "ä\nb\nc\n"


def test_one_of_gigabytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a hole, which takes no room
    with pytest.raises(ValueError, match=r"plan\.yaml: more than 16 MB") as refusal:
        read_plan(path)
    assert "\n" not in str(refusal.value)
    with pytest.raises(ValueError, match=r"plan\.yaml: more than 16 MB"):
        load_legend(path)


def test_the_most_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a" * MOST_BYTES)
    assert len(read_text(path)) == MOST_BYTES


def test_a_pipe_in_a_folder_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "interface.json")
    with pytest.raises(ValueError, match=r"interface\.json: a pipe; expected a file"):
        read_text(tmp_path / "interface.json")
