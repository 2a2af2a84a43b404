"""What `overcast inspect` says: each file, how it lies on the first one's grid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import rasterio
import shapely
from odc.geo.geobox import GeoBox
from rasterio.enums import MaskFlags

from overcast.geo.band_names import nameless, resolve
from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Sensor
from overcast.geo.check import open_sentinel_1, open_sentinel_2
from overcast.geo.coverage import common_grid
from overcast.geo.dataset import open_raster, placed, read_grid
from overcast.geo.grain import on_blocks
from overcast.geo.layers import each_layer, is_vector
from overcast.geo.location import FilePath, Location
from overcast.geo.masks import CLOUDED, scene_classes_beside
from overcast.geo.products import find_product
from overcast.geo.stored import file_bands
from overcast.geo.times import seen_of
from overcast.geo.vectors import Features, read_features
from overcast.geo.warp import aligned

_VALUES_PX, _CLASSES_PX = 512, 1024
_FEWEST_DATES = 3
"""From so many dated images on, they are shown as a table."""
_FEW_TEXTS = 12
"""So many different texts of a column are shown; more are no classes, or a mistake."""


@dataclass(frozen=True, slots=True)
class Description:
    """The description of a file by `overcast inspect`."""

    path: str
    bands: tuple[str, ...]
    dtype: str
    shape: tuple[int, int]
    crs: str
    resolution: tuple[float, float]
    nodata: float | None
    values: tuple[float, float] | None
    notes: tuple[str, ...]
    day: str | None = None
    orbit: str | None = None
    clear: float | None = None
    """Share of the pixels that were seen, and that scene classes beside don't hide."""


def describe(path: FilePath) -> Description:
    """Describe any raster; what would be refused is among the notes.

    Raises
    ------
    ValueError
        If the file can't be read at all.
    """
    dataset = open_raster(path)
    product = find_product(Location.of(path))
    notes = [] if product is None else list(product.notes)
    notes += _looks_wrong(path, dataset)
    shape = tuple(min(n, _VALUES_PX) for n in dataset.shape)
    seen = dataset.read(out_shape=(dataset.count, *shape), masked=True).astype("f8")
    known = np.ma.masked_invalid(seen).compressed()
    return Description(
        str(path),
        tuple(text or f"band {i}" for i, text in enumerate(dataset.descriptions, 1)),
        dataset.dtypes[0],
        dataset.shape,
        "none" if dataset.crs is None else dataset.crs.to_string(),
        dataset.res,
        dataset.nodata,
        (float(known.min()), float(known.max())) if known.size else None,
        tuple(notes),
        **_when(path, ~np.ma.getmaskarray(np.ma.masked_invalid(seen)).any(0)),
    )


def _when(path: FilePath, valid: Any) -> dict[str, Any]:
    """Day, orbit and clear share of an image, by few of its pixels; nothing undated."""
    where = Location.of(path)
    seen = seen_of(where)
    if seen.day is None:
        return {}
    local = where.local
    beside = None if local is None else scene_classes_beside(local)
    if beside is not None:
        codes = open_raster(beside).read(1, out_shape=valid.shape)
        valid = valid & ~np.isin(codes, list(CLOUDED))
    return {
        "day": seen.day.isoformat(),
        "orbit": seen.orbit or None,
        "clear": round(float(valid.mean()), 4),
    }


@dataclass(frozen=True, slots=True)
class FeatureDescription:
    """The description of a vector file by `overcast inspect`.

    `columns` are texts, how often each, of columns with few of them; else nothing.
    """

    path: str
    features: int
    kind: str
    crs: str
    columns: Mapping[str, Mapping[str, int]]


def describe_features(features: Features) -> FeatureDescription:
    """Describe points, polygons or whatever else there is."""
    kinds = sorted({shape.geom_type for shape in features.shapes})
    columns = {}
    for name, texts in features.columns.items():
        often = Counter(texts).most_common()
        columns[name] = dict(often) if len(often) <= _FEW_TEXTS else {}
    return FeatureDescription(
        str(features.path),
        len(features.shapes),
        ", ".join(kinds),
        features.crs,
        columns,
    )


def _how_many(first: GeoBox | None, features: Features) -> str:
    """Return how many features touch the grid of the map."""
    if first is None or first.crs is None:
        return "no raster with a place before it"
    box = shapely.box(*first.extent.boundingbox.bbox)
    touches = shapely.intersects(features.to_crs(str(first.crs)), box)
    return f"{int(touches.sum())} of {len(touches)} lie on it"


def _looks_wrong(path: FilePath, dataset: Any) -> list[str]:
    notes = []
    try:
        notes += [note.removeprefix(f"{path}: ") for note in _noticed(path, dataset)]
    except (ValueError, rasterio.errors.RasterioError) as error:
        notes.append(str(error).removeprefix(f"{path}: "))
    if dataset.nodata is None:
        masked = any(f != [MaskFlags.all_valid] for f in dataset.mask_flag_enums)
        notes.append("no nodata tag, but a mask" if masked else "no nodata tag")
    if dataset.count == 1 and np.dtype(dataset.dtypes[0]).kind in "ui":
        notes += _blocks(dataset)
    return notes


