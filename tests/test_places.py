"""Whole maps of what people download: products, archives, servers, links."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio

from overcast.cli import main
from overcast.errors import MACHINE
from overcast.viewer.scene import open_scene
from tests.geo import safe as made
from tests.geo.served import served

LEARN = ("--labels", "l.tif", "--legend", "legend.csv", "--method", "forest")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zipped product of odd name, and labels: west one class, east the other."""
    made.zipped(made.write_safe(tmp_path), "S2 ü#.zip")
    classes = np.repeat([[1, 2]], made.SIDE // 2, 1).repeat(made.SIDE, 0)
    made.band(tmp_path / "l.tif", classes.astype(np.uint8), 10)
    text = "code,name,colour\n1,Sea,0000ff\n2,Land,00ff00\n"
    (tmp_path / "legend.csv").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def overcast(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["overcast", *words])
    main()


def right(path: Path) -> float:
    """Share of the pixels of a map that have the class of the labels."""
    with rasterio.open(path) as mapped, rasterio.open("l.tif") as truth:
        return float((mapped.read(1) == truth.read(1)).mean())


def test_a_zipped_product_is_mapped(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exact = ("--mask-dilation", 0)
    overcast(
        monkeypatch, "map", "--s2", "S2 ü#.zip", *map(str, exact), *LEARN, "--out", "o"
    )
    assert right(folder / "o" / "map.tif") == 7 / 8  # an eighth is under cloud
    said = capsys.readouterr().err
    assert "offset -1000 by the product's own metadata" in said
    item = json.loads((folder / "o" / "stac-item.json").read_text())
    sources = [link["href"] for link in item["links"]][:-1]
    assert sources == ["../S2%20%C3%BC%23.zip", "../l.tif"]
    assert "S2 ü#.zip" in (folder / "o" / "report.html").read_text()
    with open_scene(folder / "o") as scene:
        assert scene.notes == ()
        assert "image-1" in scene.layers
    words = ("--s2", f"{folder}/S2 ü#.zip", "--s2-mask", "none", "--out", "p")
    overcast(monkeypatch, "predict", "o/run", *words)
    assert right(folder / "p" / "map.tif") == 1


def test_a_signed_address_leaves_no_signature(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    values = made.numbers(0)["B08"]
    made.band(folder / "s2_B08.tif", values, 10)
    with served(folder) as host:
        address = f"{host}/s2_B08.tif?X-Amz-Signature=0a1b2c"
        words = ("--s2", address, "--s2-bands", "B08", *LEARN, "--out", "o")
        overcast(monkeypatch, "map", *words)
    assert right(folder / "o" / "map.tif") == 1
    streams = capsys.readouterr()
    assert "0a1b2c" not in streams.out + streams.err
    for file in (folder / "o").rglob("*"):
        if file.is_file():
            assert b"0a1b2c" not in file.read_bytes(), file
    assert f"{host}/s2_B08.tif" in (folder / "o" / "stac-item.json").read_text()
    # Without the server, the viewer shows the map, and says what it lacks.
    with open_scene(folder / "o") as scene:
        assert {"map", "labels"} <= set(scene.layers)


def test_a_server_that_does_not_answer_may_be_asked_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "http://127.0.0.1:9/s2.tif?sig=0a1b2c"
    with pytest.raises(SystemExit) as stopped:
        overcast(monkeypatch, "map", "--s2", address, *LEARN, "--out", "o")
    assert stopped.value.code == MACHINE
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "http://127.0.0.1:9/s2.tif: the server does not answer" in said
    assert "0a1b2c" not in said
