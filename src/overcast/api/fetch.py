"""Images and labels of a place and a time, from catalogues, in one call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from overcast.acquire.fetch import Fetched
from overcast.acquire.fetch import fetch as fetch_request
from overcast.progress import Progress, quiet

if TYPE_CHECKING:
    from typing_extensions import Unpack

_SENTINELS = ("sentinel-2", "sentinel-1")
_SOURCE = "planetary-computer"


class FetchSettings(TypedDict, total=False):
    """The data that are wanted of a place.

    Attributes
    ----------
    year
        A whole year; or `first` and `last`, days such as 2024-04-01.
    season
        Only spring, summer, autumn or winter of it.
    source
        planetary-computer (default), earth-search, copernicus, a TOML file, or several
        of them: the first that has a product is asked for it.
    products
        sentinel-2, sentinel-1, elevation, and names of labels such as worldcover. By
        default the first two.
    dates
        Days of Sentinel-2, and as many of Sentinel-1 (4).
    clear
        Least share of the place that is clear on a day (0.5).
    resolution
        Metres of a pixel (10).
    grid
        A raster whose grid is taken instead.
    skip
        Items of the catalogue to leave out.
    """

    year: int
    first: str
    last: str
    season: str
    source: str | Sequence[str]
    products: Sequence[str]
    dates: int
    clear: float
    resolution: float
    grid: str
    skip: Sequence[str]


def fetch(
    place: str | Sequence[float],
    out: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    progress: Progress = quiet,
    **wanted: Unpack[FetchSettings],
) -> Fetched:
    """Fetch images and labels of a place onto one grid, into a folder.

    What lies there already is not read again: the same call goes on where it was
    stopped, and needs no network once all is there.

    Parameters
    ----------
    place
        West, south, east and north in degrees, a vector file, or a tile such as 32UPU.
    out
        Folder to write to.
    overwrite
        Replace what another call left there.
    progress
        Called with stage, done, total and a note.
    **wanted
        Time, source and products: see `FetchSettings`.

    Returns
    -------
    Fetched
        ``overcast.scene(**fetched.clearest)`` opens its clearest day.

    Raises
    ------
    ValueError
        If there is nothing to read, or `out` holds something else.
    MachineError
        If a server does not answer; the same call goes on.

    Examples
    --------
    >>> import overcast as oc
    >>> fetched = oc.fetch((11.2, 48.0, 11.6, 48.3), "data", year=2024)  # doctest: +SKIP
    >>> scene = oc.scene(**fetched.clearest)  # doctest: +SKIP
    """
    from overcast.acquire.catalogue import load_catalogue
    from overcast.acquire.period import period_of
    from overcast.acquire.place import area_of
    from overcast.acquire.survey import Request

    text = place if isinstance(place, str) else ",".join(f"{v:.9g}" for v in place)
    area = area_of(text, wanted.get("resolution", 10.0), wanted.get("grid"))
    period = period_of(
        wanted.get("year"),
        wanted.get("first"),
        wanted.get("last"),
        wanted.get("season"),
        area.outline.centroid.y < 0,
    )
    source = wanted.get("source", _SOURCE)
    names = [source] if isinstance(source, str) else source
    request = Request(
        area=area,
        period=period,
        catalogues=tuple(load_catalogue(name) for name in names),
        products=tuple(wanted.get("products", _SENTINELS)),
        count=wanted.get("dates", 4),
        clear=wanted.get("clear", 0.5),
        skip=tuple(wanted.get("skip", ())),
    )
    return fetch_request(request, Path(out), overwrite, progress)
