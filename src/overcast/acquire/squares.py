"""What is read of catalogues for a region that is too large for one choice of days.

The ground is cut into squares of a lattice. For each square and each part of the period
the clearest overpass is chosen once, and the choice is kept in a file. So a pixel is the
same in whichever tile or window it is read, and on whichever machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import shapely

from overcast.acquire.asset import Reader
from overcast.acquire.catalogue import Catalogue
from overcast.acquire.origins import NONE, Origins
from overcast.acquire.period import Period
from overcast.acquire.place import Area
from overcast.acquire.survey import SENTINEL_1, SENTINEL_2, Request, Survey, make_survey
from overcast.errors import writing
from overcast.geo.lattice import Lattice
from overcast.geo.tiling import Window
from overcast.output import write_whole
from overcast.progress import quiet

PRODUCTS = (SENTINEL_2, SENTINEL_1)
_READERS: dict[str, Reader] = {}
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for in catalogues, wherever it is.

    Attributes
    ----------
    catalogues
        Sources; the first that has a product is asked for it.
    period
        When.
    dates
        Parts of the period, each with one overpass of each product.
    clear
        Least share of a square that is clear.
    skip
        Identifiers of items that are left out.
    products
        ``sentinel-2``, and ``sentinel-1`` or not.
    orbit
        ``ascending`` or ``descending``: no other Sentinel-1 is read; ``""``: of each
        square that which covers most.
    dilation
        Metres around cloud and shadow that are not read either.
    """

    catalogues: tuple[Catalogue, ...]
    period: Period
    dates: int = 1
    clear: float = 0.5
    skip: tuple[str, ...] = ()
    products: tuple[str, ...] = PRODUCTS
    orbit: str = ""
    dilation: float = 0.0

    @property
    def parts(self) -> tuple[Period, ...]:
        """The parts of the period, in order."""
        months = self.period.months
        return tuple(Period(*ends, months) for ends in self.period.parts(self.dates))

    @property
    def days(self) -> tuple[date, ...]:
        """The day in the middle of each part, which stands for it."""
        return tuple(p.first + (p.last - p.first) / 2 for p in self.parts)

    @property
    def key(self) -> str:
        """Return what tells two searches apart; secrets are no part of it."""
        return _digest(asdict(self))

    def of(self, area: Area, part: Period) -> Request:
        """The request for one overpass of each product."""
        return Request(
            area=area,
            period=part,
            catalogues=self.catalogues,
            products=self.products,
            count=1,
            clear=self.clear,
            skip=self.skip,
            orbit=self.orbit,
        )


class Choices(Protocol):
    """What was chosen to be read of a lattice, square by square."""

    @property
    def lattice(self) -> Lattice:
        """The pixels."""
        ...

    @property
    def search(self) -> Search:
        """What is searched for."""
        ...

    @property
    def side(self) -> int:
        """Pixels along a square."""
        ...

    def surveys(self, window: Window) -> list[Survey]:
        """What is read of the square in which a window lies, for each part."""
        ...

    def words(self, product: str, part: int) -> str:
        """What an image is, for messages."""
        ...

    def origins(self, product: str, part: int) -> Origins:
        """Where an image is read from, as far as that was chosen for all of it."""
        ...


@dataclass(frozen=True, slots=True)
class Squares:
    """Squares of a lattice, and what is read of each.

    Attributes
    ----------
    lattice
        The pixels.
    code
        Short name of the projection.
    search
        What is searched for.
    folder
        Where choices are kept: one file for a square, which all machines see.
    side
        Pixels along a square.
    """

    lattice: Lattice
    code: str
    search: Search
    folder: Path
    side: int = 2048

    def surveys(self, window: Window) -> list[Survey]:
        """What is read of the square in which a window lies, for each part.

        Raises
        ------
        MachineError
            If a server does not answer.
        """
        row, column = window.y // self.side, window.x // self.side
        square = Window(row * self.side, column * self.side, self.side, self.side)
        area = _area(self.lattice, square)
        requests = [self.search.of(area, part) for part in self.search.parts]
        path = self.folder / f"{self.code}_{row:04d}_{column:04d}.json"
        if (surveys := self._read(path, requests)) is None:
            made = [_surveyed(request) for request in requests]
            parts = [json.loads(one.to_json()) for one in made]
            _keep(path, json.dumps({"search": self.search.key, "parts": parts}))
            # Another machine may have kept its own first: all read that one.
            surveys = self._read(path, requests) or made
        return surveys

    def words(self, product: str, part: int) -> str:
        """What an image is, for messages."""
        names = ", ".join(c.name for c in self.search.catalogues)
        period = self.search.parts[part]
        return f"{product} of {names}, {period.first} to {period.last}"

    def origins(self, product: str, part: int) -> Origins:
        """Nothing: each square is read from other items."""
        return NONE

    def _read(self, path: Path, requests: list[Request]) -> list[Survey] | None:
        try:
            tree = json.loads(path.read_text(encoding="utf-8"))
            if tree["search"] != self.search.key:
                return None
            return [
                Survey.from_json(json.dumps(part), request)
                for part, request in zip(tree["parts"], requests, strict=True)
            ]
        except (OSError, ValueError, KeyError, TypeError):
            return None


def reader_of(catalogue: Catalogue) -> Reader:
    """The reader of a source, one for all of this process: tokens are shared."""
    key = _digest(asdict(catalogue))
    with _LOCK:
        return _READERS.setdefault(key, Reader(catalogue))


def forget() -> None:
    """Give back the memory of what was read."""
    for reader in list(_READERS.values()):
        reader.forget()


def _digest(tree: Any) -> str:
    text = json.dumps(tree, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _surveyed(request: Request) -> Survey:
    """The survey of a part; without the product that was never clear enough."""
    readers = {source.name: reader_of(source) for source in request.catalogues}
    try:
        survey = make_survey(request, readers, quiet)
    except ValueError as error:
        rest = tuple(p for p in request.products if p != SENTINEL_2)
        survey = Survey()
        if rest:
            survey = make_survey(replace(request, products=rest), readers, quiet)
        survey.notes.append(str(error))
    survey.rate = 0.0
    return survey


def _area(lattice: Lattice, square: Window) -> Area:
    grid = lattice.grid(square)
    outline = grid.footprint("EPSG:4326", npoints=8).geom
    return Area("square", shapely.make_valid(outline), grid)


def _keep(path: Path, text: str) -> None:
    """Keep a text under a name, unless another machine was first."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(draft, text)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            draft.replace(path)
        draft.unlink(missing_ok=True)
