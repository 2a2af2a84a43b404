from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import rasterio

from overcast.viewer.answers import answer
from overcast.viewer.scene import ViewedFolder, open_scene
from tests.viewer.folders import make, place, write_probabilities
from tests.viewer.test_tiles import tile_at


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewedFolder]:
    root = tmp_path_factory.mktemp("answers")
    out = make(root)
    write_probabilities(out / "probabilities.tif")
    (root / "secret.txt").write_text("secret")
    (out / "link.txt").symlink_to(root / "secret.txt")
    (out / "folder").symlink_to(root)
    with open_scene(out) as opened:
        yield opened


def ask(scene: ViewedFolder, lon: float, lat: float) -> Any:
    found = answer(scene, f"/point?lon={lon}&lat={lat}")
    assert found.status == 200
    return json.loads(found.body)


def test_the_page_and_all_that_it_names(scene: ViewedFolder) -> None:
    page = answer(scene, "/")
    assert (page.status, page.kind) == (200, "text/html; charset=utf-8")
    named = re.findall(r'(?:src|href)="(page/[^"]+)"', page.body.decode())
    assert len(named) == 4
    for name in (*named, "page/dom.js", "page/legend.js"):
        found = answer(scene, f"/{name}")
        assert found.status == 200, name
        assert not re.search(rb"@import|url\(['\"]?http", found.body)


def test_what_there_is_to_see(scene: ViewedFolder) -> None:
    found = json.loads(answer(scene, "/scene.json").body)
    assert found["title"] == "out"
    assert found["shape"] == [96, 128]
    assert (found["pixel"], found["crs"]) == ("10 m", "EPSG:32632")
    assert found["report"]
    assert found["probabilities"]
    assert [layer["name"] for layer in found["layers"]] == list(scene.layers)
    legend = found["layers"][0]["legend"]
    assert legend[1] == {"code": 10, "name": "Water", "colour": "#1c0dff"}
    assert found["layers"][1]["legend"] is None


def test_what_is_at_a_point(scene: ViewedFolder) -> None:
    lon, lat = place(20.5, 100.5)
    found = ask(scene, lon, lat)
    assert found["classes"]["map"]["name"] == "Water"
    assert found["classes"]["labels"]["name"] == "Water"
    assert found["confidence"] == 0.75
    assert found["probabilities"] == pytest.approx([0.5, 0.25, 0.25])
    assert (found["lon"], found["lat"]) == (lon, lat)
    assert (found["x"], found["y"]) == pytest.approx((601_005, 5_299_795), abs=1e-3)


def test_what_is_not_at_a_point(scene: ViewedFolder) -> None:
    found = ask(scene, *place(4, 4))
    assert found["classes"]["map"] is None
    assert found["confidence"] is None
    assert found["probabilities"] is None
    assert ask(scene, -100, 89)["classes"] == {"map": None, "labels": None}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?lon=1",
        "?lon=one&lat=2",
        "?lon=nan&lat=1",
        "?lon=1&lat=inf",
        "?lon=1&lat=91",
    ],
)
def test_no_such_place(scene: ViewedFolder, query: str) -> None:
    found = answer(scene, f"/point{query}")
    assert found.status == 400
    assert found.body.startswith(b"expected ")


def test_tiles(scene: ViewedFolder) -> None:
    tile = tile_at(*place(48, 64), 14)
    for name, layer in scene.layers.items():
        target = f"/tiles/{name}/{tile.zoom}/{tile.column}/{tile.row}.png?v=1"
        found = answer(scene, target)
        assert (found.status, found.kind) == (200, "image/png")
        with rasterio.MemoryFile(found.body) as memory, memory.open() as dataset:
            picture = np.moveaxis(dataset.read(), 0, -1)
        np.testing.assert_array_equal(picture, layer.picture(tile))


def test_a_tile_elsewhere_is_empty(scene: ViewedFolder) -> None:
    found = answer(scene, "/tiles/map/10/0/0.png")
    with rasterio.MemoryFile(found.body) as memory, memory.open() as dataset:
        assert dataset.shape == (256, 256)
        assert not dataset.read().any()


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/tiles/truth/10/0/0.png", 404),
        ("/tiles/..%2f..%2fsecret/10/0/0.png", 404),
        ("/tiles/map/1/2/0.png", 404),
        ("/tiles/map/999999999/0/0.png", 404),
        ("/tiles/map/a/0/0.png", 400),
        ("/tiles/map/-1/0/0.png", 400),
        ("/tiles/map/1/0/1e0.png", 400),
        ("/tiles/map/1/0/%D9%A1.png", 400),
        ("/tiles/map/1/0", 404),
        ("/nothing", 404),
        ("//", 404),
        ("*", 404),
        ("http://elsewhere/", 404),
    ],
)
def test_refused(scene: ViewedFolder, target: str, status: int) -> None:
    assert answer(scene, target).status == status


@pytest.mark.parametrize(
    "target",
    [
        "/files/../secret.txt",
        "/files/%2e%2e/secret.txt",
        "/files/..%2fsecret.txt",
        "/files/run/../../secret.txt",
        "/files/link.txt",
        "/files/folder/secret.txt",
        "/files//etc/passwd",
        "/files/%2fetc/passwd",
        "/files/..%5csecret.txt",
        "/files/%00",
        "/files/report.html%00.png",
        "/files/",
        "/files/run",
        "/page/../secret.txt",
        "/page/..%2f..%2fserver.py",
        "/page/ipywidget.js",
    ],
)
def test_nothing_outside_of_the_folder(scene: ViewedFolder, target: str) -> None:
    found = answer(scene, target)
    assert found.status == 404
    assert b"secret" not in found.body


def test_files_of_the_folder(scene: ViewedFolder) -> None:
    found = answer(scene, "/files/report.html")
    assert (found.status, found.kind) == (200, "text/html; charset=utf-8")
    assert b"<title>report</title>" in found.body
    assert answer(scene, "/files/run/plan.yaml").status == 200
