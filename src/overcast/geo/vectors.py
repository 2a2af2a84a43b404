"""Points and polygons with a class, from any vector file or a CSV of points."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from overcast.errors import writing
from overcast.geo.layers import TABLES, file_of, parse_shapes, read_layer
from overcast.geo.legend import Legend, normal_name
from overcast.geo.location import FilePath, Location
from overcast.geo.meanings import plain_name
from overcast.geo.place import refuse_crs
from overcast.geo.point_table import Texts, read_table
from overcast.geo.raster import UNKNOWN
from overcast.geo.spreadsheet import as_cell

Geometries = NDArray[np.object_]

_EMPTY = ("", "nan", "<na>", "null", "none")
"""Texts of a cell that is empty, as programs write it."""
_FIELD = 10
"""Letters of a column's name that a Shapefile keeps."""
_WGS84 = "EPSG:4326"
_POINT, _POINTS = 0, 4
"""Shapely's type ids of Point and MultiPoint."""


Column = Sequence[Any] | NDArray[Any]
"""Values of a column, one for each shape."""


@dataclass(frozen=True, slots=True)
class Features:
    """Shapes ``[N]`` with columns of text, "" where a column is empty."""

    path: FilePath
    shapes: Geometries
    columns: Mapping[str, Texts]
    crs: str
    notes: tuple[str, ...] = ()

    @property
    def are_points(self) -> bool:
        """Return whether every shape is a point."""
        return bool((shapely.get_type_id(self.shapes) == 0).all())

    def to_crs(self, crs: str) -> Geometries:
        """Shapes in another coordinate reference system, vertex by vertex."""
        move = pyproj.Transformer.from_crs(self.crs, crs, always_xy=True)
        moved: Geometries = shapely.transform(
            self.shapes, move.transform, interleaved=False
        )
        return moved

    def named(self, name: str) -> str | None:
        """Own name of the column that is called `name`, if there is one.

        Without a column of this very name, one whose name differs in case or that a
        Shapefile cut at ten letters will do.
        """
        if name in self.columns:
            return name
        for wanted in (name, name[:_FIELD]):
            own = [n for n in self.columns if n.casefold() == wanted.casefold()]
            if len(own) == 1:
                return own[0]
        return None

    def column(self, name: str) -> Texts:
        """Texts ``[N]`` of a column.

        Raises
        ------
        ValueError
            If there is none of this name.
        """
        own = self.named(name)
        if own is None:
            raise ValueError(
                f"{self.path}: no column {name!r}; it has {', '.join(self.columns)}"
            )
        return self.columns[own]

    def classes(self, name: str, legend: Legend) -> NDArray[np.uint8]:
        """Class positions ``[N]`` of a column of codes or names; unknown where empty.

        A code may be written as a float, and a name in any case.

        Raises
        ------
        ValueError
            If a text is neither a code nor a name of the legend, or all are empty.
        """
        known = _meanings(legend)
        texts = [key_of(text) for text in self.column(name)]
        for row, text in enumerate(texts, 1):
            if text not in known:
                raise ValueError(
                    f"{self.path}: row {row} has {name} {text[:60]!r}, which is neither a "
                    f"code nor a name of the legend {legend.name} "
                    f"({', '.join(f'{c.code} {c.name}' for c in legend.classes)})"
                )
            if known[text] is None:
                raise ValueError(
                    f"{self.path}: row {row} has {name} {text!r}, which is the code of "
                    f"one class of the legend {legend.name} and the name of another"
                )
        positions = np.array([known[text] for text in texts], np.uint8)
        if (positions == UNKNOWN).all():
            raise ValueError(
                f"{self.path}: no row has a class in the column {name!r}; fill it, or "
                "name the column that is filled"
            )
        return positions


def _meanings(legend: Legend) -> dict[str, int | None]:
    """Class position of every text that names a class; None where two are meant."""
    known: dict[str, int | None] = dict.fromkeys(_EMPTY, UNKNOWN)
    known |= {str(code): k for code, k in legend.other_codes.items()}
    plain = [plain_name(name) for name in legend.names]
    known |= {n: k for k, n in enumerate(plain) if plain.count(n) == 1 and n}
    names = {key_of(name): k for k, name in enumerate(legend.names)}
    known |= names
    for k, code in enumerate(legend.codes):
        known[str(code)] = k if names.get(str(code), k) == k else None
    return known


def key_of(text: str) -> str:
    """Text as it is compared; whole numbers lose their decimals."""
    text = normal_name(text)
    if re.fullmatch(r"[+-]?\d{1,15}([.,]0*)?", text):
        return str(int(re.split("[.,]", text)[0]))
    return text


