"""Maps and models as STAC items, so that a catalogue can find them and say what they are.

An item is a GeoJSON feature with links and assets (SpatioTemporal Asset Catalog 1.1).
A map's item uses the extensions projection 2.0, raster 1.1, classification 2.0 and
processing 1.1; a model's item uses the machine learning model extension (MLM) 1.4.
Hrefs are relative to the item, so that a folder can be moved or uploaded as it is.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from odc.geo.geobox import GeoBox
from safetensors import safe_open

from overcast import map_folder, run_folder
from overcast.errors import writing
from overcast.geo.bands import NETWORK_RANGE, Sensor
from overcast.geo.dataset import open_raster
from overcast.geo.legend import Legend
from overcast.output import write_whole

_SCHEMA = "https://stac-extensions.github.io/{}/schema.json"
_COG = "image/tiff; application=geotiff; profile=cloud-optimized"
_ASSETS = (  # file, title, media type, role
    (map_folder.MAP, "Land cover", _COG, "data"),
    (map_folder.CONFIDENCE, "Probability of the class", _COG, "data"),
    (map_folder.PROBABILITIES, "Probability of every class", _COG, "data"),
    (map_folder.CLEAR, "Optical image without clouds", _COG, "data"),
    (map_folder.LEGEND, "Codes, names and colours", "text/csv", "metadata"),
    (map_folder.STYLE, "Style for QGIS", "application/xml", "metadata"),
    (map_folder.SCORES, "Accuracy", "application/json", "metadata"),
    (map_folder.REPORT, "Report", "text/html", "overview"),
)
_DATE = re.compile(r"(?<!\d)((?:19|20)\d{6}T\d{6})(?!\d)")
_SENTINEL_2 = re.compile(r"S2[A-Z]_MSIL\d[A-Z]_")
Item = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The sources of an item.

    Attributes
    ----------
    name
        Identifier of the item.
    grid
        Where it lies: the map, or what a model learned from.
    legend
        Its classes.
    sources
        Hrefs of the files that it was made from; dates in their names, as in those of
        Sentinel products, become the item's.
    method
        What made it, in words.
    version
        Of overcast.
    items
        Addresses of the items of catalogues that those files were read from.
    times
        When the ground was seen, where more than names of files says it.
    """

    name: str
    grid: GeoBox
    legend: Legend
    sources: tuple[str, ...]
    method: str
    version: str
    items: tuple[str, ...] = ()
    times: tuple[str, ...] = ()


def map_item(folder: Path, origin: Origin, models: Iterable[str]) -> Item:
    """Item of the map in `folder`, with the files that are there as its assets.

    `models` are the hrefs of the items of the models that made it.
    """
    assets: dict[str, Item] = {}
    for file, title, kind, role in _ASSETS:
        if (folder / file).exists():
            asset = _asset(file, title, kind, role)
            if kind == _COG:
                asset["raster:bands"] = _raster_bands(folder / file, origin.grid)
            assets[PurePosixPath(file).stem if kind == _COG else file] = asset
    assets["map"]["classification:classes"] = [
        *_classes(origin.legend),
        {"value": 255, "name": "no-data", "description": "No data", "nodata": True},
    ]
    properties = {
        "title": f"Land cover, legend {origin.legend.name}",
        "processing:level": "L4",
        "processing:lineage": f"Classified by {origin.method}",
        "processing:software": {"overcast": origin.version},
        **_projection(origin.grid),
    }
    wanted = ("projection/v2.0.0", "raster/v1.1.0", "classification/v2.0.0")
    item = _item(origin, (*wanted, "processing/v1.1.0"), properties, assets)
    link = {"rel": "derived_from", "type": "application/geo+json", "title": "Model"}
    item["links"] += [{**link, "href": href} for href in models]
    link["title"] = "Source"
    item["links"] += [{**link, "href": href} for href in origin.items]
    return item


def model_item(
    folder: Path,
    origin: Origin,
    architecture: str,
    sensors: Mapping[str, Sensor],
    settings: Mapping[str, Any],
) -> Item:
    """Item of the model in a run folder; `settings` are its hyper-parameters."""
    weights = run_folder.RunFolder(folder).learned()
    bands = [_band(name, band) for name, s in sensors.items() for band in s.bands]
    assets = {
        path.stem: {
            **_asset(path.name, "Weights", "application/octet-stream", "mlm:model"),
            "mlm:artifact_type": "safetensors.save_file",
            "raster:bands": bands,
        }
        for path in weights
    }
    about = "Complete description of the training"
    assets["plan"] = _asset(run_folder.PLAN, about, "application/yaml", "metadata")
    properties = {
        "title": f"{architecture}, legend {origin.legend.name}",
        "mlm:name": origin.name,
        "mlm:architecture": architecture,
        "mlm:tasks": ["semantic-segmentation"],
        "mlm:framework": "overcast",
        "mlm:framework_version": origin.version,
        "mlm:total_parameters": sum(map(_numbers, weights)),
        "mlm:pretrained": False,
        "mlm:pretrained_source": None,
        "mlm:input": [_input(name, sensor) for name, sensor in sensors.items()],
        "mlm:output": [_output(origin.legend)],
        "processing:software": {"overcast": origin.version},
    }
    if settings:
        properties["mlm:hyperparameters"] = dict(settings)
    wanted = ("mlm/v1.4.0", "raster/v1.1.0", "classification/v2.0.0")
    return _item(origin, (*wanted, "processing/v1.1.0"), properties, assets)


def write_item(item: Item, folder: Path) -> None:
    """Write an item into `folder`; it is whole or not there.

    Raises
    ------
    MachineError
        If the disk is full, or failed.
    """
    text = json.dumps(item, indent=2, ensure_ascii=False, allow_nan=False)
    path = folder / map_folder.ITEM
    with writing(path):
        write_whole(path, text + "\n")


