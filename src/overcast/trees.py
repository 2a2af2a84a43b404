"""Dataclasses as trees of plain values; `overcast.schema` goes back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overcast.plan_images import LATER


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
