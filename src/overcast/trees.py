"""Dataclasses as trees of plain values, and YAML as such; `overcast.schema` goes back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from overcast.errors import cause, is_own
from overcast.keys import UniqueKeys
from overcast.plan_images import LATER

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
