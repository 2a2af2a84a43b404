"""Images of a place that were chosen once, and are read where they are needed.

The choice is that of `overcast.acquire.fetch`; only that nothing is kept. Servers are
asked for the part of an image that somebody looks at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from overcast.acquire.acquired import SERIES, Acquired
from overcast.acquire.fetch import sources_of
from overcast.acquire.origins import Origins, credit_of
from overcast.acquire.squares import Search, reader_of
from overcast.acquire.survey import SENTINEL_2, Request, Survey, make_survey
from overcast.geo.lattice import Lattice
from overcast.geo.series import Moment
from overcast.geo.tiling import Window
from overcast.progress import Progress


@dataclass(frozen=True, slots=True)
class PlaceChoice:
    """The overpasses of one place, as `Acquired` reads them.

    Attributes
    ----------
    request, survey
        What was asked for, and what was chosen.
    lattice
        The pixels of the place, from its corner.
    search
        Where images are read, and how far clouds reach.
    side
        Pixels along a square that holds the whole place.
    """

    request: Request
    survey: Survey = field(repr=False)
    lattice: Lattice
    search: Search
    side: int

    def surveys(self, window: Window) -> list[Survey]:
        """The first overpass of every product, the second one, and so on."""
        takes = self.survey.takes
        return [
            Survey(
                takes={p: [each[k]] for p, each in takes.items() if k < len(each)},
                offsets=self.survey.offsets,
            )
            for k in range(max(map(len, takes.values()), default=0))
        ]

    def words(self, product: str, part: int) -> str:
        """What an image is, for messages."""
        return f"{product} of {self.survey.takes[product][part].day}"

    def origins(self, product: str, part: int) -> Origins:
        """The items that an image is read from, and what their source asks to be said."""
        take = self.survey.takes[product][part]
        share = self.survey.clear.get(str(take.day)) if product == SENTINEL_2 else None
        clear = "" if share is None else f", {share:.0%} of the place clear"
        sources = sources_of(self.request, self.survey)
        return Origins(
            lines=(
                f"Place: {self.request.area.name}",
                f"{SERIES[product]}: {product}, of {take.named()}{clear}",
            ),
            credits=tuple(credit_of(s) for s in sources if s["product"] == product),
            items=tuple(piece.url for piece in take.pieces if piece.url),
            times=tuple(f"{p.when:%Y-%m-%dT%H:%M:%SZ}" for p in take.pieces),
        )


def choose(request: Request, dilation: float, progress: Progress) -> PlaceChoice:
    """Search catalogues and choose overpasses, without reading any whole.

    Pixels less than `dilation` metres from a cloud will not be seen.

    Raises
    ------
    ValueError
        If there is nothing to read.
    MachineError
        If a server does not answer.
    """
    readers = {source.name: reader_of(source) for source in request.catalogues}
    survey = make_survey(request, readers, progress)
    grid = request.area.grid
    lattice = Lattice(
        str(grid.crs), abs(grid.resolution.x), grid.affine.c, grid.affine.f
    )
    search = Search(
        request.catalogues,
        request.period,
        products=request.products,
        dilation=dilation,
    )
    side = 1 << math.ceil(math.log2(max(grid.shape)))
    return PlaceChoice(request, survey, lattice, search, side)


def chosen_images(chosen: PlaceChoice) -> tuple[dict[str, Acquired], dict[str, Moment]]:
    """Images of a stack by name, and their moments where a sensor has several."""
    images, moments = dict[str, Acquired](), dict[str, Moment]()
    for product, takes in chosen.survey.takes.items():
        for number, take in enumerate(takes):
            moment = Moment(SERIES[product], take.day)
            name = moment.name if len(takes) > 1 else moment.series
            grid = chosen.request.area.grid
            images[name] = Acquired(chosen, product, number, grid)
            if len(takes) > 1:
                moments[name] = moment
    return images, moments
