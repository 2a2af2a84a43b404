"""What the viewer's server answers: a pure function of a scene and an address.

There are five kinds of address: the page, what it consists of, what there is to see
(``scene.json``), what is at a point, and tiles. Layers go by names that the scene
gave them, so no address names a file, except under ``files/``, which is the folder that
is looked at and nothing above it. The map library, MapLibre GL JS, is served out of
the Python package that carries it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import numpy as np

from overcast import map_folder
from overcast.geo.dataset import stamp
from overcast.geo.legend import LandClass, Legend
from overcast.plan import fingerprint
from overcast.viewer.layers import ClassLayer, ConfidenceLayer, Layer, ValueLayer
from overcast.viewer.png import encode
from overcast.viewer.products import inside
from overcast.viewer.scene import ViewedFolder
from overcast.viewer.tiles import TILE_PX, WebTile, extent

_PAGE = files("overcast.viewer") / "page"
_INDEX = "index.html"
_OWN = (_INDEX, "view.css", "view.js", "legend.js", "dom.js")
_LIBRARY = ("maplibre-gl.js", "maplibre-gl.css")
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
}
_SHOWN = {
    **{kind: _KINDS[kind] for kind in (".html", ".json", ".png")},
    **dict.fromkeys(
        (".csv", ".log", ".md", ".txt", ".yaml"), "text/plain; charset=utf-8"
    ),
}
"""Files of the folder that a browser shows. Any other is saved: a script of a folder
from elsewhere must not run here."""
_DEEPEST = 24
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply of the server.

    Attributes
    ----------
    body, kind, status
        Content, its media type, and the status of HTTP.
    lasting
        Whether a browser may keep it.
    of_folder
        Whether it is a file of the folder, which may be anybody's.
    saved
        Whether a browser saves it rather than shows it.
    """

    body: bytes
    kind: str
    status: int = 200
    lasting: bool = False
    of_folder: bool = False
    saved: bool = False


def answer(scene: ViewedFolder, target: str) -> Answer:
    """Answer a GET of `target`, the path and query of an address."""
    path, _, query = target.partition("?")
    parts = [unquote(part) for part in path.split("/")[1:]]
    match parts:
        case [""]:
            reply = _asset(_INDEX)
        case ["page", name]:
            reply = _asset(name)
        case ["scene.json"]:
            reply = _json(_description(scene))
        case ["point"]:
            reply = _point(scene, query)
        case ["tiles", layer, zoom, column, row]:
            reply = _tile(scene, layer, (zoom, column, row.removesuffix(".png")))
        case ["files", *rest]:
            reply = _file(scene.folder, "/".join(rest))
        case _:
            reply = refusal(404, "nothing here")
    return reply


def refusal(status: int, why: str) -> Answer:
    """Answer that something is not to be had, and why."""
    return Answer(why.encode(), "text/plain; charset=utf-8", status)


def _asset(name: str) -> Answer:
    if name in _OWN:
        body = (_PAGE / name).read_bytes()
    elif name in _LIBRARY:
        body = (library() / name).read_bytes()
    else:
        return refusal(404, "no such part of the page")
    return Answer(body, _KINDS[Path(name).suffix], lasting=name in _LIBRARY)


@cache
def library() -> Path:
    """Return the folder of MapLibre GL JS; the package it is in is not imported.

    Raises
    ------
    ModuleNotFoundError
        If that package is not installed.
    """
    spec = find_spec("maplibre")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("No module named 'maplibre'", name="maplibre")
    return Path(spec.submodule_search_locations[0]) / "srcjs"


def _file(folder: Path, name: str) -> Answer:
    try:
        path = inside(folder, name)
    except ValueError:
        return refusal(404, "no such file in the folder")
    shown = _SHOWN.get(path.suffix)
    kind = shown or "application/octet-stream"
    return Answer(path.read_bytes(), kind, of_folder=True, saved=shown is None)


def _tile(scene: ViewedFolder, name: str, place: tuple[str, str, str]) -> Answer:
    if name not in scene.layers:
        return refusal(404, f"no layer of that name; there are {_names(scene)}")
    if not all(_NUMBER.fullmatch(text) for text in place):
        return refusal(400, "expected tiles/LAYER/ZOOM/COLUMN/ROW.png")
    tile = WebTile(*map(int, place))
    side = 2**tile.zoom if tile.zoom <= _DEEPEST else 0
    if max(tile.column, tile.row) >= side:
        return refusal(404, "no such tile in the pyramid")
    picture = scene.layers[name].picture(tile)
    body = _empty() if picture is None else encode(picture)
    return Answer(body, _KINDS[".png"], lasting=True)


