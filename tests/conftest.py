"""Shared by all tests: one thread, so that small tensors don't pay for a pool.

No example has a deadline: how long one takes says how busy the machine is.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

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
