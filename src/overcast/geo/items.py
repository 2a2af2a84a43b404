"""STAC items as inputs: an item's assets are the bands of one dataset.

An item is a JSON file of this machine or on a server; so is a collection of one item. A
collection of several is several images, ``FILE|item=ID`` each. Offsets that metadata
claim are not believed: values decide, as for any other file.
"""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin

from overcast.errors import MachineError
from overcast.geo.band_names import resolve
from overcast.geo.bands import SENTINEL_1, SENTINEL_2_L1C
from overcast.geo.location import ITEM, Location
from overcast.schema import from_tree, read_json
from overcast.texts import MOST_BYTES

_RASTER = re.compile(r"image/(tiff|jp2|vnd\.stac\.geotiff)|\.(tiff?|jp2)$", re.I)
_CLASSES = re.compile(r"(?:^|[_-])scl(?:$|[_-])", re.I)
_SIZE = re.compile(r"_(\d\d)m$")
_SUFFIXES = (".json", ".geojson")
_SERVED = re.compile(r"/items(?:/[^/.]+)?/?$|/search/?$")
_PATIENCE_S = 30
_COLLECTION = "FeatureCollection"
_ADVICE = "give a STAC item"
_KINDS = ("Feature", _COLLECTION)
_ASIDE = frozenset({"thumbnail", "overview", "visual", "metadata"})
Tree = Mapping[str, Any]


def may_be_item(where: Location) -> bool:
    """Return whether a place has the name of an item: JSON, or an address of a STAC API."""
    text = where.text.partition(ITEM)[0].partition("?")[0]
    served = where.address is not None and _SERVED.search(text) is not None
    return text.lower().endswith(_SUFFIXES) or served


def item_of(where: Location) -> Tree | None:
    """The item that a place names, or None if it is something else.

    Raises
    ------
    ValueError
        If it is a collection of several items, or a server has no such item.
    MachineError
        If the server does not answer.
    """
    items = _items(where)
    _, separator, ident = where.text.partition(ITEM)
    if not items:
        return None
    if separator:
        items = [item for item in items if str(item.get("id")) == ident]
        if not items:
            raise ValueError(f"{where}: no item of the collection is called {ident}")
    elif len(items) > 1:
        first, *_ = names = [str(item.get("id")) for item in items]
        raise ValueError(
            f"{where}: {len(items)} items ({', '.join(names[:3])}...); give one of them, "
            f"as '{where.name}{ITEM}{first}', or read them onto one grid (overcast fetch)"
        )
    return items[0]


def members_of(where: Location) -> list[Location]:
    """Each item of a collection of several, once; nothing of anything else.

    Raises
    ------
    MachineError
        If the server does not answer.
    """
    if ITEM in where.text or len(items := _items(where)) < 2:
        return []
    names = dict.fromkeys(str(item.get("id")) for item in items)
    return [Location(f"{where.text}{ITEM}{name}") for name in names]


def _collection(where: Location) -> Location:
    """The collection of an item that is one of several; else the place itself."""
    return Location(where.text.partition(ITEM)[0])


def _items(where: Location) -> list[Tree]:
    """The items that a place names; none if it is something else."""
    if not may_be_item(where):
        return []
    whole = _collection(where)
    if whole.local is not None and not whole.is_file():
        return []
    if whole.local is None and whole.address is None:
        return []
    tree = _read(whole)
    if not isinstance(tree, dict) or tree.get("type") not in _KINDS:
        return []
    items = tree.get("features", []) if tree["type"] == _COLLECTION else [tree]
    if not isinstance(items, list):
        return []
    # One that is none makes it a GeoJSON of shapes.
    return items if all(map(_is_item, items)) else []


def files_of_item(where: Location, item: Tree) -> tuple[dict[str, str], str | None]:
    """Files by name of band as GDAL names them, and that of its scene classes, or None.

    An item of one raster alone gives that, under the name ``""``.

    Raises
    ------
    ValueError
        If it has no rasters, or several of which none is a band.
    """
    rasters: dict[str, str] = {}
    bands: dict[str, tuple[int, str]] = {}
    classes: tuple[int, str] | None = None
    for key, asset in _assets(where, item).items():
        if not asset.is_data:
            continue
        file = _href(where, asset.href)
        rasters[key] = file
        match = _SIZE.search(key)
        size = int(match[1]) if match else 0
        if _CLASSES.search(key):
            classes = min(classes or (size, file), (size, file))
        elif name := _band(key, asset):
            bands[name] = min(bands.get(name, (size, file)), (size, file))
    if bands:
        files = {name: file for name, (_, file) in bands.items()}
        return files, None if classes is None else classes[1]
    if "map" in rasters:  # of overcast itself, and of WorldCover
        return {"": rasters["map"]}, None
    if len(rasters) != 1:
        names = ", ".join(rasters) or "none"
        raise ValueError(
            f"{where}: an item with the rasters {names}, none of which is named by a band; "
            "give the address of the one that is meant"
        )
    return {"": next(iter(rasters.values()))}, None


