"""What a survey chose, as files to read: names, bands, tags, and how a window is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.acquire import reading
from overcast.acquire.asset import Reader, grid_of
from overcast.acquire.catalogue import CatalogueProduct
from overcast.acquire.data_folder import OPTICAL, RADAR, SCENE_CLASSES
from overcast.acquire.place import Area, on
from overcast.acquire.reading import STORED_OFFSET, Job, OutputLayer
from overcast.acquire.scenes import Take
from overcast.acquire.survey import ELEVATION, SENTINEL_1, SENTINEL_2, Request, Survey
from overcast.geo import bands
from overcast.geo.warp import aligned
from overcast.product.rasters import Bands

_OPTICAL = Bands(
    names=bands.SENTINEL_2.names,
    dtype="uint16",
    nodata=0,
    scale=bands.SENTINEL_2_SCALE,
    offset=-STORED_OFFSET * bands.SENTINEL_2_SCALE,
    unit="reflectance",
)
_CLASSES = Bands(names=("SCL",), dtype="uint8", nodata=0, overviews="MODE")
_RADAR = Bands(names=bands.SENTINEL_1.names, dtype="float32", nodata=np.nan, unit="dB")
_HEIGHT = Bands(names=("elevation",), dtype="float32", nodata=np.nan, unit="m")
_FILL = 255
_MARGIN_PX = 2


@dataclass(frozen=True, slots=True)
class NamedJob:
    """A job, and what its files are."""

    job: Job
    product: str
    take: Take
    facts: Mapping[str, Any]


def jobs_of(
    request: Request, survey: Survey, readers: Mapping[str, Reader]
) -> list[NamedJob]:
    """All that is to be read, in order."""
    named = []
    for product, takes in survey.takes.items():
        source = request.source(product)
        reader, about = readers[source.name], source.products[product]
        for take in takes:
            make = {
                SENTINEL_2: _optical,
                SENTINEL_1: _radar,
                ELEVATION: _elevation,
            }.get(product, partial(_labels, product))
            named.append(make(request.area, survey, reader, about, take))
    return named


def _optical(
    area: Area, survey: Survey, reader: Reader, about: CatalogueProduct, take: Take
) -> NamedJob:
    name = f"{OPTICAL}{take.day}"
    image, classes = (
        OutputLayer(name, _OPTICAL),
        OutputLayer(f"{name}{SCENE_CLASSES}", _CLASSES),
    )

    def window(grid: GeoBox) -> Mapping[str, NDArray[Any]]:
        stored, codes = reading.optical_window(
            reader, take.pieces, survey.offsets, grid
        )
        return {image.name: stored, classes.name: codes[None]}

    tags = {**_tags(take), "PROCESSING_LEVEL": "Level-2A"}
    job = Job((image, classes), window, tags, area.grid, area.inside)
    facts = {"clear": survey.clear[str(take.day)], "date": str(take.day)}
    return NamedJob(job, SENTINEL_2, take, facts)


def _radar(
    area: Area, survey: Survey, reader: Reader, about: CatalogueProduct, take: Take
) -> NamedJob:
    direction = f"_{take.direction}" if take.direction else ""
    layer = OutputLayer(f"{RADAR}{take.day}{direction}", _RADAR)
    read = partial(
        reading.radar_window, reader, take.pieces, about.nodata, about.units == "db"
    )
    tags = {**_tags(take), "ORBIT": f"{take.orbit[0]} {take.orbit[1]}"}
    job = Job(
        (layer,), lambda grid: {layer.name: read(grid)}, tags, area.grid, area.inside
    )
    facts = {"date": str(take.day), "orbit": list(take.orbit)}
    return NamedJob(job, SENTINEL_1, take, facts)


def _elevation(
    area: Area, survey: Survey, reader: Reader, about: CatalogueProduct, take: Take
) -> NamedJob:
    layer = OutputLayer(ELEVATION, _HEIGHT)
    read = partial(reading.plain_window, reader, take.pieces, ELEVATION, about.nodata)
    job = Job(
        (layer,), lambda g: {layer.name: read(g)}, _tags(take), area.grid, area.inside
    )
    return NamedJob(job, ELEVATION, take, {})


def _labels(
    product: str,
    area: Area,
    survey: Survey,
    reader: Reader,
    about: CatalogueProduct,
    take: Take,
) -> NamedJob:
    year = take.when.year
    fill = _FILL if about.nodata is None else int(about.nodata)
    grid, own = _label_grid(reader, take, area)
    layer = OutputLayer(
        f"labels_{product}_{year}",
        Bands(names=("land cover",), dtype="uint8", nodata=fill, overviews="MODE"),
    )
    read = partial(reading.code_window, reader, take.pieces, fill)
    job = Job((layer,), lambda g: {layer.name: read(g)}, _tags(take), grid, area.inside)
    facts = {"legend": about.legend, "year": year, "own_grid": own}
    return NamedJob(job, product, take, facts)


def _label_grid(reader: Reader, take: Take, area: Area) -> tuple[GeoBox, bool]:
    """The labels' own grid over the area, where all are on one; else the area's.

    On their own grid no label moves, and how coarse they are stays known.
    """
    grids = []
    for piece in take.pieces:
        asset = piece.assets["labels"]
        with reader.open(asset) as dataset:
            grids.append(grid_of(dataset, asset))
    first = grids[0]
    if any(aligned(first, grid[:1, :1]) is None for grid in grids):
        return area.grid, False
    whole = area.grid.footprint("EPSG:4326", npoints=8).geom
    box = on(whole, first, 0.001).boundingbox
    corners = [~first.affine * (x, y) for x in box.range_x for y in box.range_y]
    columns, rows = ([c[i] for c in corners] for i in (0, 1))
    left, top = (int(np.floor(min(v))) - _MARGIN_PX for v in (columns, rows))
    width, height = (
        int(np.ceil(max(v))) + _MARGIN_PX - start
        for v, start in ((columns, left), (rows, top))
    )
    affine = first.affine * first.affine.translation(left, top)
    return GeoBox((height, width), affine, first.crs), True


def _tags(take: Take) -> dict[str, str]:
    urls = [p.url or p.ident for p in take.pieces]
    return {
        "TIFFTAG_DATETIME": f"{take.when:%Y:%m:%d %H:%M:%S}",
        "OVERCAST_ITEMS": " ".join(urls),
    }


def years_of(takes: Iterable[Take]) -> str:
    """Years of overpasses, in words."""
    years = sorted({take.when.year for take in takes})
    return ", ".join(map(str, years))
