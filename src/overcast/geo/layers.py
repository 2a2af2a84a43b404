"""Vector files and their layers, whatever the format: which one is meant, and read."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from overcast.geo.items import item_of
from overcast.geo.location import LAYER, FilePath, Location, hide

TABLES = (".csv", ".tsv", ".txt")
_VECTORS = (".fgb", ".geojson", ".geojsonl", ".gml", ".gpx", ".json", ".kml", ".shp")
_RASTERS = (".tif", ".tiff", ".vrt", ".img", ".jp2", ".nc", ".hdf", ".png")


@dataclass(frozen=True, slots=True)
class VectorLayer:
    """A layer of a vector file: geometries in WKB, columns, and a remark."""

    fields: tuple[str, ...]
    columns: tuple[NDArray[Any], ...]
    shapes: NDArray[np.object_]
    crs: str
    note: str | None


def split_layer(path: FilePath) -> tuple[FilePath, str | None]:
    """File and layer of ``FILE|layername=LAYER``, as QGIS writes it; or file alone.

    Examples
    --------
    >>> split_layer(Path("a.gpkg|layername=fields"))
    (PosixPath('a.gpkg'), 'fields')
    """
    text = path.text if isinstance(path, Location) else str(path)
    name, separator, rest = text.partition(LAYER)
    if not separator:
        return path, None
    file = Location.of(name) if isinstance(path, Location) else Path(name)
    return file, rest.partition("|")[0]


def file_of(path: FilePath | str) -> FilePath:
    """The file of a path that may name a layer."""
    return split_layer(Path(path) if isinstance(path, str) else path)[0]


def is_vector(path: FilePath) -> bool:
    """Return whether a file holds features rather than a raster: by name, else by content.

    Raises
    ------
    ValueError
        If it holds both, and the path names no layer.
    """
    file, layer = split_layer(path)
    suffix = file.suffix.lower()
    if layer is None and item_of(Location.of(file)) is not None:
        return False
    if layer is not None or suffix in (*TABLES, *_VECTORS, ".gdb"):
        return True
    if suffix in _RASTERS or not file.is_file():
        return suffix == ".gpkg"
    layers = layers_of(file)
    if not layers:
        return suffix == ".gpkg" and not _is_raster(file)
    if suffix == ".gpkg" and _is_raster(file):
        raise ValueError(
            f"{file}: holds a raster and the layers {', '.join(layers)}; name a layer "
            f"({file.name}{LAYER}{next(iter(layers))}), or save the raster on its own"
        )
    return suffix == ".gpkg" or not _is_raster(file)


def layers_of(file: FilePath) -> dict[str, str | None]:
    """Names of the layers of a vector file, and their kinds of geometry, if any."""
    import pyogrio  # imports pandas where it is there

    try:
        with _quiet():
            return {str(name): kind for name, kind in pyogrio.list_layers(_name(file))}
    except (RuntimeError, ValueError):
        return {}


def each_layer(path: FilePath) -> Sequence[FilePath]:
    """A path for every layer with geometry of a vector file; the path, if it has one."""
    drawn = [
        name for name, kind in layers_of(file_of(path)).items() if kind is not None
    ]
    if split_layer(path)[1] is not None or len(drawn) < 2:
        return [path]
    if isinstance(path, Location):
        return [Location(f"{path.text}{LAYER}{name}") for name in drawn]
    return [Path(f"{path}{LAYER}{name}") for name in drawn]


def read_layer(path: FilePath, column: str | None = None) -> VectorLayer:
    """Read the layer that a path names, or the only one that may be meant.

    That is the only one with geometry, with the `column`, or with features.

    Raises
    ------
    ValueError
        If the file can't be read, several layers may be meant, or it has no geometry or
        no coordinate reference system.
    """
    import pyogrio.raw

    file, layer = split_layer(path)
    layers = layers_of(file)
    if layer is not None and layers and layer not in layers:
        raise ValueError(f"{file}: has no layer {layer}; it has {', '.join(layers)}")
    note = None
    if layer is None and len(layers) > 1:
        layer, note = _chosen(file, layers, column)
    try:
        with _quiet():
            about, _, shapes, values = pyogrio.raw.read(
                _name(file), layer=layer, datetime_as_string=True
            )
    except (RuntimeError, ValueError, IndexError, LookupError) as error:
        reason = hide(str(error)).partition(";")[0].strip() or type(error).__name__
        raise ValueError(f"{file}: not a readable vector file ({reason})") from error
    if about["crs"] is None or shapes is None:
        raise ValueError(
            f"{file}: no geometry, or no coordinate reference system; save it with one"
        )
    fields = tuple(map(str, about["fields"]))
    return VectorLayer(fields, tuple(values), shapes, about["crs"], note)


def parse_shapes(file: FilePath, encoded: NDArray[np.object_]) -> NDArray[np.object_]:
    """Geometries of WKB, without heights and measures.

    Raises
    ------
    ValueError
        If there are none, a row has none that can be read, or coordinates are no
        numbers.
    """
    if not len(encoded):
        raise ValueError(f"{file}: no features in it")
    with _quiet():
        shapes: NDArray[np.object_] = shapely.from_wkb(encoded, on_invalid="ignore")
    for row, (shape, code) in enumerate(zip(shapes, encoded, strict=True), 1):
        if code is not None and shape is None:
            raise ValueError(
                f"{file}: row {row} has a geometry that can't be read, such as a ring "
                "that is not closed; draw it anew"
            )
        if shape is None or shape.is_empty:
            raise ValueError(
                f"{file}: row {row}: a feature has no geometry; delete it or draw it"
            )
    flat: NDArray[np.object_] = shapely.force_2d(shapes)
    _refuse_no_numbers(file, flat)
    return flat


def _refuse_no_numbers(file: FilePath, shapes: NDArray[np.object_]) -> None:
    """Refuse shapes ``[N]`` with a coordinate that is NaN or infinite."""
    places, index = shapely.get_coordinates(shapes, return_index=True)
    rows = np.unique(index[~np.isfinite(places).all(1)]) + 1
    if rows.size:
        raise ValueError(
            f"{file}: {rows.size} of {len(shapes)} features have coordinates that are no "
            f"numbers (NaN or infinite), the first in row {rows[0]}; delete them or draw "
            "them anew"
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out GDAL's warnings: what is wrong is said by row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _chosen(
    file: FilePath, layers: dict[str, str | None], column: str | None
) -> tuple[str, str | None]:
    """The only layer that may be meant, and what is said of the others."""
    import pyogrio

    drawn = [name for name, kind in layers.items() if kind is not None]
    about = {name: pyogrio.read_info(_name(file), layer=name) for name in drawn}
    fitting = [name for name in drawn if about[name]["features"] != 0]
    if column is not None and len(fitting) > 1:
        wanted = column.casefold()
        fitting = [
            name
            for name in fitting
            if wanted in (str(field).casefold() for field in about[name]["fields"])
        ]
    if len(fitting) != 1:
        first = (fitting or drawn or list(layers))[0]
        raise ValueError(
            f"{file}: holds the layers {', '.join(drawn or layers)}; say which one is "
            f"meant: '{file.name}{LAYER}{first}'"
        )
    others = ", ".join(name for name in drawn if name != fitting[0])
    if not others:
        return fitting[0], None
    return fitting[0], (
        f"{file.name}: layer {fitting[0]} is read, and not {others}, without "
        f"{f'a column {column}' if column else 'features'}"
    )


def _name(file: FilePath) -> str:
    return Location.of(file).gdal


def _is_raster(file: FilePath) -> bool:
    try:
        with rasterio.open(_name(file)):
            return True
    except RasterioError:
        return False