def _names(scene: ViewedFolder) -> str:
    return ", ".join(scene.layers)


@cache
def _empty() -> bytes:
    return encode(np.zeros((TILE_PX, TILE_PX, 4), np.uint8))


def _point(scene: ViewedFolder, query: str) -> Answer:
    try:
        given = parse_qs(query)
        lon, lat = float(given["lon"][0]), float(given["lat"][0])
    except (KeyError, ValueError):
        return refusal(400, "expected point?lon=DEGREES&lat=DEGREES")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        return refusal(400, "expected degrees: lon -180 to 180, lat -90 to 90")
    return _json(_found(scene, lon, lat))


def _found(scene: ViewedFolder, lon: float, lat: float) -> Mapping[str, Any]:
    """Return what the map, the labels and the method say of a place."""
    values: dict[str, Any] = {
        **{"classes": {}, "values": {}},
        **{"confidence": None, "probabilities": None},
    }
    for name, layer in scene.layers.items():
        if isinstance(layer, ClassLayer):
            value = layer.at(lon, lat)
            values["classes"][name] = None if value is None else _swatch(value)
        elif isinstance(layer, ConfidenceLayer):
            values["confidence"] = layer.at(lon, lat)
        elif isinstance(layer, ValueLayer):
            values["values"][name] = layer.at(lon, lat)
    if scene.probabilities is not None:
        values["probabilities"] = scene.probabilities.at(lon, lat)
    x, y = _projected(scene, lon, lat)
    return {"lon": lon, "lat": lat, "x": x, "y": y, **values}


def _projected(scene: ViewedFolder, lon: float, lat: float) -> tuple[float | None, ...]:
    """Coordinates in the map's own system; None where it does not reach."""
    from pyproj import Transformer

    transformer = Transformer.from_crs("EPSG:4326", str(scene.grid.crs), always_xy=True)
    return tuple(v if np.isfinite(v) else None for v in transformer.transform(lon, lat))


def _description(scene: ViewedFolder) -> Mapping[str, Any]:
    grid = scene.grid
    size = grid.resolution.map(abs)
    assert grid.crs is not None
    units = {"metre": "m", "degree": "°"}.get(grid.crs.units[0], "")
    code = grid.crs.to_epsg()
    return {
        "title": scene.folder.resolve().name,
        "shape": [int(n) for n in grid.shape],
        "pixel": f"{size.x:g} {units}".strip(),
        "crs": f"EPSG:{code}" if code else str(grid.crs.proj.name),
        "layers": [_layer(name, layer) for name, layer in scene.layers.items()],
        "probabilities": scene.probabilities is not None,
        "report": _page_of(scene.folder),
        "start": scene.start,
        "base": scene.base,
        "notes": scene.notes,
    }


def _page_of(folder: Path) -> str | None:
    """Return the name of the folder's page, if there is one."""
    names = (map_folder.REPORT, map_folder.CHANGE_PAGE)
    return next((name for name in names if (folder / name).is_file()), None)


def _layer(name: str, layer: Layer) -> Mapping[str, Any]:
    place = extent(layer.path)
    legend = layer.legend if isinstance(layer, ClassLayer) else None
    return {
        "name": name,
        "title": layer.title,
        "kind": layer.kind,
        "bounds": place.bounds,
        "deepest": place.deepest,
        # A map that was made anew has other tiles at the same addresses.
        "version": fingerprint(stamp(layer.path)),
        "legend": None if legend is None else _swatches(legend),
        "present": _present(layer),
        "ends": layer.words if isinstance(layer, ValueLayer) else None,
    }


def _present(layer: Layer) -> list[int] | None:
    """Codes of the classes that occur, where that is known."""
    if not isinstance(layer, ClassLayer) or layer.present is None:
        return None
    return sorted(layer.present)


def _swatches(legend: Legend) -> list[Mapping[str, Any]]:
    return [_swatch(c) for c in legend.classes]


def _swatch(land: LandClass) -> Mapping[str, Any]:
    return {"code": land.code, "name": land.name, "colour": f"#{land.colour}"}


def _json(tree: Any) -> Answer:
    text = json.dumps(tree, ensure_ascii=False, allow_nan=False)
    return Answer(text.encode(), _KINDS[".json"])
