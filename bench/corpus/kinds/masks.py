"""What is not seen: nodata tags, masks, alpha bands, fill values, cloud masks."""

from __future__ import annotations

from functools import partial

import numpy as np
import rasterio
from bench.corpus.case import add, case, noted, refused, right
from bench.corpus.runner import Words
from bench.corpus.scene import BANDS, N, Scene, map_of
from rasterio.enums import ColorInterp

KIND = "nodata and masks"
EAST = np.zeros((N, N), bool)
EAST[:, 64:] = True
S1 = map_of(s2=None, s1="s1.tif")
INSIDE = right(hidden=EAST)


def _fill(sensor: str, value: float, dtype: str, nodata: object, s: Scene) -> Words:
    values = getattr(s, sensor).astype(dtype)
    values[:, EAST] = value
    save = s.save_s2 if sensor == "s2" else s.save_s1
    save(values, nodata=nodata)
    return map_of() if sensor == "s2" else S1


for sensor, value, dtype, nodata in (
    ("s2", 0, "uint16", None),
    ("s2", 0, "uint16", 0),
    ("s2", 65535, "uint16", 65535),
    ("s2", -9999, "int16", -9999),
    ("s2", -9999, "float32", -9999.0),
    ("s2", np.nan, "float32", None),
    ("s1", -9999, "float32", -9999.0),
    ("s1", np.nan, "float32", None),
    ("s1", -32768, "float32", -32768.0),
    ("s1", 0, "float32", 0.0),
    ("s1", 0, "float32", None),
    ("s1", -np.inf, "float32", None),
    ("s1", np.inf, "float32", None),
):
    title = f"{sensor} filled with {value} as {dtype}, tag {nodata}"
    add(KIND, title, partial(_fill, sensor, value, dtype, nodata), INSIDE)

for sensor, value, dtype in (
    ("s2", 65535, "uint16"),
    ("s2", -9999, "int16"),
    ("s2", -32768, "int16"),
    ("s2", -9999, "float32"),
    ("s2", 1, "uint16"),
    ("s2", 1e20, "float32"),
    ("s2", 65534, "uint16"),
    ("s1", -9999, "float32"),
    ("s1", -999, "float32"),
    ("s1", -99, "float32"),
    ("s1", -32768, "float32"),
    ("s1", 3.4028235e38, "float32"),
    ("s1", -3.4028235e38, "float32"),
    ("s1", 1e20, "float32"),
    ("s1", 9999, "float32"),
):
    title = f"{sensor} filled with {value} as {dtype}, no tag"
    file = f"{sensor}.tif"
    add(
        KIND,
        title,
        partial(_fill, sensor, value, dtype, None),
        INSIDE,
        refused(file),
    )


@case(KIND, "water of 0 in B11 and B12 under a tag of 0", right())
def _(s: Scene) -> Words:
    values = s.s2.copy()
    values[8:][:, s.truth == 1] = 0
    s.save_s2(values)
    return map_of()


@case(KIND, "water of 0 in all but B02 under a tag of 0", right())
def _(s: Scene) -> Words:
    values = s.s2.copy()
    values[1:][:, s.truth == 1] = 0
    s.save_s2(values)
    return map_of()


@case(KIND, "water of 0 in B12 of reflectance as float under a tag of 0", right())
def _(s: Scene) -> Words:
    values = (s.s2 / 1e4).astype("float32")
    values[9, s.truth == 1] = 0
    s.save_s2(values)
    return map_of()


def _masked(sensor: str, internal: bool, s: Scene) -> Words:
    values = getattr(s, sensor).copy()
    values[:, EAST] = 1 if sensor == "s2" else -30
    save = s.save_s2 if sensor == "s2" else s.save_s1
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=internal):
        path = save(values, nodata=None)
        with rasterio.open(path, "r+") as data:
            data.write_mask(np.where(EAST, 0, 255).astype("uint8"))
    return map_of() if sensor == "s2" else S1


for sensor in ("s1", "s2"):
    for internal in (True, False):
        title = f"{sensor} with {'an internal' if internal else 'a .msk'} mask"
        add(KIND, title, partial(_masked, sensor, internal), INSIDE)


def _alpha(sensor: str, s: Scene) -> Words:
    values, names = getattr(s, sensor).copy(), ("VV", "VH")
    values[:, EAST] = 1 if sensor == "s2" else -30
    alpha = np.where(EAST, 0, 65535 if sensor == "s2" else 1)[None]
    names = (*(BANDS if sensor == "s2" else names), "alpha")
    joined = np.concatenate([values, alpha.astype(values.dtype)])
    path = s.save(f"{sensor}.tif", joined, names)
    with rasterio.open(path, "r+") as data:
        data.colorinterp = [
            ColorInterp.gray,
            *[ColorInterp.undefined] * (len(values) - 1),
            ColorInterp.alpha,
        ]
    return map_of() if sensor == "s2" else S1


for sensor in ("s1", "s2"):
    add(KIND, f"{sensor} with an alpha band", partial(_alpha, sensor), INSIDE)


@case(KIND, "a mask that hides everything", refused("s2.tif"))
def _(s: Scene) -> Words:
    path = s.save_s2(nodata=None)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as data:
        data.write_mask(np.zeros((N, N), "uint8"))
    return map_of()


