"""A map without a coordinate reference system: written as it is, and refused plainly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from click.testing import CliRunner
from odc.geo.geobox import GeoBox

from overcast.cli import program
from overcast.geo.legend import legend_to_csv, load_legend
from overcast.maps.predict import RawMap
from overcast.product.rasters import write_confidence, write_map, written_legend
from overcast.product.stac import Origin, map_item
from overcast.viewer.scene import open_scene

LEGEND = load_legend("simplified-igbp")
"""What every refusal says, with the file's name before it."""
SAID = "map.tif: no coordinate reference system; assign the right one"


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map of overcast's whose CRS was lost on the way."""
    path = tmp_path_factory.mktemp("out") / "map.tif"
    codes = np.random.default_rng(0).integers(1, 11, (1, 30, 40)).astype(np.uint8)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=40,
        height=30,
        count=1,
        dtype="uint8",
        nodata=255,
        transform=Affine(10, 0, 500_000, 0, -10, 5_000_000),
    ) as dataset:
        dataset.write(codes)
        dataset.update_tags(LEGEND=LEGEND.name, LEGEND_CLASSES=legend_to_csv(LEGEND))
    return path


@pytest.mark.parametrize(
    "words",
    [
        ["sample", "{map}", "--legend", LEGEND.name, "--out", "{out}/sample.csv"],
        ["assess", "{map}", "{map}", "--legend", LEGEND.name],
        ["polygons", "{map}", "--out", "{out}/map.gpkg"],
    ],
    ids=lambda words: words[0],
)
def test_commands_refuse_it_by_name(
    mapped: Path, tmp_path: Path, words: list[str]
) -> None:
    given = [word.format(map=mapped, out=tmp_path) for word in words]
    with pytest.raises(ValueError, match=SAID):
        CliRunner().invoke(program, given, catch_exceptions=False)
    assert not list(tmp_path.iterdir())


def test_the_viewer_refuses_it(mapped: Path) -> None:
    with pytest.raises(ValueError, match=SAID), open_scene(mapped.parent):
        pass


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, GeoBox]:
    """A map written on a grid of arrays, which need not have a CRS."""
    random = np.random.default_rng(0)
    grid = GeoBox((30, 40), Affine(10, 0, 500_000, 0, -10, 5_000_000), None)
    raw = RawMap(tmp_path / "classes.raw", tmp_path / "confidence.raw", (30, 40))
    random.integers(0, 10, (30, 40)).astype(np.uint8).tofile(raw.classes)
    random.random((30, 40), np.float32).tofile(raw.confidence)
    write_map(raw, grid, LEGEND, tmp_path / "map.tif", {"OVERCAST_MODEL": "x"})
    write_confidence(raw, grid, tmp_path / "confidence.tif", {})
    return tmp_path / "map.tif", grid


def test_it_is_written_with_its_classes_and_no_areas(
    written: tuple[Path, GeoBox],
) -> None:
    path, grid = written
    with rasterio.open(path) as dataset:
        assert dataset.crs is None
        assert dataset.tags()["OVERCAST_PLACE"].startswith("none: the images have no")
        assert dataset.transform == grid.affine
        assert dataset.read(1).max() == 10
    assert written_legend(path).codes == LEGEND.codes
    table = path.with_name("map.tif.aux.xml").read_text()
    assert "Forest" in table


def test_a_catalogue_is_not_told_of_it(written: tuple[Path, GeoBox]) -> None:
    path, grid = written
    origin = Origin(
        name="x", grid=grid, legend=LEGEND, sources=(), method="x", version="0"
    )
    with pytest.raises(ValueError, match="no coordinate reference system"):
        map_item(path.parent, origin, ())
