"""A simulated world as a catalogue, with what is odd in the public ones.

Sentinel-2 on four days in two overlapping tiles, the second in the neighbouring UTM
zone: uint16 with nodata 0, 20 m bands and scene classes at 20 m. Sentinel-1 of two
orbits as linear gamma0 with gaps. Labels in degrees, and labels of 463 m on a sinusoidal
grid without EPSG code. Elevation. Every address begins with ``{base}``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import CRS
from rasterio.transform import array_bounds
from rasterio.warp import Resampling, calculate_default_transform, reproject

from overcast.geo.bands import SENTINEL_2, from_db
from overcast.geo.tiling import Window
from overcast.worlds.clouds import draw_clouds, see_cloudy
from overcast.worlds.scene import SceneSpec, WorldScene, simulate
from overcast.worlds.world import WorldView, make_world

KEYS = {
    "B02": "blue",
    "B03": "green",
    "B04": "red",
    "B05": "rededge1",
    "B06": "rededge2",
    "B07": "rededge3",
    "B08": "nir",
    "B8A": "nir08",
    "B11": "swir16",
    "B12": "swir22",
}
COARSE = {"B05", "B06", "B07", "B8A", "B11", "B12"}
OFFSET = 1000
_MASK_TO_SCL = np.array([4, 10, 9, 3], np.uint8)
_S2_NAME = "S2A_{tile}_{day:%Y%m%d}_{n}_L2A"


@dataclass(frozen=True)
class Day:
    """One overpass of Sentinel-2, and what is odd about it.

    Attributes
    ----------
    when
        Time of the overpass.
    cloud
        Share of the scene under cloud; `said` is what the items say, in percent.
    offset
        Whether 1000 was added to the pixels; `claimed` is what the items say.
    proj
        How the projection is written: epsg, code, wkt2 or projjson.
    """

    when: datetime
    cloud: float
    said: float
    offset: bool = True
    claimed: bool = True
    proj: str = "epsg"


def _at(month: int, day: int, hour: int = 10) -> datetime:
    return datetime(2024, month, day, hour, 30, 31, tzinfo=UTC)


DAYS = (
    Day(_at(5, 12), 0.1, 80.0),
    Day(_at(7, 11), 0.5, 2.0, proj="code"),
    Day(_at(9, 14), 0.0, 40.0, offset=False, proj="wkt2"),
    Day(_at(10, 19), 0.9, 1.0, proj="projjson"),
)
"""The items' cloud cover is nearly the opposite of what lies over the area."""