def _noticed(path: FilePath, dataset: Any) -> tuple[str, ...]:
    """Return the notes that a map of the file would have, if its sensor is known."""
    sensor = _sensor_of(path)
    if sensor is None:
        placed(path, dataset)
        return ()
    opened = open_sentinel_1 if sensor.kind == "sar" else open_sentinel_2
    return opened(path).notes


def _sensor_of(path: FilePath) -> Sensor | None:
    """Sensor that a file looks like, by names of its bands, else by their number."""
    for sensor in (SENTINEL_1, SENTINEL_2):
        texts = [tag.name for tag in file_bands(path, sensor).tags]
        if not nameless(texts, sensor):
            names = set(resolve(texts, sensor))
            if names & set(sensor.names) or (
                sensor is SENTINEL_1 and names & {"HH", "HV"}
            ):
                return sensor
        elif len(texts) in {len(layout) for layout in sensor.layouts} | (
            {13} if sensor is SENTINEL_2 else set()
        ):
            return sensor
    return None


def _blocks(dataset: Any) -> list[str]:
    """Return whether a class map, by its middle, is a coarser one on a finer grid."""
    spans = [
        (start := max(n - _CLASSES_PX, 0) // 2, min(start + _CLASSES_PX, n))
        for n in dataset.shape
    ]
    window = rasterio.windows.Window.from_slices(*spans)
    classes = dataset.read(1, window=window).astype(np.int64)
    return on_blocks(classes, -1 if dataset.nodata is None else int(dataset.nodata))


def inspect_files(paths: Sequence[FilePath]) -> list[dict[str, Any]]:
    """Describe files, the first raster's grid being that of the map.

    Raises
    ------
    ValueError
        If a file can't be read at all.
    """
    records = []
    first: GeoBox | None = None
    for path in paths:
        if is_vector(path):
            for layer in each_layer(path):
                features = read_features(layer)
                description = asdict(describe_features(features)) | {"path": str(layer)}
                records.append({**description, "on_grid": _how_many(first, features)})
            continue
        record = asdict(describe(path))
        try:
            grid = read_grid(path)
        except ValueError:
            record["on_grid"] = "can't be placed"
        else:
            record["on_grid"] = _relation(first, grid)
            first = grid if first is None else first
        records.append(record)
    return records


def _relation(first: GeoBox | None, grid: GeoBox) -> str:
    if first is None:
        return "the grid"
    try:
        common = common_grid(first, {"it": grid})
    except ValueError:
        return "no overlap"
    share = common.shape[0] * common.shape[1] / (first.shape[0] * first.shape[1])
    how = "pixel on pixel" if aligned(first, grid) is not None else "to be warped"
    return f"{how}, covers {100 * share:.0f} %"


def _lines_of_features(record: dict[str, Any]) -> Iterator[str]:
    yield record["path"]
    yield f"  features    {record['features']}: {record['kind']}"
    yield f"  CRS         {record['crs']}"
    for name, often in record["columns"].items():
        values = ", ".join(
            (text or "empty") + (f" x {n}" if n > 1 else "")
            for text, n in often.items()
        )
        yield f"  column      {name}: {values or 'many values'}"
    yield f"  on grid     {record['on_grid']}"


def _dates(records: list[dict[str, Any]]) -> Iterator[str]:
    """A table of the dates of several images, in order of time."""
    dated = sorted((r for r in records if r.get("day")), key=lambda r: r["day"])
    if len(dated) < _FEWEST_DATES:
        return
    yield "date        clear  orbit       on grid                        file"
    for r in dated:
        yield (
            f"{r['day']}  {100 * r['clear']:4.0f} %  {r['orbit'] or '-':10}  "
            f"{r['on_grid']:29}  {Location.of(r['path']).name}"
        )
    notes = Counter(note for r in dated for note in r["notes"])
    yield from (f"note        {note} ({often} files)" for note, often in notes.items())


def to_text(records: list[dict[str, Any]]) -> str:
    """The same, to be read by people; of many dates, a table."""
    if table := "\n".join(_dates(records)):
        others = [r for r in records if not r.get("day")]
        return "\n".join([table, *(["", to_text(others)] if others else [])])
    blocks = []
    for r in records:
        if "features" in r:
            blocks.append("\n".join(_lines_of_features(r)))
            continue
        values = "no valid pixel"
        if r["values"] is not None:
            values = f"{r['values'][0]:g} to {r['values'][1]:g}"
        lines = [
            r["path"],
            f"  size        {r['shape'][1]} x {r['shape'][0]} pixels of "
            f"{r['resolution'][0]:g} x {r['resolution'][1]:g}",
            f"  CRS         {r['crs']}",
            f"  bands       {len(r['bands'])} {r['dtype']}: {', '.join(r['bands'])}",
            f"  values      {values}, nodata {r['nodata']}",
            f"  on grid     {r['on_grid']}",
            *(f"  note        {note}" for note in r["notes"]),
        ]
        blocks.append("\n".join(lines))
    return "\n".join(blocks)
