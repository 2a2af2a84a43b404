"""Sources: those that come with overcast, a server of others, and s3 addresses."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bench.catalogue.serve import Bed, serving

from overcast.acquire.asset import Asset, Reader, grid_of
from overcast.acquire.catalogue import (
    CatalogueProduct,
    known_catalogues,
    load_catalogue,
    offering,
    parse_catalogue,
)
from overcast.acquire.origins import origins_of_items
from overcast.acquire.scenes import claimed_offset, piece_of, same_acquisition
from overcast.acquire.search import search
from overcast.acquire.survey import Request
from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.geo.legend import load_legend
from overcast.geo.location import Location

Make = Callable[..., Request]


@pytest.mark.parametrize("name", known_catalogues())
def test_sources_name_all_bands(name: str) -> None:
    source = load_catalogue(name)
    optical = source.products["sentinel-2"]
    assert {*SENTINEL_2.names, "SCL"} == set(optical.assets)
    assert "Copernicus" in optical.attribution
    if "sentinel-1" in source.products:
        assert set(SENTINEL_1.names) == set(source.products["sentinel-1"].assets)
    for product in source.products.values():
        if product.legend:
            assert len(load_legend(product.legend)) > 5
            assert product.licence


def test_the_first_source_that_has_it_is_asked() -> None:
    sources = [load_catalogue(n) for n in ("earth-search", "planetary-computer")]
    assert offering(sources, "sentinel-2").name == "earth-search"
    assert offering(sources, "sentinel-1").name == "planetary-computer"
    with pytest.raises(ValueError, match="has no sentinel-1; add --source planetary"):
        offering(sources[:1], "sentinel-1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("api = 'a'\nodd = 2", "unknown key 'odd'"),
        ("api = 1\n[products]", "api"),
        ("api = 'a'\n[products.x]\ncollections = 'a'\nassets = {}", "collections"),
        (
            "api = 'a'\n[products]\n[sign]\nkind = 'magic'",
            "expected none, token or bearer",
        ),
        ("api = 'a'\n[products.x]\ncollections = ['a']", "assets"),
        ("api = ", "not a TOML file of a source"),
    ],
)
def test_a_source_that_is_none_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        load_catalogue(str(path))
    with pytest.raises(ValueError, match="none of copernicus, earth-search"):
        load_catalogue("nowhere")


@pytest.mark.parametrize(
    ("properties", "band", "claim"),
    [
        ({"earthsearch:boa_offset_applied": True}, {"scale": 1e-4, "offset": -0.1}, 0),
        ({}, {"scale": 1e-4, "offset": -0.1}, -1000),
        ({"s2:processing_baseline": "05.11"}, {}, -1000),
        ({"s2:processing_baseline": "03.01"}, {}, 0),
        ({}, {}, None),
    ],
)
def test_offsets_are_claimed_in_many_ways(
    properties: dict[str, Any], band: dict[str, float], claim: int | None
) -> None:
    """Traps 1, 2, 3."""
    asset = {"href": "x.tif", "raster:bands": [band] if band else []}
    item = {"properties": properties, "assets": {"blue": asset}}
    product = CatalogueProduct(collections=("c",), assets={"B02": "blue"})
    assert claimed_offset(item, product) == claim


def test_pieces_have_no_signatures(bed: Bed) -> None:
    item = json.loads(json.dumps(bed.items[0]))
    for asset in item["assets"].values():
        asset["href"] += "?sig=planted&se=2024"
    item["links"] = [{"rel": "self", "href": "https://a.b/items/one?token=planted"}]
    product = CatalogueProduct(collections=("c",), assets={"B02": "blue"})
    piece = piece_of(item, product)
    assert "planted" not in repr(piece)
    assert same_acquisition("S1A_X_05AE_rtc") == same_acquisition("S1A_X_9B2F_rtc")


@pytest.fixture(scope="module")
def others(server: Bed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A STAC API that is not ours (rustac), over the items of the bed."""
    program = shutil.which("rustac") or str(Path(sys.executable).with_name("rustac"))
    if not Path(program).exists():
        pytest.skip("rustac is not installed")
    folder = tmp_path_factory.mktemp("rustac")
    files = [folder / "items.json"]
    tree = {"type": "FeatureCollection", "features": server.items}
    files[0].write_text(json.dumps(tree))
    for name in {item["collection"] for item in server.items}:
        spatial = {"bbox": [[-180, -90, 180, 90]]}
        temporal = {"interval": [["2014-01-01T00:00:00Z", None]]}
        collection = {
            "type": "Collection",
            "stac_version": "1.0.0",
            "id": name,
            "description": name,
            "license": "other",
            "links": [],
            "extent": {"spatial": spatial, "temporal": temporal},
        }
        files.append(folder / f"{name}.json")
        files[-1].write_text(json.dumps(collection))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    words = [program, "serve", *map(str, files), "--addr", address]
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _until_it_answers(f"http://{address}", process)
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()


def _until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "rustac ended"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("rustac does not answer")


def test_another_server_gives_the_same_items(
    others: str, bed: Bed, request_of: Make
) -> None:
    request = request_of()
    names, box, when = (
        ("sentinel-2-l2a",),
        request.area.bbox,
        "2024-07-01T00:00:00Z/2024-10-01T00:00:00Z",
    )
    source = request.catalogues[0]
    ours = search(source, names, box, when)
    theirs = search(replace(source, api=others), names, box, when)
    assert {i["id"] for i in ours.items} == {i["id"] for i in theirs.items}
    assert len(theirs.items) == 4
    product = source.products["sentinel-2"]
    pieces = [
        {p.ident: p for p in map(lambda i: piece_of(i, product), a.items)}
        for a in (ours, theirs)
    ]
    for ident, piece in pieces[0].items():
        other = pieces[1][ident]
        assert (piece.when, piece.assets, piece.baseline) == (
            other.when,
            other.assets,
            other.baseline,
        )


def test_s3_addresses_have_the_source_s_settings(
    catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trap 24: an endpoint of its own, and keys from the environment alone."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "planted-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret")
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()

    def serve() -> None:  # GDAL asks while it holds Python's lock
        with serving(catalogue) as bed:
            theirs.send(bed.url)
            theirs.recv()

    process = context.Process(target=serve, daemon=True)
    process.start()
    url = ours.recv()
    text = f'title = "s3"\napi = ""\n[gdal]\nAWS_S3_ENDPOINT = "{url[7:]}"\n'
    text += 'AWS_HTTPS = "NO"\nAWS_VIRTUAL_HOSTING = "FALSE"\n'
    reader = Reader(parse_catalogue(text, "s3"))
    asset = Asset("s3://files/dem/dem.tif", item="dem")
    try:
        with reader.open(asset) as dataset:
            assert dataset.read(1)[0, 0] == 400
            assert str(grid_of(dataset, asset).crs).startswith(("EPSG", "PROJCS"))
    finally:
        process.kill()
        process.join()


def test_items_as_files_say_where_they_are_from_and_when(
    bed: Bed, tmp_path: Path
) -> None:
    pair = [i for i in bed.items if i["id"].startswith("S2A_32UPA_20240914_0")] * 2
    pair[1] = {**pair[1], "id": "other", "links": [{"rel": "self", "href": "./a.json"}]}
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": pair}))
    names = [f"|item={one['id']}" for one in pair]
    wheres = [Location.of(f"{path}{name}") for name in names]
    origins = origins_of_items([*wheres, Location.of(tmp_path / "s2.tif")])
    assert origins.items == (pair[0]["links"][0]["href"],)
    assert origins.times == ("2024-09-14T10:30:31Z",) * 2
