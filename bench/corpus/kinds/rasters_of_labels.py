"""Labels as rasters: types, codes, nodata, tables, formats."""

# ruff: noqa: E501
from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import rasterio
from bench.corpus.case import add, case, noted, refused, right
from bench.corpus.runner import Words
from bench.corpus.scene import CRS, EAST, NORTH, PLACE, Array, N, Scene, map_of

KIND = "labels as rasters"


def _stored(values: Any, more: Words, profile: dict[str, Any], s: Scene) -> Words:
    array: Array = values(s.truth.copy())
    s.save_labels(array, **{"nodata": None, **profile})
    return map_of(more=more)


def _west(value: float, dtype: str = "uint8") -> Any:
    """The truth with a strip in the west that has another value."""

    def change(truth: Array) -> Array:
        out = truth.astype(dtype)
        out[:, :20] = value
        return out

    return change


FILE = refused("labels.tif")
for title, change, more, profile, ends in (
    ("float32", lambda t: t.astype("float32"), (), {}, (right(),)),
    ("float64 with a tag", _west(-1, "float64"), (), {"nodata": -1.0}, (right(),)),
    ("float32 with NaN", _west(np.nan, "float32"), (), {}, (right(),)),
    ("float32 with infinity", _west(np.inf, "float32"), (), {}, (right(), FILE)),
    ("float32 with halves", lambda t: t - np.float32(0.5), (), {}, (FILE,)),
    ("float32 off by 1e-7", lambda t: (t * 1.0000001).astype("float32"), (), {}, (right(), FILE)),
    ("int16", lambda t: t.astype("int16"), (), {}, (right(),)),
    ("int32 with a tag", _west(-2147483648, "int32"), (), {"nodata": -2147483648}, (right(),)),
    ("uint32", lambda t: t.astype("uint32"), (), {}, (right(),)),
    ("int64", lambda t: t.astype("int64"), (), {}, (right(), FILE)),
    ("uint64 of 2^63", _west(2**63, "uint64"), (), {}, (FILE,)),
    ("uint64 of 2^63 + 1", _west(2**63 + 1, "uint64"), (), {}, (FILE,)),
    ("uint64 of all 1s", _west(2**64 - 1, "uint64"), (), {}, (FILE,)),
    ("uint64", lambda t: t.astype("uint64"), (), {}, (right(),)),
    ("int64 of -2^63", _west(-(2**63), "int64"), (), {}, (FILE,)),
    ("uint32 of 2^32 - 1", _west(2**32 - 1, "uint32"), (), {}, (FILE,)),
    ("int8 of -1", _west(-1, "int8"), (), {}, (FILE, noted("-1"))),
    ("complex", lambda t: t.astype("complex64"), (), {}, (FILE,)),
    ("0 without a tag", _west(0), (), {}, (FILE, noted("0"))),
    ("0 and --labels-nodata 0", _west(0), ("--labels-nodata", "0"), {}, (right(),)),
    ("255 without a tag", _west(255), (), {}, (right(), FILE)),
    ("0 and 255, tag 255", _west(0), (), {"nodata": 255}, (FILE, noted("0"))),
    ("0 and 255, tag and option", lambda t: _west(255)(np.where(np.arange(N) < 30, 0, t).astype("uint8")), ("--labels-nodata", "0"), {"nodata": 255}, (right(),)),
    ("code 77 somewhere", _west(77), (), {}, (FILE, noted("77"))),
    ("code 300 as uint16", _west(300, "uint16"), (), {}, (FILE,)),
    ("CORINE's code 311", _west(311, "int16"), (), {}, (FILE,)),
    ("code 257 as uint16", lambda t: t.astype("uint16") + 256, (), {}, (FILE,)),
    ("a tag that is a class", lambda t: t, (), {"nodata": 1}, (FILE, noted("Water", "1", "nodata", share=0))),
    ("a nodata option that is a class", lambda t: t, ("--labels-nodata", "1"), {}, (noted("Water", share=0), refused("--labels-nodata", "labels.tif"))),
    ("a nodata option that uint8 can't hold", lambda t: t, ("--labels-nodata", "99999999999999999999"), {}, (refused("--labels-nodata", "labels.tif"), noted("nodata"))),
    ("a nodata option of -1", lambda t: t, ("--labels-nodata", "-1"), {}, (refused("--labels-nodata", "labels.tif"), right())),
    ("one class alone", lambda t: (t == 1).astype("uint8"), ("--labels-nodata", "0"), {}, (FILE, noted("Forest"))),
    ("one class for all", lambda t: t * 0 + 2, (), {}, (FILE, noted("Water", share=0))),
    ("nodata alone", lambda t: t * 0 + 255, (), {"nodata": 255}, (FILE,)),
    ("one pixel of a class", lambda t: np.where(np.arange(N * N).reshape(N, N) == 5, t, 255).astype("uint8"), (), {"nodata": 255}, (FILE, noted("Forest", "class", share=0))),
    ("three classes of four", lambda t: np.where(t == 4, 255, t).astype("uint8"), (), {"nodata": 255}, (noted("Town", share=0.6), refused("labels.tif"))),
    ("two bands", lambda t: np.stack([t, t]), (), {}, (FILE,)),
    ("an alpha band", lambda t: np.stack([t, t * 0 + 255]), (), {"photometric": "MINISBLACK", "alpha": "YES"}, (right(), FILE)),
    ("four bands of shares", lambda t: np.stack([(t == c).astype("float32") for c in (1, 2, 3, 4)]), (), {}, (FILE,)),
    ("colours", lambda t: np.stack([t * 50, t * 20, 255 - t]).astype("uint8"), (), {"photometric": "RGB"}, (FILE,)),
    ("averaged by somebody", lambda t: ((t.astype("f4") + np.roll(t, 1, 1)) / 2).astype("float32"), (), {}, (FILE,)),
    ("one bit", lambda t: (t > 2).astype("uint8"), (), {"nbits": 1}, (FILE, noted("labels", share=0))),
    ("a scale tag", lambda t: t, (), {}, (right(), FILE)),
    ("in blocks of 24 pixels", lambda t: t[::24, ::24].repeat(24, 0).repeat(24, 1), (), {}, (right(0.4),)),
):  # fmt: skip
    prepare = partial(_stored, change, more, profile)
    add(KIND, title, prepare, *ends)


