"""Which band is which: names, orders, counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from bench.corpus.case import add, case, noted, refused, right
from bench.corpus.runner import Words
from bench.corpus.scene import BANDS, Scene, map_of, predict_of

KIND = "bands"
_GDAL = (
    "B2, central wavelength 490 nm",
    "B3, central wavelength 560 nm",
    "B4, central wavelength 665 nm",
    "B5, central wavelength 705 nm",
    "B6, central wavelength 740 nm",
    "B7, central wavelength 783 nm",
    "B8, central wavelength 842 nm",
    "B8A, central wavelength 865 nm",
    "B11, central wavelength 1610 nm",
    "B12, central wavelength 2190 nm",
)
_STAC = (
    "blue",
    "green",
    "red",
    "rededge1",
    "rededge2",
    "rededge3",
    "nir",
    "nir08",
    "swir16",
    "swir22",
)
EASY = right(), refused("s2.tif", "s2:")


def _named(names: Sequence[str], order: Sequence[int], more: Words, s: Scene) -> Words:
    s.save_s2(s.s2[list(order)], names=[names[i] for i in order] if names else ())
    s.take("weak-s2", "before")
    return predict_of("before/run", s2="s2.tif", more=more)


_ORDER, _BACK = range(10), range(9, -1, -1)
_MIXED = (3, 1, 4, 0, 5, 9, 2, 6, 8, 7)
for title, names, order, ends in (
    ("names in another order", BANDS, _MIXED, (right(),)),
    ("names in lower case", [n.lower() for n in BANDS], _BACK, (right(),)),
    ("names without the 0", [n.replace("B0", "B") for n in BANDS], _BACK, (right(),)),
    ("names of GDAL", _GDAL, _ORDER, (right(),)),
    ("names of GDAL in another order", _GDAL, _MIXED, (right(),)),
    ("names of STAC", _STAC, _MIXED, EASY),
    ("names with a prefix", [f"S2_{n}" for n in BANDS], _MIXED, EASY),
    ("names with a date", [f"20240601_{n}" for n in BANDS], _MIXED, EASY),
    ("names with units", [f"{n} (reflectance)" for n in BANDS], _MIXED, EASY),
    ("names with spaces", [f" {n} " for n in BANDS], _MIXED, EASY),
    ("names of a file", [f"T32TPT_{n}_10m.jp2" for n in BANDS], _MIXED, EASY),
    ("names that say nothing", [f"band_{i}" for i in range(10)], _ORDER, EASY),
    ("numbers as names", [str(i) for i in range(1, 11)], _ORDER, EASY),
    ("one name twice", [*BANDS[:9], "B11"], _ORDER, (refused("s2.tif", "s2:"),)),
    ("a name too few", [*BANDS[:9], ""], _ORDER, (*EASY, noted("s2"))),
    ("half of the names, in another order", [*BANDS[:5], *[""] * 5], _MIXED, EASY),
    ("no names, reversed", (), _BACK, (refused("s2.tif", "s2:"), noted("s2"))),
    ("no names, reversed visible", (), (2, 1, 0, *range(3, 10)), EASY),
    ("no names, short wave first", (), (8, 9, *range(8)), EASY),
    ("no names, B8A before B08", (), (*range(6), 7, 6, 8, 9), EASY),
    ("names of another sensor", [f"SR_B{i}" for i in range(10)], _ORDER, EASY),
    ("names of PlanetScope", ["coastal_blue", *_STAC[:9]], _ORDER, EASY),
):
    add(KIND, f"s2 with {title}", partial(_named, names, order, ()), *ends)

for bands, ends in (
    (",".join(BANDS), (right(),)),
    (", ".join(BANDS), (*EASY, refused("--s2-bands"))),
    (",".join(BANDS[:9]), (refused("--s2-bands", "s2.tif", "s2:"),)),
    (",".join((*BANDS, "B01")), (refused("--s2-bands", "s2.tif", "s2:"),)),
    (",".join((*BANDS[:9], "B02")), (refused("--s2-bands", "s2.tif", "s2:"),)),
    (",".join((*BANDS[:9], "X9")), (refused("--s2-bands", "s2.tif", "s2:"),)),
    (",".join(BANDS[::-1]), (refused("--s2-bands", "s2.tif", "s2:"), noted("s2"))),
    (",".join(BANDS) + ",", (*EASY, refused("--s2-bands"))),
    ("", (refused("--s2-bands", "s2.tif", "s2:"), right())),
    (";".join(BANDS), (refused("--s2-bands", "s2.tif", "s2:"),)),
):
    add(
        KIND,
        f"--s2-bands '{bands}'",
        partial(_named, BANDS, _ORDER, ("--s2-bands", bands)),
        *ends,
    )


@case(KIND, "red, green, blue and near infrared alone", refused("s2.tif", "B05"))
def _(s: Scene) -> Words:
    s.save_s2(s.s2[[0, 1, 2, 6]], names=("blue", "green", "red", "nir"))
    s.take("weak-s2", "before")
    return predict_of("before/run", s2="s2.tif")


@case(KIND, "four bands named and learned from", right(), refused("s2.tif", "s2:"))
def _(s: Scene) -> Words:
    s.save_s2(s.s2[[2, 1, 0, 6]], names=("B04", "B03", "B02", "B08"))
    return map_of()


@case(
    KIND,
    "twelve bands without names, as L2A has them",
    right(),
    refused("s2.tif", "s2:"),
)
def _(s: Scene) -> Words:
    more = s.s2[[0, *range(8), 7, 8, 9]]
    s.save_s2(more, names=())
    s.take("weak-s2", "before")
    return predict_of("before/run", s2="s2.tif")


@case(KIND, "thirteen bands without names, as L1C has them", refused("s2.tif", "s2:"))
def _(s: Scene) -> Words:
    s.save_s2(s.s2[[0, *range(8), 7, 8, 8, 9]], names=())
    s.take("weak-s2", "before")
    return predict_of("before/run", s2="s2.tif")


@case(KIND, "eleven bands without names", refused("s2.tif", "s2:"))
def _(s: Scene) -> Words:
    s.save_s2(s.s2[[0, *range(10)]], names=())
    return map_of()


@case(
    KIND,
    "bands and the scene classes as the eleventh",
    right(),
    refused("s2.tif", "s2:"),
)
def _(s: Scene) -> Words:
    joined = np.concatenate([s.s2, s.truth[None].astype("uint16")])
    s.save_s2(joined, names=(*BANDS, "SCL"))
    return map_of()


def _s1(names: Sequence[str], order: Sequence[int], run: bool, s: Scene) -> Words:
    s.save_s1(s.s1[list(order)], names=names)
    if not run:
        return map_of(s2=None, s1="s1.tif")
    s.take("weak-s1", "before")
    return predict_of("before/run", s1="s1.tif")


_S1 = refused("s1.tif", "s1:")
for title, names, order, ends in (
    ("VH before VV by name", ("VH", "VV"), (1, 0), (right(),)),
    ("names of SNAP", ("Sigma0_VH_db", "Sigma0_VV_db"), (1, 0), (right(),)),
    ("names in lower case", ("vh", "vv"), (1, 0), (right(),)),
    ("HH and HV", ("HH", "HV"), (0, 1), (_S1, noted("HH"))),
    ("VH before VV without names", ("", ""), (1, 0), (_S1, noted("s1", "VV"))),
    ("VV alone", ("VV",), (0,), (_S1,)),
    ("one band without a name", ("",), (0,), (_S1,)),
    ("VV twice", ("VV", "VV"), (0, 1), (_S1,)),
    ("an angle as the third band", ("VV", "VH", "angle"), (0, 1, 0), (right(), _S1)),
    ("a ratio as the third band, no names", ("", "", ""), (0, 1, 0), (right(), _S1)),
    ("names of Gamma nought", ("Gamma0_VH", "Gamma0_VV"), (1, 0), (right(), _S1)),
    ("names of dates", ("20240101", "20240113"), (0, 1), (right(), _S1)),
    ("HV and VH", ("VV", "HV"), (0, 1), (right(), _S1)),
):
    add(KIND, f"s1 with {title}", partial(_s1, names, order, True), *ends)


@case(KIND, "s1 of another place's run given as s2", refused("s1.tif"))
def _(s: Scene) -> Words:
    return map_of(s2="s1.tif")


@case(KIND, "s2 given as s1", refused("s2.tif", "s2:"))
def _(s: Scene) -> Words:
    return map_of(s2=None, s1="s2.tif")


@case(KIND, "s1 and s2 changed with each other", refused("s1.tif", "s2.tif"))
def _(s: Scene) -> Words:
    return map_of(s2="s1.tif", s1="s2.tif")


@case(KIND, "labels given as s2", refused("labels.tif"))
def _(s: Scene) -> Words:
    return map_of(s2="labels.tif")
