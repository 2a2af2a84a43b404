"""Items of a STAC API: every one once, whatever the server makes of pages and filters.

Only collections, box and time are asked for. Servers pass over conditions that they
don't know, or answer with nothing; all others are looked at here.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from overcast.acquire.catalogue import Catalogue
from overcast.errors import MachineError, reading
from overcast.geo.location import hide

if TYPE_CHECKING:
    from pystac_client import Client

_PAGE, _MOST_PAGES = 100, 1000
_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_CAUSE = re.compile(r"Caused by (\w+)")
_CAUSES = {
    "NameResolutionError": "its name is not known; is there a network?",
    "NewConnectionError": "no connection; is there a network?",
    "ConnectTimeoutError": "no connection in time",
    "ReadTimeoutError": "no answer in time",
    "ResponseError": "too many errors",
}
"""Errors of urllib3, and what they mean."""
Item = Mapping[str, Any]


@dataclass(slots=True)
class SearchAnswer:
    """Items as their server wrote them, and what was noticed."""

    items: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def search(
    catalogue: Catalogue,
    collections: tuple[str, ...],
    bbox: tuple[float, float, float, float],
    interval: str | None,
) -> SearchAnswer:
    """Every item of `collections` that touches the box in the interval, once.

    Raises
    ------
    MachineError
        If the server does not answer, or not as a STAC API does.
    """
    if Path(catalogue.api).is_file():
        return _from_file(catalogue, collections, bbox, interval)
    answer, known, strange = SearchAnswer(), dict[str, int](), 0
    for page in _pages(catalogue, collections, bbox, interval):
        fresh = 0
        for item in page:
            name = f"{item.get('collection')}/{item.get('id')}"
            if name in known:
                known[name] += 1
                continue
            known[name], fresh = 1, fresh + 1
            if _is_asked_for(item, collections, bbox):
                answer.items.append(item)
            else:
                strange += 1
        if page and not fresh:
            answer.notes.append(
                f"{catalogue.title}: a page of results came twice; the search ended there"
            )
            return answer
    if strange:
        answer.notes.append(
            f"{catalogue.title}: {strange} items of other collections or places came, "
            "which were not asked for; they are passed over"
        )
    if twice := sum(count > 1 for count in known.values()):
        answer.notes.append(
            f"{catalogue.title}: {twice} items came more than once; each is taken once"
        )
    return answer


def _pages(
    catalogue: Catalogue,
    collections: tuple[str, ...],
    bbox: tuple[float, float, float, float],
    interval: str | None,
) -> Iterator[list[dict[str, Any]]]:
    from pystac_client.exceptions import APIError
    from requests import RequestException

    # What pystac-client raises of a server that is no STAC API, or can't search.
    refused = (APIError, RequestException, ValueError, KeyError, NotImplementedError)
    try:
        with warnings.catch_warnings():
            # That a server does not say what it conforms to is no news for a user.
            warnings.simplefilter("ignore")
            results = _client(catalogue).search(
                collections=list(collections), bbox=bbox, datetime=interval, limit=_PAGE
            )
            for page in islice(results.pages_as_dicts(), _MOST_PAGES):
                yield [one for one in page.get("features", []) if "id" in one]
    except refused as error:
        free = catalogue.asks.startswith("nothing")
        asks = "" if free else f"; it asks for {catalogue.asks}"
        raise MachineError(
            f"{hide(catalogue.api)}: the catalogue does not answer a search "
            f"({_reason(error)}){asks}; try again later, or give another --source"
        ) from None


def _reason(error: Exception) -> str:
    """Why a server did not answer, in a few words without addresses and keys."""
    text = hide(str(error)).strip()
    if match := _CAUSE.search(text):
        return _CAUSES.get(match[1], match[1])
    return text.splitlines()[0][:160] if text else type(error).__name__


def _client(catalogue: Catalogue) -> Client:
    """Return a client that is as patient as the catalogue says."""
    from pystac_client import Client
    from pystac_client.stac_api_io import StacApiIO
    from urllib3 import Retry

    patience = catalogue.patience
    retry = Retry(
        total=patience.tries,
        backoff_factor=patience.delay_s,
        backoff_max=patience.longest_s,
        status_forcelist=_AGAIN,
        allowed_methods=None,
        respect_retry_after_header=True,
    )
    io = StacApiIO(max_retries=retry, timeout=patience.silent_s)
    return Client.open(catalogue.api, stac_io=io)


def _from_file(
    catalogue: Catalogue,
    collections: tuple[str, ...],
    bbox: tuple[float, float, float, float],
    interval: str | None,
) -> SearchAnswer:
    """Items of an item collection on this machine, selected as a server would."""
    path = Path(catalogue.api)
    with reading(path, "give a STAC item collection", "item collection"):
        items = json.loads(path.read_text(encoding="utf-8"))["features"]
    first, _, last = (interval or "/").partition("/")
    answer = SearchAnswer()
    for item in items:
        when = str(item["properties"].get("datetime") or "")
        outside = interval is not None and not first <= when <= last
        if _is_asked_for(item, collections, bbox) and not outside:
            answer.items.append(item)
    return answer


def _is_asked_for(
    item: Item, collections: tuple[str, ...], bbox: tuple[float, float, float, float]
) -> bool:
    """Return whether an item is of a collection, and touches a box.

    What it does not say is believed of the server. Times are looked at by whoever reads
    the item: some items have two.
    """
    collection = item.get("collection")
    return collection in (None, *collections) and _touches(item, bbox)


def _touches(item: Item, bbox: tuple[float, float, float, float]) -> bool:
    own: list[Any] = list(item.get("bbox") or ())
    numbers = all(isinstance(value, int | float) for value in own)
    if len(own) not in (4, 6) or not numbers:  # flat, or with heights
        return True
    west, south = own[:2]
    east, north = own[len(own) // 2 :][:2]
    across = west > east  # the antimeridian
    beside = across or (west <= bbox[2] and east >= bbox[0])
    return bool(beside and south <= bbox[3] and north >= bbox[1])
