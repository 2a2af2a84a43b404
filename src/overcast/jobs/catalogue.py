"""A static catalogue of maps, with what their sources ask to be said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from overcast.acquire.origins import origins_of
from overcast.output import Output
from overcast.product.collection import About, names_of, sources_of, write_collection


def publish(
    maps: Sequence[Path], out: Path, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Write a collection of the maps in some folders into `out`; what was written.

    `given` says title, ident, description, licence and overwrite.

    Raises
    ------
    ValueError
        If a map has no item, or `out` holds a collection already.
    """
    names = names_of(maps)
    title = str(given["title"])
    credits = [line for folder in maps for line in _credits(folder)]
    about = About(
        given["ident"]
        or re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
        or "maps",
        title,
        given["description"] or f"{title}, made by overcast.",
        given["licence"],
        tuple(dict.fromkeys(credits)),
    )
    key = repr((about, [str(folder.resolve()) for folder in maps]))
    output = Output.begin(out, tuple(names), key, bool(given["overwrite"]))
    if not output.finished:
        with output:
            write_collection(maps, output.work, out, about)
    return {"collection": str(out / names[0]), "items": len(names) - 1}


def _credits(folder: Path) -> tuple[str, ...]:
    """Return the statements that the sources of a map's data require."""
    return origins_of(
        Path(folder / unquote(href)) for href in sources_of(folder)
    ).credits
