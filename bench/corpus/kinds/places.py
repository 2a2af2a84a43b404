"""Where a raster lies: CRS, transforms, extents, and how much is mapped."""

from __future__ import annotations

from functools import partial

import numpy as np
import rasterio
from bench.corpus.case import Answer, add, case, noted, refused, right
from bench.corpus.runner import Outcome, Words
from bench.corpus.scene import (
    CRS,
    EAST,
    NORTH,
    PIXEL,
    PLACE,
    Array,
    N,
    Scene,
    map_of,
    shifted,
)
from rasterio.control import GroundControlPoint
from rasterio.transform import Affine
from rasterio.warp import Resampling, calculate_default_transform, reproject

KIND = "places"
ALL = map_of(s1="s1.tif")
FIRST_ROW = np.arange(N)[:, None].repeat(N, 1) == 0
_SAVES = {"s2": Scene.save_s2, "s1": Scene.save_s1, "labels": Scene.save_labels}


def _placed(file: str, place: dict[str, object], s: Scene) -> Words:
    _SAVES[file](s, **place)
    return ALL


_NOWHERE: dict[str, dict[str, object]] = {
    "no CRS": {"crs": None},
    "no place": {"crs": None, "transform": None},
    "a CRS without a transform": {"transform": None},
    "pixels of no size": {"transform": Affine(0, 0, EAST, 0, 0, NORTH)},
    "pixels without a width": {"transform": Affine(0, 0, EAST, 0, -10, NORTH)},
    "pixels of 1e-300": {"transform": Affine(1e-300, 0, EAST, 0, -1e-300, NORTH)},
    "pixels of 1e300": {"transform": Affine(1e300, 0, EAST, 0, -1e300, NORTH)},
    "pixels of NaN": {"transform": Affine(np.nan, 0, EAST, 0, -10, NORTH)},
    "an origin at infinity": {"transform": Affine(10, 0, np.inf, 0, -10, NORTH)},
    "a local CRS": {"crs": rasterio.CRS.from_wkt('LOCAL_CS["local",UNIT["metre",1]]')},
    "a vertical CRS": {"crs": "EPSG:5773"},
    "a geocentric CRS": {"crs": "EPSG:4978"},
    "another hemisphere": {"crs": "EPSG:32732"},
    "a zone on the other side": {"crs": "EPSG:32602"},
    "degrees that are metres": {"crs": "EPSG:4326"},
    "a place beside the scene": {"transform": shifted(N + 5)},
    "the far north": {"transform": Affine(10, 0, EAST, 0, -10, 9.9e9)},
}
for file in _SAVES:
    for title, place in _NOWHERE.items():
        prepare = partial(_placed, file, place)
        # Where s2 is the grid, it is the others that don't overlap it.
        names = ("s2.tif", "s1.tif") if file == "s2" else (f"{file}.tif",)
        add(KIND, f"{file} with {title}", prepare, refused(*names))

