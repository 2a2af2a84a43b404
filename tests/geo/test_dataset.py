"""Rasters in archives, on servers, inside other files and behind links."""

import json
import os
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil

from overcast.errors import MachineError
from overcast.geo.dataset import open_raster, read_grid, stamp
from overcast.geo.label_file import open_labels
from overcast.geo.legend import load_legend
from overcast.geo.location import Location
from overcast.geo.vectors import read_features
from overcast.inputs import open_inputs
from overcast.plan import Data, ImageInput, LabelInput, Plan, read_plan, write_plan
from tests.geo import safe as made
from tests.geo.served import served

VALUES = (np.arange(64).reshape(8, 8) % 5 + 1).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made.band(tmp_path / "in" / "a.tif", VALUES, 10)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "in" / "a.tif", "in/a.tif")
        archive.writestr("other.txt", "x")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(tmp_path / "in" / "a.tif", "in/a.tif")
    return tmp_path


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    with served(folder) as host:
        yield host


@pytest.mark.parametrize(
    "text",
    [
        "/vsizip/{0}/a.zip/in/a.tif",
        "/vsitar/{0}/a.tar/in/a.tif",
        "zip://{0}/a.zip!in/a.tif",
        "zip://in/a.tif::{0}/a.zip",
        "file://{0}/in/a.tif",
        "vrt://{0}/in/a.tif?bands=1",
        "GTIFF_DIR:1:{0}/in/a.tif",
        "{1}/in/a.tif",
        "{1}/in/a.tif?X-Amz-Signature=secret",
        "/vsicurl/{1}/in/a.tif",
        "zip+{1}/a.zip!in/a.tif",
        "/vsizip//vsicurl/{1}/a.zip/in/a.tif",
    ],
)
def test_is_read_wherever_it_lies(folder: Path, address: str, text: str) -> None:
    where = Location.of(text.format(folder, address))
    np.testing.assert_array_equal(open_raster(where).read(1), VALUES)
    assert read_grid(where).shape == (8, 8)
    source = open_labels(where, load_legend("simplified-igbp"))
    read = source.legend.to_codes(source.read(source.grid).values)
    np.testing.assert_array_equal(read, VALUES)
    assert "secret" not in str(where) + json.dumps(stamp(where))


def test_a_subdataset_is_read_and_a_container_names_them(folder: Path) -> None:
    path = folder / "two.gpkg"
    for table, append in (("one", "NO"), ("two", "YES")):
        with rasterio.open(folder / "in" / "a.tif") as source:
            kind = {
                "driver": "GPKG",
                "RASTER_TABLE": table,
                "APPEND_SUBDATASET": append,
            }
            rasterio.shutil.copy(source, path, TILE_FORMAT="PNG", **kind)
    with pytest.raises(ValueError, match=r"2 datasets in it; give one: GPKG:.*:ONE"):
        open_raster(path)
    dataset = open_raster(Location.of(f"GPKG:{path}:TWO"))
    np.testing.assert_array_equal(dataset.read(1), VALUES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{1}/in/b.tif?sig=secret", "{1}/in/b.tif: no such file"),
        ("{1}/status/403/a.tif?sig=secret", "{1}/status/403/a.tif: the server refuses"),
        ("/vsizip/{0}/a.zip/in/b.tif", "a.zip has no such file in it"),
        ("/vsizip/{0}/b.zip/in/b.tif", "b.zip/in/b.tif: no such file"),
        ("zip://{0}/a.zip!in/b.tif", "a.zip has no such file in it"),
        ("{1}/a.zip", "not a readable raster"),
    ],
)
def test_what_is_not_there_is_one_line(
    folder: Path, address: str, text: str, said: str
) -> None:
    with pytest.raises(
        ValueError, match=re.escape(said.format(folder, address))
    ) as raised:
        open_raster(Location.of(text.format(folder, address)))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("path", ["status/503", "silent"])
def test_a_server_that_does_not_answer_is_no_fault_of_the_input(
    address: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "0")
    monkeypatch.setenv("GDAL_HTTP_TIMEOUT", "1")
    with pytest.raises(MachineError, match=r"a\.tif: the server does not answer"):
        open_raster(Location.of(f"{address}/{path}/a.tif?sig=secret"))


def test_nobody_listens() -> None:
    with pytest.raises(MachineError, match=r"a\.tif: the server does not answer"):
        open_raster(Location.of("http://127.0.0.1:9/a.tif"))