def _item(
    origin: Origin,
    extensions: Iterable[str],
    properties: Mapping[str, Any],
    assets: Mapping[str, Any],
) -> Item:
    # Sides bend in longitude and latitude: eight points each are within a metre or so.
    outline = origin.grid.footprint("EPSG:4326", npoints=8)
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [_SCHEMA.format(name) for name in extensions],
        "id": origin.name,
        "geometry": outline.json,
        "bbox": list(outline.boundingbox.bbox),
        "properties": {**_dates(origin.sources, origin.times), **properties},
        "links": [{"rel": "derived_from", "href": href} for href in origin.sources],
        "assets": dict(assets),
    }


def _asset(file: str, title: str, kind: str, role: str) -> Item:
    return {"href": f"./{file}", "title": title, "type": kind, "roles": [role]}


def _dates(sources: Iterable[str], times: Iterable[str] = ()) -> dict[str, str | None]:
    """Return when the ground was seen, as catalogues or file names say it; else now."""
    made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    names = [PurePosixPath(unquote(source)).name for source in sources]
    # The second date of a Sentinel-2 product is when it was processed.
    dates = [
        _DATE.findall(n)[:1] if _SENTINEL_2.match(n) else _DATE.findall(n)
        for n in names
    ]
    texts = sorted({text for several in dates for text in several})
    seen = [datetime.strptime(t, "%Y%m%dT%H%M%S").isoformat() + "Z" for t in texts]
    seen = sorted({*seen, *times})
    if len(seen) < 2:
        return {"datetime": seen[0] if seen else made, "created": made}
    span = {"start_datetime": seen[0], "end_datetime": seen[-1]}
    return {"datetime": None, **span, "created": made}


def _projection(grid: GeoBox) -> dict[str, Any]:
    if grid.crs is None:
        raise ValueError(
            "the map has no coordinate reference system, and a catalogue needs one; "
            "assign it (gdal_edit.py -a_srs EPSG:...)"
        )
    code = grid.crs.to_epsg()
    place: dict[str, Any] = {"proj:code": f"EPSG:{code}" if code else None}
    if not code:
        place["proj:wkt2"] = grid.crs.to_wkt()
    place["proj:shape"] = [int(n) for n in grid.shape]
    place["proj:transform"] = list(grid.affine)[:6]
    place["proj:bbox"] = list(grid.boundingbox.bbox)
    return place


def _raster_bands(path: Path, grid: GeoBox) -> list[dict[str, Any]]:
    dataset = open_raster(path)
    names = ("minimum", "maximum", "mean", "stddev", "valid_percent")
    bands = []
    for index, kind in enumerate(dataset.dtypes, 1):
        band: dict[str, Any] = {"data_type": kind, "sampling": "area"}
        band["nodata"] = "nan" if kind == "float32" else int(dataset.nodata)
        if dataset.descriptions[index - 1]:
            band["description"] = dataset.descriptions[index - 1]
        if dataset.scales[index - 1] != 1:
            band["scale"] = dataset.scales[index - 1]
            band["offset"] = dataset.offsets[index - 1]
        if grid.crs is not None and grid.crs.units[0] == "metre":
            band["spatial_resolution"] = abs(grid.resolution.x)
        tags = dataset.tags(index)
        keys = {name: f"STATISTICS_{name.upper()}" for name in names}
        facts = {name: float(tags[key]) for name, key in keys.items() if key in tags}
        bands.append({**band, "statistics": facts} if facts else band)
    return bands


def _classes(legend: Legend, codes: bool = True) -> list[dict[str, Any]]:
    """Classes by code in a file, or by place in a model's output."""
    return [
        {
            "value": c.code if codes else index,
            "name": re.sub(r"[^0-9A-Za-z]+", "-", c.name).strip("-")
            or f"class-{index}",
            "title": c.name,
            "description": c.name,
            "color_hint": c.colour.upper(),
        }
        for index, c in enumerate(legend.classes)
    ]


def _input(name: str, sensor: Sensor) -> dict[str, Any]:
    low, high = NETWORK_RANGE
    return {
        "name": name,
        "bands": list(sensor.names),
        "input": {
            "shape": [-1, len(sensor.bands), -1, -1],
            "dim_order": ["batch", "channel", "height", "width"],
            "data_type": "float32",
        },
        "description": (
            f"{sensor.name} in {', '.join(sorted({b.unit for b in sensor.bands}))}, "
            f"scaled band by band and then clipped to {low:g}..{high:g}; a pixel that "
            "was not observed is left out"
        ),
        "value_scaling": [
            {"type": "min-max", "minimum": b.low, "maximum": b.high}
            for b in sensor.bands
        ],
        "resize_type": None,
    }


def _output(legend: Legend) -> dict[str, Any]:
    return {
        "name": "probabilities",
        "tasks": ["semantic-segmentation"],
        "result": {
            "shape": [-1, len(legend), -1, -1],
            "dim_order": ["batch", "class", "height", "width"],
            "data_type": "float32",
        },
        "classification:classes": _classes(legend, codes=False),
    }


def _band(image: str, band: Any) -> dict[str, Any]:
    unit = {"unit": band.unit, "data_type": "float32"}
    return {"name": band.name, "description": f"{band.name} of {image}", **unit}


def _numbers(path: Path) -> int:
    """Return how many numbers a file of weights has, without reading them."""
    with safe_open(path, "numpy") as file:
        shapes = [file.get_slice(key).get_shape() for key in file.keys()]  # noqa: SIM118
    return sum(map(math.prod, shapes))
