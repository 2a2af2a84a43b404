"""Find recipes, methods and models by file name: a Python import is the registry.

What a file defines is read from its source text, so that listing what there is
imports neither torch nor the files themselves.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from overcast.outside import entry_points_of, load_part, split

ROLES: Mapping[str, frozenset[str]] = {
    "recipes": frozenset({"start", "terms"}),
    "methods": frozenset({"fit", "load"}),
    "models": frozenset({"encode", "decode"}),
}
"""Package to the functions that make a class one of its parts."""

_ABSTRACT = {"ABC", "Protocol"}


@dataclass(frozen=True, slots=True)
class _Class:
    """A class as its source describes it: enough to tell its role."""

    name: str
    module: str
    bases: tuple[str, ...]
    functions: frozenset[str]


def names(package: str) -> list[str]:
    """Names of the parts in ``overcast.<package>``, sorted; nothing is imported.

    A part is a module with a public class that has, of its own or from a base in the
    same package, the functions of `ROLES`. A class directly under ABC or Protocol
    describes parts and is none.

    Examples
    --------
    >>> "supervised" in names("recipes")
    True

    Raises
    ------
    ValueError
        If there are no parts of that kind.
    """
    return sorted({part.module for part in _parts(package)})


def find(package: str, name: str) -> type[object]:
    """Import ``overcast.<package>.<name>`` and return the one part it defines.

    Returns
    -------
    type
        A frozen dataclass for recipes and methods, a `Segmenter` for models.

    A name such as ``mine.py:Focal`` is a class in a file of the user's, and packages
    offer parts by entry points (`overcast.outside`).

    Raises
    ------
    ValueError
        If no part has that name, its file defines two, or the class is not of the
        right type.
    """
    if split(name) is not None:
        return _checked(package, load_part(name))
    parts = [part.name for part in _parts(package) if part.module == name]
    if not parts and (point := entry_points_of(package).get(name)) is not None:
        return _checked(package, point.load())
    if not parts:
        raise ValueError(_unknown(package, name))
    if len(parts) > 1:
        raise ValueError(
            f"overcast.{package}.{name} defines {', '.join(parts)}, expected one "
            "class a file; start the name of the others with an underscore"
        )
    part: type[object] = getattr(import_module(f"overcast.{package}.{name}"), parts[0])
    _check_type(package, part)
    return part


def _checked(package: str, part: type[object]) -> type[object]:
    """A part of a user's own, which must have the functions of its kind."""
    missing = sorted(name for name in ROLES[package] if not hasattr(part, name))
    if missing:
        raise ValueError(
            f"{part.__module__}.{part.__name__}: no {' and '.join(missing)}; a part of "
            f"{package} has {' and '.join(sorted(ROLES[package]))}"
        )
    _check_type(package, part)
    return part


def _unknown(package: str, name: str) -> str:
    known = sorted({*names(package), *entry_points_of(package)})
    close = difflib.get_close_matches(name, known, n=1, cutoff=0)
    nearest = f", did you mean {close[0]!r}?" if close else ";"
    return f"no {name!r} in {package}{nearest} There are: {', '.join(known) or 'none'}"


def _check_type(package: str, part: type[object]) -> None:
    if package == "models":
        from overcast.models.segmenter import Segmenter

        fits, expected = issubclass(part, Segmenter), "a Segmenter"
    else:
        settings = getattr(part, "__dataclass_params__", None)
        fits = settings is not None and bool(settings.frozen)
        expected = "a frozen dataclass"
    if not fits:
        raise ValueError(f"{part.__module__}.{part.__name__} must be {expected}")


def _parts(package: str) -> list[_Class]:
    if package not in ROLES:
        raise ValueError(f"no kind of part {package!r}; there are {', '.join(ROLES)}")
    classes = _classes(package)
    by_name = {c.name: c for c in classes}
    return [
        c
        for c in classes
        if not c.name.startswith("_")
        and not _ABSTRACT & set(c.bases)
        and _functions(c, by_name) >= ROLES[package]
    ]


def _functions(of: _Class, by_name: Mapping[str, _Class]) -> frozenset[str]:
    inherited = (
        _functions(by_name[base], by_name)
        for base in of.bases
        if base in by_name and base != of.name
    )
    return of.functions.union(*inherited)


def _classes(package: str) -> list[_Class]:
    folders = [str(path) for path in import_module(f"overcast.{package}").__path__]
    return [
        _Class(
            name=node.name,
            module=module.name,
            bases=tuple(_base(base) for base in node.bases),
            functions=frozenset(
                item.name for item in node.body if isinstance(item, ast.FunctionDef)
            ),
        )
        for folder in folders
        for module in iter_modules([folder])
        if not module.name.startswith("_")
        for node in _syntax(_source(Path(folder) / module.name, module.ispkg)).body
        if isinstance(node, ast.ClassDef)
    ]


def _source(module: Path, is_room: bool) -> Path:
    """File that a part is defined in: a module, or the first file of a room."""
    return module / "__init__.py" if is_room else module.with_suffix(".py")


def _base(node: ast.expr) -> str:
    """Last word of a base class: ``Recipe`` of ``recipe.Recipe[State]``."""
    if isinstance(node, ast.Subscript):
        return _base(node.value)
    return node.attr if isinstance(node, ast.Attribute) else ast.unparse(node)


def _syntax(path: Path) -> ast.Module:
    return _parsed(path, path.stat().st_mtime_ns)


@lru_cache(512)
def _parsed(path: Path, changed_ns: int) -> ast.Module:
    """Syntax of a file as it was at some time; names are asked for again and again."""
    try:
        return ast.parse(path.read_text(encoding="utf-8"), str(path))
    except SyntaxError as error:
        raise ValueError(f"{path}: line {error.lineno}: {error.msg}") from error
