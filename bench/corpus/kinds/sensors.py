"""Sensors described in TOML, and the option that names them."""

# ruff: noqa: E501
from __future__ import annotations

from functools import partial

from bench.corpus.case import add, case, noted, refused, right
from bench.corpus.runner import Words
from bench.corpus.scene import BANDS, Scene, map_of

KIND = "sensors"
TOML = 'name = "planet"\nkind = "optical"\nscale = 1e-4\nnodata = 0\n' + "".join(
    f'[[bands]]\nname = "{name}"\nunit = "reflectance"\nlow = 0.0\nhigh = 0.5\n'
    for name in BANDS
)
BAD = refused("planet.toml")


def own(given: str = "planet=planet.toml:s2.tif", more: Words = ()) -> Words:
    """Words of `overcast map` with an image of a sensor of one's own."""
    return ("map", "--image", given, *map_of(s2=None)[1:], *more)


def _toml(text: str | bytes, s: Scene) -> Words:
    s.write("planet.toml", text)
    return own()


for title, text, ends in (
    ("as it should be", TOML, (right(),)),
    ("nothing", "", (BAD,)),
    ("no TOML", "name: planet\n", (BAD,)),
    ("bytes", bytes(range(256)), (BAD,)),
    ("Latin-1", TOML.replace("planet", "plänet").encode("latin-1"), (BAD,)),
    ("a byte-order mark", b"\xef\xbb\xbf" + TOML.encode(), (right(), BAD)),
    ("no name", TOML.replace('name = "planet"\n', ""), (BAD,)),
    ("a name that is a number", TOML.replace('"planet"', "5"), (BAD,)),
    ("an unknown kind", TOML.replace('"optical"', '"lidar"'), (BAD,)),
    ("no bands", TOML.partition("[[bands]]")[0], (BAD,)),
    ("bands as text", 'name = "p"\nkind = "optical"\nbands = "B02"\n', (BAD,)),
    ("bands as numbers", 'name = "p"\nkind = "optical"\nbands = [1, 2]\n', (BAD,)),
    ("a band too few", TOML.rpartition("[[bands]]")[0], (right(), BAD, refused("s2.tif"))),
    ("a band too many", TOML + '[[bands]]\nname = "B99"\nunit = "m"\nlow = 0.0\nhigh = 1.0\n', (refused("s2.tif", "planet.toml"),)),
    ("a band of another name", TOML.replace('"B05"', '"RedEdge"'), (refused("s2.tif", "planet.toml"),)),
    ("every band of another name", TOML.replace('"B', '"X'), (refused("s2.tif", "planet.toml"),)),
    ("a band twice", TOML.replace('"B03"', '"B02"'), (BAD, refused("s2.tif"))),
    ("low above high", TOML.replace("low = 0.0", "low = 9.0", 1), (BAD,)),
    ("low of NaN", TOML.replace("low = 0.0", "low = nan", 1), (BAD,)),
    ("high of infinity", TOML.replace("high = 0.5", "high = inf", 1), (BAD,)),
    ("low as text", TOML.replace("low = 0.0", 'low = "0"', 1), (BAD,)),
    ("no high", TOML.replace("high = 0.5\n", "", 1), (BAD,)),
    ("an unknown key", "colour = 3\n" + TOML, (BAD,)),
    ("an unknown key of a band", TOML + "colour = 3\n", (BAD,)),
    ("scale 0", TOML.replace("1e-4", "0"), (BAD, refused("s2.tif", "planet"))),
    ("scale NaN", TOML.replace("1e-4", "nan"), (BAD, refused("s2.tif", "planet"))),
    ("scale infinity", TOML.replace("1e-4", "inf"), (BAD, refused("s2.tif", "planet"))),
    ("scale as text", TOML.replace("1e-4", '"1e-4"'), (BAD,)),
    ("scale below 0", TOML.replace("1e-4", "-1e-4"), (right(), BAD, refused("s2.tif", "planet"))),
    ("scale too large", TOML.replace("1e-4", "1.0"), (noted("scale"), refused("planet", "s2.tif"))),
    ("nodata as text", TOML.replace("nodata = 0", 'nodata = "0"'), (BAD,)),
    ("nodata NaN", TOML.replace("nodata = 0", "nodata = nan"), (right(), BAD)),
    ("power of an optical sensor", "power = true\n" + TOML, (BAD, refused("s2.tif", "planet"), noted("power", "B02"))),
    ("power as text", 'power = "yes"\n' + TOML, (BAD,)),
    ("a wavelength as text", TOML + 'wavelength_nm = "red"\n', (BAD,)),
    ("a wavelength below 0", TOML + "wavelength_nm = -5\n", (BAD, right())),
    ("a name with a slash", TOML.replace('"planet"', '"a/b"'), (right(), BAD)),
    ("1000 nested tables", "a = " + "[" * 1000 + "]" * 1000 + "\n" + TOML, (BAD,)),
    ("100,000 nested tables", "a = " + "[" * 100_000 + "\n", (BAD,)),
):  # fmt: skip
    add(KIND, title, partial(_toml, text), *ends)

OPTION = refused("--image", "planet", "toml")
for given, ends in (
    ("planet", (OPTION,)),
    ("planet=", (OPTION,)),
    ("=planet.toml:s2.tif", (OPTION,)),
    ("planet=planet.toml", (OPTION,)),
    ("planet=planet.toml:", (OPTION,)),
    ("planet=gone.toml:s2.tif", (OPTION,)),
    ("planet=planet.toml:gone.tif", (refused("gone.tif"),)),
    ("planet=s2.tif:planet.toml", (refused("s2.tif", "planet.toml"),)),
    ("planet=.:s2.tif", (OPTION, refused("."))),
    ("a b=planet.toml:s2.tif", (right(), OPTION)),
    ("../x=planet.toml:s2.tif", (right(), OPTION)),
    ("s2=planet.toml:s2.tif", (right(), OPTION)),
    ("labels=planet.toml:s2.tif", (right(), OPTION)),
    ("planet=sentinel-2:s2.tif", (right(), refused("sentinel-2", "--image"))),
):

    def _given(s: Scene, given: str = given) -> Words:
        s.write("planet.toml", TOML)
        return own(given)

    add(KIND, f"--image {given!r}", _given, *ends)


@case(KIND, "one name for two images", refused("--image", "planet"))
def _(s: Scene) -> Words:
    s.write("planet.toml", TOML)
    s.save("empty.tif", s.s2 * 0 + 1, BANDS)
    return own("planet=planet.toml:empty.tif", ("--image", "planet=planet.toml:s2.tif"))


@case(KIND, "the name s2 beside --s2", refused("--image", "s2"))
def _(s: Scene) -> Words:
    s.write("planet.toml", TOML)
    return own("s2=planet.toml:s2.tif", ("--s2", "s2.tif"))


@case(KIND, "a run of one sensor for another of the same bands", refused("planet"))
def _(s: Scene) -> Words:
    s.write("planet.toml", TOML)
    s.take("weak-s2", "before")
    return ("predict", "before/run", "--image", "s2=planet.toml:s2.tif", "--out", "o")
