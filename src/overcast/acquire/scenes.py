"""Items as overcast takes them: pieces of an overpass, in the order in which they count."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pyproj
import shapely
from odc.geo.geobox import GeoBox

from overcast.acquire.asset import Asset
from overcast.acquire.catalogue import CatalogueProduct
from overcast.geo.location import Location

Item = Mapping[str, Any]
_START = re.compile(r"(\d{8}T\d{6})")
_TILE = re.compile(r"(?:^|_)T?(\d{1,2}[A-Z]{3})(?:_|$)")
_PROCESSED = re.compile(r"(_[0-9A-F]{4})?(_rtc)?$", re.I)
"""What two processings of one Sentinel-1 acquisition differ in."""
_FIRST_OFFSET = 4.0
"""Processing baseline since which Sentinel-2 has an offset."""


@dataclass(frozen=True, slots=True)
class ScenePiece:
    """An item: one tile or slice of an overpass.

    Attributes
    ----------
    ident, collection, url
        What it is called, and where it is described.
    when
        When the ground was seen.
    assets
        By the names of overcast: B02, SCL, VV, labels.
    missing
        Names that it should have and has not.
    tile, datatake, baseline, made
        Tile, start of the overpass, processing baseline, and when it was processed, as
        far as it says.
    offset
        Offset of its pixels that its metadata claim, in digital numbers, or None.
    orbit
        ascending, descending or ``""``, and the relative orbit or 0.
    outline
        In degrees, as the item says.
    """

    ident: str
    collection: str
    url: str
    when: datetime
    assets: Mapping[str, Asset]
    missing: tuple[str, ...] = ()
    tile: str = ""
    baseline: float = 0.0
    made: str = ""
    offset: int | None = None
    orbit: tuple[str, int] = ("", 0)
    outline: Any = field(default=None, repr=False)
    datatake: str = ""


@dataclass(frozen=True, slots=True)
class Take:
    """One overpass as pieces; earlier pieces count before later ones."""

    when: datetime
    pieces: tuple[ScenePiece, ...]

    @property
    def day(self) -> date:
        """The day, in UTC."""
        return self.when.date()

    @property
    def orbit(self) -> tuple[str, int]:
        """Return the orbit of its pieces."""
        return self.pieces[0].orbit

    @property
    def direction(self) -> str:
        """asc, desc or ``""``."""
        return {"ascending": "asc", "descending": "desc"}.get(self.orbit[0], "")

    @property
    def missing(self) -> tuple[str, ...]:
        """Bands that some piece lacks."""
        return tuple(sorted({name for piece in self.pieces for name in piece.missing}))

    def covers(self, outline: Any) -> float:
        """Share of an outline in degrees that the items claim to cover."""
        whole = shapely.union_all([p.outline for p in self.pieces])
        return float(whole.intersection(outline).area / outline.area)

    def named(self) -> str:
        """The day and the orbit, for people."""
        number = f" {self.orbit[1]}" if self.orbit[1] else ""
        orbit = f", {self.orbit[0]}{number}" if self.orbit[0] else ""
        return f"{self.day}{orbit}"


def piece_of(item: Item, product: CatalogueProduct) -> ScenePiece:
    """Return an item as a piece of an overpass.

    Raises
    ------
    KeyError, ValueError
        If it says neither when nor where.
    """
    properties = item["properties"]
    ident, collection = str(item["id"]), str(item.get("collection", ""))
    when = properties.get("datetime") or properties["start_datetime"]
    assets, missing = {}, []
    for name, key in product.assets.items():
        if (asset := item["assets"].get(key)) is None:
            missing.append(name)
            continue
        href = unsigned(str(asset["href"]))
        assets[name] = Asset(href, collection, ident, projection(properties, asset))
    return ScenePiece(
        ident,
        collection,
        _self(item),
        datetime.fromisoformat(str(when).replace("Z", "+00:00")),
        assets,
        tuple(missing),
        _tile(item),
        _number(properties.get("s2:processing_baseline")),
        _made(properties),
        claimed_offset(item, product),
        (
            str(properties.get("sat:orbit_state", "") or ""),
            int(properties.get("sat:relative_orbit", 0) or 0),
        ),
        shapely.from_geojson(json.dumps(item["geometry"])),
        _start(item),
    )


def takes_of(pieces: Iterable[ScenePiece], grid: GeoBox | None = None) -> list[Take]:
    """Pieces by overpass, the newest processing first, in order of time.

    Tiles of one overpass are one `Take`; so are several processings of them. Where
    `grid` is given, pieces of its own projection come before others.
    """
    groups: dict[Any, list[ScenePiece]] = {}
    for piece in pieces:
        key = (piece.when.date(), piece.datatake, piece.orbit)
        groups.setdefault(key, []).append(piece)
    takes = []
    for group in groups.values():
        group.sort(key=lambda p: (p.made, p.ident), reverse=True)
        group.sort(key=lambda p: (-p.baseline, _foreign(p, grid), p.tile))
        first = min(piece.when for piece in group)
        takes.append(Take(first, tuple(group)))
    return sorted(takes, key=lambda t: (t.when, t.pieces[0].ident))


def projection(properties: Item, asset: Item) -> str:
    """The projection that an item says, in any of the four ways; or nothing.

    Examples
    --------
    >>> projection({"proj:epsg": 32632}, {}), projection({"proj:epsg": None}, {})
    ('EPSG:32632', '')
    >>> projection({"proj:code": "EPSG:4326"}, {"proj:code": "EPSG:32601"})
    'EPSG:32601'
    """
    for of in (asset, properties):
        code = of.get("proj:code")
        if code and not str(code).endswith("None"):
            return str(code)
        if of.get("proj:epsg"):
            return f"EPSG:{of['proj:epsg']}"
        if of.get("proj:wkt2"):
            return str(of["proj:wkt2"])
        if of.get("proj:projjson"):
            return str(pyproj.CRS.from_json_dict(of["proj:projjson"]).to_wkt())
    return ""


def claimed_offset(item: Item, product: CatalogueProduct) -> int | None:
    """Offset of reflectance that metadata claim, in digital numbers; None if they don't.

    Sources say it in four ways: that it was applied, with a band, with an asset, or only
    by the processing baseline.
    """
    properties = item["properties"]
    if properties.get("earthsearch:boa_offset_applied") is True:
        return 0
    asset = item["assets"].get(product.assets.get("B02", ""), {})
    bands = [*asset.get("raster:bands", []), *asset.get("bands", []), asset]
    for band in bands:
        offset = band.get("offset", band.get("raster:offset"))
        scale = band.get("scale", band.get("raster:scale"))
        if offset is not None and scale:
            return round(float(offset) / float(scale))
    if "s2:processing_baseline" not in properties:
        return None
    baseline = _number(properties["s2:processing_baseline"])
    return -1000 if baseline >= _FIRST_OFFSET else 0


def unsigned(href: str) -> str:
    """An address without a signature."""
    if not href.startswith(("http://", "https://")):
        return href
    return Location(href).unsigned


def same_acquisition(ident: str) -> str:
    """Return what two processings of one Sentinel-1 acquisition have in common.

    Examples
    --------
    >>> same_acquisition("S1A_IW_GRDH_1SDV_20240514T0_053845_05AE_rtc")
    'S1A_IW_GRDH_1SDV_20240514T0_053845'
    """
    return _PROCESSED.sub("", ident)


def _foreign(piece: ScenePiece, grid: GeoBox | None) -> bool:
    crs = next(iter(piece.assets.values())).crs if piece.assets else ""
    return grid is not None and bool(crs) and grid.crs != crs


def _start(item: Item) -> str:
    """Return when the overpass began, which all its tiles share; or nothing."""
    properties = item["properties"]
    if str(properties.get("constellation")).lower().startswith("sentinel-1"):
        return ""
    for text in (properties.get("s2:datatake_id"), properties.get("s2:product_uri")):
        if text and (match := _START.search(str(text))):
            return match[1]
    return str(properties.get("platform", ""))


def _tile(item: Item) -> str:
    properties = item["properties"]
    said = properties.get("s2:mgrs_tile") or properties.get("grid:code") or ""
    if said:
        return str(said).removeprefix("MGRS-").removeprefix("T")
    match = _TILE.search(str(item["id"]))
    return match[1] if match else ""


def _made(properties: Item) -> str:
    names = ("processing:datetime", "s2:generation_time", "created", "updated")
    return next((str(properties[n]) for n in names if properties.get(n)), "")


def _self(item: Item) -> str:
    own = [link for link in item.get("links", []) if link.get("rel") == "self"]
    return unsigned(str(own[0].get("href", ""))) if own else ""


def _number(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return 0.0
