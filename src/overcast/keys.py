"""YAML without keys that are given twice, of which a parser would take the last."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

_MERGE = "tag:yaml.org,2002:merge"


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
