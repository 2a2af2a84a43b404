"""Tiles on a Dask cluster, of which a worker is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from overcast.errors import MachineError
from overcast.region.engine import TaskError, engine_of
from overcast.region.events import Events
from overcast.region.job import RegionOutput, predict_region
from overcast.run import Runs
from tests.region.conftest import Small
from tests.region.test_tiles import values


def killing(process: int) -> Events:
    """Events of which the first tile kills a process."""
    left = [process]

    def say(line: str) -> None:
        if '"event": "tile"' in line and left:
            os.kill(left.pop(), signal.SIGKILL)

    return Events(say=say)


def failing(number: int) -> int:
    """A task of which one always fails, and another kills its worker once."""
    if number == 1:
        raise ValueError("one.tif: no such file")
    return number


def same_map(out: Path, small: Small) -> None:
    expected: NDArray[Any] = values(small.out / "map-32632.vrt")
    np.testing.assert_array_equal(values(out / "map-32632.vrt"), expected)


# On a busy machine Dask warns that folders are made slowly.
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_two_workers_one_of_them_killed_and_the_address_of_their_scheduler(
    small: Small, tmp_path: Path
) -> None:
    runs = Runs((small.run,))
    with engine_of(workers=2, memory="2GiB") as engine:
        client: Any = engine.client  # type: ignore[attr-defined]
        process = next(iter(client.run(os.getpid).values()))
        first = predict_region(
            small.region,
            runs,
            RegionOutput(tmp_path / "killed"),
            engine,
            killing(process),
        )
        assert first["made"] == 9
        assert process not in client.run(os.getpid).values()
        same_map(tmp_path / "killed", small)
        address = client.scheduler.address
        with engine_of(address=address) as other:
            done = dict(other.each(failing, [0, 1, 2], ["a", "b", "c"]))
            assert (done[0], done[2]) == (0, 2)
            assert "one.tif: no such file" in done[1].line
            second = predict_region(
                small.region, runs, RegionOutput(tmp_path / "again"), other, Events()
            )
        assert second["made"] == 9
        same_map(tmp_path / "again", small)


def test_an_address_where_no_scheduler_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("overcast.region.dask_engine._CONNECT_S", 0.2)
    with (
        pytest.raises(MachineError, match="no scheduler answers there"),
        engine_of(address="tcp://127.0.0.1:9"),
    ):
        pass


def test_nothing_of_dask_is_imported_without_a_cluster() -> None:
    code = (
        "import sys\n"
        "import overcast.region.job\n"
        "from overcast.region.engine import engine_of\n"
        "with engine_of() as engine:\n"
        "    assert list(engine.each(str, [1, 2], 'ab')) == [(0, '1'), (1, '2')]\n"
        "sys.exit('distributed' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_error_of_a_task_travels_as_its_line() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(TaskError("a.tif: empty", 2)))
    assert (error.line, error.code) == ("a.tif: empty", 2)