@dataclass
class WindowRenderer:
    """Writes the files and collects the items."""

    folder: Path
    scene: WorldScene
    items: list[dict[str, Any]] = field(default_factory=list)

    @property
    def grid(self) -> GeoBox:
        return self.scene.grid

    def cog(self, name: str, values: NDArray[Any], grid: GeoBox, nodata: Any) -> None:
        """One band as a COG."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with rasterio.open(
            path,
            "w",
            driver="COG",
            dtype=values.dtype,
            count=1,
            height=values.shape[0],
            width=values.shape[1],
            crs=str(grid.crs),
            transform=grid.affine,
            nodata=nodata,
            compress="deflate",
            blocksize=128,
        ) as out:
            out.write(values, 1)

    def asset(self, name: str, values: NDArray[Any], grid: GeoBox, **band: Any) -> Any:
        """An asset that says what it is."""
        return {
            "href": f"{{base}}/{name}",
            "type": "image/tiff; application=geotiff; profile=cloud-optimized",
            "roles": ["data"],
            "proj:shape": list(values.shape),
            "proj:transform": list(grid.affine)[:6],
            "raster:bands": [{"data_type": str(values.dtype), **band}],
        }

    def item(
        self, ident: str, collection: str, when: datetime, grid: GeoBox, assets: Any
    ) -> dict[str, Any]:
        """A new item; its properties are returned to be completed."""
        outline = grid.footprint("EPSG:4326", npoints=4)
        base = "https://stac-extensions.github.io/{}/schema.json"
        extensions = [
            base.format(f"{e}/v1.1.0") for e in ("projection", "raster", "eo")
        ]
        item = {
            "type": "Feature",
            "stac_version": "1.0.0",
            "stac_extensions": extensions,
            "id": ident,
            "collection": collection,
            "geometry": outline.json,
            "bbox": list(outline.boundingbox.bbox),
            "properties": {"datetime": when.isoformat().replace("+00:00", "Z")},
            "links": [
                {
                    "rel": "self",
                    "href": f"{{api}}/collections/{collection}/items/{ident}",
                    "type": "application/geo+json",
                }
            ],
            "assets": assets,
        }
        self.items.append(item)
        properties: dict[str, Any] = item["properties"]  # type: ignore[assignment]
        return properties


def make_catalogue(folder: Path, seed: int = 11, size: int = 160) -> WorldScene:
    """Write a catalogue of a world into `folder`, and return the world."""
    scene = simulate(seed, size, wanted=SceneSpec(labels=("modis", "worldcover")))
    maker = WindowRenderer(folder, scene)
    world = make_world(seed, size)
    view = WorldView.of(world, Window(0, 0, size, size))
    clear = np.rint(scene.images["s2"].values * 10_000).astype(np.uint16)
    for number, day in enumerate(DAYS):
        season = clear.astype(np.float32)
        season[6:8] *= 1 - 0.12 * number  # leaves go
        seen, mask = see_cloudy(
            view, draw_clouds(world, day.cloud, number), np.rint(season).astype("u2")
        )
        _sentinel_2(maker, day, seen, mask)
    _older_baseline(maker, clear)
    _sentinel_1(maker)
    _labels(maker)
    _elevation(maker)
    text = json.dumps({"type": "FeatureCollection", "features": maker.items})
    (folder / "items.json").write_text(text, encoding="utf-8")
    return scene


def _sentinel_2(
    maker: WindowRenderer, day: Day, seen: NDArray[np.uint16], mask: NDArray[np.uint8]
) -> None:
    n = maker.grid.shape[1]
    first, second = slice(0, 5 * n // 8), slice(3 * n // 8 // 2 * 2, n)
    zone = int(str(maker.grid.crs)[-2:])
    tiles = (("32UPA", first, None), ("33UTR", second, f"EPSG:326{zone + 1}"))
    for tile, columns, crs in tiles:
        stored = seen[:, :, columns].copy()
        if day is DAYS[0] and crs is None:
            stored[:, :, -5 * n // 16 :] = 0  # a datastrip is missing
            stored[:, :, 0] = 0  # an edge of the scene
        ident = _S2_NAME.format(tile=tile, day=day.when, n=0)
        _tile(maker, ident, day, (stored, mask[:, columns]), (columns, crs), "05.11")


def _older_baseline(maker: WindowRenderer, clear: NDArray[np.uint16]) -> None:
    """The first day's first tile again: whole, by an older processor, without offset."""
    n = maker.grid.shape[1]
    columns = slice(0, 5 * n // 8)
    first = DAYS[0]
    day = Day(first.when, 0.0, first.said, offset=False, claimed=False)
    ident = _S2_NAME.format(tile="32UPA", day=first.when, n=1)
    mask = np.zeros(clear.shape[1:], np.uint8)
    parts = clear[:, :, columns], mask[:, columns]
    _tile(maker, ident, day, parts, (columns, None), "03.01")


def _tile(
    maker: WindowRenderer,
    ident: str,
    day: Day,
    parts: tuple[NDArray[np.uint16], NDArray[np.uint8]],
    where: tuple[slice, str | None],
    baseline: str,
) -> None:
    seen, mask = parts
    columns, crs = where
    whole = maker.grid[:, columns]
    stored = np.where(seen == 0, 0, seen + (OFFSET if day.offset else 0))
    assets: dict[str, Any] = {}
    claim = {"scale": 1e-4, "offset": -0.1 if day.claimed else 0.0, "nodata": 0}
    scl = _MASK_TO_SCL[mask]
    scl[(seen == 0).all(0)] = 0
    layers = dict(zip(SENTINEL_2.names, stored.astype(np.uint16), strict=True))
    for band, layer in {**layers, "SCL": scl}.items():
        step = 2 if band in COARSE or band == "SCL" else 1
        values, grid = layer[::step, ::step], whole.zoom_out(step)
        if crs is not None:
            nearest = band == "SCL"
            values, grid = _moved(values, grid, crs, nearest)
        name = f"s2/{ident}/{band}.tif"
        maker.cog(name, values, grid, 0)
        said = {} if band == "SCL" else claim
        assets[KEYS.get(band, "scl")] = maker.asset(name, values, grid, **said)
    # Tiles of one overpass are seconds apart.
    when = day.when + timedelta(seconds=14 if crs else 0)
    properties = maker.item(ident, "sentinel-2-l2a", when, grid, assets)
    start = f"{day.when:%Y%m%dT%H%M%S}"
    properties |= {
        **_projection(day.proj, str(grid.crs)),
        "eo:cloud_cover": day.said,
        "s2:processing_baseline": baseline,
        "s2:datatake_id": f"GS2A_{start}_046431_N{baseline}",
        "earthsearch:boa_offset_applied": not day.claimed,
        "grid:code": f"MGRS-{ident[4:9]}",
        "sat:relative_orbit": 65,
        "platform": "sentinel-2a",
    }


def _projection(way: str, crs: str) -> dict[str, Any]:
    if way == "epsg":
        return {"proj:epsg": int(crs[5:])}
    if way == "code":
        return {"proj:code": crs}
    if way == "wkt2":
        return {"proj:epsg": None, "proj:wkt2": CRS.from_user_input(crs).to_wkt()}
    return {"proj:projjson": CRS.from_user_input(crs).to_json_dict()}


def _moved(
    values: NDArray[Any], grid: GeoBox, crs: str, nearest: bool
) -> tuple[NDArray[Any], GeoBox]:
    """On a grid of another zone, with nodata 0 around."""
    h, w = values.shape
    bounds = array_bounds(h, w, grid.affine)
    source = str(grid.crs)
    transform, width, height = calculate_default_transform(
        source, crs, w, h, *bounds, resolution=abs(grid.resolution.x)
    )
    out = np.zeros((height, width), values.dtype)
    reproject(
        values,
        out,
        src_transform=grid.affine,
        src_crs=source,
        dst_transform=transform,
        dst_crs=crs,
        src_nodata=0,
        dst_nodata=0,
        resampling=Resampling.nearest if nearest else Resampling.bilinear,
    )
    return out, GeoBox((height, width), transform, crs)


def _sentinel_1(maker: WindowRenderer) -> None:
    power = from_db(maker.scene.images["s1"].values)
    passes = (
        ("descending", 168, _at(5, 14, 5), "1SDV"),
        ("descending", 168, _at(7, 13, 5), "1SDV"),
        ("descending", 168, _at(9, 11, 5), "1SDV"),
        ("ascending", 117, _at(7, 10, 17), "1SDV"),
        ("descending", 168, _at(10, 17, 5), "1SSV"),
    )
    for number, (orbit, relative, when, mode) in enumerate(passes):
        stored = (power * np.float32(1 + 0.05 * number)).astype(np.float32)
        if number == 1:
            stored[:, :20, :30] = -32768  # a gap
        for again in range(2 if number == 0 else 1):
            _pass(
                maker,
                stored,
                (orbit, relative, when, mode),
                "9B2F" if again else "05AE",
            )


def _pass(
    maker: WindowRenderer,
    stored: NDArray[np.float32],
    about: tuple[str, int, datetime, str],
    unique: str,
) -> None:
    orbit, relative, when, mode = about
    start, end = (f"{t:%Y%m%dT%H%M%S}" for t in (when, when + timedelta(seconds=25)))
    ident = f"S1A_IW_GRDH_{mode}_{start}_{end}_053845_{unique}_rtc"
    names = ("vv", "vh") if mode == "1SDV" else ("vv",)
    assets = {}
    for key, values in zip(names, stored, strict=False):
        name = f"s1/{ident}/{key}.tif"
        maker.cog(name, values, maker.grid, -32768.0)
        assets[key] = maker.asset(name, values, maker.grid, nodata=-32768)
        if when.month == 9:  # as in late 2024: the item says another place
            assets[key]["proj:transform"][2] += 5000.0
    properties = maker.item(ident, "sentinel-1-rtc", when, maker.grid, assets)
    properties |= {
        "proj:epsg": int(str(maker.grid.crs)[5:]),
        "sar:polarizations": [name.upper() for name in names],
        "sat:orbit_state": orbit,
        "sat:relative_orbit": relative,
    }


def _labels(maker: WindowRenderer) -> None:
    when = datetime(2021, 1, 1, tzinfo=UTC)
    fine = maker.scene.labels["worldcover"]
    codes = fine.legend.to_codes(fine.values)
    west, south, east, north = maker.grid.footprint("EPSG:4326").boundingbox.bbox
    box = (west - 0.001, south - 0.001, east + 0.001, north + 0.001)
    grid = GeoBox.from_bbox(box, "EPSG:4326", resolution=1 / 12000)
    values = np.full(grid.shape, 255, np.uint8)
    reproject(
        codes,
        values,
        src_transform=maker.grid.affine,
        src_crs=str(maker.grid.crs),
        dst_transform=grid.affine,
        dst_crs="EPSG:4326",
        src_nodata=255,
        dst_nodata=255,
    )
    ident = "WC_10m_2021_v200"
    maker.cog(f"labels/{ident}.tif", values, grid, 255)
    asset = maker.asset(f"labels/{ident}.tif", values, grid, nodata=255)
    maker.item(ident, "worldcover", when, grid, {"map": asset})["proj:epsg"] = 4326
    coarse = maker.scene.coarse
    codes = coarse.legend.to_codes(coarse.values)
    ident = "MCD12Q1.A2021001.h18v04"
    maker.cog(f"labels/{ident}.tif", codes, coarse.grid, 255)
    asset = maker.asset(f"labels/{ident}.tif", codes, coarse.grid, nodata=255)
    when = datetime(2021, 1, 1, tzinfo=UTC)
    properties = maker.item(ident, "modis", when, coarse.grid, {"LC_Type1": asset})
    properties |= {"proj:epsg": None, "proj:wkt2": CRS(str(coarse.grid.crs)).to_wkt()}


def _elevation(maker: WindowRenderer) -> None:
    grid = maker.grid.zoom_out(3)
    y, x = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    values = (400 + 2 * x + y).astype(np.float32)
    maker.cog("dem/dem.tif", values, grid, None)
    when = datetime(2021, 4, 22, tzinfo=UTC)
    asset = maker.asset("dem/dem.tif", values, grid)
    maker.item("dem", "dem", when, grid, {"data": asset})["proj:code"] = str(grid.crs)


SOURCE = """\
# The test bed, as overcast takes a source.
title = "Test bed"
api = "{url}/stac"

[sign]
kind = "{sign}"
url = "{url}/token/{{collection}}"
key = "BED_KEY"
header = "X-Bed-Key"

[patience]
tries = 6
delay_s = 0.01
longest_s = 1.0
silent_s = 10.0

[products.sentinel-2]
collections = ["sentinel-2-l2a"]
nodata = 0
licence = "Copernicus Sentinel data terms"
attribution = "Contains modified Copernicus Sentinel data {{years}}"
[products.sentinel-2.assets]
{bands}
SCL = "scl"

[products.sentinel-1]
collections = ["sentinel-1-rtc"]
nodata = -32768
units = "linear"
licence = "CC-BY-4.0"
attribution = "Contains modified Copernicus Sentinel data {{years}}"
[products.sentinel-1.assets]
VV = "vv"
VH = "vh"

[products.elevation]
collections = ["dem"]
undated = true
attribution = "A plane"
[products.elevation.assets]
elevation = "data"

[products.worldcover]
collections = ["worldcover"]
legend = "simplified-igbp"
nodata = 255
licence = "CC-BY-4.0"
attribution = "© ESA WorldCover project {{years}}"
[products.worldcover.assets]
labels = "map"

[products.modis]
collections = ["modis"]
legend = "simplified-igbp"
nodata = 255
[products.modis.assets]
labels = "LC_Type1"
"""


def source_text(url: str, sign: str = "none") -> str:
    """The TOML of the source that serves at `url`."""
    bands = "\n".join(f'{band} = "{key}"' for band, key in KEYS.items())
    return SOURCE.format(url=url, sign=sign, bands=bands)
