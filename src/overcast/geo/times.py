"""When an image was seen, and on which orbit, by what a file says of itself.

In this order: the STAC item that it is, or that lies beside the file (``FILE.json`` of the
same name), the name of
a product or file with one date in it (``S2A_MSIL2A_20240503T105031_...``,
``s2_2024-05-03.tif``, ``s1_20240503_asc.tif``), the tags of the file
(``TIFFTAG_DATETIME``, ``ACQUISITIONDATETIME``, ``datetime``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from rasterio.errors import RasterioError

from overcast.geo.dataset import dataset_of
from overcast.geo.items import item_of
from overcast.geo.location import Location

Orbit = str
"""``ascending`` or ``descending``; empty where it is not known."""
_PRODUCT = re.compile(
    r"(?<![A-Za-z0-9])(?:S2[A-D]_(?:MSI|OPER)|S1[A-D]_|L(?:C|E|T)0\d_|HLS\.)", re.I
)
_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])"
    r"(?:T(\d{2})(\d{2})(\d{2}))?(?!\d)"
)
_ORBIT = re.compile(r"(?<![A-Za-z])(asc|desc)(?:ending)?(?![A-Za-z])", re.I)
_TAGS = ("TIFFTAG_DATETIME", "ACQUISITIONDATETIME", "ACQUISITION_DATE", "DATETIME")
_NOON = 12
"""Sentinel-1 crosses the equator northwards at 18:00 local time, southwards at 06:00."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The time and orbit of an image; None or empty if unknown.

    Attributes
    ----------
    day
        Of the first line (UTC).
    orbit
        ``ascending`` or ``descending``, of a SAR image.
    processed
        When or by which baseline it was processed, so that later texts sort last.
    """

    day: date | None = None
    orbit: Orbit = ""
    processed: str = ""


def seen_of(where: Location) -> Seen:
    """Return what a file, its name or the item beside it says of its time."""
    item, name = _item(where), _named(where)
    moment = _when_seen(item) or _of_name(name)
    day = moment.date() if moment is not None else _of_tags(where)
    orbit = str(item.get("sat:orbit_state") or "").lower()
    return Seen(day, orbit or _orbit_of(where, name, moment), _processed(item, name))


def seen_at(where: Location) -> datetime | None:
    """Return when an image was seen, as its STAC item says it; None without one."""
    return _when_seen(_item(where))


def _when_seen(item: Mapping[str, Any]) -> datetime | None:
    text = item.get("datetime") or item.get("start_datetime")
    return _moment(str(text)) if text else None


def day_of(text: str) -> date | None:
    """The day that a text is (``2024-05-03`` or ``20240503``); None if it is none.

    Examples
    --------
    >>> day_of("20240503")
    datetime.date(2024, 5, 3)
    """
    match = _DATE.fullmatch(text.strip())
    moment = None if match is None else _when(match)
    return None if moment is None else moment.date()


def _named(where: Location) -> str:
    """The name that tells: that of the file, or of the product that it lies in."""
    parts = [where.name, *reversed(re.split(r"[/!\\]", where.shown)[:-1])]
    for part in parts:
        if _PRODUCT.search(part) and _DATE.search(part):
            return part
    return where.name


def _of_name(name: str) -> datetime | None:
    """The first time in the name of a product; of another name, its only day."""
    times = [t for m in _DATE.finditer(name) if (t := _when(m)) is not None]
    if not times:
        return None
    several = len({time.date() for time in times}) > 1
    return None if several and not _PRODUCT.search(name) else times[0]


def _when(match: re.Match[str]) -> datetime | None:
    year, _, month, day, *clock = match.groups()
    try:
        hour, minute, second = (int(n or 0) for n in clock)
        return datetime(int(year), int(month), int(day), hour, minute, second)
    except ValueError:  # 31 June
        return None


def _moment(text: str) -> datetime | None:
    """The time of an item or a tag: ISO 8601, or that of TIFF with colons."""
    text = re.sub(r"^(\d{4}):(\d\d):(\d\d)", r"\1-\2-\3", text.strip())
    try:
        return datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        match = _DATE.search(text)
        return None if match is None else _when(match)


def _of_tags(where: Location) -> date | None:
    try:
        tags = {k.upper(): v for k, v in dataset_of(where).tags().items()}
    except (RasterioError, OSError, ValueError):
        return None
    for name in _TAGS:
        if name in tags and (moment := _moment(str(tags[name]))) is not None:
            return moment.date()
    return None


def _item(where: Location) -> Mapping[str, Any]:
    """Properties of a STAC item, or of that beside a file; nothing without one."""
    if (own := item_of(where)) is not None:
        properties = own.get("properties")
        return properties if isinstance(properties, dict) else {}
    local = where.local
    if local is None:
        return {}
    for path in (local.with_suffix(".json"), Path(f"{local}.json")):
        if not path.is_file():
            continue
        try:
            tree = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(tree, dict) and tree.get("type") == "Feature":
            properties = tree.get("properties")
            return properties if isinstance(properties, dict) else {}
    return {}


def _orbit_of(where: Location, name: str, moment: datetime | None) -> Orbit:
    """Read the orbit by the name of a file; of a Sentinel-1 product, by its local time."""
    if match := _ORBIT.search(name.replace("_", " ")):
        return f"{match[1].lower()}ending"
    product = re.search(r"S1[A-D]_", name) and moment is not None and moment.hour
    if not product or moment is None:
        return ""
    try:
        dataset = dataset_of(where)
        box = dataset.bounds
        from rasterio.warp import transform

        middle = [(box.left + box.right) / 2], [(box.bottom + box.top) / 2]
        (longitude,), _ = transform(dataset.crs, "EPSG:4326", *middle)
    except (RasterioError, OSError, ValueError, AttributeError):
        return ""
    local = moment + timedelta(hours=longitude / 15)
    return "descending" if local.hour < _NOON else "ascending"


def _processed(item: Mapping[str, Any], name: str) -> str:
    """Return what sorts processings of one acquisition: the later one last."""
    said = (
        item.get("s2:processing_baseline")
        or item.get("processing:version")
        or (m[1] if (m := re.search(r"_N(\d{4})_", name)) else "")
    )
    times = [m[0] for m in _DATE.finditer(name)]
    made = item.get("created") or (times[-1] if len(times) > 1 else "")
    return f"{said} {made}"
