"""A static catalogue of maps: a STAC collection and its items, as files beside them.

Maps stay where they are; items lead to them by relative addresses, so that the folder
above both can be moved or uploaded as it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from overcast.map_folder import ITEM
from overcast.output import write_whole

COLLECTION = "collection.json"
_JSON, _GEOJSON = "application/json", "application/geo+json"
Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """The description of a collection.

    Attributes
    ----------
    ident, title, description
        Its name for machines, for people, and in sentences.
    licence
        Of the maps: an SPDX name such as CC-BY-4.0, or other.
    credits
        What the sources of the data ask to be said.
    """

    ident: str
    title: str
    description: str
    licence: str = "other"
    credits: tuple[str, ...] = ()


def names_of(maps: Sequence[Path]) -> list[str]:
    """Files that a collection of maps consists of, relative to its folder.

    Raises
    ------
    ValueError
        If a map has no item, or two have the same.
    """
    idents = [str(_read(folder)["id"]) for folder in maps]
    for ident, folder in zip(idents, maps, strict=True):
        if idents.count(ident) > 1:
            raise ValueError(f"{folder}: given twice, or a copy of another map")
    return [COLLECTION, *(f"{ident}.json" for ident in idents)]


def write_collection(
    maps: Sequence[Path], out: Path, final: Path, about: About
) -> Path:
    """Write a collection of the maps in some folders into `out`.

    Parameters
    ----------
    maps
        Folders with a map and its item.
    out, final
        Where files are written, and where they will lie.
    about
        What the collection says of itself.

    Raises
    ------
    ValueError
        If a map has no item, or two have the same.
    """
    names_of(maps)
    items = [_item(folder, final, about) for folder in maps]
    for item in items:
        _write(out / f"{item['id']}.json", item)
    links = [{"rel": "root", "href": f"./{COLLECTION}", "type": _JSON}]
    for item in items:
        title = item["properties"].get("title", item["id"])
        href = f"./{quote(str(item['id']))}.json"
        links.append({"rel": "item", "href": href, "type": _GEOJSON, "title": title})
    credits = "\n\n".join(about.credits)
    collection = {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": about.ident,
        "title": about.title,
        "description": f"{about.description}\n\n{credits}".strip(),
        "license": about.licence,
        "extent": {
            "spatial": {"bbox": _boxes(items)},
            "temporal": {"interval": [_interval(items)]},
        },
        "links": links,
    }
    _write(out / COLLECTION, collection)
    return out / COLLECTION


def sources_of(folder: Path) -> list[str]:
    """Files that a map was made from, as its item has them: relative to its folder."""
    links = _read(folder)["links"]
    hrefs = (str(link["href"]) for link in links if link["rel"] == "derived_from")
    return [href for href in hrefs if not urlsplit(href).scheme]


def _read(folder: Path) -> Tree:
    path = folder / ITEM
    if not path.is_file():
        raise ValueError(
            f"{folder}: has no {ITEM}; give the folder of a map that overcast made"
        )
    try:
        item: Tree = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path}: not readable JSON ({error}); map it again"
        ) from error
    if "map" not in item.get("assets", {}):
        raise ValueError(f"{folder}: the item of a model; give the folder of a map")
    return item


def _item(folder: Path, final: Path, about: About) -> Tree:
    """The item of a map, as it is from the folder of the collection."""
    item = _read(folder)
    item["collection"] = about.ident
    for asset in item["assets"].values():
        asset["href"] = _moved(asset["href"], folder, final)
    known = ("root", "parent", "collection")
    links = [
        {**link, "href": _moved(link["href"], folder, final)}
        for link in item["links"]
        if link["rel"] not in known
    ]
    item["links"] = [
        *({"rel": rel, "href": f"./{COLLECTION}", "type": _JSON} for rel in known),
        *links,
    ]
    return item


def _moved(href: str, folder: Path, final: Path) -> str:
    """A relative address seen from another folder; a whole one stays."""
    if urlsplit(href).scheme or href.startswith("/"):
        return href
    path = os.path.relpath(folder.resolve() / unquote(href), final.resolve())
    return quote(Path(path).as_posix())


def _boxes(items: Sequence[Tree]) -> list[list[float]]:
    """The box around all, and, where there are several, that of each."""
    boxes = [item["bbox"] for item in items]
    west, south, east, north = zip(*boxes, strict=True)
    whole = [min(west), min(south), max(east), max(north)]
    return [whole] if len(boxes) == 1 else [whole, *boxes]


def _interval(items: Sequence[Tree]) -> list[str | None]:
    first, last = set(), set()
    for properties in (item["properties"] for item in items):
        when = properties.get("datetime")
        first.add(when or properties["start_datetime"])
        last.add(when or properties["end_datetime"])
    return [min(first), max(last)]


def _write(path: Path, tree: Tree) -> None:
    text = json.dumps(tree, indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(path, text + "\n")
