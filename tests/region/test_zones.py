"""Zones meet at their border: every pixel is of one of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import yaml
from odc.geo.geobox import GeoBox
from odc.geo.geom import point

from overcast.region.description import read_region
from overcast.region.engine import InTurn
from overcast.region.events import Events
from overcast.region.ground import open_ground
from overcast.region.job import Wanted, map_region
from overcast.region.zones import zones_of
from tests.rasters import BANDS, SPECTRA, write

SIZE, TILE = 192, 64
MIDDLE = (12.0, 48.0)


def image(zone: int, seed: int) -> tuple[np.ndarray, GeoBox]:
    """Sentinel-2 of forest with fields around a place on the border of two zones."""
    crs = f"EPSG:{32600 + zone}"
    place = point(*MIDDLE, "EPSG:4326").to_crs(crs)
    ((x, y),) = place.coords
    left, top = round(x, -1) - SIZE * 5, round(y, -1) + SIZE * 5
    box = (left, top - SIZE * 10, left + SIZE * 10, top)
    grid = GeoBox.from_bbox(box, crs, resolution=10, tight=True)
    random = np.random.default_rng(seed)
    kinds = np.kron(random.integers(0, 2, (12, 12)), np.ones((16, 16), int))
    spectra = np.array([SPECTRA["forest"], SPECTRA["soil"]])
    values = spectra[kinds].transpose(2, 0, 1) * random.normal(
        1, 0.05, (10, SIZE, SIZE)
    )
    return values.astype(np.uint16), grid


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zones")
    for zone in (32, 33):
        values, grid = image(zone, zone)
        write(folder / f"s2_{zone}.tif", values, grid, nodata=0, names=BANDS)
        if zone == 32:
            red, near = values[2].astype(float), values[6].astype(float)
            codes = np.where((near - red) / (near + red) > 0.5, 41, 141)
            names = "code,name,colour\n41,forest,006400\n141,soil,a0522d\n"
            (folder / "legend.csv").write_text(names)
            write(folder / "labels.tif", codes.astype(np.uint8), grid, nodata=255)
    tree = {
        "tiles": TILE,
        "data": {
            "images": {"s2": {"path": "s2_*.tif", "sensor": "sentinel-2"}},
            "labels": {"path": "labels.tif", "legend": "legend.csv"},
        },
        "method": {"name": "forest", "trees": 10, "samples": 2000},
    }
    (folder / "region.yaml").write_text(yaml.safe_dump(tree))
    return folder


def test_two_zones_have_no_gap_and_no_overlap(folder: Path) -> None:
    region = read_region(folder / "region.yaml")
    ground = open_ground(region)
    assert [zone.code for zone in ground.zones] == ["32632", "32633"]
    summary = map_region(region, Wanted(folder / "out"), InTurn(), Events())
    assert summary["finished"] == ground.tiles
    columns = np.linspace(-0.008, 0.008, 60) + MIDDLE[0]
    rows = np.linspace(-0.006, 0.006, 40) + MIDDLE[1]
    places = [(x, y) for y in rows for x in columns]
    known = []
    for code in ("32632", "32633"):
        with rasterio.open(folder / "out" / f"map-{code}.vrt") as dataset:
            moved = [
                point(*p, "EPSG:4326").to_crs(dataset.crs).coords[0] for p in places
            ]
            found = [value[0] for value in dataset.sample(moved)]
        known.append(np.array(found) != 255)
    count = known[0].astype(int) + known[1].astype(int)
    # At the border itself, a place may be in a pixel whose centre is across.
    far = np.array([abs(x - MIDDLE[0]) > 2e-4 for x, _ in places])
    assert (count[far] == 1).all()
    east = np.array([x > MIDDLE[0] for x, _ in places])
    assert not known[0][far & east].any()
    assert not known[1][far & ~east].any()


def test_a_projection_that_is_said_is_one_zone(folder: Path) -> None:
    region = read_region(folder / "region.yaml")
    region = replace(region, cut=replace(region.cut, crs="EPSG:3035", resolution=20.0))
    (zone,) = open_ground(region).zones
    assert (zone.code, zone.lattice.resolution, zone.strip) == ("3035", 20.0, None)


def test_an_outline_elsewhere_is_refused(folder: Path) -> None:
    region = read_region(folder / "region.yaml")
    away = folder / "away.geojson"
    away.write_text(
        '{"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 1]]]}'
    )
    region = replace(region, cut=replace(region.cut, outline=str(away)))
    with pytest.raises(ValueError, match="no image reaches it"):
        open_ground(region)


def test_zones_of_an_outline() -> None:
    import shapely

    both = zones_of(shapely.box(11.9, -0.1, 12.1, 0.1))
    assert [crs for crs, _ in both] == [
        *("EPSG:32632", "EPSG:32732", "EPSG:32633", "EPSG:32733")
    ]
    assert zones_of(shapely.box(7, 48, 8, 49)) == [
        ("EPSG:32632", (6.0, 0.0, 12.0, 84.0))
    ]
