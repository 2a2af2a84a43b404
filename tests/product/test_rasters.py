"""The files that leave the tool, read back with GDAL."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from odc.geo.geobox import GeoBox
from rio_cogeo.cogeo import cog_validate

from overcast.geo.legend import LandClass, Legend, load_legend
from overcast.geo.raster import UNKNOWN, Labels
from overcast.maps.predict import RawMap
from overcast.product import rasters as product
from overcast.product.rasters import (
    write_confidence,
    write_labels,
    write_map,
    write_probabilities,
    written_legend,
)

LEGEND = Legend(
    "mine",
    (
        LandClass(80, "water & <ice>", "0000ff"),
        LandClass(10, "Wälder", "00ff00"),
        LandClass(0, "town", "ff0000"),
    ),
)
SHAPE = (700, 1100)
SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
AFFINE = Affine(10 + 1 / 3, 0, 500_000.1234567891, 0, -10 - 1 / 7, 4e6 + 1 / 3)
TAGS = {"OVERCAST_MODEL": "abc", "OVERCAST_INPUTS": "a & <b>.tif, ü.tif"}


@pytest.fixture
def raw(tmp_path: Path) -> RawMap:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, (SHAPE[0] // 10, SHAPE[1] // 10), np.uint8)
    classes = classes.repeat(10, 0).repeat(10, 1)
    classes[:50, :60] = UNKNOWN
    confidence = np.rint(rng.random(SHAPE, np.float32) * 256) / np.float32(256)
    confidence[:50, :60] = np.nan
    made = RawMap(tmp_path / "classes.raw", tmp_path / "confidence.raw", SHAPE)
    classes.tofile(made.classes)
    confidence.astype(np.float32).tofile(made.confidence)
    return made


def grid_in(crs: str) -> GeoBox:
    return GeoBox(SHAPE, AFFINE, crs)


def names_in(path: Path) -> list[str | None]:
    """Category names as GDAL itself gives them, by copying into its VRT."""
    vrt = path.with_suffix(".vrt")
    rasterio.shutil.copy(path, vrt, driver="VRT")
    return [e.text for e in ElementTree.parse(vrt).iter("Category")]


@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:4326", "EPSG:3035", SINUSOIDAL])
def test_map_is_a_cog_on_the_grid(raw: RawMap, tmp_path: Path, crs: str) -> None:
    path, grid = tmp_path / "map.tif", grid_in(crs)
    write_map(raw, grid, LEGEND, path, TAGS)
    assert cog_validate(path, strict=True, quiet=True) == (True, [], [])
    with rasterio.open(path) as got:
        assert got.transform == grid.affine
        assert got.crs == rasterio.crs.CRS.from_user_input(crs)
        assert (got.dtypes, got.nodata, got.block_shapes) == (
            ("uint8",),
            UNKNOWN,
            [(512, 512)],
        )
        assert got.compression.name == "deflate"
        assert set(TAGS.items()) <= set(got.tags().items())
        assert np.array_equal(got.read(1), LEGEND.to_codes(raw.rows(0, SHAPE[0])[0]))


def test_map_carries_colours_names_and_overviews_by_mode(
    raw: RawMap, tmp_path: Path
) -> None:
    path = tmp_path / "map.tif"
    write_map(raw, grid_in("EPSG:32633"), LEGEND, path, TAGS)
    names = names_in(path)
    with rasterio.open(path) as got:
        colours = got.colormap(1)
        assert got.colorinterp[0].name == "palette"
        assert got.overviews(1)
    for c in LEGEND.classes:
        assert names[c.code] == c.name
        assert colours[c.code][:3] == c.rgb
    with rasterio.open(path, overview_level=0) as small:
        assert set(np.unique(small.read(1))) <= {*LEGEND.codes, UNKNOWN}


def test_confidence_is_a_cog_with_nan_as_nodata(raw: RawMap, tmp_path: Path) -> None:
    path, grid = tmp_path / "confidence.tif", grid_in("EPSG:32633")
    write_confidence(raw, grid, path, TAGS)
    assert cog_validate(path, strict=True, quiet=True) == (True, [], [])
    expected = raw.rows(0, SHAPE[0])[1]
    with rasterio.open(path) as got:
        assert (got.transform, got.dtypes) == (grid.affine, ("float32",))
        assert np.isnan(got.nodata)
        assert np.array_equal(got.read(1), expected, equal_nan=True)
    with rasterio.open(path, overview_level=0) as small:
        half = small.read(1)
    mean = expected.reshape(350, 2, 550, 2).mean((1, 3))
    assert np.allclose(half[30:, 40:], mean[30:, 40:], atol=1e-6)
    assert np.isnan(half[:25, :30]).all()


def test_statistics_are_in_the_files(raw: RawMap, tmp_path: Path) -> None:
    grid = grid_in("EPSG:32633")
    write_map(raw, grid, LEGEND, tmp_path / "map.tif", TAGS)
    write_confidence(raw, grid, tmp_path / "confidence.tif", TAGS)
    for name in ("map.tif", "confidence.tif"):
        with rasterio.open(tmp_path / name) as got:
            known, tags = got.read(1, masked=True).compressed(), got.tags(1)
        for key, value in (
            ("MINIMUM", known.min()),
            ("MAXIMUM", known.max()),
            ("MEAN", known.mean(dtype=float)),
            ("STDDEV", known.std(dtype=float)),
        ):
            assert float(tags[f"STATISTICS_{key}"]) == pytest.approx(float(value))


def test_style_and_legend_lie_beside_a_map(raw: RawMap, tmp_path: Path) -> None:
    grid = grid_in("EPSG:32633")
    write_map(raw, grid, LEGEND, tmp_path / "map.tif", TAGS)
    write_confidence(raw, grid, tmp_path / "confidence.tif", TAGS)
    assert load_legend(tmp_path / "legend.csv").classes == LEGEND.classes
    assert written_legend(tmp_path / "map.tif") == LEGEND
    for name, renderer in (("map", "paletted"), ("confidence", "singlebandpseudo")):
        assert renderer in (tmp_path / f"{name}.qml").read_text()
    with pytest.raises(ValueError, match=r"confidence\.tif: no legend in the file"):
        written_legend(tmp_path / "confidence.tif")


def test_probabilities_are_a_cog_with_a_scaled_band_a_class(
    raw: RawMap, tmp_path: Path
) -> None:
    values = np.random.default_rng(1).integers(
        0, 255, (SHAPE[0], 3, SHAPE[1]), np.uint8
    )
    values[:50, :, :60] = 255
    kept = RawMap(raw.classes, raw.confidence, SHAPE, tmp_path / "p.raw", 3)
    values.tofile(tmp_path / "p.raw")
    path = tmp_path / "probabilities.tif"
    write_probabilities(kept, grid_in("EPSG:32633"), LEGEND, path, TAGS)
    assert cog_validate(path, strict=True, quiet=True) == (True, [], [])
    with rasterio.open(path) as got:
        assert got.descriptions == LEGEND.names
        assert (got.dtypes, got.nodata) == (("uint8",) * 3, 255)
        assert got.scales == pytest.approx([1 / 254] * 3)
        assert got.offsets == (0, 0, 0)
        assert "red" not in [c.name for c in got.colorinterp]
        assert np.array_equal(got.read(), values.transpose(1, 0, 2))
    with pytest.raises(ValueError, match="were not kept"):
        write_probabilities(raw, grid_in("EPSG:32633"), LEGEND, path, TAGS)


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="needs gdal-bin")
def test_gdalinfo_shows_all_of_it(raw: RawMap, tmp_path: Path) -> None:
    path = tmp_path / "map.tif"
    write_map(raw, grid_in("EPSG:32633"), LEGEND, path, TAGS)
    said = subprocess.run(
        ["gdalinfo", path], check=True, capture_output=True, text=True
    ).stdout
    for part in (
        "LAYOUT=COG",
        "NoData Value=255",
        "80: water & <ice>",
        "80: 0,0,255,255",
        "Minimum=0.000, Maximum=80.000",
        '<GDALRasterAttributeTable tableType="thematic">',
        "<F>water &amp; &lt;ice&gt;</F>",
    ):
        assert part in said, part


def test_same_input_gives_the_same_bytes(raw: RawMap, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "map.tif"
        write_map(raw, grid_in("EPSG:32633"), LEGEND, path, TAGS)
        write_confidence(raw, grid_in("EPSG:32633"), path.with_name("c.tif"), TAGS)
        made.append([p.read_bytes() for p in sorted(path.parent.iterdir())])
    assert made[0] == made[1]


def test_labels_in_memory_become_the_same_kind_of_file(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 3, (30, 40), np.uint8)
    grid = GeoBox((30, 40), AFFINE, "EPSG:32633")
    path = tmp_path / "labels.tif"
    write_labels(Labels(values=values, grid=grid, legend=LEGEND), path, {})
    with rasterio.open(path) as got:
        assert np.array_equal(got.read(1), LEGEND.to_codes(values))
    assert names_in(path)[80] == "water & <ice>"


def test_nothing_half_written_stays_behind(
    raw: RawMap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(product.rasterio.shutil, "copy", fail)
    with pytest.raises(OSError, match="disk full"):
        write_map(raw, grid_in("EPSG:32633"), LEGEND, tmp_path / "map.tif", TAGS)
    assert sorted(tmp_path.iterdir()) == before


def test_what_a_kill_has_cut_off_is_written_anew(tmp_path: Path) -> None:
    legend = load_legend("worldcover")
    values = np.ones((600, 600), np.uint8)
    grid = GeoBox(values.shape, AFFINE, "EPSG:32632")
    labels = Labels(values=values, grid=grid, legend=legend)
    write_labels(labels, tmp_path / "first.tif", {})
    whole = (tmp_path / "first.tif").read_bytes()
    for name in ("map.plain.tif", "map.whole.tif"):
        # The directory of a plain file comes last, and was not written.
        (tmp_path / name).write_bytes(b"II*\0" + (9999).to_bytes(4, "little"))
    write_labels(labels, tmp_path / "map.tif", {})
    assert (tmp_path / "map.tif").read_bytes() == whole
    assert not list(tmp_path.glob("map.*.tif"))
