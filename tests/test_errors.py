"""What goes wrong is one line that names the file, and a code that says whose fault."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import rasterio
from safetensors import SafetensorError

from overcast.errors import (
    FAULT,
    INPUT,
    MACHINE,
    MachineError,
    building,
    explain,
    is_own,
    reading,
    writing,
)
from overcast.geo.dataset import open_raster
from overcast.limits import check_limits
from overcast.output import refuse_inputs, refuse_to_replace
from tests.rasters import reflectance, utm, write


def raised(error: Exception) -> Exception:
    """An error as it looks when it was raised outside of overcast."""
    try:
        raise error
    except Exception as caught:
        return caught


def own_error() -> Exception:
    try:
        check_limits(type("S", (), {"trees": 0})(), trees=(1, 2))
    except ValueError as caught:
        return caught
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (own_error(), INPUT, "trees is 0; expected 1 to 2"),
        (raised(ValueError("n_estimators")), FAULT, "ValueError: n_estimators"),
        (raised(KeyError("centres")), FAULT, "KeyError: 'centres' is missing"),
        (raised(MemoryError("954 GiB")), MACHINE, "not enough memory (954 GiB)"),
        (raised(TimeoutError()), MACHINE, "the connection timed out"),
        (raised(ConnectionResetError(errno.ECONNRESET, "x")), MACHINE, "was reset"),
        (raised(OSError(errno.ENOSPC, "x", "/a/b")), MACHINE, "/a/b: the disk is full"),
        (raised(OSError(errno.EDQUOT, "x", "/a")), MACHINE, "/a: the disk quota"),
        (raised(OSError(errno.EIO, "x", "/a")), MACHINE, "/a: the disk reports"),
        (raised(OSError(errno.EFBIG, "x", "/a")), INPUT, "/a: the file is larger"),
        (raised(OSError(errno.EACCES, "x", "/a")), INPUT, "/a: permission denied"),
        (raised(FileNotFoundError(errno.ENOENT, "x", "/a")), INPUT, "/a: no such file"),
        (raised(MachineError("m: the disk is full")), MACHINE, "m: the disk is full"),
    ],
)
def test_an_error_has_a_code_and_a_line(error: Exception, code: int, says: str) -> None:
    found, line = explain(error)
    assert found == code
    assert says in line


def test_a_builtin_that_fails_is_not_a_sentence_of_ours() -> None:
    assert is_own(own_error())
    assert not is_own(raised(ValueError("x")))


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
            ValueError,
            "not a readable",
        ),
        (RecursionError("deep"), ValueError, "nested too deeply"),
        (IndexError("list index"), ValueError, "list index"),
        (SafetensorError("HeaderTooLarge"), ValueError, "HeaderTooLarge"),
        (np.linalg.LinAlgError("Singular matrix"), ValueError, "Singular matrix"),
        (rasterio.errors.RasterioIOError("Cannot allocate"), MachineError, "memory"),
        (OSError(errno.EIO, "x"), MachineError, "input/output error"),
    ],
)
def test_reading_names_the_file(error: Exception, kind: type, says: str) -> None:
    with pytest.raises(kind, match=r"^a/b\.tif: ") as caught, reading("a/b.tif"):
        raise error
    assert says in str(caught.value)
    assert isinstance(caught.value, MachineError) is (kind is MachineError)


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (SafetensorError("I/O error: x (os error 28)"), MachineError, "disk is full"),
        (SafetensorError("I/O error: x (os error 27)"), ValueError, "ulimit -f"),
        (
            pyogrio.errors.DataSourceError("no space left on device"),
            MachineError,
            "full",
        ),
        (pyogrio.errors.FeatureError("database or disk is full"), MachineError, "full"),
        (OSError(errno.ENOSPC, "x"), MachineError, "give the same command again"),
    ],
)
def test_writing_names_the_file(error: Exception, kind: type, says: str) -> None:
    with pytest.raises(kind, match=r"^o/m\.tif: ") as caught, writing("o/m.tif"):
        raise error
    assert says in str(caught.value)


def test_a_fault_of_ours_is_no_fault_of_the_file() -> None:
    with pytest.raises(KeyError), writing("o/m.tif"):
        raise KeyError("x")


def test_settings_that_do_not_work_are_named() -> None:
    says = r"^unet: .* don't work \(no such depth\)"
    with pytest.raises(ValueError, match=says), building("unet"):
        raise TypeError("no such depth")


@pytest.mark.parametrize("compress", ["deflate", "lzw"])
def test_a_file_broken_in_the_middle_is_named(tmp_path: Path, compress: str) -> None:
    tiles = {"tiled": True, "blockxsize": 32, "blockysize": 32}
    path = write(
        *(tmp_path / "broken.tif", reflectance((96, 96)), utm((96, 96))),
        compress=compress,
        **tiles,
    )
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 6000] = np.random.default_rng(0).bytes(6000)
    path.write_bytes(whole)
    dataset = open_raster(path)
    with pytest.raises(ValueError, match=r"broken\.tif: not a readable") as caught:
        dataset.read()
    assert "previous exception" not in str(caught.value)


def run(code: str, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=limited,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(os.name != "posix", reason="limits of file sizes are POSIX's")
@pytest.mark.parametrize("limit", [16_384])
def test_simulate_leaves_no_cut_files(tmp_path: Path, limit: int) -> None:
    code = (
        "import sys; from overcast.cli import main\n"
        f"sys.argv = 'overcast simulate --size 64 --out {tmp_path}/w'.split()\n"
        "if __name__ == '__main__': main()"
    )
    done = run(code, limit)
    assert done.returncode == INPUT, done.stderr
    assert str(tmp_path / "w") in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    for path in (tmp_path / "w").glob("*.tif"):
        with rasterio.open(path) as dataset:
            dataset.read()
    assert not list((tmp_path / "w").glob(".*.part"))


def test_an_unknown_fault_says_where_its_traceback_is(tmp_path: Path) -> None:
    code = (
        "import sys, tempfile, overcast.cli as cli\n"
        f"tempfile.tempdir = {str(tmp_path)!r}\n"
        "sys.argv = ['overcast', 'demo']\n"
        "cli.program.main = lambda **_: {}['x']\n"
        "cli.main()"
    )
    done = run(code)
    assert done.returncode == FAULT
    (line,) = done.stderr.splitlines()
    (kept,) = tmp_path.glob("overcast-fault-*.txt")
    assert str(kept) in line
    assert "Traceback" in kept.read_text()


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m overcast --help | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1, 141)
    assert done.stderr == ""


@pytest.mark.parametrize("seed", [-1, 5_000_000_000, True, 1.5e300, float("nan")])
def test_limits_refuse_what_is_no_number_in_them(seed: object) -> None:
    with pytest.raises(ValueError, match=r"^seed is "):
        check_limits(type("S", (), {"seed": seed})(), seed=(0, 4_000_000_000))


def test_an_input_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match="read by this command"):
        refuse_to_replace(path, True, (path,))
    refuse_to_replace(path, True)
    assert path.read_text() == "{}"


def test_links_in_a_circle_are_an_input(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    with pytest.raises((RuntimeError, OSError)) as error:
        (loop / "map.tif").resolve(strict=True)
    code, line = explain(error.value)
    assert code == INPUT
    assert line.startswith(f"{loop}")
    assert "lead in a circle" in line
    with pytest.raises((RuntimeError, OSError, ValueError)) as error:
        refuse_inputs(loop, ["map.tif"], [str(tmp_path / "s2.tif")])
    assert explain(error.value)[0] == INPUT


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("o/.overcast-unfinished/map.tif", "o/map.tif"),
        ("o/.overcast-finished/run/plan.yaml", "o/run/plan.yaml"),
        ("o/.overcast-unfinished", "o"),
        ("o/.overcast-lock", "o"),
        ("f/.overcast-holder-s.csv", "f/s.csv"),
        ("f/.overcast-unfinished-s.csv", "f/s.csv"),
        ("f/.overcast-unfinished-s.csv/s.csv", "f/s.csv"),
        ("f/mine.overcast-x/a.tif", "f/mine.overcast-x/a.tif"),
    ],
)
def test_hidden_names_are_told_by_what_they_will_be(hidden: str, shown: str) -> None:
    code, line = explain(OSError(errno.EIO, "x", hidden))
    assert (code, line) == (MACHINE, f"{shown}: the disk reports an input/output error")
