"""STAC items as inputs: the bands of their assets, wherever they lie."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from overcast.geo.bands import SENTINEL_2
from overcast.geo.check import open_sentinel_1, open_sentinel_2
from overcast.geo.derived import files_in
from overcast.geo.items import item_of
from overcast.geo.label_file import open_labels
from overcast.geo.layers import is_vector
from overcast.geo.legend import load_legend
from overcast.geo.location import Location
from overcast.geo.products import find_product
from overcast.geo.tiling import Window
from overcast.inputs import open_inputs
from overcast.plan import Data, ImageInput
from tests.geo.served import served

KEYS = {
    "blue": "B02",
    "green": "B03",
    "red": "B04",
    "rededge1": "B05",
    "rededge2": "B06",
    "rededge3": "B07",
    "nir": "B08",
    "nir08": "B8A",
    "swir16": "B11",
    "swir22": "B12",
}


@contextmanager
def apart(folder: Path) -> Iterator[str]:
    """Serve a folder from another process: GDAL asks while it holds Python's lock."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()

    def serve() -> None:
        with served(folder) as url:
            theirs.send(url)
            theirs.recv()

    process = context.Process(target=serve, daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def write_band(path: Path, values: np.ndarray, size: float = 10.0) -> None:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=values.shape[1],
        height=values.shape[0],
        count=1,
        dtype=values.dtype,
        crs="EPSG:32632",
        transform=rasterio.Affine(size, 0, 600_000, 0, -size, 5_400_000),
    ) as out:
        out.write(values, 1)


def item(assets: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": "one",
        "geometry": None,
        "properties": {"datetime": "2024-06-01T00:00:00Z"},
        "links": [],
        "assets": assets,
    }


def asset(href: str, *roles: str) -> dict[str, Any]:
    kind = "image/tiff; application=geotiff; profile=cloud-optimized"
    return {"href": href, "type": kind, "roles": list(roles or ("data",))}


@pytest.fixture
def numbers() -> np.ndarray:
    random = np.random.default_rng(3)
    spectrum = np.array([3, 5, 4, 9, 22, 27, 30, 31, 18, 9]) * 100
    return (spectrum[:, None, None] + random.integers(-200, 200, (10, 64, 64))).astype(
        "u2"
    )


@pytest.fixture
def optical(tmp_path: Path, numbers: np.ndarray) -> Path:
    """An item as Earth Search has them, with relative addresses."""
    assets: dict[str, Any] = {"thumbnail": asset("./thumb.tif", "thumbnail")}
    for values, (key, name) in zip(numbers, KEYS.items(), strict=True):
        write_band(tmp_path / f"{name}.tif", values)
        assets[key] = asset(f"./{name}.tif")
    scl = np.full((32, 32), 4, np.uint8)
    scl[:8] = 9
    write_band(tmp_path / "SCL.tif", scl, 20.0)
    assets["scl"] = asset("./SCL.tif")
    path = tmp_path / "item.json"
    path.write_text(json.dumps(item(assets)))
    return path


def test_bands_are_the_assets(optical: Path, numbers: np.ndarray) -> None:
    image = open_sentinel_2(optical).image
    assert image.sensor.names == SENTINEL_2.names
    values = image.read(image.grid).values
    np.testing.assert_allclose(values, numbers / 1e4, atol=1e-6)


def test_scene_classes_hide_clouds(optical: Path) -> None:
    data = Data(images={"s2": ImageInput(path=str(optical), sensor="sentinel-2")})
    inputs = open_inputs(data)
    values = inputs.stack.read(Window(0, 0, 64, 64)).images["s2"].values
    assert np.isnan(values[:, :16]).all()
    assert np.isfinite(values[:, 16:]).all()
    assert any("SCL" in note for note in inputs.notes)


def test_an_address_is_as_good_as_a_file(optical: Path, numbers: np.ndarray) -> None:
    with apart(optical.parent) as url:
        image = open_sentinel_2(Location.of(f"{url}/item.json")).image
        values = image.read(image.grid).values
    np.testing.assert_allclose(values, numbers / 1e4, atol=1e-6)


