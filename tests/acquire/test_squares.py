"""A region whose images are searched for, signed and read in the task of each tile."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from bench.catalogue.make import source_text
from bench.catalogue.serve import Bed
from click.testing import CliRunner

from overcast.acquire.acquired import Acquired
from overcast.acquire.catalogue import parse_catalogue
from overcast.acquire.fetch import fetch
from overcast.acquire.period import period_of
from overcast.acquire.place import Area, outline_of
from overcast.acquire.squares import _READERS, Search, Squares
from overcast.acquire.survey import Request
from overcast.cli.commands.map import command as mapped
from overcast.errors import MachineError
from overcast.geo.check import open_sentinel_1, open_sentinel_2
from overcast.geo.lattice import Lattice
from overcast.geo.masks import Masked, open_mask
from overcast.geo.tiling import Window
from overcast.progress import quiet
from overcast.region.description import read_region
from overcast.region.engine import InTurn
from overcast.region.events import Events
from overcast.region.from_catalogues import SURVEYS
from overcast.region.job import RegionOutput, map_region, predict_region
from overcast.run import Runs

SIDE = 64


@pytest.fixture(scope="module")
def source(server: Bed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "bed.toml"
    path.write_text(source_text(server.url, "token"), encoding="utf-8")
    return path


def square_around(box: str, side: int) -> tuple[Lattice, Window]:
    """The square of a lattice in which the middle of a box lies."""
    from odc.geo.geom import Geometry

    lattice = Lattice("EPSG:32632", 10.0)
    middle = Geometry(outline_of(box).centroid, "EPSG:4326").to_crs(lattice.crs)
    (x, y), *_ = middle.coords
    pixel = lattice.around((x, y, x, y))
    row, column = pixel.y // side, pixel.x // side
    return lattice, Window(row * side, column * side, side, side)


def test_a_square_is_what_fetch_reads_of_it(bed: Bed, box: str, tmp_path: Path) -> None:
    lattice, square = square_around(box, SIDE)
    grid = lattice.grid(square)
    catalogues = (parse_catalogue(source_text(bed.url, "token"), "bed"),)
    period = period_of(2024, None, None, None)
    outline = grid.footprint("EPSG:4326", npoints=8).geom
    area = Area("square", outline, grid)
    fetched = fetch(
        Request(area, period, catalogues, ("sentinel-2", "sentinel-1"), 1),
        tmp_path / "fetched",
        False,
        quiet,
    )
    names = fetched.clearest
    optical = Masked(
        open_sentinel_2(Path(names["s2"])).image, open_mask(Path(names["mask"]))
    ).read(grid)
    radar = open_sentinel_1(Path(names["s1"])).image.read(grid)
    squares = Squares(lattice, "32632", Search(catalogues, period), tmp_path, SIDE)
    for product, wanted in (("sentinel-2", optical), ("sentinel-1", radar)):
        image = Acquired(squares, product, 0, grid)
        np.testing.assert_array_equal(image.read(grid).values, wanted.values)
        # The right half is warped from the neighbouring zone, and has the same bytes.
        for part in (image.held(grid), image):
            inner = part.read(grid[3:9, 10:60])
            np.testing.assert_array_equal(inner.values, wanted.values[:, 3:9, 10:60])


def test_the_orbit_of_a_region_is_the_same_everywhere(
    bed: Bed, box: str, tmp_path: Path
) -> None:
    lattice, square = square_around(box, SIDE)
    catalogues = (parse_catalogue(source_text(bed.url, "none"), "bed"),)
    period = period_of(2024, None, None, None)
    chosen = {}
    for orbit in ("ascending", "descending"):
        search = Search(catalogues, period, products=("sentinel-1",), orbit=orbit)
        squares = Squares(lattice, "32632", search, tmp_path / orbit, SIDE)
        (survey,) = squares.surveys(square)
        (take,) = survey.takes["sentinel-1"]
        chosen[orbit] = {piece.orbit[0] for piece in take.pieces}
    assert chosen == {"ascending": {"ascending"}, "descending": {"descending"}}


@pytest.fixture(scope="module")
def out(
    server: Bed, box: str, source: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A map of a box in tiles."""
    server.reset()
    server.faults.expire_s = 30
    _READERS.clear()  # and with them tokens of earlier tests
    folder = tmp_path_factory.mktemp("acquired")
    acquire = {"year": 2024, "source": str(source), "dates": 1, "clear": 0.02}
    acquire["labels"] = "worldcover"
    west, south, east, north = map(float, box.split(","))
    corner = (west, south, west + (east - west) / 3, south + (north - south) / 3)
    tree = {
        "outline": ",".join(map(str, corner)),
        "tiles": SIDE,
        "acquire": {**acquire, "square": 4 * SIDE},
        "method": {"name": "forest", "trees": 10},
    }
    (folder / "region.yaml").write_text(yaml.safe_dump(tree))
    region = read_region(folder / "region.yaml")
    map_region(region, RegionOutput(folder / "out"), InTurn(), Events())
    assert server.stats["tokens"] > 0
    return folder / "out"