for file in _SAVES:
    prepare = partial(_placed, file, {"transform": shifted(N - 3)})
    title = f"{file} that overlaps 3 of 96 columns"
    add(KIND, title, prepare, refused(f"{file}.tif", file), noted(file, share=0))
    prepare = partial(_placed, file, {"transform": shifted(N // 2)})
    title = f"{file} that overlaps a half"
    add(KIND, title, prepare, refused(f"{file}.tif", file), noted(file, "%", share=0))


@case(KIND, "control points alone", refused("s2.tif"))
def _(s: Scene) -> Words:
    points = [
        GroundControlPoint(r, c, EAST + c * PIXEL, NORTH - r * PIXEL)
        for r, c in ((0, 0), (0, N), (N, 0), (N, N))
    ]
    s.save_s2(crs=None, transform=None)
    with rasterio.open(s / "s2.tif", "r+") as data:
        data.gcps = points, rasterio.CRS.from_string(CRS)
    return map_of()


@case(KIND, "rational polynomials alone", refused("s2.tif"))
def _(s: Scene) -> Words:
    s.save_s2(crs=None, transform=None)
    with rasterio.open(s / "s2.tif", "r+") as data:
        data.update_tags(
            ns="RPC", LINE_OFF="48", SAMP_OFF="48", LAT_OFF="47", LONG_OFF="10"
        )
    return map_of()


def _warped(name: str, crs: str, s: Scene, values: Array, nodata: float) -> None:
    bands = values[None] if values.ndim == 2 else values
    place, width, height = calculate_default_transform(
        CRS, crs, N, N, *rasterio.transform.array_bounds(N, N, PLACE)
    )
    out = np.full((len(bands), height, width), nodata, bands.dtype)
    reproject(
        bands,
        out,
        src_transform=PLACE,
        src_crs=CRS,
        dst_transform=place,
        dst_crs=crs,
        src_nodata=nodata,
        dst_nodata=nodata,
        resampling=Resampling.nearest,
    )
    s.save(name, out, crs=crs, transform=place, nodata=nodata)


for crs in ("EPSG:4326", "EPSG:3857", "EPSG:3035", "EPSG:32633"):

    def _labels(s: Scene, crs: str = crs) -> Words:
        _warped("labels.tif", crs, s, s.truth, 255)
        return ALL

    add(KIND, f"labels in {crs}", _labels, right(0.85))

for crs in ("EPSG:4326", "EPSG:32633"):

    def _image(s: Scene, crs: str = crs) -> Words:
        _warped("s2.tif", crs, s, s.s2, 0)
        return ALL

    add(KIND, f"s2 in {crs}", _image, right(0.85))


@case(KIND, "a compound CRS with heights", right(), refused("s2.tif"))
def _(s: Scene) -> Words:
    s.save_s2(crs="EPSG:32632+5773")
    return ALL


@case(KIND, "a CRS as WKT without an authority", right())
def _(s: Scene) -> Words:
    s.save_s2(crs="+proj=utm +zone=32 +datum=WGS84 +units=m +no_defs")
    return ALL


@case(KIND, "rows from south to north", right())
def _(s: Scene) -> Words:
    place = Affine(PIXEL, 0, EAST, 0, PIXEL, NORTH - N * PIXEL)
    s.save_s2(s.s2[:, ::-1], transform=place)
    return ALL


@case(KIND, "columns from east to west", right(), refused("s2.tif"))
def _(s: Scene) -> Words:
    place = Affine(-PIXEL, 0, EAST + N * PIXEL, 0, -PIXEL, NORTH)
    s.save_s2(s.s2[:, :, ::-1], transform=place)
    return ALL


@case(KIND, "labels from south to north", right())
def _(s: Scene) -> Words:
    place = Affine(PIXEL, 0, EAST, 0, PIXEL, NORTH - N * PIXEL)
    s.save_labels(s.truth[::-1], transform=place)
    return ALL


@case(KIND, "rows and columns changed by the transform", right(), refused("s2.tif"))
def _(s: Scene) -> Words:
    place = Affine(0, PIXEL, EAST, -PIXEL, 0, NORTH)
    s.save_s2(s.s2.transpose(0, 2, 1), transform=place)
    return ALL


def _as_stored(s: Scene, outcome: Outcome) -> str | None:
    """Whether the map is right in its own rows and columns."""
    with rasterio.open(s / "o/map.tif") as data:
        values = data.read(1)
    share = float((values == s.truth).mean()) if values.shape == s.truth.shape else 0
    return None if share > 0.9 else f"{share:.0%} of the map is right"


@case(KIND, "a grid turned by 30 degrees", Answer(_as_stored), refused("s2.tif"))
def _(s: Scene) -> Words:
    middle = Affine.translation(EAST + 480, NORTH - 480)
    place = middle * Affine.rotation(30) * ~middle * PLACE
    s.save_s2(transform=place)
    s.save_labels(transform=place)
    return (*map_of(), "--grid", "labels.tif")


@case(KIND, "s1 shifted by half a pixel", right(0.85))
def _(s: Scene) -> Words:
    s.save_s1(transform=shifted(0.5, 0.5))
    return ALL


@case(KIND, "pixels of 10 by 20 m", right(0.85))
def _(s: Scene) -> Words:
    place = PLACE * Affine.scale(1, 2)
    s.save_s1(s.s1[:, ::2], transform=place)
    return ALL


@case(KIND, "s2 of 20 m and s1 of 10 m", right(0.85))
def _(s: Scene) -> Words:
    s.save_s2(s.s2[:, ::2, ::2], transform=PLACE * Affine.scale(2))
    return ALL


@case(KIND, "labels of 120 m", right())
def _(s: Scene) -> Words:
    s.save_labels(s.truth[::12, ::12], transform=PLACE * Affine.scale(12))
    return ALL


@case(KIND, "an image of one pixel", refused("s2.tif", "labels"), noted("s2", share=0))
def _(s: Scene) -> Words:
    s.save_s2(s.s2[:, :1, :1])
    return ALL


@case(KIND, "labels of one pixel", refused("labels.tif"), noted("labels", share=0))
def _(s: Scene) -> Words:
    s.save_labels(s.truth[:1, :1])
    return ALL


@case(KIND, "an image of one row", refused("s2.tif"), right(where=FIRST_ROW))
def _(s: Scene) -> Words:
    s.save_s2(s.s2[:, :1])
    return ALL


@case(KIND, "a grid beside the images", refused("grid.tif", "--grid", "s1.tif"))
def _(s: Scene) -> Words:
    s.save("grid.tif", s.truth, transform=shifted(500))
    return (*ALL, "--grid", "grid.tif")


@case(KIND, "a grid without a place", refused("grid.tif", "--grid"))
def _(s: Scene) -> Words:
    s.save("grid.tif", s.truth, transform=None, crs=None)
    return (*ALL, "--grid", "grid.tif")


@case(KIND, "a grid ten times as wide as the images", right())
def _(s: Scene) -> Words:
    s.save("grid.tif", np.zeros((960, 960), "uint8"), transform=shifted(-400, -400))
    return (*map_of(), "--grid", "grid.tif")


@case(KIND, "a grid of 2e9 x 2e9", refused("grid.vrt", "--grid"))
def _(s: Scene) -> Words:
    s.write("grid.vrt", _vast(2_000_000_000))
    return (*map_of(), "--grid", "grid.vrt")


@case(KIND, "labels of 2e9 x 2e9", right(0.0), refused("labels.vrt"))
def _(s: Scene) -> Words:
    s.write("labels.vrt", _vast(2_000_000_000))
    return map_of(labels="labels.vrt")


def _vast(side: int) -> str:
    return (
        f'<VRTDataset rasterXSize="{side}" rasterYSize="{side}"><SRS>{CRS}</SRS>'
        f"<GeoTransform>{EAST}, 10, 0, {NORTH}, 0, -10</GeoTransform>"
        '<VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        '<SourceFilename relativeToVRT="1">labels.tif</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )


@case(KIND, "labels of a continent, sparse", right())
def _(s: Scene) -> Words:
    side = 200_000
    with rasterio.open(
        s / "labels.tif",
        "w",
        driver="GTiff",
        width=side,
        height=side,
        count=1,
        dtype="uint8",
        nodata=255,
        crs=CRS,
        transform=shifted(-100_000, -100_000),
        tiled=True,
        blockxsize=1024,
        blockysize=1024,
        compress="deflate",
        SPARSE_OK=True,
    ) as data:
        window = rasterio.windows.Window(100_000, 100_000, N, N)
        data.write(s.truth, 1, window=window)
    return map_of()


@case(KIND, "a foreign code far away from the scene", right())
def _(s: Scene) -> Words:
    wide = np.full((600, 600), 255, "uint8")
    wide[100:196, 100:196] = s.truth
    wide[:20, :20] = 77
    s.save_labels(wide, transform=shifted(-100, -100))
    return map_of()


@case(KIND, "labels that end inside the scene", noted("labels.tif", share=0.6))
def _(s: Scene) -> Words:
    s.save_labels(s.truth[:, :60])
    return map_of()


@case(KIND, "labels in degrees beside the date line", refused("labels.tif"))
def _(s: Scene) -> Words:
    place = Affine(0.001, 0, 179.95, 0, -0.001, 47.9)
    s.save_labels(crs="EPSG:4326", transform=place)
    return map_of()


@case(KIND, "degrees from 0 to 360", right(0.8), refused("labels.tif"))
def _(s: Scene) -> Words:
    _warped("labels.tif", "EPSG:4326", s, s.truth, 255)
    with rasterio.open(s / "labels.tif", "r+") as data:
        data.transform = Affine.translation(360, 0) * data.transform
    return map_of()
