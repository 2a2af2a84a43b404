"""Recipes, methods and models in a user's own file or package.

A name such as ``mine.py:Focal`` is the class ``Focal`` in the file ``mine.py``. A package
offers parts by entry points, such as one called ``focal`` in the group
``overcast.recipes``. A run keeps copies of the files that it was learned with in its
folder ``code``, and names them by their content (SHA-256), so that it can be moved.

Importing a file runs it. That of the user's own is run where the user named it; the copy in
a run's folder, which may come from anybody, only where the same file lies where it was
named, or the user trusts such copies (`TRUST`).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from overcast.run_folder import CODE, RunFolder

TRUST = "OVERCAST_TRUST_CODE"
"""Variable of the environment: 1 runs the copies in run folders."""
_NAME = re.compile(r"(?P<path>.+\.py):(?P<part>[A-Za-z_]\w*)")
_PARTS = ("model", "recipe")
"""Settings of a method that name a part by their own ``name``."""


def split(name: str) -> tuple[Path, str] | None:
    """File and class of ``mine.py:Focal``; None if the name is of another kind."""
    match = _NAME.fullmatch(name)
    return None if match is None else (Path(match["path"]), match["part"])


def load_part(name: str) -> type[object]:
    """Import the file of ``mine.py:Focal`` and return the class.

    Raises
    ------
    ValueError
        If there is no such file or class, or importing it fails.
    """
    parts = split(name)
    assert parts is not None
    path, part = parts
    module = _imported(path)
    kind = getattr(module, part, None)
    if not isinstance(kind, type):
        classes = [n for n, v in vars(module).items() if isinstance(v, type)]
        own = [n for n in classes if vars(module)[n].__module__ == module.__name__]
        raise ValueError(
            f"{path}: no class {part}; it has {', '.join(own) or 'no class'}"
        )
    return kind


def entry_points_of(package: str) -> dict[str, EntryPoint]:
    """Parts that installed packages offer, by name: ``overcast.recipes`` and so on."""
    return {point.name: point for point in entry_points(group=f"overcast.{package}")}


def located(method: Mapping[str, object], folder: Path) -> dict[str, object]:
    """A method whose files hold from anywhere; relative ones are relative to `folder`."""

    def whole(name: str) -> str:
        parts = split(name)
        if parts is None:
            return name
        return f"{os.path.abspath(folder / parts[0])}:{parts[1]}"

    return _renamed(method, whole)


def canonical(
    method: Mapping[str, object], run: Path | None = None
) -> dict[str, object]:
    """A method that names files by their content, wherever they lie.

    A file that is gone is looked for among the copies of `run`.
    """

    def by_content(name: str) -> str:
        parts = split(name)
        if parts is None:
            return name
        path, part = parts
        copy = None if run is None else RunFolder(run).code / path.name
        if copy is not None and copy.is_file():
            path = copy
        return f"{path.name}:{part}@{_digest(path) if path.is_file() else ''}"

    return _renamed(method, by_content)


def keep_copies(method: Mapping[str, object], run: Path) -> None:
    """Copy the files that a method names into the folder of a run.

    Raises
    ------
    ValueError
        If two files have one name.
    """
    for name in _names(method):
        if (parts := split(name)) is None:
            continue
        copy = RunFolder(run).code / parts[0].name
        if copy.is_file() and _digest(copy) != _digest(parts[0]):
            raise ValueError(
                f"{parts[0]}: another file of this name is in {copy.parent}; rename one, "
                "or train into another folder"
            )
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(parts[0], copy)


def of_run(method: Mapping[str, object], run: Path) -> dict[str, object]:
    """A method of a run, with the copies of files that are gone, if these are trusted.

    A file that lies where it was named, with the content of the copy, is taken.
    """

    def in_run(name: str) -> str:
        parts = split(name)
        if parts is None or not (copy := RunFolder(run).code / parts[0].name).is_file():
            return name
        if parts[0].is_file() and _digest(parts[0]) == _digest(copy):
            return name
        return f"{copy}:{parts[1]}"

    return _renamed(method, in_run)


def _imported(path: Path) -> ModuleType:
    """The module of a file, imported once for every content of it."""
    if not path.is_file():
        raise ValueError(
            f"{path}: no such file; give a file and a class, FILE.py:CLASS"
        )
    if path.parent.name == CODE and not _trusted(path):
        raise ValueError(
            f"{path}: code that came with the run, and was not run; read it, and set "
            f"{TRUST}=1 if you trust it"
        )
    name = f"overcast_outside_{_digest(path)[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look for their module there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        line = " ".join(str(error).split())
        raise ValueError(f"{path}: {type(error).__name__}: {line}") from error
    return module


def _trusted(copy: Path) -> bool:
    """Tell whether a file may be run; in a folder that is no run, it is the user's own."""
    in_run = RunFolder(copy.parents[1]).interface.is_file()
    return not in_run or os.environ.get(TRUST) == "1"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _names(method: Mapping[str, object]) -> Iterator[str]:
    """Names of the method itself and of its parts."""
    parts = (method, *(method.get(key) for key in _PARTS))
    for part in parts:
        if isinstance(part, Mapping) and isinstance(part.get("name"), str):
            yield part["name"]


def _renamed(
    method: Mapping[str, object], rename: Callable[[str], str]
) -> dict[str, object]:
    """A method whose name and parts' names are others."""
    tree = dict(method)
    for key in _PARTS:
        if isinstance(part := tree.get(key), Mapping):
            tree[key] = _renamed(part, rename)
    if isinstance(name := tree.get("name"), str):
        tree["name"] = rename(name)
    return tree
