"""Named arrays as files: whole, or under a name that the next command knows."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from overcast.errors import MachineError
from overcast.methods.arrays import load_arrays, save_arrays


def test_arrays_come_back(tmp_path: Path) -> None:
    save_arrays({"a": np.arange(3)}, tmp_path / "x.safetensors")
    assert load_arrays(tmp_path / "x.safetensors")["a"].tolist() == [0, 1, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]


def test_no_file_is_written_whose_name_nobody_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kill leaves is written over by the same command."""
    written = []

    def fail(path: Path, data: bytes) -> int:
        written.append((path.name, len(data) > 0))
        raise OSError(errno.ENOSPC, "", str(path))

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(MachineError, match=r"x\.safetensors: the disk is full"):
        save_arrays({"a": np.arange(3)}, tmp_path / "x.safetensors")
    assert written == [("x.safetensors.tmp", True)]
    assert not list(tmp_path.iterdir())