def test_a_server_that_goes_away_while_it_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "0")
    noise = np.random.default_rng(0).integers(1, 256, (1024, 1024)).astype(np.uint8)
    made.band(folder / "large.tif", noise, 10)
    with served(folder) as host:
        where = Location.of(f"{host}/large.tif?sig=secret")
        dataset = open_raster(where)
    with pytest.raises(
        MachineError, match=r"large\.tif: the server does not"
    ) as raised:
        dataset.read(1)
    assert "secret" not in str(raised.value)


def test_side_files_of_a_link_are_read(folder: Path) -> None:
    os.symlink("in/a.tif", folder / "link.tif")
    (folder / "link.tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><NoDataValue>3</NoDataValue>'
        "</PAMRasterBand></PAMDataset>"
    )
    before = stamp(folder / "link.tif")
    assert open_raster(Location.of("link.tif", folder)).nodata == 3
    (folder / "link.tif.aux.xml").write_text("<PAMDataset></PAMDataset>")
    assert stamp(folder / "link.tif") != before


def test_stamps_change_with_what_is_read(folder: Path, address: str) -> None:
    with rasterio.open(folder / "in" / "a.tif") as source:
        rasterio.shutil.copy(source, folder / "a.vrt", driver="VRT")
    places = [
        folder / "in" / "a.tif",
        folder / "a.vrt",
        Location.of(f"/vsizip/{folder}/a.zip/in/a.tif"),
        Location.of(f"{address}/in/a.tif"),
    ]
    before = [stamp(place) for place in places]
    assert before == [stamp(place) for place in places]
    made.band(folder / "in" / "a.tif", np.tile(VALUES, (2, 2)), 10)
    with zipfile.ZipFile(folder / "a.zip", "a") as archive:
        archive.writestr("more", "more")
    assert all(stamp(p) != b for p, b in zip(places, before, strict=True))


def test_features_are_read_from_archives_and_servers(
    folder: Path, address: str
) -> None:
    text = (
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": '
        '{"class": "Forest"}, "geometry": {"type": "Point", "coordinates": [9, 48]}}]}'
    )
    (folder / "p.geojson").write_text(text)
    with zipfile.ZipFile(folder / "p.zip", "w") as archive:
        archive.writestr("p.geojson", text)
    for name in (f"zip://{folder}/p.zip!p.geojson", f"{address}/p.geojson"):
        features = read_features(Location.of(name))
        assert features.columns["class"] == ["Forest"]
    with pytest.raises(ValueError, match=r"q\.geojson: no such file"):
        read_features(folder / "q.geojson")
    with pytest.raises(ValueError, match="a table is read from this machine only"):
        read_features(Location.of(f"{address}/p.csv"))


def test_a_plan_holds_places_from_anywhere_and_no_signature(folder: Path) -> None:
    images = {
        "a": ImageInput(path="zip://a.zip!in/a.tif", sensor="sentinel-1"),
        "b": ImageInput(path="https://h/b.tif?sig=secret", sensor="sentinel-2"),
        "c": ImageInput(path="in/a.tif", sensor="sentinel-1"),
    }
    plan = Plan(
        data=Data(images=images, labels=LabelInput(path="l.tif", legend="igbp"))
    )
    write_plan(plan, folder / "plan.yaml")
    assert "secret" not in (folder / "plan.yaml").read_text()
    read = read_plan(folder / "plan.yaml").data.images
    assert read["a"].path == f"zip://{folder}/a.zip!in/a.tif"
    assert read["b"].path == "https://h/b.tif"
    assert read["c"].path == str(folder / "in" / "a.tif")


def test_inputs_from_a_server(folder: Path, address: str) -> None:
    values = np.full((8, 8), -9, np.float32)
    values[0, 0] = -9.5
    made.band(folder / "s1_VV.tif", values, 10)
    path = f"{address}/s1_VV.tif"
    toml = folder / "vv.toml"
    toml.write_text(
        'name = "vv"\nkind = "sar"\n'
        '[[bands]]\nname = "VV"\nunit = "dB"\nlow = -25.0\nhigh = 0.0\n'
    )
    data = Data(images={"vv": ImageInput(path=path, sensor=str(toml))})
    inputs = open_inputs(data)
    read = inputs.stack.images["vv"].read(inputs.stack.grid).values
    assert (read == values).all()
    assert inputs.fingerprint == open_inputs(data).fingerprint
