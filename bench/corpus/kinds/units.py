"""What values mean: units, scales, offsets, types; a run maps what it did not learn from."""

# ruff: noqa: E501
from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import rasterio
from bench.corpus.case import add, case, refused, right
from bench.corpus.runner import Words
from bench.corpus.scene import Array, Scene, map_of, predict_of

KIND = "units and types"


def _as_s2(
    values: Array, scales: Sequence[float], offsets: Sequence[float], s: Scene
) -> Words:
    path = s.save_s2(values, nodata=None)
    _tag(path, scales, offsets)
    s.take("weak-s2", "before")
    return predict_of("before/run", s2="s2.tif")


def _tag(path: object, scales: Sequence[float], offsets: Sequence[float]) -> None:
    with rasterio.open(path, "r+") as data:
        if scales:
            data.scales = scales
        if offsets:
            data.offsets = offsets


def _s2(change: object, dtype: str, scales: Sequence[float], offsets: object):
    def prepare(s: Scene) -> Words:
        values = change(s.s2.astype("float64")).astype(dtype)
        return _as_s2(values, scales, offsets, s)

    return prepare


_TEN = (1e-4,) * 10
_SUN = np.array([1959, 1823, 1512, 1425, 1288, 1163, 1036, 955, 245, 85])[:, None, None]
"""Solar irradiance of the ten bands, W/m2/um."""
for title, change, dtype, scales, offsets in (
    ("percent", lambda v: v / 100, "float32", (), ()),
    ("bytes", lambda v: (v / 4000 * 255).clip(0, 255), "uint8", (), ()),
    ("reflectance x 1000", lambda v: v / 10, "uint16", (), ()),
    ("reflectance x 100,000", lambda v: v * 10, "int32", (), ()),
    ("reflectance", lambda v: v / 1e4, "float32", (), ()),
    ("reflectance as float64", lambda v: v / 1e4, "float64", (), ()),
    ("digital numbers as float32", lambda v: v, "float32", (), ()),
    ("digital numbers as int16", lambda v: v, "int16", (), ()),
    ("digital numbers as uint32", lambda v: v, "uint32", (), ()),
    ("digital numbers as complex", lambda v: v + 0j, "complex64", (), ()),
    ("the offset of 1000, untagged", lambda v: v + 1000, "uint16", (), ()),
    ("the offset of 1000, tagged", lambda v: v + 1000, "uint16", _TEN, (-0.1,) * 10),
    ("scale tags of 0.0001", lambda v: v, "uint16", _TEN, ()),
    (
        "percent with a scale tag of 0.01",
        lambda v: v / 100,
        "float32",
        (0.01,) * 10,
        (),
    ),
    (
        "reflectance x 1000 with its scale tag",
        lambda v: v / 10,
        "uint16",
        (1e-3,) * 10,
        (),
    ),
    (
        "scales that differ by band",
        lambda v: v * np.where(np.arange(10) < 5, 1, 0.1)[:, None, None],
        "float32",
        (*(1e-4,) * 5, *(1e-3,) * 5),
        (),
    ),
    (
        "a scale tag on the last band alone, which is the odd one",
        lambda v: v * np.where(np.arange(10) < 9, 1, 0.1)[:, None, None],
        "float32",
        (*(1e-4,) * 9, 1e-3),
        (),
    ),
    ("a scale tag of 0", lambda v: v, "uint16", (0.0,) * 10, ()),
    ("a scale tag of NaN", lambda v: v, "uint16", (float("nan"),) * 10, ()),
    ("a scale tag of -0.0001", lambda v: v, "uint16", (-1e-4,) * 10, ()),
    ("a scale tag of infinity", lambda v: v, "uint16", (float("inf"),) * 10, ()),
    ("an offset tag of 5", lambda v: v, "uint16", _TEN, (5.0,) * 10),
    ("sensor counts of 12 bits", lambda v: v / 4000 * 4095, "uint16", (), ()),
    ("radiance", lambda v: v / 1e4 * 400, "float32", (), ()),
    ("radiance in W/m2/sr/um", lambda v: v / 1e4 * _SUN * 0.225, "float32", (), ()),
    ("radiance in mW/cm2/sr/um", lambda v: v / 1e5 * _SUN * 0.225, "float32", (), ()),
    ("radiance x 10 as uint16", lambda v: v / 1e3 * _SUN * 0.225, "uint16", (), ()),
    ("radiance x 100 as uint16", lambda v: v / 100 * _SUN * 0.225, "uint16", (), ()),
    (
        "radiance with its scale tag",
        lambda v: v / 100 * _SUN * 0.225,
        "uint16",
        (0.01,) * 10,
        (),
    ),
    ("negatives", lambda v: -v, "int16", (), ()),
    ("all values x 1e30", lambda v: v * 1e30, "float32", (), ()),
    ("one value for all", lambda v: v * 0 + 1200, "uint16", (), ()),
    (
        "one value for each band",
        lambda v: v * 0 + np.arange(200, 2200, 200)[:, None, None],
        "uint16",
        (),
        (),
    ),
    ("one value for all, as floats", lambda v: v * 0 + 0.12, "float32", (), ()),
    ("half of it with the offset of 1000", None, "uint16", (), ()),
):
    if change is None:
        continue
    ends = (right(), refused("s2.tif"))
    if title in {"reflectance", "digital numbers as int16", "scale tags of 0.0001"}:
        ends = (right(),)
    add(KIND, f"s2 in {title}", _s2(change, dtype, scales, offsets), *ends)


