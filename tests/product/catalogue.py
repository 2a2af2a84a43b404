"""Validate STAC items against their published schemas, without a network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pystac.validation
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

_SCHEMAS = Path(__file__).parent / "schemas"
_CORE = files(pystac.validation) / "jsonschemas"
_EXTENSION = "https://stac-extensions.github.io/{}/schema.json"
_ITEM = "https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/item.json"


def _documents() -> dict[str, Any]:
    found = {}
    for path in _SCHEMAS.glob("*.json"):
        name, _, version = path.stem.rpartition("-")
        found[_EXTENSION.format(f"{name}/{version}")] = _read(path)
    found[_EXTENSION.format("classification/v1.1.0")] = {
        **found[_EXTENSION.format("classification/v2.0.0")],
        "$id": _EXTENSION.format("classification/v1.1.0"),
    }
    for entry in (_CORE / "stac-spec/v1.1.0").iterdir():
        # By file name: one of them carries a mistyped identifier.
        address = _ITEM.replace("item.json", entry.name)
        found[address] = {**_read(entry), "$id": address}
    for entry in (_CORE / "geojson").iterdir():
        found[f"https://geojson.org/schema/{entry.name}"] = _read(entry)
    return found


def _read(path: Any) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


DOCUMENTS = _documents()
REGISTRY: Registry[Any] = Registry().with_resources(
    (uri, Resource(document, DRAFT7)) for uri, document in DOCUMENTS.items()
)


def faults(item: Mapping[str, Any]) -> list[str]:
    """What the schemas of an item, and of its extensions, find wrong with it."""
    written = json.loads(json.dumps(item))
    return [
        f"{uri}: {error.json_path}: {error.message}"[:400]
        for uri in (_ITEM, *item["stac_extensions"])
        for error in Draft7Validator(DOCUMENTS[uri], registry=REGISTRY).iter_errors(
            written
        )
    ]
