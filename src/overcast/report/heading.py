"""The head of a report: what the map is called, of where and when, by whom.

It says nothing about how the map was made, so it is no part of a plan. It lies in the
map's folder, and a page that is written anew has it again.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from markupsafe import escape

from overcast import map_folder
from overcast.errors import reading, writing
from overcast.schema import from_tree, read_json

_LOGOS = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"RIFF": "webp",
}
"""First bytes of a picture, and its kind."""
_LARGEST_LOGO = 1_000_000
_HEADING = re.compile(r"<!--heading-->.*?<!--/heading-->", re.DOTALL)
_TITLE = re.compile(r"<title>.*?</title>", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What a person says of a map; empty where nothing is said.

    Attributes
    ----------
    title, place, period, author, licence
        Texts of one line.
    logo
        A picture as a data URI.
    """

    title: str = ""
    place: str = ""
    period: str = ""
    author: str = ""
    licence: str = ""
    logo: str = ""

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What is said beside the title, in the order of the page."""
        named = ("place", "period", "author", "licence")
        return [(n.capitalize(), getattr(self, n)) for n in named if getattr(self, n)]


NOTHING_SAID = Heading()


def logo_of(path: Path) -> str:
    """A picture in a file as a data URI.

    Raises
    ------
    ValueError
        If it is no PNG, JPEG or WebP, or larger than 1 MB.
    """
    with reading(path):
        body = path.read_bytes()
    kind = next((k for start, k in _LOGOS.items() if body.startswith(start)), None)
    if kind is None:
        raise ValueError(f"{path}: expected a picture as PNG, JPEG or WebP")
    if len(body) > _LARGEST_LOGO:
        raise ValueError(
            f"{path}: {len(body) / 1e6:.1f} MB, expected at most 1 MB; every copy of the "
            "report holds the picture, so make it smaller"
        )
    return f"data:image/{kind};base64,{base64.b64encode(body).decode()}"


def read_heading(folder: Path) -> Heading:
    """What was said of the map in a folder; nothing if there is no such file.

    Raises
    ------
    ValueError
        If the file holds something else.
    """
    path = folder / map_folder.HEADING
    if not path.is_file():
        return NOTHING_SAID
    heading = from_tree(Heading, read_json(path), path)
    if heading.logo and not heading.logo.startswith("data:image/"):
        raise ValueError(f"{path}: logo: expected data:image/...; give --logo again")
    return heading


def write_heading(heading: Heading, folder: Path) -> None:
    """Keep what was said of a map in its folder."""
    path = folder / map_folder.HEADING
    text = json.dumps(asdict(heading), indent=2, ensure_ascii=False)
    with writing(path):
        path.write_text(text + "\n", encoding="utf-8")


def changed(heading: Heading, **said: str | None) -> Heading:
    """The heading with what is said now; None leaves a text, and "" takes it away."""
    return replace(heading, **{k: v for k, v in said.items() if v is not None})


def with_heading(page: str, filled: str, title: str) -> str:
    """A page with another head and title.

    Raises
    ------
    ValueError
        If it has no head that can be exchanged.
    """
    if _HEADING.search(page) is None:
        raise ValueError("an older overcast wrote it, without a head to fill")
    page = _HEADING.sub(lambda _: filled.strip(), page, count=1)
    return _TITLE.sub(lambda _: f"<title>{escape(title)}</title>", page, count=1)