def _as_s1(
    s: Scene, values: Array, scales: Sequence[float] = (), **more: object
) -> Words:
    path = s.save_s1(values, **{"nodata": None, **more})
    _tag(path, scales, ())
    s.take("weak-s1", "before")
    return predict_of("before/run", s1="s1.tif")


for title, change, dtype, scales in (
    ("linear power", lambda v: 10 ** (v / 10), "float32", ()),
    ("linear power as float64", lambda v: 10 ** (v / 10), "float64", ()),
    ("amplitude", lambda v: 10 ** (v / 20), "float32", ()),
    ("amplitude x 1000 as uint16", lambda v: 1000 * 10 ** (v / 20), "uint16", ()),
    ("linear power x 10,000 as uint16", lambda v: 1e4 * 10 ** (v / 10), "uint16", ()),
    ("digital numbers of GRD", lambda v: 500 * 10 ** (v / 20), "uint16", ()),
    ("int16 dB x 100", lambda v: v * 100, "int16", ()),
    ("int16 dB x 100 with its scale tag", lambda v: v * 100, "int16", (0.01, 0.01)),
    ("int16 dB x 10", lambda v: v * 10, "int16", ()),
    ("whole dB as int8", lambda v: v, "int8", ()),
    ("dB + 30", lambda v: v + 30, "float32", ()),
    ("dB without a sign", lambda v: -v, "float32", ()),
    ("dB as bytes over -30 to 0", lambda v: (v + 30) / 30 * 255, "uint8", ()),
    ("natural logarithm of power", lambda v: v / 10 * np.log(10), "float32", ()),
    ("complex", lambda v: 10 ** (v / 20) + 0j, "complex64", ()),
    ("one value for all", lambda v: v * 0 - 12, "float32", ()),
):

    def _s1(s: Scene, change=change, dtype=dtype, scales=scales) -> Words:
        values = change(s.s1.astype("float64"))
        if dtype == "uint8":
            values = values.clip(0, 255)
        return _as_s1(
            s,
            values.round().astype(dtype) if "int" in dtype else values.astype(dtype),
            scales,
        )

    add(KIND, f"s1 in {title}", _s1, right(), refused("s1.tif"))


def _option(sensor: str, words: Words, s: Scene) -> Words:
    if sensor == "s1":
        return map_of(s2=None, s1="s1.tif", more=words)
    return map_of(more=words)


for sensor, words, names in (
    ("s2", ("--s2-offset", "-1000"), ("s2.tif", "--s2-offset", "offset")),
    ("s2", ("--s2-offset", "999999999999"), ("s2.tif", "--s2-offset", "offset")),
    ("s2", ("--s2-offset", "5"), ("s2.tif", "--s2-offset", "offset")),
    ("s2", ("--s2-offset", "1000"), ("s2.tif", "--s2-offset", "offset")),
    ("s2", ("--s2-offset", "-0.1"), ("--s2-offset",)),
    ("s1", ("--s1-units", "linear"), ("s1.tif", "--s1-units")),
    ("s1", ("--s1-units", "dB "), ("--s1-units",)),
    ("s2", ("--s1-units", "linear"), ("--s1-units",)),
    ("s1", ("--s2-offset", "-1000"), ("--s2-offset",)),
    ("s1", ("--s2-bands", "B02"), ("--s2-bands",)),
):
    add(
        KIND,
        f"{' '.join(words)} for an image that it is not true of, {sensor}",
        partial(_option, sensor, words),
        refused(*names),
    )


@case(KIND, "--s1-units db for linear power", refused("s1.tif", "--s1-units"))
def _(s: Scene) -> Words:
    s.save_s1((10 ** (s.s1 / 10)).astype("float32"))
    return map_of(s2=None, s1="s1.tif", more=("--s1-units", "db"))


@case(KIND, "a prior in percent", right(), refused("p.tif", "prior"))
def _(s: Scene) -> Words:
    shares = np.stack([(s.truth == code) * 80 + 5 for code in (1, 2, 3, 4)])
    s.save("p.tif", shares.astype("uint8"), ("Water", "Forest", "Crops", "Town"))
    return map_of(more=("--prior", "p.tif"))


@case(
    KIND,
    "a prior with its classes in another order",
    right(),
    refused("p.tif", "prior"),
)
def _(s: Scene) -> Words:
    shares = np.stack([(s.truth == code) * 0.8 + 0.05 for code in (4, 3, 2, 1)])
    s.save("p.tif", shares.astype("float32"), ("Town", "Crops", "Forest", "Water"))
    return map_of(more=("--prior", "p.tif"))


@case(KIND, "a prior of other classes", refused("p.tif", "prior"))
def _(s: Scene) -> Words:
    shares = np.stack([(s.truth == code) * 0.8 + 0.05 for code in (1, 2, 3, 4)])
    s.save("p.tif", shares.astype("float32"), ("Ice", "Sand", "Rock", "Snow"))
    return map_of(more=("--prior", "p.tif"))


@case(KIND, "a prior of NaN and of negatives", right(), refused("p.tif", "prior"))
def _(s: Scene) -> Words:
    shares = np.full((4, 96, 96), -3, "float32")
    shares[:, :50] = np.nan
    s.save("p.tif", shares, ("Water", "Forest", "Crops", "Town"))
    return map_of(more=("--prior", "p.tif"))


@case(KIND, "an image as the prior", refused("s2.tif"))
def _(s: Scene) -> Words:
    return map_of(more=("--prior", "s2.tif"))