def read_features(path: FilePath, column: str | None = None) -> Features:
    """Read a layer of a vector file, or a CSV of points.

    ``FILE|layername=LAYER`` names the layer. Without it, the file must have one layer
    that may be meant: the only one, or the only one with the `column`. Points and
    polygons that lie alone in a collection are taken out of it.

    Raises
    ------
    ValueError
        If the file is missing, broken, empty, or has no place on the ground.
    """
    file = file_of(path)
    where = Location.of(file)
    if not where.exists():
        raise ValueError(f"{path}: no such file")
    if where.suffix.lower() in TABLES:
        if (table := where.local) is None:
            raise ValueError(
                f"{path}: a table is read from this machine only; copy it here"
            )
        texts, lon, lat = read_table(table)
        return Features(file, shapely.points(lon, lat), texts, _WGS84)
    layer = read_layer(path, column)
    refuse_crs(file, layer.crs)
    shapes = parse_shapes(file, layer.shapes)
    columns = {
        name: [text_of(value) for value in values]
        for name, values in zip(layer.fields, layer.columns, strict=True)
    }
    notes = () if layer.note is None else (layer.note,)
    return _simple(Features(file, shapes, columns, layer.crs, notes))


def _simple(features: Features) -> Features:
    """Collections of points as points, one row each; of polygons as polygons."""
    shapes = [_polygons(shape) for shape in features.shapes]
    whole: Geometries = np.array(shapes, object)
    kinds = set(shapely.get_type_id(whole).tolist())
    if not kinds <= {_POINT, _POINTS} or _POINTS not in kinds:
        return replace(features, shapes=whole)
    points, index = shapely.get_parts(whole, return_index=True)
    columns = {
        name: [texts[k] for k in index] for name, texts in features.columns.items()
    }
    return replace(features, shapes=points, columns=columns)


def _polygons(shape: Any) -> Any:
    """Return what a collection holds, if that is polygons alone or one shape."""
    if shape.geom_type != "GeometryCollection":
        return shape
    parts = [_polygons(part) for part in shapely.get_parts(shape) if not part.is_empty]
    if len(parts) == 1:
        return parts[0]
    simple = [p for part in parts for p in shapely.get_parts(part)]
    if simple and all(p.geom_type == "Polygon" for p in simple):
        return shapely.multipolygons(simple)
    if simple and all(p.geom_type == "Point" for p in simple):
        return shapely.multipoints(simple)
    return shape


def text_of(value: Any) -> str:
    """Value of a field as text; numbers that are whole lose their decimals."""
    if value is None:
        return ""
    if isinstance(value, np.floating):
        # A column of whole numbers with an empty one reads as floats, that one as NaN.
        return "" if np.isnan(value) else f"{value:.15g}"
    return str(value)


def write_points(
    path: Path,
    points: NDArray[np.float64],
    crs: str,
    columns: Mapping[str, Column],
    about: Mapping[str, str],
) -> None:
    """Write points ``[N, 2]`` as GeoPackage (in `crs`, with `about`), or as CSV.

    Columns ``id`` (from 1), ``x``, ``y``, ``lon`` and ``lat`` come before the others.
    The file is whole or not there.
    """
    whole = with_place(points, crs, columns)
    with _whole(path) as draft:
        if path.suffix.lower() == ".csv":
            _write_csv(draft, whole)
        else:
            _write_layer(draft, shapely.points(points), crs, whole, about)


def with_place(
    points: NDArray[np.float64], crs: str, columns: Mapping[str, Column]
) -> dict[str, Column]:
    """Columns ``id`` (from 1), ``x``, ``y``, ``lon`` and ``lat``, and then the others."""
    to_degrees = pyproj.Transformer.from_crs(crs, _WGS84, always_xy=True)
    lon, lat = to_degrees.transform(*points.T)
    place = {"x": points[:, 0], "y": points[:, 1], "lon": lon, "lat": lat}
    rounded: dict[str, Any] = {name: np.round(at, 9) for name, at in place.items()}
    return {"id": np.arange(1, len(points) + 1), **rounded, **columns}


def write_outlines(
    path: Path,
    polygons: Geometries,
    crs: str,
    columns: Mapping[str, Column],
    about: Mapping[str, str],
) -> None:
    """Write polygons ``[N]`` as GeoPackage with `about`; it is whole or not there."""
    with _whole(path) as draft:
        _write_layer(draft, polygons, crs, columns, about)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file to write, which takes its place when all is in it."""
    draft = path.with_name(f".{path.stem}.part{path.suffix}")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft.unlink(missing_ok=True)
    try:
        with writing(path):
            yield draft
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _write_csv(path: Path, columns: Mapping[str, Column]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([as_cell(value) for value in row])


def _any_width(values: NDArray[Any]) -> NDArray[Any]:
    """Texts as objects: else the file limits a field to its longest text of today.

    QGIS would take one character in a field that was written empty.
    """
    return values.astype(object) if values.dtype.kind == "U" else values


def _write_layer(
    path: Path,
    shapes: Geometries,
    crs: str,
    columns: Mapping[str, Column],
    about: Mapping[str, str],
) -> None:
    import pyogrio.raw  # imports pandas where it is there

    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapes),
        [_any_width(np.asarray(values)) for values in columns.values()],
        np.array(list(columns), object),
        driver="GPKG",
        layer=path.stem.removesuffix(".part").lstrip("."),
        geometry_type=shapes[0].geom_type,
        crs=crs,
        layer_metadata=dict(about),
    )
