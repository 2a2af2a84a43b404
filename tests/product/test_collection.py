"""A static catalogue: valid by the schemas, and its addresses lead to the maps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pystac
import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator

from overcast.cli.commands.publish import command
from overcast.geo.legend import load_legend
from overcast.maps.predict import RawMap
from overcast.product.rasters import write_map
from overcast.product.stac import Origin, map_item, write_item
from tests.product.catalogue import DOCUMENTS, REGISTRY, faults
from tests.rasters import utm

LEGEND = load_legend("igbp")
_COLLECTION = (
    "https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/collection.json"
)
"""Where `tests.product.catalogue` keeps the schema of collections."""


def a_map(folder: Path, name: str) -> Path:
    """A map with its item, made from a fetched image."""
    folder.mkdir()
    raw = RawMap(folder / "c", folder / "f", (30, 40), None, len(LEGEND))
    np.zeros((30, 40), np.uint8).tofile(folder / "c")
    np.ones((30, 40), "f4").tofile(folder / "f")
    write_map(raw, utm((30, 40)), LEGEND, folder / "map.tif", {})
    (folder / "c").unlink()
    (folder / "f").unlink()
    when = "S2A_MSIL2A_20200715T101559_x.tif"
    sources = ("data/s2_2024-06-01.tif", f"../{when}")
    origin = Origin(
        name=name,
        grid=utm((30, 40)),
        legend=LEGEND,
        sources=sources,
        method="weak",
        version="0",
        items=("https://stac.example.org/items/one",),
    )
    write_item(map_item(folder, origin, ["run/stac-item.json"]), folder)
    (folder / "data").mkdir()
    source = {"product": "sentinel-2", "source": "Bed", "licence": "CC"}
    about = {"product": "sentinel-2", "date": "2024-06-01", "items": []}
    manifest = {
        "place": "here",
        "files": {"s2_2024-06-01.tif": about},
        "sources": [{**source, "attribution": "Contains Copernicus data 2024"}],
    }
    (folder / "data/fetch.json").write_text(json.dumps(manifest))
    return folder


def published(*words: object) -> str:
    done = CliRunner().invoke(command, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_it_is_valid_and_leads_to_the_maps(tmp_path: Path) -> None:
    maps = [a_map(tmp_path / name, f"map-{name}") for name in ("north", "south")]
    out = tmp_path / "catalogue"
    published(
        *maps, "--title", "Land cover 2024", "--licence", "CC-BY-4.0", "--out", out
    )
    tree = json.loads((out / "collection.json").read_text())
    validator = Draft7Validator(DOCUMENTS[_COLLECTION], registry=REGISTRY)
    assert [error.message for error in validator.iter_errors(tree)] == []
    assert tree["id"] == "land-cover-2024"
    assert "Contains Copernicus data 2024" in tree["description"]
    assert tree["extent"]["temporal"]["interval"] == [["2020-07-15T10:15:59Z"] * 2]
    collection = pystac.Collection.from_file(str(out / "collection.json"))
    items = list(collection.get_items())
    assert [item.id for item in items] == ["map-north", "map-south"]
    for item, folder in zip(items, maps, strict=True):
        assert faults(item.to_dict(include_self_link=False)) == []
        href = item.assets["map"].get_absolute_href()
        assert href is not None
        assert Path(href).resolve() == (folder / "map.tif").resolve()
        derived = [link.href for link in item.links if link.rel == "derived_from"]
        assert "https://stac.example.org/items/one" in derived


def test_what_is_no_map_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no stac-item\.json"):
        published(tmp_path, "--out", tmp_path / "out")
    one = a_map(tmp_path / "one", "same")
    with pytest.raises(ValueError, match="given twice"):
        published(one, one, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    one = a_map(tmp_path / "one", "one")
    published(one, "--out", tmp_path / "out")
    with pytest.raises(ValueError, match="exists; give another --out"):
        published(one, "--out", tmp_path / "out")
    published(one, "--title", "Again", "--out", tmp_path / "out", "--overwrite")
    assert (
        json.loads((tmp_path / "out/collection.json").read_text())["title"] == "Again"
    )
