"""The scene of a place and a time: chosen in catalogues, read where it is looked at."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from odc.geo.geobox import GeoBox

from overcast.acquire.acquired import SERIES
from overcast.acquire.chosen import PlaceChoice, choose, chosen_images
from overcast.acquire.origins import origins_in
from overcast.acquire.survey import SENTINEL_1
from overcast.api.fetch import SENTINELS, request_of, sources_in
from overcast.api.scene import Scene, SceneSettings
from overcast.in_memory import InMemory, path_of
from overcast.input_images import Opened
from overcast.inputs import settle
from overcast.plan import Data, ImageInput, ObservationInput, fingerprint
from overcast.plan_images import DILATION
from overcast.progress import quiet


def scene_of_place(
    place: str | Sequence[float],
    grid: str | os.PathLike[str] | GeoBox | None,
    wanted: SceneSettings,
) -> Scene:
    """Choose overpasses of a place, as `overcast.fetch` does, and make them a scene.

    Parameters
    ----------
    place
        West, south, east and north in degrees, a vector file, or a tile such as 32UPU.
    grid
        What is mapped instead of a grid in UTM around the place, 10 m a pixel.
    wanted
        Time, source and products.

    Raises
    ------
    ValueError
        If there is nothing to read, or a product is no image.
    MachineError
        If a server does not answer.
    """
    products, notes = _products(wanted)
    on = os.fspath(grid) if isinstance(grid, os.PathLike) else grid
    request = request_of(place, wanted, on, products)
    chosen = choose(request, wanted.get("mask_dilation", DILATION), quiet)
    opened = _opened(chosen, notes)
    data = Data(images=_named(chosen))
    inputs = settle(opened, data)
    items = sorted(chosen.survey.items)
    key = fingerprint([inputs.fingerprint, request.period.interval, items])
    return Scene(data, InMemory(), opened, inputs.stack, inputs.notes, key)


def _products(wanted: SceneSettings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Products of images, and what is said of one that is left out."""
    given = wanted.get("products")
    if given is not None:
        for product in given:
            if product not in SENTINELS:
                raise ValueError(
                    f"products: {product} is no image of a scene; fetch it "
                    "(overcast.fetch), and open the file"
                )
        return tuple(given), ()
    sources = sources_in(wanted)
    if any(SENTINEL_1 in source.products for source in sources):
        return SENTINELS, ()
    names = ", ".join(source.name for source in sources)
    rest = tuple(product for product in SENTINELS if product != SENTINEL_1)
    return rest, (f"no Sentinel-1 in {names}; mapped without it",)


def _opened(chosen: PlaceChoice, notes: tuple[str, ...]) -> Opened:
    """The images as files would be opened."""
    images, moments = chosen_images(chosen)
    grid = chosen.request.area.grid
    series = dict.fromkeys(
        moments[name].series if name in moments else name for name in images
    )
    extents = {name: (name, grid) for name in series}
    credits = origins_in(images.values()).credits
    return Opened(
        sources=dict(images),
        moments=moments,
        extents=extents,
        first=next(iter(extents.values())),
        targets=frozenset(),
        files=(),
        notes=(*notes, *chosen.survey.notes, *credits),
        grid=grid,
    )


def _named(chosen: PlaceChoice) -> dict[str, ImageInput]:
    """The images as a plan names what lies in no file."""
    images, _ = chosen_images(chosen)
    named: dict[str, ImageInput] = {}
    for image in images.values():
        key = SERIES[image.product]
        take = chosen.survey.takes[image.product][image.part]
        one = ObservationInput(path=path_of(image.what), day=take.day)
        before = named.get(key, ImageInput(sensor=image.sensor.name, dates=(one,)))
        more = before.dates if one in before.dates else (*before.dates, one)
        named[key] = replace(before, dates=more)
    return named
