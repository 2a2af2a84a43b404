"""A static catalogue of maps, with what their sources ask to be said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from overcast.acquire.origins import origins_of
from overcast.output import Output
from overcast.product.collection import About, names_of, sources_of, write_collection


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What a user says of a collection; None where nothing is said."""

    title: str
    licence: str
    ident: str | None = None
    description: str | None = None


def publish(
    maps: Sequence[Path], out: Path, collection: Collection, overwrite: bool
) -> dict[str, object]:
    """Write a collection of the maps in some folders into `out`; what was written.

    Raises
    ------
    ValueError
        If a map has no item, or `out` holds a collection already.
    """
    names = names_of(maps)
    credits = [line for folder in maps for line in _credits(folder)]
    about = About(
        collection.ident
        or re.sub(r"[^a-z0-9]+", "-", collection.title.lower()).strip("-")
        or "maps",
        collection.title,
        collection.description or f"{collection.title}, made by overcast.",
        collection.licence,
        tuple(dict.fromkeys(credits)),
    )
    key = repr((about, [str(folder.resolve()) for folder in maps]))
    output = Output.begin(out, tuple(names), key, overwrite)
    if not output.finished:
        with output:
            write_collection(maps, output.work, out, about)
    return {"collection": str(out / names[0]), "items": len(names) - 1}


def _credits(folder: Path) -> tuple[str, ...]:
    """Return the statements that the sources of a map's data require."""
    return origins_of(
        Path(folder / unquote(href)) for href in sources_of(folder)
    ).credits
