"""Points and polygons with a class, from GeoPackage, GeoJSON, Shapefile or CSV.

A CSV holds points: columns ``lon`` and ``lat`` in degrees on WGS 84, whatever other
columns it has.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pyproj
import shapely
from numpy.typing import NDArray

from overcast.geo.legend import Legend
from overcast.geo.location import FilePath, Location, hide
from overcast.geo.raster import UNKNOWN

Geometries = NDArray[np.object_]
Texts = Sequence[str]

SUFFIXES = (".csv", ".fgb", ".geojson", ".gpkg", ".json", ".shp")
_WGS84 = "EPSG:4326"


@dataclass(frozen=True, slots=True)
class Features:
    """Shapes ``[N]`` with columns of text, "" where a column is empty."""

    path: FilePath
    shapes: Geometries
    columns: Mapping[str, Texts]
    crs: str

    @property
    def are_points(self) -> bool:
        """Whether every shape is a point."""
        return bool((shapely.get_type_id(self.shapes) == 0).all())

    def to_crs(self, crs: str) -> Geometries:
        """Shapes in another coordinate reference system, vertex by vertex."""
        move = pyproj.Transformer.from_crs(self.crs, crs, always_xy=True)
        found: Geometries = shapely.transform(
            self.shapes, move.transform, interleaved=False
        )
        return found

    def column(self, name: str) -> Texts:
        """Texts ``[N]`` of a column.

        Raises
        ------
        ValueError
            If there is none of this name.
        """
        if name not in self.columns:
            raise ValueError(
                f"{self.path}: no column {name!r}; it has {', '.join(self.columns)}"
            )
        return self.columns[name]

    def classes(self, name: str, legend: Legend) -> NDArray[np.uint8]:
        """Class positions ``[N]`` of a column of codes or names; unknown where empty.

        Raises
        ------
        ValueError
            If a text is neither a code nor a name of the legend, or all are empty.
        """
        known = {c.name.casefold(): k for k, c in enumerate(legend.classes)}
        known |= {str(c.code): k for k, c in enumerate(legend.classes)} | {"": UNKNOWN}
        texts = [text.strip().casefold() for text in self.column(name)]
        for row, text in enumerate(texts, 1):
            if text not in known:
                raise ValueError(
                    f"{self.path}: row {row} has {name} {text!r}, which is neither a "
                    f"code nor a name of the legend {legend.name} "
                    f"({', '.join(f'{c.code} {c.name}' for c in legend.classes)})"
                )
        found = np.array([known[text] for text in texts], np.uint8)
        if (found == UNKNOWN).all():
            raise ValueError(
                f"{self.path}: no row has a class in the column {name!r}; fill it, or "
                "name the column that is filled"
            )
        return found


def is_vector(path: FilePath) -> bool:
    """Whether a file has the name of a vector file."""
    return path.suffix.lower() in SUFFIXES


def read_features(path: FilePath) -> Features:
    """Read the first layer of a vector file, or a CSV of points.

    Raises
    ------
    ValueError
        If the file is missing, broken, empty, or has no place on the ground.
    """
    where = Location.of(path)
    if (where.local is not None or not where.remote) and where.container is None:
        raise ValueError(f"{path}: no such file")
    found = _read_csv(path) if path.suffix.lower() == ".csv" else _read_layer(path)
    if not len(found.shapes):
        raise ValueError(f"{path}: no features in it")
    if any(shape is None or shape.is_empty for shape in found.shapes):
        raise ValueError(f"{path}: a feature has no geometry; delete it or draw it")
    return found


def _read_layer(path: FilePath) -> Features:
    name = Location.of(path).gdal
    try:
        about, _, shapes, values = pyogrio.raw.read(name, datetime_as_string=True)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise ValueError(
            f"{path}: not a readable vector file ({hide(str(error))})"
        ) from error
    if about["crs"] is None or shapes is None:
        raise ValueError(
            f"{path}: no geometry, or no coordinate reference system; save it with one"
        )
    columns = {
        str(name): [_text(value) for value in column]
        for name, column in zip(about["fields"], values, strict=True)
    }
    return Features(path, shapely.from_wkb(shapes), columns, about["crs"])


def _text(value: Any) -> str:
    """Value of a field as text; numbers that are whole lose their decimals."""
    if value is None:
        return ""
    if isinstance(value, np.floating):
        # A column of whole numbers with an empty one reads as floats, that one as NaN.
        return "" if np.isnan(value) else f"{value:.15g}"
    return str(value)


def _read_csv(path: FilePath) -> Features:
    if (local := Location.of(path).local) is None:
        raise ValueError(
            f"{path}: a table is read from this machine only; copy it here"
        )
    try:
        with local.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        names = [name for name in (rows[0] if rows else ()) if name]
        columns = {name: [row[name] or "" for row in rows] for name in names}
        lon, lat = ([float(text) for text in columns[name]] for name in ("lon", "lat"))
    except (UnicodeDecodeError, csv.Error, KeyError, ValueError) as error:
        raise ValueError(
            f"{path}: not a table of points; expected a CSV in UTF-8 with a header "
            "and columns lon and lat in degrees"
        ) from error
    return Features(path, shapely.points(lon, lat), columns, _WGS84)


def write_points(
    path: Path,
    points: NDArray[np.float64],
    crs: str,
    columns: Mapping[str, Sequence[Any]],
    about: Mapping[str, str],
) -> None:
    """Write points ``[N, 2]`` as GeoPackage (in `crs`, with `about`), or as CSV.

    Columns ``id`` (from 1), ``x``, ``y``, ``lon`` and ``lat`` come before the others.
    The file is whole or not there.
    """
    to_degrees = pyproj.Transformer.from_crs(crs, _WGS84, always_xy=True)
    lon, lat = to_degrees.transform(*points.T)
    place = {"x": points[:, 0], "y": points[:, 1], "lon": lon, "lat": lat}
    place = {name: np.round(at, 9) for name, at in place.items()}
    whole = {"id": np.arange(1, len(points) + 1), **place, **columns}
    with _whole(path) as draft:
        if path.suffix.lower() == ".csv":
            _write_csv(draft, whole)
        else:
            _write_layer(draft, shapely.points(points), crs, whole, about)


def write_outlines(
    path: Path,
    polygons: Geometries,
    crs: str,
    columns: Mapping[str, Sequence[Any]],
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
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _write_csv(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _write_layer(
    path: Path,
    shapes: Geometries,
    crs: str,
    columns: Mapping[str, Sequence[Any]],
    about: Mapping[str, str],
) -> None:
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapes),
        [np.asarray(values) for values in columns.values()],
        np.array(list(columns), object),
        driver="GPKG",
        layer=path.stem.removesuffix(".part").lstrip("."),
        geometry_type=shapes[0].geom_type,
        crs=crs,
        layer_metadata=dict(about),
    )
