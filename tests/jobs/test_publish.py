"""What leaves the tool can be published: the whole way, by command."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
from odc.geo.geobox import GeoBox
from rio_cogeo.cogeo import cog_validate

from overcast.cli import main
from overcast.plan import read_plan, write_plan
from overcast.worlds.files import write_world
from tests.product.catalogue import faults
from tests.rasters import write

FAST = ("--set", "clusters=[8]", "--set", "samples=1000")


def call(*arguments: object) -> int:
    before, sys.argv = sys.argv, ["overcast", *map(str, arguments)]
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    finally:
        sys.argv = before
    return 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map of a small world, and one made with its run."""
    folder = tmp_path_factory.mktemp("published")
    world = folder / "world"
    write_world(3, 96, world, processes=1)
    images = ("--s2", world / "s2.tif", "--s1", world / "s1.tif", "--probabilities")
    labels = ("--labels", world / "labels.tif", "--legend", "simplified-igbp")
    out, there = folder / "out", folder / "there"
    assert call("map", *images, *labels, *FAST, "--out", out) == 0
    clouds = np.zeros((96, 96), np.uint8)
    clouds[:20] = 9
    with rasterio.open(world / "s1.tif") as dataset:
        grid = GeoBox((96, 96), dataset.transform, dataset.crs)
    mask = ("--s2-mask", write(folder / "scl.tif", clouds, grid, nodata=255))
    assert call("predict", out / "run", *images, *mask, "--out", there) == 0
    return folder


@pytest.mark.parametrize("item", ["out", "there", "out/run"])
def test_items_are_valid_and_lead_somewhere(folder: Path, item: str) -> None:
    path = folder / item / "stac-item.json"
    tree = json.loads(path.read_text())
    assert faults(tree) == []
    hrefs = [link["href"] for link in tree["links"]]
    hrefs += [asset["href"] for asset in tree["assets"].values()]
    assert hrefs
    for href in hrefs:
        assert (path.parent / href).is_file(), href
    assert str(folder) not in path.read_text()
    assert any(href.endswith("scl.tif") for href in hrefs) == (item == "there")
    if item != "out/run":
        assert any(href.endswith("run/stac-item.json") for href in hrefs)
        assert {"map", "confidence", "probabilities"} <= tree["assets"].keys()
    else:
        assert [i["name"] for i in tree["properties"]["mlm:input"]] == ["s1", "s2"]


def test_everything_lies_beside_the_map(folder: Path) -> None:
    beside = {"map.qml", "confidence.qml", "map.tif.aux.xml", "legend.csv"}
    for name in ("out", "there"):
        assert beside <= {path.name for path in (folder / name).iterdir()}
        for raster in (folder / name).glob("*.tif"):
            assert cog_validate(raster, strict=True, quiet=True) == (True, [], [])


def test_probabilities_agree_with_the_map(folder: Path) -> None:
    out = folder / "out"
    with rasterio.open(out / "probabilities.tif") as dataset:
        values, names = dataset.read(), np.array(dataset.descriptions)
    with rasterio.open(out / "map.tif") as dataset:
        codes = dataset.read(1)
    with rasterio.open(out / "confidence.tif") as dataset:
        confidence = dataset.read(1)
    legend = (out / "legend.csv").read_text().splitlines()[1:]
    code_of = {row.split(",")[1]: int(row.split(",")[0]) for row in legend}
    order = np.sort(values, 0)
    sure = order[-1] > order[-2]
    best = np.array([code_of[n] for n in names])[values.argmax(0)]
    assert np.array_equal(best[sure], codes[sure])
    assert np.abs(values.max(0) / 254 - confidence).max() < 0.5 / 254 + 0.5 / 256 + 1e-6


def test_polygons_by_command(folder: Path, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "map.gpkg"
    mapped = folder / "out" / "map.tif"
    assert call("polygons", mapped, "--mmu", 0.5, "--out", path) == 0
    said = json.loads(capsys.readouterr().out)
    areas = pyogrio.raw.read(path, layer="land_cover", columns=["area_ha"])[3][0]
    assert said["polygons"] == len(areas)
    assert areas.min() > 0.49
    assert areas.sum() == pytest.approx(0.01 * 96 * 96, rel=5e-3)
    for arguments, says in (
        ((mapped, "--out", path), "exists"),
        ((mapped, "--out", tmp_path / "map.shp"), ".gpkg"),
        ((folder / "world" / "s1.tif", "--out", tmp_path / "x.gpkg"), "no legend"),
        ((tmp_path / "no.tif", "--out", tmp_path / "x.gpkg"), "no such file"),
    ):
        assert call("polygons", *arguments) == 2
        assert says in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["map.gpkg"]


def test_only_a_network_is_exported(folder: Path, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "model.onnx"
    assert call("export", folder / "out", "--out", path) == 2
    assert "--method network" in capsys.readouterr().err
    assert not path.exists()


def test_a_run_names_every_scene_that_it_learned_from(
    folder: Path, tmp_path: Path
) -> None:
    plan = read_plan(folder / "out" / "run" / "plan.yaml")
    further = replace(plan.data, labels=None)
    write_plan(replace(plan, scenes=(further,)), tmp_path / "two.yaml")
    assert call("train", tmp_path / "two.yaml", "--out", tmp_path / "two") == 0
    run = tmp_path / "two" / "run"
    links = json.loads((run / "stac-item.json").read_text())["links"]
    found = [(run / link["href"]).resolve().name for link in links]
    assert sorted(found) == sorted(["s1.tif", "s2.tif"] * 2 + ["labels.tif"])
