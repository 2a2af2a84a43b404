"""Find what is one file each: recipes, models and methods, by the name of the file.

A Python import is the registry. A module of ``overcast.recipes``, ``.models`` or
``.methods`` that defines exactly one public class of its package's kind is found; one
that defines an interface, or none, is not.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import importlib
import pkgutil
from pathlib import Path
from typing import Any

_INTERFACES = {"Protocol", "ABC"}


def names(package: str) -> list[str]:
    """Names of what ``overcast.<package>`` holds, without importing any of it."""
    folder = importlib.import_module(f"overcast.{package}")
    return sorted(
        info.name
        for info in pkgutil.iter_modules(folder.__path__)
        if _offers(_source(info), package)
    )


def find(package: str, name: str) -> type[Any]:
    """Return the one public class that ``overcast.<package>.<name>`` defines.

    Raises
    ------
    ValueError
        If there is no such module, naming the nearest known one.
    """
    known = names(package)
    if name not in known:
        near = difflib.get_close_matches(name, known, 1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else "it is not one of them"
        raise ValueError(f"{package}: no {name!r} among {', '.join(known)}; {hint}")
    module = importlib.import_module(f"overcast.{package}.{name}")
    (class_name,) = _offers(Path(str(module.__file__)), package)
    found: type[Any] = getattr(module, class_name)
    return found


def _source(info: pkgutil.ModuleInfo) -> Path:
    return Path(str(getattr(info.module_finder, "path", ""))) / f"{info.name}.py"


def _offers(source: Path, package: str) -> list[str]:
    """Public classes of a module that are the package's kind; at most one counts."""
    if not source.is_file():
        return []
    marks = {"recipes": ("streams",), "methods": ("fit", "load")}
    found = [
        node.name
        for node in ast.parse(source.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
        and not node.name.startswith("_")
        and (
            _is_segmenter(node)
            if package == "models"
            else _has(node, marks[package]) and node.decorator_list != []
        )
    ]
    return found if len(found) == 1 else []


def _is_segmenter(node: ast.ClassDef) -> bool:
    return any(isinstance(b, ast.Name) and b.id == "Segmenter" for b in node.bases)


def _has(node: ast.ClassDef, wanted: tuple[str, ...]) -> bool:
    defined = set()
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            defined.add(item.name)
        elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            defined.add(item.target.id)
    return set(wanted) <= defined


def is_settings(kind: type[Any]) -> bool:
    """Whether a class is a frozen dataclass, as recipes and methods are."""
    parameters = getattr(kind, "__dataclass_params__", None)
    return dataclasses.is_dataclass(kind) and bool(parameters and parameters.frozen)
