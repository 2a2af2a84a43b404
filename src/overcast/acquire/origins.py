"""Where fetched files come from, as `overcast fetch` left it beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from overcast.acquire.data_folder import MANIFEST
from overcast.geo.items import item_of
from overcast.geo.location import Location
from overcast.geo.times import seen_at


@dataclass(frozen=True, slots=True)
class Origins:
    """The known origins of several files.

    Attributes
    ----------
    lines
        Place, days and orbits, a sentence each.
    credits
        What the sources ask to be said, with their licences.
    items
        Addresses of the items that the files were made from.
    times
        When images were seen, as STAC writes it.
    """

    lines: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    times: tuple[str, ...] = ()

    def __add__(self, other: Origins) -> Origins:
        """Return both, each line once."""
        return Origins(
            *(
                tuple(dict.fromkeys((*getattr(self, name), *getattr(other, name))))
                for name in ("lines", "credits", "items", "times")
            )
        )


NONE = Origins()


@runtime_checkable
class HasOrigins(Protocol):
    """An image without a file, which knows where it is read from."""

    def origins(self) -> Origins:
        """Where it is read from."""
        ...


def origins_in(images: Iterable[object]) -> Origins:
    """Return where images without files are read from; of others, nothing."""
    known = (image.origins() for image in images if isinstance(image, HasOrigins))
    return sum(known, NONE)


def origins_of(paths: Iterable[Path]) -> Origins:
    """Read the manifests beside files; files that were not fetched have none."""
    lines: list[str] = []
    credits: list[str] = []
    items: list[str] = []
    times: list[str] = []
    for path in paths:
        manifest = _manifest(path.parent)
        about = manifest.get("files", {}).get(path.name)
        if about is None:
            continue
        lines += [f"Place: {manifest['place']}", _line(path.name, about)]
        items += [one["href"] for one in about["items"] if one["href"]]
        if "date" in about:  # labels have a year, and show no moment
            times += [_stac_time(one["datetime"]) for one in about["items"]]
        for source in manifest["sources"]:
            if source["product"] == about["product"]:
                credits.append(credit_of(source))
    return Origins(
        *(tuple(dict.fromkeys(texts)) for texts in (lines, credits, items, times))
    )


def origins_of_items(places: Iterable[Location]) -> Origins:
    """Read STAC items that were given as files: their addresses, and times of images."""
    items: list[str] = []
    times: list[str] = []
    for where in dict.fromkeys(places):
        if (item := item_of(where)) is None:
            continue
        links = [k for k in item.get("links", ()) if k.get("rel") == "self"]
        items += [Location(str(k["href"])).unsigned for k in links if "href" in k]
        if when := seen_at(where):
            times.append(f"{when:%Y-%m-%dT%H:%M:%SZ}")
    whole = (href for href in items if href.startswith(("http://", "https://")))
    return Origins(items=tuple(dict.fromkeys(whole)), times=tuple(times))


def _stac_time(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M:%SZ")


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _line(name: str, about: dict[str, Any]) -> str:
    said = [f"{name}: {about['product']}"]
    if "date" in about:
        said.append(f"of {about['date']}")
    if "year" in about:
        said.append(f"of {about['year']}")
    if about.get("orbit", [""])[0]:
        said.append(f"orbit {about['orbit'][0]} {about['orbit'][1]}")
    if "clear" in about:
        said.append(f"{about['clear']:.0%} of the place clear")
    return ", ".join(said)


def credit_of(source: Mapping[str, str]) -> str:
    """Return what a source asks to be said, with its licence."""
    said = source["attribution"] or source["product"]
    licence = f"; licence: {source['licence']}" if source["licence"] else ""
    return f"{said} (by {source['source']}{licence})"
