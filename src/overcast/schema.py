"""Values of a stated shape from files of elsewhere: read, parsed and checked in one place.

What a JSON, TOML or YAML file may hold is a dataclass: its fields are the keys, and their
types the values. `read_json` and `read_toml` give plain values, and `from_tree` makes the
dataclass of them or refuses them, in one line: file, key, what was found, what was
expected. What values mean beyond their types is checked where the dataclass is made.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import re
import reprlib
import tomllib
from collections import abc
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from overcast.errors import AGAIN, reading
from overcast.texts import read_text

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")
_POWER = re.compile(r"[-+]?\d+e[-+]?\d+", re.IGNORECASE)
"""Numbers that YAML 1.1 takes for texts, since they have no point."""


def read_json(path: Path, advice: str = AGAIN, kind: str = "JSON file") -> object:
    """Plain values of a JSON file.

    Raises
    ------
    ValueError
        If it is none; `kind` says what was expected, and `advice` what to do.
    """
    with reading(path, advice, kind):
        tree: object = json.loads(read_text(path))
    return tree


def read_toml(path: Path, advice: str = AGAIN) -> dict[str, object]:
    """Plain values of a TOML file.

    Raises
    ------
    ValueError
        If it is none; `advice` says what to do.
    """
    with reading(path, advice, "TOML file"):
        tree: dict[str, object] = tomllib.loads(read_text(path))
    return tree


def from_tree(kind: type[T], tree: object, where: object, advice: str = "") -> T:
    """Build a dataclass from plain values, strictly.

    Parameters
    ----------
    where
        What the values are of, such as the file; the refusal begins with it.
    advice
        What the refusal ends with.

    Raises
    ------
    ValueError
        If a key is unknown, missing, or its value of the wrong type; `where` names
        the place.
    """
    from pydantic import ValidationError  # slow to import

    end = f"; {advice}" if advice else ""
    try:
        _check_keys(kind, tree, str(where))
        known: Any = kind
        checked: T = _adapter(known).validate_python(tree)
    except ValidationError as error:
        raise ValueError(f"{_refusal(error, str(where))}{end}") from error
    except ValueError as error:
        raise ValueError(f"{error}{end}") from error
    return checked


def _refusal(error: ValidationError, where: str) -> str:
    """Where, key, what was found and what was expected, of the first that is wrong."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    message = first["msg"].removeprefix("Value error, ")
    if message.startswith("Input should be"):
        value = reprlib.repr(first["input"])
        message = message.replace("Input should be", f"{value}; expected")
    return ": ".join(part for part in (where, place, message) if part)


@lru_cache(64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """What checks a type: made once, since that takes longer than checking."""
    from pydantic import TypeAdapter  # slow to import

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

    YAML reads 1e-3 as a text, so such a text may be a number where one with decimals is
    expected.
    """
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    if bool in kinds:
        wrong, words = not isinstance(value, bool), "true or false"
    elif not {int, float} & set(kinds):
        return
    else:
        text = isinstance(value, str) and str not in kinds
        if isinstance(value, str) and float in kinds:
            text = text and not (_POWER.fullmatch(value) or _is_endless(value))
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
