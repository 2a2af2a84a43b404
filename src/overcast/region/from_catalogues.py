"""Images of a region that catalogues have: what ``acquire`` in its file says.

Nothing is fetched ahead. The task of a tile searches, signs and reads what its own tile
needs, and so does the task of a window that is learned from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date
from pathlib import Path
from typing import Any, Literal

from odc.geo.geobox import GeoBox

from overcast.acquire.acquired import SERIES, Acquired
from overcast.acquire.catalogue import load_catalogue, offering
from overcast.acquire.origins import Origins
from overcast.acquire.period import period_of
from overcast.acquire.scenes import ScenePiece
from overcast.acquire.squares import Search, Squares
from overcast.acquire.survey import SENTINEL_1, SENTINEL_2
from overcast.geo.location import Location
from overcast.geo.series import Moment
from overcast.geo.stack import Stack
from overcast.limits import check_limits
from overcast.plan_images import DILATION, LATER

SURVEYS = "surveys"
"""Folder of a region with what is read of each square."""
_RENAMED = {"from": "first", "to": "last"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquire:
    """Which images catalogues are asked for.

    Attributes
    ----------
    year, first, last, season
        When; ``first`` and ``last`` are called ``from`` and ``to`` in the file.
    source
        Names of sources, or TOML files; the first that has a product is asked.
    dates
        Parts of the time. Of each part the clearest day of a square is read.
    clear
        Least share of a square that must be clear on a day.
    skip
        Items to leave out.
    radar
        Whether Sentinel-1 is read, if a source has it.
    orbit
        Direction of Sentinel-1 everywhere; without it, that which covers most of a
        square.
    dilation
        Metres around cloud and shadow that are hidden as well.
    square
        Pixels along a square, of which the same days are read.
    labels
        Names of labels that are fetched, such as worldcover.
    """

    year: int | None = None
    first: str | None = None
    last: str | None = None
    season: str | None = None
    source: tuple[str, ...] = ("planetary-computer",)
    dates: int = 4
    clear: float = 0.5
    skip: tuple[str, ...] = ()
    radar: bool = True
    orbit: Literal["ascending", "descending"] | None = None
    dilation: float = DILATION
    square: int = 2048
    labels: tuple[str, ...] = field(default=(), metadata=LATER)

    def __post_init__(self) -> None:
        """Check numbers."""
        check_limits(self, dates=(1, 60), clear=(0.0, 1.0), square=(32, 16_384))
        check_limits(self, dilation=(0, 10_000))


def tree_of_acquire(acquire: Acquire) -> dict[str, Any]:
    """Plain values, as ``region.yaml`` has them."""
    names = {new: old for old, new in _RENAMED.items()}
    tree = {names.get(key, key): value for key, value in asdict(acquire).items()}
    lists = ("source", "skip", "labels")
    return {
        key: list(value) if key in lists else value
        for key, value in tree.items()
        if value not in (None, ())
    }


def plain_acquire(tree: Mapping[str, object], folder: Path) -> dict[str, object]:
    """Values of ``acquire`` in a file by the names of `Acquire`, days as text."""
    plain = {_RENAMED.get(str(key), str(key)): value for key, value in tree.items()}
    for key in ("first", "last"):
        if isinstance(day := plain.get(key), date):
            plain[key] = day.isoformat()
    for key in ("source", "skip", "labels"):
        if isinstance(plain.get(key), str):
            plain[key] = [plain[key]]
    if isinstance(sources := plain.get("source"), list):
        plain["source"] = [_located(name, folder) for name in sources]
    return plain


def _located(name: object, folder: Path) -> object:
    if isinstance(name, str) and (folder / name).is_file():
        return Location.of(name, folder).text
    return name


def search_of(acquire: Acquire, *, south: bool) -> Search:
    """The search that is made in every square; `south`: of the equator.

    Raises
    ------
    ValueError
        If a source is not known, none has Sentinel-2, or there is no time.
    """
    catalogues = tuple(load_catalogue(name) for name in acquire.source)
    offering(catalogues, SENTINEL_2)
    times = (acquire.year, acquire.first, acquire.last, acquire.season)
    has_radar = any(SENTINEL_1 in one.products for one in catalogues)
    return Search(
        catalogues=catalogues,
        period=period_of(*times, south),
        dates=acquire.dates,
        clear=acquire.clear,
        skip=acquire.skip,
        products=(SENTINEL_2, *([SENTINEL_1] if acquire.radar and has_radar else [])),
        orbit=acquire.orbit or "",
        dilation=acquire.dilation,
    )


def images_of(
    squares: Squares, grid: GeoBox
) -> tuple[dict[str, Acquired], dict[str, Moment]]:
    """Images of a stack on a grid around a region, and their moments."""
    search = squares.search
    days = search.days
    images, moments = dict[str, Acquired](), dict[str, Moment]()
    for product in search.products:
        for part, day in enumerate(days):
            moment = Moment(SERIES[product], day)
            name = moment.name if len(days) > 1 else moment.series
            images[name] = Acquired(squares, product, part, grid)
            if len(days) > 1:
                moments[name] = moment
    return images, moments


def credits_of(search: Search) -> list[str]:
    """What whoever publishes the map has to say."""
    credits = []
    years = f"{search.period.first.year}"
    if search.period.last.year != search.period.first.year:
        years += f" to {search.period.last.year}"
    for product in search.products:
        source = offering(search.catalogues, product)
        about = source.products[product]
        said = about.attribution.replace("{years}", years) or product
        licence = f"; licence: {about.licence}" if about.licence else ""
        credits.append(f"{said} (by {source.title}{licence})")
    return list(dict.fromkeys(credits))


def in_memory(stack: Stack, grid: GeoBox) -> Stack:
    """The stack with what it acquires on a grid in memory, read once."""
    images = {
        name: source.held(grid) if isinstance(source, Acquired) else source
        for name, source in stack.images.items()
    }
    return replace(stack, images=images)


def keys_of(stack: Stack) -> list[str]:
    """What tells the searches of a stack apart; nothing of files."""
    return sorted({one.squares.search.key for one in _acquired(stack)})


def origins_on(stack: Stack, grid: GeoBox) -> tuple[Origins, list[str]]:
    """Items that a stack reads for a grid, and when they were seen; what was noticed."""
    pieces, notes = dict[str, ScenePiece](), list[str]()
    for one in _acquired(stack):
        for survey in one.surveys(grid):
            takes = survey.takes.get(one.product, ())
            pieces |= {piece.ident: piece for take in takes for piece in take.pieces}
            notes += survey.notes
    seen = sorted(piece.when.astimezone(UTC) for piece in pieces.values())
    origins = Origins(
        items=tuple(piece.url for piece in pieces.values() if piece.url),
        times=tuple(dict.fromkeys(f"{when:%Y-%m-%dT%H:%M:%SZ}" for when in seen)),
    )
    return origins, list(dict.fromkeys(notes))


def _acquired(stack: Stack) -> Iterator[Acquired]:
    return (s for s in stack.images.values() if isinstance(s, Acquired))
