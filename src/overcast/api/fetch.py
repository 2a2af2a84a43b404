"""Images and labels of a place and a time, from catalogues, in one call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from odc.geo.geobox import GeoBox

from overcast.acquire.catalogue import Catalogue, load_catalogue
from overcast.acquire.fetch import Fetched
from overcast.acquire.fetch import fetch as fetch_request
from overcast.acquire.survey import SENTINEL_1, SENTINEL_2, Request
from overcast.api.place_settings import PlaceSettings
from overcast.progress import Progress, quiet

if TYPE_CHECKING:
    from typing_extensions import Unpack

SENTINELS = (SENTINEL_2, SENTINEL_1)
_SOURCE = "planetary-computer"


class FetchSettings(PlaceSettings, total=False):
    """The data that are wanted of a place.

    Attributes
    ----------
    grid
        A raster whose grid is taken instead of one in UTM.
    """

    grid: str


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
    products = wanted.get("products", SENTINELS)
    request = request_of(place, wanted, wanted.get("grid"), products)
    return fetch_request(request, Path(out), overwrite, progress)


def request_of(
    place: str | Sequence[float],
    wanted: PlaceSettings,
    grid: str | GeoBox | None,
    products: Sequence[str],
) -> Request:
    """Return the request for some products of a place.

    Raises
    ------
    ValueError
        If the place, the time or a source is none.
    """
    from overcast.acquire.period import period_of
    from overcast.acquire.place import area_of

    text = place if isinstance(place, str) else ",".join(f"{v:.9g}" for v in place)
    file = grid if isinstance(grid, str) else None
    area = area_of(text, wanted.get("resolution", 10.0), file)
    if isinstance(grid, GeoBox):
        area = replace(area, grid=grid)
    period = period_of(
        wanted.get("year"),
        wanted.get("first"),
        wanted.get("last"),
        wanted.get("season"),
        area.outline.centroid.y < 0,
    )
    return Request(
        area=area,
        period=period,
        catalogues=sources_in(wanted),
        products=tuple(products),
        count=wanted.get("dates", 4),
        clear=wanted.get("clear", 0.5),
        skip=tuple(wanted.get("skip", ())),
    )


def sources_in(wanted: PlaceSettings) -> tuple[Catalogue, ...]:
    """The sources that are asked."""
    source = wanted.get("source", _SOURCE)
    names = [source] if isinstance(source, str) else source
    return tuple(load_catalogue(name) for name in names)
