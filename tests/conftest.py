"""Shared by all tests: one thread, so that small tensors don't pay for a pool."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _reproducible() -> None:
    """Give every test the same random weights, whatever ran before it."""
    torch.manual_seed(0)