def _driver(driver: str, suffix: str, profile: dict[str, Any], s: Scene) -> Words:
    s.save(f"l.{suffix}", s.truth, driver=driver, **profile)
    return map_of(labels=f"l.{suffix}")


for driver, suffix, profile in (
    ("GPKG", "gpkg", {}),
    ("ENVI", "img", {}),
    ("HFA", "img", {}),
    ("AAIGrid", "asc", {}),
    ("PNG", "png", {"worldfile": "YES"}),
    ("JPEG", "jpg", {"worldfile": "YES"}),
    ("RST", "rst", {}),
    ("KEA", "kea", {}),
    ("BMP", "bmp", {}),
    ("SAGA", "sdat", {}),
    ("USGSDEM", "dem", {}),
):
    if driver not in {"KEA", "USGSDEM"}:
        add(
            KIND,
            f"a file of {driver}",
            partial(_driver, driver, suffix, profile),
            right(),
            refused(f"l.{suffix}"),
        )


def _named(names: tuple[str, ...], legend: str, ends_in: str, s: Scene) -> Words:
    categories = "".join(f"<Category>{name}</Category>" for name in names)
    s.write(
        f"labels.tif.{ends_in}",
        f'<PAMDataset><PAMRasterBand band="1"><CategoryNames>{categories}'
        "</CategoryNames></PAMRasterBand></PAMDataset>",
    )
    return map_of(legend=legend)


for title, names, ends in (
    ("that agree", ("", "Water", "Forest", "Crops", "Town"), (right(),)),
    (
        "that the legend has under other codes",
        ("", "Forest", "Water", "Town", "Crops"),
        (refused("labels.tif"), noted("labels", "legend")),
    ),
    (
        "of another legend",
        ("", "Ice", "Sand", "Rock", "Snow"),
        (refused("labels.tif"), noted("labels", "legend")),
    ),
    ("in other letters", ("", "WATER", "forest", " Crops ", "town"), (right(),)),
):
    add(
        KIND,
        f"category names {title}",
        partial(_named, names, "legend.csv", "aux.xml"),
        *ends,
    )

