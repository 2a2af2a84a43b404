"""Imports point down the house, and the ground floors know nothing of torch."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import overcast

ROOT = Path(overcast.__file__).parent
FLOORS = [
    {
        "errors",
        "limits",
        "map_folder",
        "run_folder",
        "texts",
        "memory",
        "documents",
        "schema",
    },
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
    {"discover", "extent", "in_memory", "strict_yaml", "outside"},
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
_SHORT = 40
"""Lines below which a file may be one cut off another."""
_FILE = re.compile(
    r"[^\s{}|:]*[\w*]\.(?:tiff?|jsonl?|geojson|ya?ml|toml|csv|gpkg|fgb|parquet|html|css|js"
    r"|svg|png|pdf|md|txt|qml|xml|vrt|raw|bin|npy|npz|safetensors|onnx|prom|zip|part|tmp|lock)"
)
"""A text that is the name of a file, or the end of one."""
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


_BY_NAME = ("cli/commands", "datasets", "methods", "models", "recipes")
"""Rooms whose files are looked up by name."""
_ONE_IDEA = {
    "region/zones.py": "zones of UTM as polygons, and what lies in two of them",
    "viewer/png.py": "a file format",
}
"""Short files of one importer in their own room, and the idea that each is."""


def test_no_file_is_the_overflow_of_another() -> None:
    importers: dict[Path, set[Path]] = {}
    for path in MODULES:
        for name in imported(path):
            if name.startswith("overcast."):
                file = ROOT.joinpath(*name.split(".")[1:]).with_suffix(".py")
                importers.setdefault(file, set()).add(path)
    overflow = [
        name
        for path in MODULES
        if path.stem != "__init__" and len(importers.get(path, ())) == 1
        if not (name := path.relative_to(ROOT).as_posix()).startswith(_BY_NAME)
        if {other.parent for other in importers[path]} == {path.parent}
        if len(path.read_text(encoding="utf-8").splitlines()) < _SHORT
    ]
    assert sorted(overflow) == sorted(_ONE_IDEA)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


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


def literals(path: Path) -> Iterator[str]:
    """Texts of a module that are values; a docstring is none."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from [] if id(node) in said else [node.value]


def test_the_name_of_a_file_is_written_once() -> None:
    uses = Counter(
        text for path in MODULES for text in literals(path) if _FILE.fullmatch(text)
    )
    assert {"map.tif", "plan.yaml", "interface.json", "*.safetensors"} <= uses.keys()
    assert [name for name, count in uses.items() if count > 1] == []


@pytest.mark.parametrize(
    ("text", "is_file"),
    [
        ("map.tif", True),
        ("_scl.tif", True),
        ("run/plan.yaml", True),
        ("Writes map.tif", False),
        (".tif", False),
        ("0.5", False),
    ],
)
def test_what_looks_like_a_file(text: str, is_file: bool) -> None:
    assert bool(_FILE.fullmatch(text)) is is_file
