"""YAML, read strictly: no key twice, of which a parser would take the last, and no bomb."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

from overcast.errors import cause, is_own

_MERGE = "tag:yaml.org,2002:merge"
_DEEPEST, _LONGEST = 50, 100_000
"""Levels and values of a YAML text; aliases count as what they stand for."""


class UniqueKeys(yaml.SafeLoader):
    """PyYAML's safe loader, which refuses a mapping with one key twice."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, Any]:
        """Build a mapping of different keys."""
        known = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            if key.value in known:
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f"the key {key.value} is given twice, expected once",
                    key.start_mark,
                )
            known.add(key.value)
        return super().construct_mapping(node, deep)


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
