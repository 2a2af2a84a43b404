"""Labels of catalogues that a region asks for, fetched once for all of its tiles.

Images are read by each tile and not kept. Labels are counted as a whole before anything
is learned, and so they are files.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from overcast.acquire.catalogue import load_catalogue
from overcast.acquire.fetch import Fetched, fetch
from overcast.acquire.period import period_of
from overcast.acquire.place import area_of
from overcast.acquire.survey import Request
from overcast.plan import LabelInput
from overcast.progress import Progress
from overcast.region.description import Region

_RESOLUTION_M = 10.0


def with_labels(
    region: Region, folder: Path, *, overwrite: bool, progress: Progress
) -> Region:
    """Fetch the labels that ``acquire`` names into `folder`, and name them as files.

    They come before labels that are files already. A region that asks for none is
    itself.

    Raises
    ------
    ValueError
        If no source has them, or the outline is too large for one raster of labels.
    MachineError
        If a server does not answer.
    """
    acquire = region.acquire
    if acquire is None or not acquire.labels:
        return region
    request = _request(region)
    for product in acquire.labels:
        if not request.source(product).products[product].legend:
            raise ValueError(f"acquire: labels: {product} has no classes; leave it out")
    fetched = fetch(request, folder, overwrite, progress)
    own = [_input(fetched, product) for product in acquire.labels]
    first, *others = *own, *region.plan.data.every_labels
    data = replace(region.plan.data, labels=first, other_labels=tuple(others))
    return replace(
        region,
        plan=replace(region.plan, data=data),
        acquire=replace(acquire, labels=()),
    )


def _request(region: Region) -> Request:
    acquire, outline = region.acquire, region.cut.outline
    assert acquire is not None
    assert outline is not None  # a region without one is refused
    area = area_of(outline, region.cut.resolution or _RESOLUTION_M)
    times = (acquire.year, acquire.first, acquire.last, acquire.season)
    return Request(
        area=area,
        period=period_of(*times, area.outline.centroid.y < 0),
        catalogues=tuple(load_catalogue(name) for name in acquire.source),
        products=acquire.labels,
        skip=acquire.skip,
    )


def _input(fetched: Fetched, product: str) -> LabelInput:
    (name,) = (
        name
        for name, about in fetched.manifest["files"].items()
        if about["product"] == product
    )
    legend = str(fetched.manifest["files"][name]["legend"])
    return LabelInput(path=str(fetched.files[name].absolute()), legend=legend)
