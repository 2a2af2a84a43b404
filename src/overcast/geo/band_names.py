"""Which band is which, by the names that products, catalogues and programs give.

Names decide where there are any: `B02`, `T32UPU_20200101T101010_B02_10m`, `B8, central
wavelength 842 nm`, `red`, `swir16`, `Sigma0_VV_db`. `Band 1` or `Layer 1` are no names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from overcast.geo.bands import Sensor, canonical

_COLOURS = {
    "coastal": "B01",
    "coastalaerosol": "B01",
    "blue": "B02",
    "green": "B03",
    "red": "B04",
    "rededge": "B05",
    "rededge1": "B05",
    "rededge2": "B06",
    "rededge3": "B07",
    "rededge4": "B8A",
    "rededge071": "B05",
    "rededge075": "B06",
    "rededge078": "B07",
    "re1": "B05",
    "re2": "B06",
    "re3": "B07",
    "nir": "B08",
    "nir1": "B08",
    "nirbroad": "B08",
    "widenir": "B08",
    "broadnir": "B08",
    "nearinfrared": "B08",
    "nir08": "B8A",
    "nir2": "B8A",
    "nirnarrow": "B8A",
    "narrownir": "B8A",
    "nir09": "B09",
    "watervapour": "B09",
    "watervapor": "B09",
    "cirrus": "B10",
    "swir1": "B11",
    "swir16": "B11",
    "swir2": "B12",
    "swir22": "B12",
    "shortwaveinfrared1": "B11",
    "shortwaveinfrared2": "B12",
}
"""Names of colours, as STAC and others have them, to bands of Sentinel-2."""
_THREE_SWIR = {"swir2": "B11", "swir3": "B12"}
"""Products that count the short wave from 2."""
_NO_BAND = frozenset(
    [
        "angle",
        "aot",
        "azimuth",
        "class",
        "cld",
        "cloud",
        "clouds",
        "count",
        "dust",
        "index",
        "mask",
        "ndvi",
        "ndwi",
        "nbr",
        "prob",
        "probability",
        "qa",
        "ratio",
        "scl",
        "shadow",
        "snow",
        "snw",
        "st",
        "sr",
        "std",
        "stdev",
        "stddev",
        "var",
        "variance",
        "wvp",
        "zenith",
        "min",
        "max",
    ]
)
"""Words that say that a layer is no band, whatever else its name holds."""
_COMPANIONS = frozenset({"B01", "B09", "B10"})
"""Bands of Sentinel-2 that see the atmosphere: left out without a word."""
_CROSSED = frozenset({"HH", "HV"})
"""Polarisations that show land otherwise than VV and VH do."""
_COUNTED = re.compile(r"(.*?)[ _.\-]*0*(\d+)", re.DOTALL)
_MOST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Order:
    """The meaning of every band of a file: a band of the sensor, another name, or none."""

    names: tuple[str, ...]
    named: bool
    """Whether names said it, not the number of bands."""
    ignored: tuple[str, ...] = ()
    """What else the file holds, as it is called there."""


def band_order(
    what: str,
    written: Sequence[str],
    sensor: Sensor,
    said: Sequence[str] | None = None,
    how: str = "set the band descriptions",
) -> Order:
    """Bands of a file in order: as said, as named there, or by their number.

    Parameters
    ----------
    what
        File or array, for messages.
    written
        Names in the file; empty where it has none.
    sensor
        Whose bands are looked for.
    said
        Names that the user gives instead.
    how
        What the user can do where names are missing or wrong.

    Raises
    ------
    ValueError
        If names are there and no band of the sensor is among them, names that are given
        contradict them, a band is there twice, or there are no names and no layout of
        the sensor has as many bands.
    """
    if said is not None and len(said) != len(written):
        raise ValueError(
            f"{what}: {len(written)} bands, but {len(said)} band names were given"
        )
    texts = [text.strip() for text in (written if said is None else said)]
    if nameless(texts, sensor):
        return _by_count(what, len(texts), sensor, how)
    names = resolve(texts, sensor)
    own = resolve([text.strip() for text in written], sensor)
    if said is not None and set(own) & set(sensor.names) and own != names:
        raise ValueError(
            f"{what}: its bands are called {_listed(list(written))}, and said to be "
            f"{_listed(texts)}; leave --s2-bands out, or rename the file's bands"
        )
    missing = [name for name in sensor.names if name not in names]
    if missing == list(sensor.names) or (missing and _CROSSED & set(names)):
        raise ValueError(
            f"{what}: its bands are called {_listed(texts)}; expected {', '.join(missing)} "
            f"of {sensor.name}; give such an image, or {how}"
        )
    twice = [band for band in sensor.names if names.count(band) > 1]
    if twice:
        both = [t for t, n in zip(texts, names, strict=True) if n == twice[0]]
        raise ValueError(
            f"{what}: more than one band is called {twice[0]} ({', '.join(both)}); keep "
            "one of them"
        )
    known = set(sensor.names) | _COMPANIONS
    ignored = tuple(
        text or f"band {i} without a name"
        for i, (text, name) in enumerate(zip(texts, names, strict=True), 1)
        if name not in known
    )
    return Order(tuple(names), True, ignored)


def nameless(texts: Sequence[str], sensor: Sensor) -> bool:
    """Return whether names say nothing: empty, all one word, or a word and a number."""
    if not any(texts):
        return True
    exact = {name.casefold() for name in sensor.names}
    if {text.casefold() for text in texts} & exact:
        # b1, b2 ... b10 are numbers: B10 is no surface, and B8A is missing.
        return len(texts) > 8 and _numbered(texts, sensor)
    if len(texts) > 1 and len(set(texts)) == 1:
        return not set(resolve(texts[:1], sensor)) & set(sensor.names)
    generic = re.compile(
        r"(band|layer|lyr|channel|raster|image|gr[ae]y|undefined|palette)?[ _.\-]*\d*",
        re.IGNORECASE,
    )
    if all(generic.fullmatch(text) for text in texts):
        return True
    return _numbered(texts, sensor)


def _numbered(texts: Sequence[str], sensor: Sensor) -> bool:
    """Return whether names are one word and the number of the band, from 0 or 1."""
    parts = [_COUNTED.fullmatch(text) for text in texts]
    if len(texts) < 2 or not all(parts):
        return False
    stems = {part.group(1) for part in parts if part}
    counted = [int(part.group(2)) for part in parts if part]
    if len(stems) > 1:
        return False
    stem = stems.pop()
    if stem.casefold() == "b" and len(texts) <= 8:
        return False
    start = counted[0]
    if set(_words(stem)) & _NO_BAND:
        return False  # SR_B1, SR_B2 of Landsat
    if stem.casefold() != "b" and set(resolve([stem, stem + "1"], sensor)) & {
        *sensor.names,
        *_COLOURS.values(),
    }:
        return False  # rededge1, rededge2, rededge3; VV_1, VV_2
    return start in (0, 1) and counted == list(range(start, start + len(texts)))


def resolve(texts: Sequence[str], sensor: Sensor) -> list[str]:
    """Band of the sensor that every text means; else the text as it is."""
    exact = {name.casefold(): name for name in sensor.names}
    three = any(_colour(_words(text), {"swir3": "B12"}) == "B12" for text in texts)
    aliases = {**_COLOURS, **_THREE_SWIR} if three else _COLOURS
    names = []
    for text in texts:
        plain = canonical(text)
        own = exact.get(text.casefold()) or exact.get(plain.casefold())
        names.append(own or _meant(text, aliases) or plain)
    edges = [i for i, text in enumerate(texts) if _words(text) in _PLAIN_EDGE]
    if len(edges) == 3:
        for place, band in zip(edges, ("B05", "B06", "B07"), strict=True):
            names[place] = band
    return names


_PLAIN_EDGE = (["rededge"], ["red", "edge"])


def _meant(text: str, aliases: dict[str, str]) -> str | None:
    """Band of Sentinel-2 or polarisation that a longer name means, if it is one."""
    words = _words(text)
    if set(words) & _NO_BAND or re.search(r"[A-Za-z0-9)]\s*[/*+]|[)]\s*-", text):
        return None
    tokens = re.split(r"[^A-Za-z0-9]+", text)
    bands = {canonical(token) for token in tokens if _is_band(token)}
    for first, second in pairwise(tokens):
        if first.casefold() == "band" and _is_band("B" + second):
            bands.add(canonical("B" + second))
    if len(bands) == 1:
        return bands.pop()
    return _colour(words, aliases) if not bands else None


def _is_band(token: str) -> bool:
    match = re.fullmatch(r"[bB]0?(\d{1,2})([aA]?)", token)
    return match is not None and (
        match.group(1) == "8" if match.group(2) else 1 <= int(match.group(1)) <= 12
    )


def _words(text: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return re.findall(r"[a-z]+|\d+", spaced.casefold())


def _colour(words: list[str], aliases: dict[str, str] = _COLOURS) -> str | None:
    """The one colour among words, the longest name first; None where not just one."""
    bands, start = set(), 0
    while start < len(words):
        for length in range(min(_MOST_WORDS, len(words) - start), 0, -1):
            word = "".join(words[start : start + length])
            if word in aliases:
                bands.add(aliases[word])
                start += length
                break
        else:
            start += 1
    return bands.pop() if len(bands) == 1 else None


def _by_count(what: str, count: int, sensor: Sensor, how: str) -> Order:
    for layout in sensor.layouts:
        if len(layout) == count:
            return Order(layout, False)
    counts = " or ".join(str(len(layout)) for layout in sensor.layouts)
    raise ValueError(
        f"{what}: {count} bands without names of {sensor.name}; expected {counts} "
        f"({', '.join(sensor.names)}), or names: {how}"
    )


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(text or "(no name)" for text in texts)
