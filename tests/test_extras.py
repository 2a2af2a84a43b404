"""What works without the optional packages, and what is said where one is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

from overcast.extras import advice
from overcast.worlds.files import write_world

_START = """
import sys

class Blocked:
    names = "torch", "lightning_fabric", "timm", "segmentation_models_pytorch"

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
from overcast.cli import main
main()
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write_world(seed=3, size=96, folder=folder)
    return folder


def without_torch(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run a command where torch and its kin are not installed."""
    command = [sys.executable, "-c", _START, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def inputs(world: Path) -> list[str | Path]:
    return [
        *("--s1", world / "s1.tif", "--s2", world / "s2.tif"),
        *("--labels", world / "labels.tif", "--legend", "simplified-igbp"),
    ]


def test_a_map_its_scores_and_its_report_need_no_torch(
    world: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    truth = world / "truth.tif"
    done = without_torch("map", *inputs(world), "--reference", truth, "--out", out)
    assert done.returncode == 0, done.stderr
    assert (out / "map.tif").is_file()
    assert (out / "report.html").is_file()


def test_a_network_without_torch_is_one_line_that_names_the_extra(
    world: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = without_torch("map", *inputs(world), "--method", "network", "--out", out)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "overcast: error: torch is not installed; python -m pip install "
        "'overcast[networks]'"
    )
    assert not (out / "map.tif").exists()


def test_a_package_of_no_extra_is_a_fault_of_its_own() -> None:
    error = ModuleNotFoundError("No module named 'numpy'", name="numpy")
    with pytest.raises(ModuleNotFoundError, match="numpy"):
        advice(error)