@case(KIND, "an image of nodata alone", refused("s2.tif"))
def _(s: Scene) -> Words:
    s.save_s2(s.s2 * 0)
    return map_of()


@case(KIND, "an image of NaN alone", refused("s1.tif"))
def _(s: Scene) -> Words:
    s.save_s1(s.s1 * np.nan)
    return S1


@case(KIND, "a band of NaN alone", refused("s1.tif"))
def _(s: Scene) -> Words:
    values = s.s1.copy()
    values[1] = np.nan
    s.save_s1(values)
    return S1


@case(KIND, "a band of 0 alone", right(), refused("s2.tif"))
def _(s: Scene) -> Words:
    values = s.s2.copy()
    values[4] = 0
    s.save_s2(values)
    return map_of()


@case(KIND, "one pixel seen", refused("s2.tif"), noted("s2", "pixel", share=0))
def _(s: Scene) -> Words:
    values = s.s2 * 0
    values[:, 5, 5] = s.s2[:, 5, 5]
    s.save_s2(values)
    return map_of()


@case(KIND, "one pixel seen, learned from with radar", refused("s2.tif"))
def _(s: Scene) -> Words:
    values = s.s2 * 0
    values[:, 90, 3] = s.s2[:, 90, 3]
    s.save_s2(values)
    return map_of(s1="s1.tif")


@case(KIND, "one pixel seen of s1", refused("s1.tif"))
def _(s: Scene) -> Words:
    values = s.s1 * np.nan
    values[:, 7, 7] = -12
    s.save_s1(values)
    return S1


@case(KIND, "an image of one value", refused("s2.tif"))
def _(s: Scene) -> Words:
    s.save_s2(s.s2 * 0 + 700)
    return map_of(s1="s1.tif")


@case(KIND, "a band of one value", noted("B05", "same value"))
def _(s: Scene) -> Words:
    values = s.s2.copy()
    values[3] = 800
    s.save_s2(values)
    return map_of()


@case(KIND, "nodata tags that differ by band, in a side file", INSIDE)
def _(s: Scene) -> Words:
    values = s.s1.copy()
    values[0, EAST], values[1, EAST] = -9999, -8888
    s.save_s1(values, nodata=None)
    tags = "".join(
        f'<PAMRasterBand band="{i}"><NoDataValue>{v}</NoDataValue></PAMRasterBand>'
        for i, v in ((1, -9999), (2, -8888))
    )
    s.write("s1.tif.aux.xml", f"<PAMDataset>{tags}</PAMDataset>")
    return S1


@case(KIND, "a nodata tag that the type can't hold, in a side file", right())
def _(s: Scene) -> Words:
    s.save_s2(nodata=None)
    band = '<PAMRasterBand band="1"><NoDataValue>-9999</NoDataValue></PAMRasterBand>'
    s.write("s2.tif.aux.xml", f"<PAMDataset>{band}</PAMDataset>")
    return map_of()


def _scl(values: object, more: Words, s: Scene, **profile: object) -> Words:
    s.save("scl.tif", np.asarray(values), **profile)
    return map_of(more=("--s2-mask", "scl.tif", *more))


_CLOUD = np.where(EAST, 9, 4).astype("uint8")
add(KIND, "SCL with clouds", partial(_scl, _CLOUD, ()), INSIDE)
add(
    KIND,
    "SCL as float",
    partial(_scl, _CLOUD.astype("float32"), ()),
    INSIDE,
    refused("scl.tif"),
)
add(
    KIND,
    "SCL that hides everything",
    partial(_scl, np.full((N, N), 9, "uint8"), ()),
    refused("scl.tif", "--s2-mask", "s2"),
)
add(
    KIND,
    "codes that hide and that the mask has not",
    partial(_scl, _CLOUD, ("--s2-hidden", "77")),
    noted("scl.tif", "77", "mask"),
    refused("--s2-hidden", "scl.tif"),
)
add(
    KIND,
    "a mask of 0 and 1 taken for SCL",
    partial(_scl, EAST.astype("uint8"), ()),
    refused("scl.tif", "--s2-hidden"),
    noted("scl", "mask", where=EAST),
    noted("scl", "mask", where=~EAST),
)
add(
    KIND,
    "a mask of 0 and 255 with its code",
    partial(_scl, np.where(EAST, 255, 0).astype("uint8"), ("--s2-hidden", "255")),
    INSIDE,
    refused("scl.tif"),
)
add(
    KIND,
    "a mask with a fraction",
    partial(_scl, _CLOUD + np.float32(0.5), ()),
    refused("scl.tif"),
)
add(
    KIND,
    "a mask of three bands",
    partial(_scl, np.stack([_CLOUD] * 3), ()),
    refused("scl.tif"),
)
add(
    KIND,
    "a mask without a place",
    partial(_scl, _CLOUD, (), crs=None, transform=None),
    refused("scl.tif"),
)
add(
    KIND,
    "codes of a mask that are no codes",
    partial(_scl, _CLOUD, ("--s2-hidden", "a,b")),
    refused("--s2-hidden"),
)


@case(KIND, "a mask of another place", refused("scl.tif"), noted("scl", "mask"))
def _(s: Scene) -> Words:
    return _scl(_CLOUD, (), s, crs="EPSG:32634")


@case(KIND, "an image as the mask", refused("--s2-mask", "s2.tif"))
def _(s: Scene) -> Words:
    return map_of(more=("--s2-mask", "s2.tif"))
