"""What options hold is typed, and no signature on its way takes anything at all."""

from __future__ import annotations

import ast
import importlib
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from pkgutil import iter_modules

import click
import pytest

import overcast
from overcast.cli import commands

ROOT = Path(overcast.__file__).parent
ROOMS = ("cli", "jobs", "api", "plan.py", "inputs.py", "sources.py", "output_file.py")


def every_command() -> Iterator[click.Command]:
    for module in iter_modules(commands.__path__):
        command = importlib.import_module(f"{commands.__name__}.{module.name}").command
        if isinstance(command, click.Group):
            yield from command.commands.values()
        else:
            yield command


def values_of(function: Callable[..., object]) -> dict[str, object]:
    """Types of all that a command is called with, by name."""
    hints = typing.get_type_hints(function)
    hints.pop("return", None)
    for name, kind in list(hints.items()):
        if typing.get_origin(kind) is typing.Unpack:
            del hints[name]
            hints |= typing.get_type_hints(typing.get_args(kind)[0])
    return hints


def is_none_allowed(kind: object) -> bool:
    return types.NoneType in typing.get_args(kind)


def has_value(option: click.Parameter, command: click.Command) -> bool:
    """Return whether a command is always called with a value of an option."""
    default = option.get_default(click.Context(command))
    return option.required or not (default is None or option.value_is_missing(default))


@pytest.mark.parametrize("command", list(every_command()), ids=lambda c: c.name)
def test_every_option_has_its_type(command: click.Command) -> None:
    assert command.callback is not None
    kinds = values_of(command.callback)
    shown = {p.name: p for p in command.params if p.expose_value}
    assert sorted(kinds) == sorted(map(str, shown))
    for name, option in shown.items():
        kind = kinds[str(name)]
        if option.multiple or option.nargs == -1:
            assert typing.get_origin(kind) is tuple, name
        elif isinstance(option, click.Option) and option.is_flag:
            assert kind is bool or is_none_allowed(kind), name
        else:
            assert is_none_allowed(kind) is not has_value(option, command), name


def annotations_of(path: Path) -> Iterator[tuple[str, ast.expr]]:
    """Every type of an argument, a result and a field of a file, and whose it is."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            words = node.args
            arguments = [*words.posonlyargs, *words.args, *words.kwonlyargs]
            arguments += [a for a in (words.vararg, words.kwarg) if a is not None]
            yield from (
                (f"{node.name}: {a.arg}", a.annotation)
                for a in arguments
                if a.annotation
            )
            if node.returns is not None:
                yield f"{node.name}: return", node.returns
        elif isinstance(node, ast.ClassDef):
            fields = (f for f in node.body if isinstance(f, ast.AnnAssign))
            yield from (
                (f"{node.name}: {ast.unparse(f.target)}", f.annotation) for f in fields
            )


def files() -> Iterator[Path]:
    for room in ROOMS:
        path = ROOT / room
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def test_no_signature_that_a_users_input_passes_takes_anything() -> None:
    loose = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files()
        for name, kind in annotations_of(path)
        if any(isinstance(n, ast.Name) and n.id == "Any" for n in ast.walk(kind))
    ]
    assert loose == []


def test_what_jobs_say_of_a_result_is_no_input() -> None:
    """`Document` holds anything; no command, plan or option takes one."""
    takers = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files()
        if path.relative_to(ROOT).parts[0] != "jobs"
        for name, kind in annotations_of(path)
        if "Document" in ast.unparse(kind) and not name.endswith(("return", "scores"))
    ]
    assert takers == []
