"""Readers of files from elsewhere, each with a file that is right: what is fuzzed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.corpus.scene import make

from overcast.accuracy.calibration_file import read_calibration
from overcast.acquire.catalogue import load_catalogue
from overcast.errors import INPUT, explain
from overcast.geo.items import files_of_item, item_of
from overcast.geo.legend import load_legend
from overcast.geo.location import Location
from overcast.geo.point_table import read_table
from overcast.geo.sensor_file import load_sensor
from overcast.methods.by_date import read_dates
from overcast.models.published import described
from overcast.plan import read_plan
from overcast.region.description import read_region
from overcast.report.heading import read_heading
from overcast.run import load_run
from overcast.run_files import read_interface

PLAN = """\
data:
  images:
    s2: {path: s2.tif, sensor: sentinel-2, offset: -1000}
  labels: {path: labels.tif, legend: igbp, nodata: [0, 255]}
scenes: []
method: {name: weak, clusters: [64], cell: 2.0}
windows: {size: 512, overlap: 32}
seed: 3
"""
LEGEND = 'code,name,colour\n1,"Forest, dense",006600\n3,Water,0000ff\n'
SENSOR = """\
name = "planet"
kind = "optical"
[[bands]]
name = "B"
unit = "reflectance"
low = 0.0
high = 0.3
"""
TABLE = 'id,lon,lat,reference,stratum\n1,9.1,48.2,Forest,0\n2,9.2,48.1,"Water",1\n'
WEIGHTS = 'file = "a.pth"\nunit = "dB"\n[[bands]]\nband = "VV"\nmean = -12.5\n'
INTERFACE = {
    "legend": {
        "name": "l",
        "classes": [{"code": 1, "name": "Forest", "colour": "006600"}],
    },
    "sensors": {
        "s1": {
            "name": "sentinel-1",
            "kind": "sar",
            "bands": [{"name": "VV", "unit": "dB", "low": -25.0, "high": 0.0}],
        }
    },
    "version": "0.1.0",
}
_BINS = {"edges": [0, 1], "pixels": [60], "right": [50], "confidence": [0.9]}
CALIBRATION = {
    "temperature": 1.2,
    "curve": [k / 64 for k in range(65)],
    "reference": "s.gpkg",
    "pixels": 60,
    "before": _BINS,
    "after": _BINS,
    "sets": {"score": "aps", "coverage": 0.9, "thresholds": [0.5, 0.5]},
}
DATES = {"days": ["2024-05-01", "2024-07-01"], "weights": [0.25, 0.75]}
HEADING = {"title": "Ohrid", "period": "2024"}
ITEM = {
    "type": "Feature",
    "stac_version": "1.0.0",
    "id": "a",
    "bbox": [9.0, 48.0, 9.1, 48.1],
    "geometry": None,
    "properties": {"datetime": "2024-05-01T10:00:00Z"},
    "links": [],
    "assets": {
        "B02": {
            "href": "./b02.tif",
            "type": "image/tiff; application=geotiff",
            "roles": ["data"],
            "eo:bands": [{"name": "B02", "common_name": "blue"}],
            "raster:bands": [{"nodata": 0, "scale": 0.0001, "offset": -0.1}],
        },
        "scl": {"href": "https://example.org/scl.tif", "roles": ["data"]},
    },
}
CATALOGUE = """\
title = "Ours"
api = "https://example.org/v1"
asks = "nothing"
[products.sentinel-2]
collections = ["s2"]
nodata = 0
licence = "free"
attribution = "{years}"
[products.sentinel-2.assets]
B02 = "blue"
B03 = "green"
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """A file that is right, and what reads it.

    Attributes
    ----------
    file
        Its name.
    right
        Its content.
    read
        Reads it, given its path.
    beside
        A folder whose files lie beside it.
    """

    file: str
    right: bytes
    read: Callable[[Path], object]
    beside: Path | None = None


def _item(path: Path) -> object:
    where = Location.of(path)
    item = item_of(where)
    return None if item is None else files_of_item(where, item)


def _text(content: str | dict[str, Any]) -> bytes:
    text = content if isinstance(content, str) else json.dumps(content)
    return text.encode()


READERS: dict[str, Reader] = {
    "plan": Reader("plan.yaml", _text(PLAN), read_plan),
    "region": Reader("region.yaml", _text(PLAN + "tiles: 1024\n"), read_region),
    "legend": Reader("legend.csv", _text(LEGEND), load_legend),
    "sensor": Reader("sensor.toml", _text(SENSOR), load_sensor),
    "points": Reader("points.csv", _text(TABLE), read_table),
    "weights": Reader("weights.toml", _text(WEIGHTS), described),
    "catalogue": Reader(
        "catalogue.toml", _text(CATALOGUE), lambda path: load_catalogue(str(path))
    ),
    "STAC item": Reader("item.json", _text(ITEM), _item),
    "heading": Reader(
        "heading.json", _text(HEADING), lambda path: read_heading(path.parent)
    ),
    "dates of a run": Reader(
        "dates.json", _text(DATES), lambda path: read_dates(path.parent)
    ),
    "interface of a run": Reader(
        "interface.json", _text(INTERFACE), lambda path: read_interface(path.parent)
    ),
    "calibration": Reader(
        "calibration.json",
        _text(CALIBRATION),
        lambda path: read_calibration(path.parent),
    ),
}
"""Readers that need one file alone."""
_OF_RUNS = ("plan.yaml", "interface.json", "learned.json", "forest.safetensors")
_OF_WEAK = ("weak.safetensors", "place.json")


def readers(cache: Path) -> dict[str, Reader]:
    """All readers: also of a whole run folder, each with one of its files changed."""
    known = dict(READERS)
    for made, names in (("forest", _OF_RUNS), ("weak", _OF_WEAK)):
        run = make(made, cache) / "run"
        for name in names:
            right = (run / name).read_bytes()
            known[f"run: {name}"] = Reader(name, right, _load, run)
            if name.endswith(".safetensors"):
                bare = _without_record(run, cache / f"{made}-bare")
                label = f"run without a record: {name}"
                known[label] = Reader(name, right, _load, bare)
    return known


def _load(path: Path) -> object:
    return load_run(path.parent)


def _without_record(run: Path, copy: Path) -> Path:
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(run, copy)
    (copy / "learned.json").unlink()
    return copy


def tried(reader: Reader, content: bytes) -> str | None:
    """Line of the refusal of a content; None where the file is read.

    Raises
    ------
    AssertionError
        If it is neither read nor refused in one line that names the file.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / reader.file
        if reader.beside is not None:
            shutil.copytree(reader.beside, folder, dirs_exist_ok=True)
        path.write_bytes(content)
        try:
            reader.read(path)
        except Exception as error:
            code, line = explain(error)
            assert code == INPUT, f"exit {code}: {line}"
            assert "\n" not in line.strip(), f"lines: {line}"
            assert reader.file in line or folder in line, f"names no file: {line}"
            return line
    return None