def test_a_box_and_a_year_are_a_region_of_tiles(
    bed: Bed, box: str, source: Path, tmp_path: Path
) -> None:
    words = ("--bbox", box, "--year", "2024", "--source", str(source))
    words += ("--labels", "worldcover", "--tiles", str(SIDE), "--dry-run")
    done = CliRunner().invoke(
        mapped, [*words, "--out", str(tmp_path)], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    assert '"tiles": 9' in done.output
    assert (tmp_path / "data" / "labels_worldcover_2021.tif").is_file()
    assert not list(tmp_path.glob("**/s2_*"))


def values(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return np.asarray(dataset.read(1))


def test_tiles_are_mapped_from_a_catalogue(out: Path, server: Bed) -> None:
    classes = values(out / "map-32632.vrt")
    assert (classes != 255).mean() > 0.5
    records = [json.loads(p.read_text()) for p in out.glob("tiles/*/tile.json")]
    items = {item for record in records for item in record.get("items", [])}
    assert any(item.endswith("S2A_32UPA_20240914_0_L2A") for item in items)
    assert any("/sentinel-1-rtc/items/" in item for item in items)
    described = [json.loads(p.read_text()) for p in out.glob("tiles/*/stac-item.json")]
    links = {
        k["href"] for d in described for k in d["links"] if k["rel"] == "derived_from"
    }
    assert items <= links
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "Contains modified Copernicus Sentinel data 2024" in report
    assert "© ESA WorldCover project 2021" in report
    described = yaml.safe_load((out / "region.yaml").read_text())
    assert described["data"]["labels"]["path"].endswith("labels_worldcover_2021.tif")
    secret = server.secret.encode()
    assert not [p for p in out.rglob("*") if p.is_file() and secret in p.read_bytes()]


def region_file(out: Path, tiles: int) -> Path:
    """The description that a map left, for tiles of another size."""
    tree: dict[str, Any] = yaml.safe_load((out / "region.yaml").read_text())
    path = out.parent / f"tiles{tiles}.yaml"
    path.write_text(yaml.safe_dump({**tree, "tiles": tiles, "cell": 64}))
    return path


def test_tiles_of_another_size_are_the_same_pixels(
    out: Path, bed: Bed, tmp_path: Path
) -> None:
    region = read_region(region_file(out, 2 * SIDE))
    shutil.copytree(out / SURVEYS, tmp_path / SURVEYS)
    runs = Runs((out / "run",))
    summary = predict_region(region, runs, RegionOutput(tmp_path), InTurn(), Events())
    with rasterio.open(out / "map-32632.vrt") as small:
        box, first = small.bounds, small.read(1)
    with rasterio.open(tmp_path / "map-32632.vrt") as large:
        place = large.window(*box).round_offsets().round_lengths()
        second = large.read(1, window=place)
    np.testing.assert_array_equal(first, second)
    asked = bed.stats["searches"]
    again = predict_region(region, runs, RegionOutput(tmp_path), InTurn(), Events())
    assert (summary["nothing_to_do"], again["nothing_to_do"]) == (False, True)
    assert bed.stats["searches"] == asked


def test_a_server_that_is_gone_fails_tiles_and_is_said(
    out: Path, bed: Bed, tmp_path: Path
) -> None:
    bed.faults.stop_after = 1
    region, runs = read_region(region_file(out, 2 * SIDE)), Runs((out / "run",))
    with pytest.raises(MachineError, match="tiles failed"):
        predict_region(region, runs, RegionOutput(tmp_path), InTurn(0), Events())
    lines = (tmp_path / "failed.jsonl").read_text().splitlines()
    assert "HTTP 503" in json.loads(lines[0])["error"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"acquire": {"year": 2024}}, "acquire: of which place"),
        ({"acquire": {"year": 2024, "cloud": 3}}, "cloud"),
        ({"acquire": {"year": 2024, "labels": 3}}, "labels"),
        ({"acquire": {"year": 2024}, "outline": "a.gpkg"}, "acquire and images"),
    ],
)
def test_what_can_not_be_acquired_is_refused(
    keys: dict[str, Any], said: str, tmp_path: Path
) -> None:
    images = {"s2": {"path": "s2.tif", "sensor": "sentinel-2"}}
    data = {"data": {"images": images if "outline" in keys else {}}}
    path = tmp_path / "region.yaml"
    path.write_text(yaml.safe_dump({**data, **keys}))
    with pytest.raises(ValueError, match=said):
        read_region(path)
