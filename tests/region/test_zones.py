"""Zones meet at their border: every pixel is of one of them."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
import yaml
from odc.geo.geobox import GeoBox
from odc.geo.geom import point

from overcast.accuracy.design import Design
from overcast.accuracy.reference import ReferenceFile
from overcast.jobs.areas import ZoneFile, measure_areas
from overcast.jobs.assess import assess_files, draw_sample
from overcast.region.calibrating import calibrate_region
from overcast.region.description import read_region
from overcast.region.engine import InTurn
from overcast.region.events import Events
from overcast.region.ground import open_ground
from overcast.region.job import RegionOutput, map_region
from overcast.region.zones import zones_of
from tests.rasters import BANDS, SPECTRA, write

SIZE, TILE = 192, 96
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


@pytest.fixture(scope="module")
def summary(folder: Path) -> dict[str, Any]:
    """A map of both zones, in the folder ``out``."""
    region = read_region(folder / "region.yaml")
    return map_region(region, RegionOutput(folder / "out"), InTurn(), Events())


def test_two_zones_have_no_gap_and_no_overlap(
    folder: Path, summary: dict[str, Any]
) -> None:
    ground = open_ground(read_region(folder / "region.yaml"))
    assert [zone.code for zone in ground.zones] == ["32632", "32633"]
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


def mapped_pixels(out: Path) -> np.ndarray:
    """Pixels of both classes in all tiles."""
    records = [json.loads(p.read_text()) for p in out.glob("tiles/*/tile.json")]
    return np.array([sum(r["classes"].get(k, 0) for r in records) for k in "01"])


def judged(form: Path, west: float) -> tuple[Path, np.ndarray, np.ndarray]:
    """A form in which an interpreter contradicts the map on a share west of 12 degrees."""
    with form.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    strata = np.array([int(row["stratum"]) for row in rows])
    is_west = np.array([float(row["lon"]) < MIDDLE[0] for row in rows])
    wrong = is_west & (np.random.default_rng(0).random(len(rows)) < west)
    for row, code, contradicts in zip(rows, strata, wrong, strict=True):
        row["reference"] = str(182 - code if contradicts else code)
    filled = form.with_name("filled.csv")
    with filled.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return filled, is_west, wrong


def test_a_sample_is_of_all_tiles_and_zones(
    folder: Path, summary: dict[str, Any], tmp_path: Path
) -> None:
    out, form = folder / "out", tmp_path / "form.csv"
    drawn = draw_sample(out, form, Design(size=300, seed=2))
    pixels = mapped_pixels(out)
    sizes = [drawn["strata"][name]["pixels"] for name in ("forest", "soil")]
    assert sizes == pixels.tolist()
    filled, is_west, wrong = judged(form, 0.4)
    assert 100 < is_west.sum() < 200  # both zones have about as many pixels
    scores = assess_files(out, ReferenceFile(filled))
    assert not [note for note in scores["notes"] if "no class" in note]
    estimate = scores["estimates"]["overall_accuracy"]
    assert estimate["value"] == pytest.approx(1 - wrong.mean(), abs=0.02)
    assert estimate["low"] < 1 - wrong.mean() < estimate["high"]
    assert scores["overall_accuracy"] == pytest.approx(1 - wrong.mean())


def test_a_calibrated_region_is_mapped_again_with_another_confidence(
    folder: Path, summary: dict[str, Any], tmp_path: Path
) -> None:
    out, form = tmp_path / "out", tmp_path / "form.csv"
    shutil.copytree(folder / "out", out)
    draw_sample(out, form, Design(size=120, seed=2))
    filled, _, wrong = judged(form, 0.6)
    made = calibrate_region(out, ReferenceFile(filled), coverage=0.9)
    errors: Any = made.summary["expected_error"]
    assert errors["after"] < errors["before"]
    with pytest.raises(ValueError, match="calibrated already"):
        calibrate_region(out, ReferenceFile(filled))
    again = map_region(
        read_region(out / "region.yaml"), RegionOutput(out), InTurn(), Events()
    )
    assert again["made"] == summary["tiles"]
    assert again["areas_ha"] == summary["areas_ha"]
    sure = []
    for code in ("32632", "32633"):
        with rasterio.open(out / f"confidence-{code}.vrt") as dataset:
            sure.append(dataset.read(1))
    mean = np.nanmean(np.concatenate([one.ravel() for one in sure]))
    assert mean == pytest.approx(1 - wrong.mean(), abs=0.08)
    for code, confidence in zip(("32632", "32633"), sure, strict=True):
        with rasterio.open(out / f"set_sizes-{code}.vrt") as dataset:
            sizes = dataset.read(1)
        # Two classes, of which one is right on 60 % of the pixels: sets of both.
        assert ((sizes == 255) == np.isnan(confidence)).all()
        assert set(np.unique(sizes)) <= {1, 2, 255}
        assert sizes[sizes != 255].mean() > 1.5
    assert not list(out.glob("tiles/*/probabilities.tif"))


def test_areas_are_of_all_tiles_and_zones(
    folder: Path, summary: dict[str, Any], tmp_path: Path
) -> None:
    out, form = folder / "out", tmp_path / "form.csv"
    draw_sample(out, form, Design(size=300, seed=2))
    filled, _, _ = judged(form, 0.0)
    halves = tmp_path / "halves.geojson"
    features = [
        {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": shapely.geometry.mapping(shapely.box(west, 47.9, east, 48.1)),
        }
        for name, west, east in (("west", 11.9, 12.0), ("east", 12.0, 12.1))
    ]
    halves.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    areas = measure_areas(
        out,
        zones=ZoneFile(path=halves, name="name"),
        sample=ReferenceFile(filled),
    )
    parts = areas["zones"]
    assert set(parts) == {"west", "east"}
    assert sum(part["pixels"] for part in parts.values()) == mapped_pixels(out).sum()
    for name in ("forest", "soil"):
        mapped = sum(part["per_class"][name]["mapped_ha"] for part in parts.values())
        assert mapped == pytest.approx(summary["areas_ha"][name], rel=1e-3)
        estimated = sum(
            p["per_class"][name]["area_ha"]["value"] for p in parts.values()
        )
        assert estimated == pytest.approx(mapped, rel=1e-3)
    assert sum(part["points"] for part in parts.values()) == 300


def test_a_region_without_a_map_has_no_sample(tmp_path: Path) -> None:
    (tmp_path / "region.json").write_text("{}")
    with pytest.raises(ValueError, match="has no map yet"):
        draw_sample(tmp_path, tmp_path / "form.csv", Design(size=10))


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
    both = zones_of(shapely.box(11.9, -0.1, 12.1, 0.1))
    assert [crs for crs, _ in both] == [
        *("EPSG:32632", "EPSG:32732", "EPSG:32633", "EPSG:32733")
    ]
    assert zones_of(shapely.box(7, 48, 8, 49)) == [
        ("EPSG:32632", (6.0, 0.0, 12.0, 84.0))
    ]
