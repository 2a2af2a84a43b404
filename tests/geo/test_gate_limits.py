"""What the gate notices by a second look, and what it can't notice at all.

The second kind are the sentences "Not noticed" of docs/wrong-maps.md. Where such a test
turns red because the gate has become better, the page says too little.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bench.tiles import TILES
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from overcast.geo.check import Checked, open_sentinel_1, open_sentinel_2
from overcast.geo.image_file import ImageFile
from overcast.worlds.measured import BANDS as WORLD_BANDS
from overcast.worlds.optical import see_optical
from overcast.worlds.world import Window, WorldView, make_world
from tests.geo.test_gate import LAND, SHAPE
from tests.rasters import BANDS, backscatter, spectra, utm, write

Values = NDArray[np.number]


def s2(folder: Path, values: Values, **how: object) -> Checked[ImageFile]:
    names = how.pop("names", ())
    path = write(folder / "s2.tif", values, utm(values.shape[1:]), names=names)
    return open_sentinel_2(path, **how)  # type: ignore[arg-type]


def s1(folder: Path, values: Values, **how: object) -> Checked[ImageFile]:
    names = how.pop("names", ())
    path = write(folder / "s1.tif", values, utm(values.shape[1:]), names=names)
    return open_sentinel_1(path, **how)  # type: ignore[arg-type]


def read(checked: Checked[ImageFile]) -> Values:
    """Values where all pixels are seen."""
    image = checked.image.read(checked.image.grid)
    assert image.valid.all()
    return image.values


def silent(checked: Checked[ImageFile], values: Values) -> None:
    """Nothing is said, and values are taken as they are."""
    assert checked.notes == ()
    np.testing.assert_allclose(read(checked), values, atol=1e-4)


def exchanged(first: str, second: str, *covers: str) -> Values:
    stored = spectra(*(covers or LAND))
    places = [BANDS.index(first), BANDS.index(second)]
    stored[places] = stored[places[::-1]]
    return stored


SCENES = sorted(TILES.glob("*/s2_*.tif"))
NOTICED = [("B04", "B05"), ("B05", "B06"), ("B06", "B07"), ("B11", "B12")]
SILENT = [
    ("B02", "B03"),
    ("B03", "B04"),
    ("B07", "B08"),
    ("B08", "B8A"),
    ("B8A", "B11"),
]


@pytest.mark.parametrize(("first", "second"), NOTICED)
def test_neighbours_that_vegetation_tells_apart(
    tmp_path: Path, first: str, second: str
) -> None:
    stored = exchanged(first, second)
    with pytest.raises(ValueError, match=rf"look like .*{second}, {first}"):
        s2(tmp_path, stored)
    (note,) = s2(tmp_path, stored, names=BANDS).notes
    assert f"{second}, {first}" in note
    assert note.endswith("check the names")


@pytest.mark.parametrize(("first", "second"), SILENT)
def test_neighbours_that_nothing_tells_apart(
    tmp_path: Path, first: str, second: str
) -> None:
    stored = exchanged(first, second)
    silent(s2(tmp_path, stored), stored * 1e-4)


@pytest.mark.parametrize("first", [name for pair in NOTICED for name in pair[:1]])
def test_neighbours_without_vegetation_are_not_told_apart(
    tmp_path: Path, first: str
) -> None:
    second = dict(NOTICED)[first]
    stored = exchanged(first, second, "water", "soil", "town")
    silent(s2(tmp_path, stored), stored * 1e-4)


def test_red_and_blue_of_water_and_forest_alone(tmp_path: Path) -> None:
    stored = exchanged("B02", "B04", "water", "forest")
    silent(s2(tmp_path, stored), stored * 1e-4)
    with pytest.raises(ValueError, match="look like B04, B03, B02"):
        s2(tmp_path, exchanged("B02", "B04", "water", "forest", "town"))


@pytest.mark.parametrize("seed", range(4))
def test_simulated_land_has_its_bands_in_order(tmp_path: Path, seed: int) -> None:
    assert WORLD_BANDS == BANDS
    stored = see_optical(WorldView.of(make_world(seed, 96), Window(0, 0, 96, 96)))
    assert not [n for n in s2(tmp_path, stored).notes if "look" in n or "same" in n]


@pytest.mark.skipif(not SCENES, reason=f"the real tiles are not at {TILES}")
def test_real_land_has_its_bands_in_order() -> None:
    notes = [note for path in SCENES for note in open_sentinel_2(path).notes]
    assert not [n for n in notes if "look as if" in n or "same" in n or "in all" in n]


@pytest.mark.parametrize("names", [(), ("VV", "VH")])
def test_a_band_that_is_there_twice_is_said(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    (note,) = s1(tmp_path, backscatter(SHAPE)[[0, 0]], names=names).notes
    assert note.endswith(
        "bands VV and VH have the same value in every pixel; is one of them there twice?"
    )
    stored = spectra(*LAND)
    stored[1] = stored[0]
    (note,) = s2(tmp_path, stored).notes
    assert "bands B02 and B03 have the same value" in note


def test_a_fill_value_that_could_be_measured_is_said(tmp_path: Path) -> None:
    stored = spectra(*LAND)
    stored[:, :10, :10] = 5000
    checked = s2(tmp_path, stored)
    (note,) = checked.notes
    assert "5000 in all bands of 2.4% of the pixels" in note
    assert "gdal_edit.py -a_nodata 5000" in note
    assert read(checked)[:, 0, 0] == pytest.approx(0.5)
    db = backscatter(SHAPE)
    db[:, :8] = -25
    (note,) = s1(tmp_path, db).notes
    assert "-25 in all bands of 12.5% of the pixels" in note


def test_few_pixels_of_a_fill_value_that_could_be_measured(tmp_path: Path) -> None:
    stored = spectra(*LAND)
    stored[:, :4, :5] = 5000
    silent(s2(tmp_path, stored), stored * 1e-4)


@pytest.mark.parametrize("cover", ["desert", "cloud", "snow"])
def test_bright_land_with_the_offset_is_said_to_be_bright_only(
    tmp_path: Path, cover: str
) -> None:
    stored = spectra(cover) + 1000
    checked = s2(tmp_path, stored)
    (note,) = checked.notes
    assert "say --s2-offset -1000" in note
    np.testing.assert_allclose(read(checked), stored * 1e-4, atol=1e-6)


def test_half_a_mosaic_with_the_offset(tmp_path: Path) -> None:
    stored = spectra(*LAND)
    stored[:, :, 32:] += 1000
    silent(s2(tmp_path, stored), stored * 1e-4)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_clouds_without_a_mask(tmp_path: Path, share: float) -> None:
    stored = spectra("water", "forest", "crops", "soil")
    rows = int(64 * share) - 1  # one row is clear: it has shadow, water or vegetation
    stored[:, :rows] = spectra("cloud")[:, :rows]
    silent(s2(tmp_path, stored), stored * 1e-4)


def test_amplitude_of_open_sea(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 1.5, (2, *SHAPE))
    sea = np.float32([-22, -30])[:, None, None] + noise
    checked = s1(tmp_path, (10 ** (sea / 20)).astype(np.float32))
    (note,) = checked.notes
    assert "linear power, converted" in note
    np.testing.assert_allclose(read(checked), sea / 2, atol=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        lambda db: db - 1,
        lambda db: np.stack([uniform_filter(band, 5) for band in db]),
        lambda db: db[:, :, ::-1],
    ],
    ids=["sigma nought", "another filter", "from the other side"],
)
def test_other_backscatter_is_taken_as_it_is(
    tmp_path: Path, change: Callable[[Values], Values]
) -> None:
    db = change(backscatter(SHAPE))
    silent(s1(tmp_path, db), db)


def test_the_fringe_of_an_old_scene(tmp_path: Path) -> None:
    db = backscatter(SHAPE)
    db[:, :, :3] -= 30
    silent(s1(tmp_path, db), db)
