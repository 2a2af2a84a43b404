"""Imports point down the house, and the ground floors know nothing of torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import overcast
from overcast import map_folder, run_folder

ROOT = Path(overcast.__file__).parent
FLOORS = [
    {"errors", "limits", "map_folder", "run_folder", "texts", "memory", "documents"},
    {
        "progress",
        "bar",
        "threads",
        "runtimes",
        "lock",
        "output",
        "again",
        "output_file",
        "extras",
    },
    {"geo"},
    {"worlds", "datasets"},
    {"train", "augment", "models"},
    {"recipes"},
    {"maps"},
    {"accuracy"},
    {"report"},
    {"product"},
    {"label_quality"},
    {"acquire"},
    {"discover", "extent", "in_memory", "keys", "outside"},
    {"trees", "plan_images"},
    {"plan"},
    {"sources", "methods"},
    {"inputs", "input_images"},
    {"run_files"},
    {"run"},
    {"jobs", "viewer"},
    {"region"},
    {"api"},
    {"cli"},
    {"__main__"},
]
_ENDINGS = ("tif", "yaml", "json", "html", "csv", "qml", "xml", "jsonl", "safetensors")
MODULES = [
    p for p in sorted(ROOT.rglob("*.py")) if p.parent != ROOT or p.stem != "__init__"
]


def floor(room: str) -> int:
    (found,) = [i for i, rooms in enumerate(FLOORS) if room in rooms]
    return found


def imported(path: Path) -> list[str]:
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return [
        node.module
        for node in tree
        if isinstance(node, ast.ImportFrom) and node.module is not None
    ] + [
        alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import)
        for alias in node.names
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    for name in imported(path):
        if name.startswith("overcast."):
            assert floor(name.split(".")[1]) <= floor(room), name
        if room in ("geo", "worlds"):
            assert not name.startswith(("torch", "lightning")), name


@pytest.mark.parametrize(
    "module",
    [
        *("cli", "jobs.assess", "jobs.calibrate", "geo.inspect", "worlds.scene"),
        *("methods.forest", "jobs.mapping"),
    ],
)
def test_imports_no_torch(module: str) -> None:
    code = f"import sys, overcast.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_help_imports_little() -> None:
    code = (
        "import sys, overcast.cli\n"
        "heavy = {'torch', 'rasterio', 'sklearn', 'scipy', 'numpy', 'pydantic'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_file_of_a_folder_is_named_in_one_place() -> None:
    names = {
        value: module.__name__
        for module in (map_folder, run_folder)
        for value in vars(module).values()
        if isinstance(value, str) and value.rpartition(".")[2] in _ENDINGS
    }
    assert {"map.tif", "plan.yaml", "interface.json"} <= names.keys()
    for path in MODULES:
        if path.stem in ("map_folder", "run_folder"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in names:
                raise AssertionError(f"{path}: {node.value} is in {names[node.value]}")
