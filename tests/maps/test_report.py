"""Pictures and the page: right colours, nothing from outside, nothing unescaped."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import rasterio
from odc.geo.geobox import GeoBox

from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.maps.accuracy import Confusion, scores
from overcast.maps.quicklook import (
    areas_ha,
    class_picture,
    confidence_picture,
    overview,
    png,
    rgb,
)
from overcast.maps.report import Page, Panel, write_report
from tests.rasters import backscatter, utm

LEGEND = load_legend("simplified-igbp")


def test_png_holds_its_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (5, 7, 4)).astype(np.uint8)
    with (
        rasterio.MemoryFile(png(picture)) as memory,
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        memory.open() as dataset,
    ):
        np.testing.assert_array_equal(np.moveaxis(dataset.read(), 0, -1), picture)


def test_classes_have_their_colours() -> None:
    values = np.uint8([[0, 9, UNKNOWN]])
    picture = class_picture(Labels(values=values, grid=utm((1, 3)), legend=LEGEND))
    assert picture[0].tolist() == [
        [*LEGEND.classes[0].rgb, 255],
        [*LEGEND.classes[9].rgb, 255],
        [0, 0, 0, 0],
    ]


def test_images_are_stretched_and_transparent_where_nothing_was_seen() -> None:
    values = backscatter((40, 40))
    values[:, :4] = np.nan
    for image in (
        Image.of(values, utm((40, 40)), SENTINEL_1),
        Image.of(np.repeat(values[:1], 10, 0), utm((40, 40)), SENTINEL_2),
    ):
        picture = rgb(image)
        assert (picture[:4, :, 3] == 0).all()
        assert (picture[4:, :, 3] == 255).all()
        assert picture[4:, :, 0].min() == 0
        assert picture[4:, :, 0].max() == 255


def test_confidence_gets_brighter() -> None:
    picture = confidence_picture(np.float32([[0, 0.3, 0.6, 1, np.nan]]))[0]
    light = picture[:4, :3].astype(int).sum(-1)
    assert (np.diff(light) > 0).all()
    assert picture[4, 3] == 0


def test_overview_covers_the_same_ground() -> None:
    grid = utm((10980, 5490))
    small = overview(grid, 700)
    assert max(small.shape) <= 700
    assert small.boundingbox.left == grid.boundingbox.left
    assert overview(utm((64, 64))) == utm((64, 64))


@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:3857", "EPSG:4326"])
def test_areas_are_those_of_the_ellipsoid(crs: str) -> None:
    grid = utm((100, 100))
    if crs != "EPSG:32632":
        box = grid.extent.to_crs(crs).boundingbox
        grid = GeoBox.from_bbox(box.bbox, crs, shape=(100, 100))
    (area,) = areas_ha(np.array([10_000]), grid)
    geod = pyproj.Geod(ellps="WGS84")
    expected = abs(geod.geometry_area_perimeter(grid.geographic_extent.geom)[0]) / 1e4
    assert area == pytest.approx(expected, rel=1e-6)
    assert area == pytest.approx(100, rel=0.04)


def page(**changes: Any) -> Page:
    panel = Panel(title="Map", png=png(np.zeros((4, 4, 4), np.uint8)))
    return Page(
        **{
            "title": "Land cover",
            "legend": LEGEND,
            "map": panel,
            "confidence": panel,
            "inputs": [panel],
            "areas_ha": [100.0] * 10,
            **changes,
        }
    )


def written(tmp_path: Path, made: Page) -> str:
    write_report(made, tmp_path / "report.html")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_page_needs_nothing_from_outside(tmp_path: Path) -> None:
    text = written(tmp_path, page())
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text)
    assert "http" not in text


def test_names_can_do_no_harm(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>.tif"
    text = written(tmp_path, page(warnings=[evil], provenance={"image": evil}))
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 2


def test_without_a_reference_accuracy_is_not_known(tmp_path: Path) -> None:
    assert "Not known. No reference was given" in written(tmp_path, page())


def test_scores_are_shown_for_everything_scored(tmp_path: Path) -> None:
    reference = np.uint8([0, 0, 1, 1])
    found = {
        name: scores(Confusion.of(reference, np.uint8(mapped), 10), LEGEND)
        for name, mapped in {"labels": [0, 1, 0, 1], "map": [0, 0, 1, 0]}.items()
    }
    text = written(tmp_path, page(scores=found))
    assert "Not known" not in text
    assert "<td>75.0</td>" in text
    assert "<td>50.0</td>" in text
    assert text.count("Confusion matrix") == 2


@pytest.mark.parametrize(
    "curve", [[], [(0, 1.0)], [(0, 0.0), (1, 0.0)], [(0, math.nan), (1, 2.0), (2, 1.0)]]
)
def test_any_training_curve_can_be_drawn(
    tmp_path: Path, curve: list[tuple[int, float]]
) -> None:
    text = written(tmp_path, page(curve=curve))
    assert ("<svg" in text) == (len(curve) > 1)
    assert "nan" not in text
