"""A small world, as files and in memory, and what the command makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

import overcast as oc
from overcast.api.simulate import SimulatedWorld
from overcast.cli import program
from overcast.worlds.files import write_world

SEED, SIZE = 7, 128
CLUSTERS = (64,)
"""Fewer than by default: tests shall be quick."""


@dataclass(frozen=True)
class Files:
    """The files of a world, and the folder that `overcast map` made of them."""

    folder: Path
    mapped: Path

    def path(self, name: str) -> str:
        """Path of one of them."""
        return str(self.folder / f"{name}.tif")


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Map the world with the default method, by the command line."""
    folder = tmp_path_factory.mktemp("world")
    write_world(SEED, SIZE, folder)
    made = Files(folder, folder / "out")
    run(
        *("map", "--s1", made.path("s1"), "--s2", made.path("s2")),
        *("--labels", made.path("labels"), "--legend", "simplified-igbp"),
        *("--set", f"clusters={list(CLUSTERS)}"),
        *("--probabilities", "--out", str(made.mapped)),
    )
    return made


@pytest.fixture(scope="session")
def world() -> SimulatedWorld:
    """Return the same world in memory."""
    return oc.simulate(SEED, SIZE)


def run(*arguments: str) -> None:
    """Run a command; an error is that of the test."""
    result = CliRunner().invoke(program, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