for legend in ("corine", "igbp", "worldcover", "esri", "nlcd", "openearthmap"):
    add(
        KIND,
        f"codes 1 to 4 read by the legend {legend}",
        lambda s, legend=legend: map_of(legend=legend),
        refused("labels.tif"),
        noted("legend", "class", "labels"),
    )


@case(
    KIND,
    "a table of attributes that names other classes",
    refused("labels.tif"),
    noted("labels", "legend"),
)
def _(s: Scene) -> Words:
    rows = "".join(
        f'<Row index="{i}"><F>{code}</F><F>{name}</F></Row>'
        for i, (code, name) in enumerate(
            ((1, "Town"), (2, "Crops"), (3, "Water"), (4, "Forest"))
        )
    )
    s.write(
        "labels.tif.aux.xml",
        '<PAMDataset><PAMRasterBand band="1"><GDALRasterAttributeTable>'
        '<FieldDefn index="0"><Name>Value</Name><Type>0</Type><Usage>5</Usage></FieldDefn>'
        '<FieldDefn index="1"><Name>Class</Name><Type>2</Type><Usage>2</Usage></FieldDefn>'
        f"{rows}</GDALRasterAttributeTable></PAMRasterBand></PAMDataset>",
    )
    return map_of()


@case(KIND, "an internal mask over wrong labels", right())
def _(s: Scene) -> Words:
    values = s.truth.copy()
    values[:, :30] = 1
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = s.save_labels(values, nodata=None)
        with rasterio.open(path, "r+") as data:
            data.write_mask(
                np.where(np.arange(N) < 30, 0, 255).astype("u1")[None].repeat(N, 0)
            )
    return map_of()


@case(KIND, "a .msk over wrong labels", right())
def _(s: Scene) -> Words:
    values = s.truth.copy()
    values[:, :30] = 1
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False):
        path = s.save_labels(values, nodata=None)
        with rasterio.open(path, "r+") as data:
            data.write_mask(
                np.where(np.arange(N) < 30, 0, 255).astype("u1")[None].repeat(N, 0)
            )
    return map_of()


@case(KIND, "colours of a table and no names", right())
def _(s: Scene) -> Words:
    with rasterio.open(s / "labels.tif", "r+") as data:
        data.write_colormap(1, {i: (i * 50, 0, 0, 255) for i in range(5)})
    return map_of()


@case(KIND, "the image as labels", refused("s2.tif"))
def _(s: Scene) -> Words:
    return map_of(labels="s2.tif")


@case(KIND, "a VRT whose source is gone", refused("l.vrt"))
def _(s: Scene) -> Words:
    s.write(
        "l.vrt",
        f'<VRTDataset rasterXSize="{N}" rasterYSize="{N}"><SRS>{CRS}</SRS>'
        f"<GeoTransform>{EAST}, 10, 0, {NORTH}, 0, -10</GeoTransform>"
        '<VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        '<SourceFilename relativeToVRT="1">gone.tif</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>",
    )
    return map_of(labels="l.vrt")


@case(KIND, "a folder as labels", refused("folder"))
def _(s: Scene) -> Words:
    (s / "folder").mkdir()
    return map_of(labels="folder")


@case(KIND, "an empty file as labels", refused("empty.tif"))
def _(s: Scene) -> Words:
    s.write("empty.tif", "")
    return map_of(labels="empty.tif")


@case(KIND, "a page of a web server as labels", refused("l.tif"))
def _(s: Scene) -> Words:
    s.write("l.tif", "<!DOCTYPE html><html><body>404 Not Found</body></html>")
    return map_of(labels="l.tif")


@case(
    KIND,
    "labels that say the wrong thing of water",
    noted("Water", share=0),
    refused("labels.tif"),
)
def _(s: Scene) -> Words:
    swapped = np.array([0, 2, 1, 3, 4], "uint8")[s.truth]
    s.save_labels(swapped)
    return map_of(legend=_legend_of(s))


def _legend_of(s: Scene) -> str:
    return "legend.csv"


@case(KIND, "an attribute of a place that is pixel-is-point", right())
def _(s: Scene) -> Words:
    path = s.save_labels()
    with rasterio.open(path, "r+") as data:
        data.update_tags(AREA_OR_POINT="Point")
        data.transform = PLACE
    return map_of()
