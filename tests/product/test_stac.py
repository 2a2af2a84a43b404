"""STAC items: valid by the published schemas, and true to the files."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
from odc.geo.geobox import GeoBox
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.raster import RasterExtension
from safetensors.numpy import save_file

from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.geo.legend import load_legend
from overcast.map_folder import ITEM
from overcast.maps.predict import RawMap
from overcast.product.rasters import write_confidence, write_map, write_probabilities
from overcast.product.stac import Item, Origin, map_item, model_item, write_item
from tests.product.catalogue import faults
from tests.rasters import SINUSOIDAL, utm

LEGEND = load_legend("igbp")
TILE = "S2A_MSIL2A_20200715T101559_N0500_R065_T32UMU_20230501T000000"


def origin_of(grid: GeoBox, *sources: str) -> Origin:
    return Origin(
        name="overcast-map-0123",
        grid=grid,
        legend=LEGEND,
        sources=sources,
        method="model 0123",
        version="0.1.0",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A map of 30 x 40 pixels with everything beside it."""
    grid, shape = utm((30, 40)), (30, 40)
    random = np.random.default_rng(0)
    raw = RawMap(*(tmp_path / n for n in "cf"), shape, tmp_path / "p", len(LEGEND))
    random.integers(0, 17, shape, np.uint8).tofile(tmp_path / "c")
    (random.integers(0, 257, shape) / np.float32(256)).astype("f4").tofile(
        tmp_path / "f"
    )
    random.integers(0, 255, (30, 17, 40), np.uint8).tofile(tmp_path / "p")
    write_map(raw, grid, LEGEND, tmp_path / "map.tif", {})
    write_confidence(raw, grid, tmp_path / "confidence.tif", {})
    write_probabilities(raw, grid, LEGEND, tmp_path / "probabilities.tif", {})
    return tmp_path


def a_map(folder: Path, grid: GeoBox | None = None, *sources: str) -> Item:
    origin = origin_of(grid or utm((30, 40)), *(sources or ("../s2.tif",)))
    return map_item(folder, origin, ["run/stac-item.json"])


def a_model(folder: Path) -> Item:
    weights = {"a": np.zeros((3, 4, 5), np.float32), "b": np.zeros(7, np.float32)}
    save_file(weights, folder / "model.safetensors")
    sensors = {"s1": SENTINEL_1, "s2": SENTINEL_2}
    settings = {"model": {"name": "fcn"}, "window": 64}
    origin = origin_of(utm(), "../../labels.tif")
    return model_item(folder, origin, "fcn", sensors, settings)


@pytest.mark.parametrize(
    "grid", [utm((30, 40)), GeoBox((30, 40), utm().affine, SINUSOIDAL)]
)
@pytest.mark.parametrize(
    "sources", [("../s2.tif",), (f"{TILE}/B02.tif",), (f"x/{TILE}.tif", "y/s1.tif")]
)
def test_a_map_is_valid(folder: Path, grid: GeoBox, sources: tuple[str, ...]) -> None:
    assert faults(a_map(folder, grid, *sources)) == []


def test_a_model_is_valid(tmp_path: Path) -> None:
    assert faults(a_model(tmp_path)) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda item: item.pop("geometry"),
        lambda item: item["properties"].update({"proj:shape": [1]}),
        lambda item: item["properties"].update({"proj:bbox": [8.0]}),
        lambda item: item["properties"].update({"processing:software": "overcast"}),
        lambda item: item["assets"]["map"]["raster:bands"][0].update(nodata="none"),
        lambda item: item["assets"]["map"]["classification:classes"][0].pop("value"),
        lambda item: item["assets"]["map"]["classification:classes"][0].update(
            color_hint="#fff"
        ),
    ],
)
def test_the_schemas_notice(folder: Path, spoil: Any) -> None:
    item = copy.deepcopy(a_map(folder))
    spoil(item)
    assert faults(item)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda item: item["properties"].pop("mlm:architecture"),
        lambda item: item["properties"].update({"mlm:tasks": ["mapping"]}),
        lambda item: item["properties"].update({"mlm:total_parameters": -1}),
        lambda item: item["properties"]["mlm:input"][0].pop("bands"),
        lambda item: item["properties"]["mlm:output"][0]["result"].pop("shape"),
        lambda item: item["assets"]["model"].pop("raster:bands"),
        lambda item: item["assets"]["model"].pop("mlm:artifact_type"),
    ],
)
def test_the_model_s_schema_notices(tmp_path: Path, spoil: Any) -> None:
    item = copy.deepcopy(a_model(tmp_path))
    spoil(item)
    assert faults(item)