def test_a_collection_of_one_is_that_one(optical: Path) -> None:
    one = json.loads(optical.read_text())
    path = optical.with_name("items.json")
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [one]}))
    assert open_sentinel_2(path).image.sensor.names == SENTINEL_2.names
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [one, one]}))
    with pytest.raises(
        ValueError, match=r"items\.json: 2 items .*item=one.*overcast fetch"
    ):
        open_sentinel_2(path)


def test_a_collection_of_several_is_their_dates(
    optical: Path, numbers: np.ndarray
) -> None:
    """Items of one day are parts of one image, and each is taken once."""
    one = json.loads(optical.read_text())
    named = [("west", "2024-06-01"), ("east", "2024-06-01"), ("later", "2024-08-20")]
    items = [
        {**one, "id": name, "properties": {"datetime": f"{day}T10:00:00Z"}}
        for name, day in named
    ]
    path = optical.with_name("items.json")
    tree = {"type": "FeatureCollection", "features": [*items, items[0]]}
    path.write_text(json.dumps(tree))
    data = Data(images={"s2": ImageInput(path=str(path), sensor="sentinel-2")})
    inputs = open_inputs(data)
    assert sorted(inputs.stack.images) == ["s2@2024-06-01", "s2@2024-08-20"]
    chip = inputs.stack.read(Window(20, 0, 20, 64))
    for image in chip.images.values():
        np.testing.assert_allclose(image.values, numbers[:, 20:40] / 1e4, atol=1e-6)
    files = {str(f) for i in inputs.stack.images.values() for f in files_in(i)}
    assert {f"{path}|item={name}" for name, _ in named} <= files
    alone = Location.of(f"{path}|item=later")
    assert open_sentinel_2(alone).image.sensor.names == SENTINEL_2.names
    assert alone.href(path.parent) == "items.json"
    with pytest.raises(ValueError, match="no item of the collection is called other"):
        find_product(Location.of(f"{path}|item=other"))


def test_radar_in_names_of_its_own(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name, level in (("vv", 0.1), ("vh", 0.02)):
        write_band(
            tmp_path / f"{name}.tif",
            (level * random.gamma(5, 0.2, (64, 64))).astype("f4"),
        )
    assets = {name: asset(f"{name}.tif") for name in ("vh", "vv")}
    (tmp_path / "rtc.json").write_text(json.dumps(item(assets)))
    image = open_sentinel_1(tmp_path / "rtc.json").image
    assert image.sensor.names == ("VV", "VH")
    assert -15 < np.nanmedian(image.read(image.grid).values[0]) < -5


def test_labels_of_an_item(tmp_path: Path) -> None:
    codes = np.tile(np.array([10, 30], np.uint8), (64, 32))
    write_band(tmp_path / "wc.tif", codes)
    (tmp_path / "wc.json").write_text(json.dumps(item({"map": asset("wc.tif")})))
    assert not is_vector(tmp_path / "wc.json")
    labels = open_labels(tmp_path / "wc.json", load_legend("worldcover"))
    assert labels.read(labels.grid).legend.name == "worldcover"


def test_a_geojson_of_shapes_is_no_item(tmp_path: Path) -> None:
    shape = {"type": "Feature", "properties": {"class": 1}, "geometry": None}
    path = tmp_path / "points.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [shape]}))
    assert item_of(Location.of(path)) is None
    assert is_vector(path)


def test_an_item_without_bands_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "item.json"
    path.write_text(json.dumps(item({"a": asset("a.tif"), "b": asset("b.tif")})))
    with pytest.raises(ValueError, match="the rasters a, b, none of which is named"):
        find_product(Location.of(path))


def test_a_server_without_the_item_is_said(tmp_path: Path) -> None:
    with (
        served(tmp_path) as url,
        pytest.raises(ValueError, match=r"gone\.json: no such file"),
    ):
        open_sentinel_2(Location.of(f"{url}/gone.json"))
