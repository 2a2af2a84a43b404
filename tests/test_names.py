"""Names say what a value is, and no two public classes have one name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import overcast

ROOT = Path(overcast.__file__).parent
_NAMED = ast.FunctionDef | ast.ClassDef | ast.MatchAs | ast.MatchStar
SAY_NOTHING = frozenset(("found", "told", "kept", "there"))
"""Words that say how a value came about, and not what it is."""


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield str(path.relative_to(ROOT)), tree


def named(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Names that a module gives to variables, arguments, fields and functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, _NAMED) and node.name is not None:
            yield node.name, node.lineno


def test_names_say_what_a_value_is() -> None:
    assert [
        f"{path}:{line}: {name}"
        for path, tree in trees()
        for name, line in named(tree)
        if name in SAY_NOTHING
    ] == []


@pytest.mark.parametrize(
    "text",
    [
        "found = 1",
        "for there in x: pass",
        "self.kept = 1",
        "def f(told): pass",
        "def f(*, kept=1): pass",
        "with f() as found: pass",
        "if (there := 1): pass",
        "def found(self): pass",
    ],
)
def test_such_names_are_seen(text: str) -> None:
    assert SAY_NOTHING & {name for name, _ in named(ast.parse(text))}


def test_no_two_public_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for path, tree in trees():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(path)
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}
