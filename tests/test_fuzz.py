"""Readers of files from elsewhere, fed with valid files that were changed at random.

Whatever comes, a reader gives a value or one line that names the file. FUZZ=100000
tries so many of each; what fell once is an example below.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from overcast.accuracy.calibration_file import read_calibration
from overcast.acquire.catalogue import load_catalogue
from overcast.errors import INPUT, explain
from overcast.geo.legend import load_legend
from overcast.geo.point_table import read_table
from overcast.geo.sensor_file import load_sensor
from overcast.models.published import described
from overcast.plan import read_plan
from overcast.region.description import read_region
from overcast.run_files import read_interface

EXAMPLES = int(os.environ.get("FUZZ", "40"))

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
INTERFACE = json.dumps(
    {
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
)
CALIBRATION = json.dumps(
    {
        "temperature": 1.2,
        "curve": [k / 64 for k in range(65)],
        "reference": "s.gpkg",
        "pixels": 60,
        "before": {"edges": [0, 1], "pixels": [60], "right": [50], "confidence": [0.9]},
        "after": {"edges": [0, 1], "pixels": [60], "right": [50], "confidence": [0.8]},
        "sets": {"score": "aps", "coverage": 0.9, "thresholds": [0.5, 0.5]},
    }
)
REGION = PLAN + "tiles: 1024\n"
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

Reader = Callable[[Path], Any]
READERS: dict[str, tuple[str, str, Reader]] = {
    "plan": ("plan.yaml", PLAN, read_plan),
    "region": ("region.yaml", REGION, read_region),
    "legend": ("legend.csv", LEGEND, load_legend),
    "sensor": ("sensor.toml", SENSOR, load_sensor),
    "points": ("points.csv", TABLE, read_table),
    "weights": ("weights.toml", WEIGHTS, described),
    "catalogue": ("catalogue.toml", CATALOGUE, lambda path: load_catalogue(str(path))),
    "interface": (
        "interface.json",
        INTERFACE,
        lambda path: read_interface(path.parent),
    ),
    "calibration": (
        "calibration.json",
        CALIBRATION,
        lambda path: read_calibration(path.parent),
    ),
}
ODD = (
    *("", "\x00", "\ufeff", "nan", "1e999", "-1", "null", "true", "9" * 25, "[", "}"),
    *('"', "'", "\n", "\r", ",", ":", "{}", "[]", "&a [*a]", "!!python/name:os", "# "),
    *("ß" * 9, "=1+1", "../..", "~", "<<: *x", "---", "a: " * 60, "[" * 60, "0x10"),
)


@st.composite
def changes(draw: st.DrawFn) -> list[tuple[float, float, str]]:
    """Where a text is cut, from and to as shares of it, and what comes there."""
    place = st.floats(0, 1, allow_nan=False)
    word = st.one_of(st.sampled_from(ODD), st.text(max_size=8))
    length = st.sampled_from([0.0, 0.0, 0.01, 0.05, 0.5])
    return [
        (start, draw(length), draw(word))
        for start in draw(st.lists(place, min_size=1, max_size=4))
    ]


def changed(text: str, parts: list[tuple[float, float, str]]) -> bytes:
    for start, length, word in parts:
        first = round(start * len(text))
        text = text[:first] + word + text[first + round(length * len(text)) :]
    return text.encode("utf-8", "surrogatepass")


def tried(kind: str, content: bytes) -> str | None:
    """Line of the refusal; None where the file is read."""
    name, _, reader = READERS[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            reader(path)
        except Exception as error:
            code, line = explain(error)
            assert code == INPUT, f"{code}: {line}: {content!r}"
            assert "\n" not in line.strip(), line
            assert name in line or folder in line, line
            return line
    return None


@pytest.mark.parametrize("kind", READERS)
def test_what_is_changed_is_read_as_it_is(kind: str) -> None:
    assert tried(kind, READERS[kind][1].encode()) is None


@pytest.mark.parametrize("kind", READERS)
@settings(
    max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), derandomize=True
)
@given(parts=changes())
def test_a_changed_file_is_read_or_refused_in_a_line(
    kind: str, parts: list[tuple[float, float, str]]
) -> None:
    tried(kind, changed(READERS[kind][1], parts))


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=EXAMPLES // 2, suppress_health_check=list(HealthCheck))
@given(content=st.binary(max_size=200))
@example(content=b"\xff\xfe")
@example(content=b"\x00" * 64)
@example(content=b"[" * 3000)
def test_any_bytes_are_refused_in_a_line(kind: str, content: bytes) -> None:
    tried(kind, content)
