"""Finding parts by file name."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

import overcast.methods
import overcast.recipes
from overcast.discover import ROLES, find, names

PART = """
from dataclasses import dataclass

@dataclass(frozen=True)
class {name}:
    def start(self, model): ...
    def terms(self, model, state, batches): ...
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = [*overcast.recipes.__path__, str(tmp_path)]
    monkeypatch.setattr(overcast.recipes, "__path__", path)
    return tmp_path


@pytest.mark.parametrize("package", ROLES)
def test_every_name_is_found(package: str) -> None:
    assert names(package)
    for name in names(package):
        part = find(package, name)
        assert part.__module__ == f"overcast.{package}.{name}"


@pytest.mark.parametrize("package", ["recipes", "methods"])
def test_recipes_and_methods_are_dataclasses(package: str) -> None:
    assert all(dataclasses.is_dataclass(find(package, name)) for name in names(package))


def test_interfaces_are_no_parts() -> None:
    assert "method" not in names("methods")
    assert "segmenter" not in names("models")


def test_listing_does_not_import_torch() -> None:
    code = (
        "import sys; from overcast.discover import ROLES, names; "
        "[names(p) for p in ROLES]; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_nearest_name_is_named() -> None:
    with pytest.raises(ValueError, match=r"no 'supervized' .* mean 'supervised'"):
        find("recipes", "supervized")
    with pytest.raises(ValueError, match="no kind of part 'recipe'"):
        names("recipe")


def test_private_files_and_other_classes_are_left_out(folder: Path) -> None:
    (folder / "_hidden.py").write_text(PART.format(name="Hidden"))
    (folder / "shared.py").write_text(PART.format(name="_Shared"))
    (folder / "state_only.py").write_text("class Teacher: ...")
    assert not {"_hidden", "shared", "state_only"} & set(names("recipes"))


def test_what_is_inherited_counts(folder: Path) -> None:
    (folder / "older.py").write_text(PART.format(name="Older"))
    heir = "from overcast.recipes.older import Older\nclass Newer(Older): ...\n"
    (folder / "newer.py").write_text(heir)
    assert find("recipes", "newer").__name__ == "Newer"


def test_two_in_a_file_are_refused(folder: Path) -> None:
    (folder / "twins.py").write_text(PART.format(name="One") + PART.format(name="Two"))
    with pytest.raises(ValueError, match="twins defines One, Two, expected one"):
        find("recipes", "twins")


def test_settings_must_be_frozen(folder: Path) -> None:
    (folder / "soft.py").write_text(PART.format(name="Soft").replace("True", "False"))
    with pytest.raises(ValueError, match=r"soft\.Soft must be a frozen dataclass"):
        find("recipes", "soft")


def test_a_file_that_is_not_python_is_named(folder: Path) -> None:
    (folder / "broken.py").write_text("class :\n")
    with pytest.raises(ValueError, match=r"broken\.py: line 1"):
        names("recipes")
