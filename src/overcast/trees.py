"""Dataclasses as trees of plain values, such as YAML holds, and strictly back again."""

from __future__ import annotations

import dataclasses
import difflib
import math
import reprlib
from collections import abc
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from overcast.errors import cause, is_own
from overcast.keys import UniqueKeys
from overcast.plan_images import LATER

T = TypeVar("T")
_DEEPEST, _LONGEST = 50, 100_000
"""Levels and values of a YAML text; aliases count as what they stand for."""


def parse_yaml(text: str, where: str) -> object:
    """Plain values that a YAML text holds; `where` names the text.

    Raises
    ------
    ValueError
        If it is not YAML, or is deeper or longer than any plan.
    """
    try:
        _refuse_bomb(text, where)
        return yaml.load(text, UniqueKeys)
    except (yaml.YAMLError, TypeError, RecursionError) as error:
        reason = getattr(error, "problem", None) or cause(error)
        raise ValueError(f"{where}: not YAML: {reason}") from error
    except ValueError as error:
        if is_own(error):
            raise
        raise ValueError(f"{where}: not YAML: {cause(error)}") from error


def _refuse_bomb(text: str, where: str) -> None:
    """Refuse a short text that stands for very many values, before they are made."""
    sizes: dict[str, int] = {}
    parents: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise ValueError(f"{where}: *{event.anchor} is not defined before it")
            total += sizes[event.anchor]
        elif isinstance(event, yaml.NodeEvent):
            total += 1
            if isinstance(event, yaml.CollectionStartEvent):
                parents.append((event.anchor, total - 1))
            elif event.anchor is not None:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = parents.pop()
            if anchor is not None:
                sizes[anchor] = total - before
        if len(parents) > _DEEPEST or total > _LONGEST:
            raise ValueError(
                f"{where}: more than {_DEEPEST} levels or {_LONGEST} values; expected "
                "the keys and values of a plan"
            )


def to_tree(value: object) -> Any:
    """Plain dictionaries, lists and scalars of a tree of dataclasses."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = (
            (f.name, getattr(value, f.name))
            for f in dataclasses.fields(value)
            if f.metadata != LATER or getattr(value, f.name) != f.default
        )
        tree = {name: to_tree(item) for name, item in named}
        if others := tree.pop("other_labels", []):
            tree["labels"] = [tree["labels"], *others]
        return tree
    if isinstance(value, Mapping):
        return {str(key): to_tree(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_tree(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def from_tree(kind: type[T], tree: object, where: str) -> T:
    """Build a dataclass from plain values, strictly.

    Raises
    ------
    ValueError
        If a key is unknown, missing, or its value of the wrong type; `where` names
        the place.
    """
    _check_keys(kind, tree, where)
    try:
        known: Any = kind
        checked: T = _adapter(known).validate_python(tree)
        return checked
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        if message.startswith("Input should be"):
            value = reprlib.repr(first["input"])
            message = message.replace("Input should be", f"{value}; expected")
        whole = ": ".join(part for part in (where, place, message) if part)
        raise ValueError(whole) from error


@lru_cache(64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """What checks a type: made once, since that takes longer than checking."""
    return TypeAdapter(kind)


def _check_keys(kind: object, tree: object, where: str) -> None:
    """Refuse unknown keys at every depth, before types are looked at."""
    if dataclasses.is_dataclass(kind):
        if not isinstance(tree, Mapping):
            raise ValueError(
                f"{where}: expected keys and values, got {reprlib.repr(tree)}"
            )
        refuse_unknown(tree, [f.name for f in dataclasses.fields(kind)], where)
        hints = get_type_hints(kind)
        for name, value in tree.items():
            _check_keys(hints[name], value, f"{where}: {name}")
    elif get_origin(kind) is tuple and isinstance(tree, list):
        for number, value in enumerate(tree):
            _check_keys(get_args(kind)[0], value, f"{where}[{number}]")
    elif get_origin(kind) is abc.Mapping and isinstance(tree, Mapping):
        for name, value in tree.items():
            _check_keys(get_args(kind)[1], value, f"{where}.{name}")
    elif get_origin(kind) in (Union, UnionType) and tree is not None:
        for part in filter(dataclasses.is_dataclass, get_args(kind)):
            _check_keys(part, tree, where)
        check_value(kind, tree, where)
    else:
        check_value(kind, tree, where)


def check_value(kind: object, value: object, where: str) -> None:
    """Refuse a value that would be taken for another one: true for 1, "1" for 1.

    YAML reads 1e-3 as a text, so a text may be a number where one with decimals is
    expected.
    """
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    if bool in kinds:
        wrong, words = not isinstance(value, bool), "true or false"
    elif not {int, float} & set(kinds):
        return
    else:
        text = isinstance(value, str) and not {float, str} & set(kinds)
        wrong, words = isinstance(value, bool) or text, "a number"
    if wrong and value is not None:
        raise ValueError(f"{where}: {reprlib.repr(value)}; expected {words}")
    if isinstance(value, (float, str)) and _is_endless(value):
        raise ValueError(f"{where}: {value}; expected a finite number")


def _is_endless(value: float | str) -> bool:
    """Return whether a number, or the one that a text holds, is infinite or none."""
    try:
        return not math.isfinite(float(value))
    except ValueError:
        return False


def refuse_unknown(tree: Mapping[str, object], known: list[str], where: str) -> None:
    """Refuse keys that are not known, naming the nearest known one."""
    for key in tree:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise ValueError(f"{where}: unknown key {reprlib.repr(key)}; {hint}")
