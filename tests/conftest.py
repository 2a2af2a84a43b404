"""Shared by all tests: one thread, so that small tensors don't pay for a pool.

No example has a deadline: how long one takes says how busy the machine is.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from typing import Any

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("shared machines", deadline=None)
settings.load_profile("shared machines")


@pytest.fixture(autouse=True)
def _reproducible() -> None:
    """Give every test the same random weights, whatever ran before it."""
    torch.manual_seed(0)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a file to one process, as `--dist loadfile`, but each fault case by itself."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler.loadfile import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            alone = "test_fault_cases.py" in nodeid
            return nodeid if alone else super()._split_scope(nodeid)

    return Scheduling(config, log)