def test_pystac_reads_what_the_files_have(folder: Path) -> None:
    write_item(a_map(folder), folder)
    item = pystac.Item.from_file(folder / ITEM)
    assert {"map", "confidence", "probabilities", "legend.csv"} <= set(item.assets)
    for asset in item.assets.values():
        assert Path(str(asset.get_absolute_href())).exists()
    place = ProjectionExtension.ext(item)
    grid = utm((30, 40))
    assert (place.code, place.shape) == ("EPSG:32632", [30, 40])
    assert place.transform == list(grid.affine)[:6]
    (band,) = RasterExtension.ext(item.assets["map"]).bands or []
    assert (band.data_type, band.nodata, band.spatial_resolution) == ("uint8", 255, 10)
    assert band.statistics is not None
    assert (band.statistics.minimum, band.statistics.maximum) == (1, 17)
    bands = RasterExtension.ext(item.assets["probabilities"]).bands or []
    assert [b.scale for b in bands] == pytest.approx([1 / 254] * 17)
    origins = [str(link.target) for link in item.get_links("derived_from")]
    assert [Path(o).name for o in origins] == ["s2.tif", "stac-item.json"]


def test_item_lies_where_the_map_does(folder: Path) -> None:
    item = a_map(folder)
    west, south, east, north = item["bbox"]
    box = utm((30, 40)).geographic_extent.boundingbox
    assert (west, south, east, north) == pytest.approx(tuple(box.bbox), abs=1e-6)
    corners = np.array(item["geometry"]["coordinates"][0])
    assert len(corners) < 50
    assert (corners.min(0), corners.max(0)) == (
        pytest.approx([west, south]),
        pytest.approx([east, north]),
    )


def test_dates_are_those_in_file_names(folder: Path) -> None:
    one = a_map(folder, None, "a/S2_T32UMU_20200715T101559.tif")["properties"]
    assert one["datetime"] == "2020-07-15T10:15:59Z"
    two = a_map(folder, None, "20200715T101559.tif", "b/s1_20200713T054321.tif")
    times = two["properties"]
    assert times["datetime"] is None
    assert times["start_datetime"] == "2020-07-13T05:43:21Z"
    assert times["end_datetime"] == "2020-07-15T10:15:59Z"
    name = "S2A_MSIL2A_20200715T101559_N0500_R065_T32UMU_20230401T120000.SAFE.zip"
    product = a_map(folder, None, name)["properties"]
    assert product["datetime"] == "2020-07-15T10:15:59Z"
    none = a_map(folder, None, "20200715T101559/s2.tif", "x120200715T1015591.tif")
    assert none["properties"]["datetime"] == none["properties"]["created"]


def test_a_model_says_what_goes_in_and_what_comes_out(tmp_path: Path) -> None:
    item = json.loads(json.dumps(a_model(tmp_path)))
    facts = item["properties"]
    assert facts["mlm:total_parameters"] == 67
    assert [i["name"] for i in facts["mlm:input"]] == ["s1", "s2"]
    assert facts["mlm:input"][0]["value_scaling"][0] == {
        "type": "min-max",
        "minimum": -25,
        "maximum": 0,
    }
    assert facts["mlm:output"][0]["result"]["shape"] == [-1, 17, -1, -1]
    values = [c["value"] for c in facts["mlm:output"][0]["classification:classes"]]
    assert values == list(range(17))
    assert item["assets"]["model"]["href"] == "./model.safetensors"
