"""What a region leaves besides its tiles works as a map, and says what was done."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml

from overcast.geo.extent import areas_ha
from overcast.product.rasters import written_legend
from overcast.region.description import Cut, read_region
from overcast.region.engine import InTurn
from overcast.region.estimate import estimate
from overcast.region.events import Events
from overcast.region.job import RegionOutput, map_region
from overcast.region.metrics import Metrics
from overcast.run import Runs
from tests.region.conftest import SIDE, Small, tree_of_small
from tests.region.test_tiles import values


def test_areas_of_all_tiles_are_those_of_the_mosaic(small: Small) -> None:
    summary = json.loads((small.out / "summary.json").read_text())
    mosaic = small.out / "map-32632.vrt"
    legend = written_legend(mosaic)
    counts = np.array([(values(mosaic) == code).sum() for code in legend.codes])
    expected = areas_ha(counts, small.lattice.grid(small.window))
    found = [summary["areas_ha"][name] for name in legend.names]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=0.02)
    assert sum(found) == pytest.approx((3 * SIDE) ** 2 / 100, rel=2e-3)


def test_the_mosaic_has_the_names_and_colours_of_a_map(small: Small) -> None:
    (tile, *_) = sorted(small.out.glob("tiles/*/map.tif"))
    with rasterio.open(tile) as one, rasterio.open(small.out / "map-32632.vrt") as all_:
        legend = written_legend(tile)
        colours = all_.colormap(1), one.colormap(1)
        assert all(colours[0][c] == colours[1][c] for c in legend.codes)
        assert all_.nodata == 255
        assert all_.tags()["OVERCAST_MODEL"] == one.tags()["OVERCAST_MODEL"]
        assert all_.tags()["LEGEND_CLASSES"] == one.tags()["LEGEND_CLASSES"]
    with rasterio.open(small.out / "confidence-32632.vrt") as confidence:
        sure = confidence.read(1)
    assert ((sure > 0) & (sure <= 1)).all()


def test_the_catalogue_leads_to_every_tile(small: Small) -> None:
    folder = small.out / "catalogue"
    collection = json.loads((folder / "collection.json").read_text())
    items = [link["href"] for link in collection["links"] if link["rel"] == "item"]
    assert len(items) == 9
    hrefs = set()
    for item in items:
        tree = json.loads((folder / item).read_text())
        hrefs.add((folder / tree["assets"]["map"]["href"]).resolve())
    assert hrefs == {path.resolve() for path in small.out.glob("tiles/*/map.tif")}


def test_the_catalogue_is_one_file_too(small: Small) -> None:
    rustac = pytest.importorskip("rustac")
    parquet = pytest.importorskip("pyarrow.parquet")
    folder = small.out / "catalogue"
    collection = json.loads((folder / "collection.json").read_text())
    mirror = folder / collection["assets"]["items"]["href"]

    async def read() -> Any:
        return await rustac.read(str(mirror))

    whole = asyncio.run(read())
    items = {item["id"]: item for item in whole["features"]}
    assert len(items) == 9
    for ident, item in items.items():
        one = json.loads((folder / f"{ident}.json").read_text())
        assert item["assets"]["map"]["href"] == one["assets"]["map"]["href"]
        assert item["bbox"] == pytest.approx(one["bbox"])
        assert item["properties"]["proj:code"] == "EPSG:32632"
    geo = json.loads(parquet.read_metadata(mirror).metadata[b"geo"])
    assert geo["primary_column"] == "geometry"


def test_the_report_counts_tiles_and_shows_them(small: Small) -> None:
    text = (small.out / "report.html").read_text(encoding="utf-8")
    assert "9 of 9 tiles are there" in text
    assert "data:image/png;base64," in text
    assert "CPU of all tiles" in text


def test_what_was_written_of_a_region_describes_the_same_region(small: Small) -> None:
    again = read_region(small.out / "region.yaml")
    assert again.ground == small.region.ground
    assert again.fingerprint == small.region.fingerprint


def test_a_dry_run_counts_and_measures_and_leaves_nothing(
    small: Small, tmp_path: Path
) -> None:
    wanted = RegionOutput(tmp_path / "out")
    bare = estimate(small.region, wanted, 2)
    assert (bare["tiles"], bare["pixels"], bare["measured"]) == (9, 9 * SIDE**2, None)
    assert bare["km2"] == pytest.approx(9 * 0.64**2, abs=0.06)
    full = estimate(small.region, wanted, 2, Runs((small.run,)))
    assert full["measured"]["tiles"] == 1
    assert full["tiles_left"] == 9
    assert full["bytes"] > 9 * 1000
    assert full["memory_per_worker_mib"] > 100
    assert not (tmp_path / "out").exists()
    done = estimate(small.region, RegionOutput(small.out), 1)
    assert (done["tiles_left"], done["measured"]["tiles"]) == (0, 9)


def test_metrics_are_open_metrics(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path, tiles=3, finished=0, workers=2)
    metrics.add({"seconds": 2.5, "cpu_seconds": 1.5, "peak_mib": 2})
    metrics.add(None)
    metrics.write()
    lines = (tmp_path / "metrics.prom").read_text().splitlines()
    assert lines[-1] == "# EOF"
    samples = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert samples['overcast_tiles{state="finished"}'] == "1"
    assert samples['overcast_tiles{state="failed"}'] == "1"
    assert samples['overcast_tiles{state="missing"}'] == "1"
    assert samples["overcast_tile_seconds_total"] == "2.5"
    assert samples["overcast_peak_memory_bytes"] == str(2 << 20)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"tiles": 100}, "tiles is 100; expected a multiple of 32"),
        ({"tiles": 64, "cell": 48}, "expected a multiple of cell, 48"),
        ({"tile": 64}, "tile"),
        ({"resolution": 0}, "resolution is 0"),
    ],
)
def test_a_region_that_is_wrong_is_refused_in_words(
    small: Small, tmp_path: Path, keys: dict[str, object], message: str
) -> None:
    path = small.folder / "wrong.yaml"
    path.write_text(yaml.safe_dump({**tree_of_small(), **keys}), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_region(path)


def test_tiles_move_no_images_of_their_own(small: Small) -> None:
    tree = tree_of_small()
    tree["data"]["register"] = True
    path = small.folder / "moved.yaml"
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    with pytest.raises(ValueError, match="each tile would move its images by itself"):
        read_region(path)


def test_a_pattern_that_names_no_file_is_refused(small: Small) -> None:
    tree = tree_of_small()
    text = yaml.safe_dump(tree).replace("s2*.tif", "nothing*.tif")
    path = small.folder / "none.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"no file is called w/nothing\*\.tif"):
        read_region(path)


def test_a_folder_of_another_format_is_refused(small: Small, tmp_path: Path) -> None:
    (tmp_path / "region.json").write_text('{"format": 99}')
    with pytest.raises(ValueError, match="of format 99, this overcast writes 1"):
        map_region(small.region, RegionOutput(tmp_path), InTurn(), Events())


def test_a_cell_is_half_of_the_largest_until_a_tile_is_a_multiple() -> None:
    assert [Cut(tiles=n).side for n in (2048, 512, 768, 64, 96)] == [
        512,
        512,
        256,
        64,
        32,
    ]
    assert replace(Cut(tiles=256), cell=64).side == 64
