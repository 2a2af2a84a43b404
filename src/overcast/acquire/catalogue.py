"""Catalogues as data: where a source answers, what it calls things, how it is signed.

A source is a TOML file, one of those in ``catalogues/`` or the user's own. Secrets are
not in it: it names the variables of the environment that hold them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from overcast.errors import reading
from overcast.schema import from_tree
from overcast.texts import read_text

_FOLDER = files("overcast.acquire") / "catalogues"
_ADVICE = "see docs/my-region.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueProduct:
    """One kind of data of a source.

    Attributes
    ----------
    collections
        Names of its STAC collections; the first has the best data.
    assets
        Key of the asset by the name that overcast uses: B02, SCL, VV, labels, elevation.
    nodata
        Stored value for "no data", whatever the files' tags say; none if the tags do.
    units
        Of backscatter: linear or db.
    legend
        Of labels: the name of their legend.
    undated
        Whether a time means nothing, as for elevation.
    licence, attribution
        What whoever publishes a map has to say; ``{years}`` stands for the years used.
    """

    collections: tuple[str, ...]
    assets: Mapping[str, str]
    nodata: float | None = None
    units: str = "linear"
    legend: str = ""
    undated: bool = False
    licence: str = ""
    attribution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """How addresses are signed when they are read.

    Attributes
    ----------
    kind
        ``none``; ``token``: a query that `url` hands out for every collection; or
        ``bearer``: a header with what the variable `key` holds.
    url
        Address of the tokens, with ``{collection}`` in it.
    hosts
        Ends of the names of hosts whose addresses are signed; none means all.
    key, header
        Variable of the environment with a key, and the header that it goes into.
    """

    kind: str = "none"
    url: str = ""
    hosts: tuple[str, ...] = ()
    key: str = ""
    header: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ("none", "token", "bearer"):
            raise ValueError(
                f"[sign] kind {self.kind!r}: expected none, token or bearer"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often a request is tried, and for how long it is waited.

    The wait is `delay_s`, and twice as long after every failure, unless the server says
    how long (``Retry-After``); never more than `longest_s`.
    """

    tries: int = 6
    delay_s: float = 1.0
    longest_s: float = 120.0
    silent_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """A source: its STAC API, its products, and how it is read.

    Attributes
    ----------
    name, title
        For commands and for people.
    api
        Address of its STAC API, or of an item collection.
    products
        By name: sentinel-2, sentinel-1, elevation, or the name of labels.
    asks
        What its users need, in words.
    gdal
        Settings of GDAL for addresses that GDAL itself reads (``s3://``).
    """

    name: str
    title: str
    api: str
    products: Mapping[str, CatalogueProduct] = field(default_factory=dict)
    asks: str = "nothing"
    sign: Sign = field(default_factory=Sign)
    patience: Patience = field(default_factory=Patience)
    gdal: Mapping[str, str] = field(default_factory=dict)


def known_catalogues() -> list[str]:
    """Names of the sources that come with overcast."""
    names = (file.name for file in _FOLDER.iterdir())
    return sorted(n.removesuffix(".toml") for n in names if n.endswith(".toml"))


def load_catalogue(name: str) -> Catalogue:
    """Return a source by its name, or from a TOML file.

    Raises
    ------
    ValueError
        If there is none, or the file is not as it should be.
    """
    if name in known_catalogues():
        text = (_FOLDER / f"{name}.toml").read_text(encoding="utf-8")
        return parse_catalogue(text, name)
    path = Path(name)
    if not path.is_file():
        known = ", ".join(known_catalogues())
        raise ValueError(f"--source {name}: no such file, and none of {known}")
    with reading(path, _ADVICE, "TOML file of a source"):
        text = read_text(path)
        tomllib.loads(text)
    return parse_catalogue(text, path.stem, str(path))


def parse_catalogue(text: str, name: str, where: str | None = None) -> Catalogue:
    """Return the source that a TOML text describes; `where` is its file, for messages.

    Raises
    ------
    ValueError
        If a key is unknown, missing or of the wrong type.
    """
    tree = {"name": name, "title": name, **tomllib.loads(text)}
    return from_tree(Catalogue, tree, where or name, _ADVICE)


def offering(catalogues: Sequence[Catalogue], product: str) -> Catalogue:
    """The first of several sources that has a product.

    Raises
    ------
    ValueError
        If none has it.
    """
    for catalogue in catalogues:
        if product in catalogue.products:
            return catalogue
    names = ", ".join(c.name for c in catalogues)
    others = [n for n in known_catalogues() if product in load_catalogue(n).products]
    hint = f"add --source {others[0]}" if others else "give it as a file"
    raise ValueError(f"--source {names}: has no {product}; {hint}")
