"""What a catalogue has for a place and a time, and what of it is read.

A survey is made once and kept in the journal: the same command goes on with the same
items, whatever the catalogue says later.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from overcast.acquire.asset import Reader
from overcast.acquire.catalogue import Catalogue, CatalogueProduct, offering
from overcast.acquire.choose import Left, choose_optical, choose_radar, distinct
from overcast.acquire.look import look_all, offset_in
from overcast.acquire.period import Period
from overcast.acquire.place import Area
from overcast.acquire.scenes import ScenePiece, Take, piece_of, takes_of, unsigned
from overcast.acquire.search import search
from overcast.errors import MachineError
from overcast.progress import Progress

SENTINEL_2, SENTINEL_1, ELEVATION = "sentinel-2", "sentinel-1", "elevation"
NEED_LOGIN = {
    "modis": "MODIS (MCD12Q1) needs an Earthdata login: download it from LP DAAC",
    "corine": "CORINE needs a login at Copernicus Land: download it",
}
"""Labels that no source gives without a login, and what to do."""


@dataclass(frozen=True, slots=True)
class Request:
    """The data that are wanted.

    Attributes
    ----------
    area, period
        Where and when.
    catalogues
        Sources; the first that has a product is asked for it.
    products
        sentinel-2, sentinel-1, elevation, and names of labels.
    count
        Dates of Sentinel-2, and as many of Sentinel-1.
    clear
        Least share of the area that is clear on a date.
    skip
        Identifiers of items that are left out.
    orbit
        The only direction of Sentinel-1 that is taken; "" is either.
    """

    area: Area
    period: Period
    catalogues: tuple[Catalogue, ...]
    products: tuple[str, ...]
    count: int = 4
    clear: float = 0.5
    skip: tuple[str, ...] = ()
    orbit: str = ""

    def source(self, product: str) -> Catalogue:
        """The source of a product.

        Raises
        ------
        ValueError
            If none of the sources has it.
        """
        known = any(product in c.products for c in self.catalogues)
        if product in NEED_LOGIN and not known:
            raise ValueError(
                f"{NEED_LOGIN[product]}, and give --labels FILE to overcast map"
            )
        return offering(self.catalogues, product)


@dataclass(slots=True)
class Survey:
    """The data that will be read.

    Attributes
    ----------
    takes
        Overpasses by product, in order of time.
    items
        Items as their servers wrote them, cut down to what is read, by identifier.
    clear
        Share of the area that is clear, by day of Sentinel-2.
    offsets
        Of reflectance in digital numbers, by item.
    left, notes
        What is not read and why; what was noticed.
    rate
        Bytes per second of what was looked at, or 0.
    """

    takes: dict[str, list[Take]] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    clear: dict[str, float] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rate: float = 0.0

    def to_json(self) -> str:
        """All of it as text."""
        takes = {
            product: [[p.ident for p in take.pieces] for take in each]
            for product, each in self.takes.items()
        }
        left = [[one.name, one.why] for one in self.left]
        tree = {
            "takes": takes,
            "items": self.items,
            "clear": self.clear,
            "offsets": self.offsets,
            "left": left,
            "notes": self.notes,
        }
        return json.dumps(tree, indent=1)

    @classmethod
    def from_json(cls, text: str, request: Request) -> Survey:
        """Return what `to_json` wrote."""
        tree = json.loads(text)
        takes: dict[str, list[Take]] = {}
        for product, each in tree["takes"].items():
            about = request.source(product).products[product]
            takes[product] = [
                _take([piece_of(tree["items"][name], about) for name in names])
                for names in each
            ]
        left = [Left(*pair) for pair in tree["left"]]
        rest = {k: tree[k] for k in ("items", "clear", "offsets", "notes")}
        return cls(takes=takes, left=left, **rest)


def make_survey(
    request: Request, readers: Mapping[str, Reader], progress: Progress
) -> Survey:
    """Search, look and choose.

    `readers` are those of the sources, by name.

    Raises
    ------
    ValueError
        If there is nothing to read.
    MachineError
        If a server does not answer.
    """
    survey = Survey()
    for product in request.products:
        request.source(product)  # before anything is asked
    started = time.monotonic()
    days: list[date] = []
    if SENTINEL_2 in request.products:
        days = _optical(request, survey, readers, progress)
    if SENTINEL_1 in request.products:
        _radar(request, survey, days)
    for product in request.products:
        if product not in (SENTINEL_1, SENTINEL_2):
            _still(request, survey, product)
    spent = max(time.monotonic() - started, 1e-3)
    read = sum(reader.traffic.bytes for reader in readers.values())
    survey.rate = read / spent
    return survey


def _optical(
    request: Request,
    survey: Survey,
    readers: Mapping[str, Reader],
    progress: Progress,
) -> list[date]:
    source = request.source(SENTINEL_2)
    reader = readers[source.name]
    pieces, items = _found(request, survey, SENTINEL_2)
    takes = takes_of(pieces, request.area.grid)
    seen = look_all(reader, takes, request.area, progress)
    choice = choose_optical(takes, seen, request.period, request.count, request.clear)
    survey.left += choice.left
    for take, one in zip(takes, seen, strict=True):
        if take in choice.takes:
            survey.clear[str(take.day)] = round(one.clear, 4)
    if len(choice.takes) < request.count:
        survey.notes.append(
            f"{len(choice.takes)} days of Sentinel-2 are clear on {request.clear:.0%} of "
            f"the area, not {request.count}"
        )
    for piece in (piece for take in choice.takes for piece in take.pieces):
        offset = offset_in(reader, piece, request.area)
        survey.offsets[piece.ident] = offset.value
        survey.notes += [offset.note] if offset.note else []
    reader.forget()
    _keep(survey, SENTINEL_2, choice.takes, items)
    return [take.day for take in choice.takes]


def _radar(request: Request, survey: Survey, days: Sequence[date]) -> None:
    pieces, items = _found(request, survey, SENTINEL_1)
    newest, left = distinct(
        [p for p in pieces if not request.orbit or p.orbit[0] == request.orbit]
    )
    survey.left += left
    if not days:
        parts = request.period.parts(request.count)
        days = [first + (last - first) / 2 for first, last in parts]
    takes = takes_of(newest, request.area.grid)
    choice = choose_radar(takes, request.area.outline, days, request.count)
    survey.left += choice.left
    if not choice.takes:
        survey.notes.append(
            "no Sentinel-1 with VV and VH for this place and time; mapped without it"
        )
    _keep(survey, SENTINEL_1, choice.takes, items)


def _still(request: Request, survey: Survey, product: str) -> None:
    """Labels of the nearest year, or what has no time."""
    pieces, items = _found(request, survey, product)
    if not pieces:
        title = request.source(product).title
        raise ValueError(f"{title}: has no {product} for this place")
    wanted = request.period.first.year
    undated = request.source(product).products[product].undated
    years = sorted(
        {piece.when.year for piece in pieces}, key=lambda y: (abs(y - wanted), -y)
    )
    if not undated and years[0] != wanted:
        survey.notes.append(f"{product}: of {years[0]}, the nearest year to {wanted}")
    chosen = [p for p in pieces if undated or p.when.year == years[0]]
    for year in () if undated else years[1:]:
        survey.left.append(Left(f"{product} {year}", f"{years[0]} is nearer"))
    _keep(survey, product, [_take(chosen)], items)


def _found(
    request: Request, survey: Survey, product: str
) -> tuple[list[ScenePiece], dict[str, dict[str, Any]]]:
    """Pieces of a product for the place, and of those with a time for the period."""
    source = request.source(product)
    about = source.products[product]
    dated = product in (SENTINEL_1, SENTINEL_2)
    interval = request.period.interval if dated else None
    answer = search(source, about.collections, request.area.bbox, interval)
    survey.notes += answer.notes
    pieces, items = [], {}
    for item in answer.items:
        ident = str(item.get("id"))
        if ident in request.skip:
            survey.left.append(Left(ident, "left out by --skip"))
            continue
        try:
            piece = piece_of(item, about)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            survey.left.append(Left(ident, f"its item can't be understood ({error!r})"))
            continue
        if dated and not request.period.holds(piece.when.date()):
            continue
        if not dated and piece.missing:
            survey.left.append(Left(ident, f"has no {', '.join(piece.missing)}"))
            continue
        pieces.append(piece)
        items[ident] = _cut_down(item, about)
    return pieces, items


def _cut_down(item: Mapping[str, Any], product: CatalogueProduct) -> dict[str, Any]:
    """An item with the assets that are read, without signatures."""
    keys = set(product.assets.values())
    assets = {
        key: {**asset, "href": unsigned(str(asset["href"]))}
        for key, asset in item["assets"].items()
        if key in keys
    }
    links = [
        {**link, "href": unsigned(str(link["href"]))}
        for link in item.get("links", [])
        if link.get("rel") in ("self", "collection", "license")
    ]
    return {**item, "assets": assets, "links": links}


def _keep(
    survey: Survey,
    product: str,
    takes: Sequence[Take],
    items: Mapping[str, dict[str, Any]],
) -> None:
    survey.takes[product] = list(takes)
    for piece in (piece for take in takes for piece in take.pieces):
        survey.items[piece.ident] = items[piece.ident]


def _take(pieces: Sequence[ScenePiece]) -> Take:
    if not pieces:
        raise MachineError("the journal of an earlier command is damaged; --overwrite")
    return Take(min(piece.when for piece in pieces), tuple(pieces))
