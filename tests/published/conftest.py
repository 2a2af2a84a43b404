"""Miniatures of both datasets, written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from overcast.datasets import dfc2020, sen12ms
from overcast.datasets.dataset import Dataset


@pytest.fixture(scope="session")
def world_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sen12ms")
    sen12ms.fake(root)
    return root


@pytest.fixture(scope="session")
def local_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("dfc2020")
    dfc2020.fake(root)
    return root


@pytest.fixture(scope="session")
def world(world_root: Path) -> Dataset:
    return sen12ms.open(world_root)


@pytest.fixture(scope="session")
def local(local_root: Path) -> Dataset:
    return dfc2020.open(local_root)