@dataclass(frozen=True, slots=True)
class _Band:
    """A band as an asset names it."""

    name: str | None = None
    common_name: str | None = None


@dataclass(frozen=True, slots=True)
class _Asset:
    """What is read of an asset; it may hold more, which is passed over."""

    href: str
    type: str | None = None
    roles: tuple[str, ...] | None = None
    eo_bands: tuple[_Band, ...] | None = None
    bands: tuple[_Band, ...] | None = None

    @property
    def is_data(self) -> bool:
        """Whether it is a raster, and no picture of one."""
        kind = self.type or self.href
        return bool(_RASTER.search(kind)) and not set(self.roles or ()) & _ASIDE


_READ = {
    **{name: name for name in ("href", "type", "roles", "bands")},
    "eo:bands": "eo_bands",
}
"""Keys of an asset that are read, and what they are called here."""


def _assets(where: Location, item: Tree) -> dict[str, _Asset]:
    """Assets of an item by their keys, checked."""
    tree = item.get("assets")
    if not isinstance(tree, dict):
        raise ValueError(f"{where}: assets: expected files by name; {_ADVICE}")
    made = {}
    for key, asset in tree.items():
        place = f"{where}: assets.{key}"
        if not isinstance(asset, dict):
            raise ValueError(f"{place}: expected keys and values; {_ADVICE}")
        said = {name: _plain(asset[k]) for k, name in _READ.items() if k in asset}
        made[key] = from_tree(_Asset, said, place, _ADVICE)
    return made


def _plain(value: object) -> object:
    """Leave out what bands hold besides their names."""
    if not isinstance(value, list):
        return value
    names = ("name", "common_name")
    return [
        {k: one[k] for k in names if k in one} if isinstance(one, dict) else one
        for one in value
    ]


def _is_item(tree: Any) -> bool:
    return isinstance(tree, dict) and "assets" in tree and "stac_version" in tree


def _band(key: str, asset: _Asset) -> str | None:
    """Band of Sentinel-2 or Sentinel-1 that an asset is, by its own word or its key."""
    said = [*(asset.eo_bands or ()), *(asset.bands or ())]
    if len(said) > 1:
        return None
    names = [text for b in said for text in (b.name, b.common_name) if text]
    for text in (_SIZE.sub("", key), *names):
        for sensor in (SENTINEL_2_L1C, SENTINEL_1):
            name = resolve([text], sensor)[0]
            if name in sensor.names or name in ("B01", "B09", "B10"):
                return str(name)
    return None


def _href(where: Location, href: str) -> str:
    """The address of an asset, which may be relative to its item, as GDAL names it."""
    if "://" not in href and not os.path.isabs(href):
        whole = _collection(where)
        if whole.local is not None:
            return str(whole.local.parent / href)
        assert whole.address is not None
        href = urljoin(whole.address, href)
    return Location.of(href).gdal


def _read(where: Location) -> Any:
    if (local := where.local) is not None:
        return None if local.stat().st_size > MOST_BYTES else read_json(local, _ADVICE)
    assert where.address is not None
    return _ask(where, where.address)


@lru_cache(32)
def _ask(where: Location, address: str) -> Any:
    """Return a server's answer; it is asked once."""
    try:
        with urllib.request.urlopen(address, timeout=_PATIENCE_S) as answer:
            return json.loads(answer.read(MOST_BYTES))
    except urllib.error.HTTPError as error:
        if error.code in (404, 410):
            raise ValueError(f"{where}: no such file") from None
        if error.code in (401, 403):
            raise ValueError(
                f"{where}: the server refuses it (HTTP {error.code}); check the address"
            ) from None
        raise MachineError(
            f"{where}: the server does not answer (HTTP {error.code}); try again later"
        ) from None
    except OSError as error:
        raise MachineError(
            f"{where}: the server does not answer ({error}); try again later"
        ) from None
    except ValueError:
        return None
