"""Units, order and validity of images: the right values, or a refusal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp

from overcast.geo.check import open_sentinel_1, open_sentinel_2
from overcast.geo.inspect import describe
from overcast.geo.raster import Image
from overcast.geo.validity import misfits
from tests.rasters import BANDS, backscatter, spectra, utm, write

SHAPE = (64, 64)
LAND = ("water", "forest", "crops", "soil", "town")


def read_s2(path: Path, **how: object) -> tuple[Image, tuple[str, ...]]:
    checked = open_sentinel_2(path, **how)  # type: ignore[arg-type]
    return checked.image.read(checked.image.grid), checked.notes


def read_s1(path: Path, **how: object) -> tuple[Image, tuple[str, ...]]:
    checked = open_sentinel_1(path, **how)  # type: ignore[arg-type]
    return checked.image.read(checked.image.grid), checked.notes


def tag(path: Path, scales: tuple[float, ...], offsets: tuple[float, ...]) -> Path:
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = scales, offsets
    return path


@pytest.mark.parametrize(
    ("factor", "dtype", "says"),
    [
        (1, "uint16", None),
        (1, "float32", None),
        (1e-4, "float32", None),
        (1e-2, "float32", "percent, converted"),
        (0.1, "uint16", "reflectance x 1000, converted"),
    ],
)
def test_reflectance_is_the_same_on_every_scale(
    tmp_path: Path, factor: float, dtype: str, says: str | None
) -> None:
    stored = spectra(*LAND)
    path = write(tmp_path / "s2.tif", (stored * factor).astype(dtype), utm())
    image, notes = read_s2(path)
    np.testing.assert_allclose(image.values, stored * 1e-4, atol=1.01e-3)
    assert [says in note for note in notes if says] == ([True] if says else [])
    assert says is not None or not notes


@pytest.mark.parametrize(
    ("factor", "dtype"),
    [(255 / 4000, "uint8"), (255 / 4000, "uint16"), (1e-2, "uint8"), (16, "uint16")],
)
def test_bytes_and_other_scales_are_refused(
    tmp_path: Path, factor: float, dtype: str
) -> None:
    values = (spectra(*LAND) * factor).clip(0, np.iinfo(dtype).max).astype(dtype)
    path = write(tmp_path / "s2.tif", values, utm())
    with pytest.raises(
        ValueError, match=r"s2\.tif: bands up to .*gdal_edit\.py -scale"
    ):
        open_sentinel_2(path)
    assert any("bands up to" in note for note in describe(path).notes)


@pytest.mark.parametrize(
    "cover", ["snow", "desert", "cloud", "forest", "water", "soil"]
)
@pytest.mark.parametrize("factor", [1, 1e-4])
def test_a_scene_of_one_cover_is_read_as_it_is(
    tmp_path: Path, cover: str, factor: float
) -> None:
    stored = spectra(cover, shape=(32, 32))
    values = stored if factor == 1 else (stored * factor).astype(np.float32)
    image, notes = read_s2(write(tmp_path / "s2.tif", values, utm((32, 32))))
    np.testing.assert_allclose(image.values, stored * 1e-4, atol=1e-6)
    assert not [note for note in notes if "-1000 was not applied in the file" in note]


def test_scale_and_offset_tags_of_every_band_are_read(tmp_path: Path) -> None:
    stored = spectra(*LAND)
    scales = tuple(1e-4 if i % 2 else 2e-4 for i in range(10))
    packed = np.stack([b / (s * 1e4) for b, s in zip(stored, scales, strict=True)])
    path = write(tmp_path / "s2.tif", np.round(packed).astype(np.uint16), utm())
    image, _ = read_s2(tag(path, scales, (0,) * 10))
    np.testing.assert_allclose(image.values, stored * 1e-4, atol=1.01e-4)


def test_offset_tag_is_applied_and_said(tmp_path: Path) -> None:
    stored = spectra(*LAND)
    path = write(tmp_path / "s2.tif", stored + 1000, utm())
    image, notes = read_s2(tag(path, (1e-4,) * 10, (-0.1,) * 10))
    np.testing.assert_allclose(image.values, stored * 1e-4, atol=1e-6)
    assert notes == (f"{path}: offset -0.1 taken from the file's tags",)


@pytest.mark.parametrize(
    ("factor", "scale", "offset", "says"),
    [
        (1e-4, 1e-4, 0, "taken for fractions"),
        (1, 1e-3, 0, "taken for reflectance x 10,000"),
        (1, 1e-4, -1000, "taken for reflectance x 10,000"),
        (1, 1e-4, -0.1, "reflectance is negative"),
    ],
)
def test_tags_that_values_contradict_are_passed_over(
    tmp_path: Path, factor: float, scale: float, offset: float, says: str
) -> None:
    stored = spectra(*LAND)
    dtype = "uint16" if factor == 1 else "float32"
    path = write(tmp_path / "s2.tif", (stored * factor).astype(dtype), utm())
    image, notes = read_s2(tag(path, (scale,) * 10, (offset,) * 10))
    np.testing.assert_allclose(image.values, stored * 1e-4, atol=1e-6)
    assert "passed over" in notes[0]
    assert says in notes[0]


def test_a_given_offset_has_the_sign_of_the_product(tmp_path: Path) -> None:
    stored = spectra(*LAND)
    path = write(tmp_path / "s2.tif", stored + 1000, utm())
    image, notes = read_s2(path, offset=-1000)
    np.testing.assert_allclose(image.values, stored * 1e-4, atol=1e-6)
    assert notes == ()
    with pytest.raises(ValueError, match=r"said to have offset 1000, but no pixel"):
        open_sentinel_2(path, offset=1000)


@pytest.mark.parametrize("offset", [-1000, 1000, 999999999999])
def test_a_given_offset_that_values_contradict_is_refused(
    tmp_path: Path, offset: int
) -> None:
    path = write(tmp_path / "s2.tif", spectra(*LAND), utm())
    with pytest.raises(ValueError, match=rf"said to have offset {offset}, but reflect"):
        open_sentinel_2(path, offset=offset)


@pytest.mark.parametrize(
    "order",
    [
        BANDS[::-1],
        ("B04", "B03", "B02", *BANDS[3:]),
        ("B04", "B03", "B02", "B08", "B05", "B06", "B07", "B8A", "B11", "B12"),
        ("B02", "B03", "B04", "B08", "B05", "B06", "B07", "B8A", "B11", "B12"),
        tuple(sorted(BANDS)),
    ],
)
def test_another_order_of_bands_without_names_is_refused(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    stored = spectra(*LAND)[[BANDS.index(name) for name in order]]
    path = write(tmp_path / "s2.tif", stored, utm())
    with pytest.raises(ValueError, match=f"look like {', '.join(order)}"):
        open_sentinel_2(path)
    named = read_s2(path, bands=order)[0].values
    np.testing.assert_allclose(named, spectra(*LAND) * 1e-4, atol=1e-6)
    assert "check the names" in read_s2(path, bands=BANDS)[1][0]


@pytest.mark.parametrize("names", [None, ("bands", "bands"), ("VV", "VH")])
def test_polarisations_the_wrong_way_round(
    tmp_path: Path, names: tuple[str, ...] | None
) -> None:
    path = write(
        tmp_path / "s1.tif", backscatter(SHAPE)[::-1], utm(), names=names or ()
    )
    if names == ("VV", "VH"):
        assert "VH is 7.0 dB above VV" in open_sentinel_1(path).notes[0]
    else:
        with pytest.raises(ValueError, match=r"expected as VV and VH.*above the first"):
            open_sentinel_1(path)


@pytest.mark.parametrize("kind", ["linear", "amplitude"])
def test_backscatter_is_the_same_in_all_units(tmp_path: Path, kind: str) -> None:
    db = backscatter(SHAPE)
    values = np.float32(10) ** (db / (10 if kind == "linear" else 20))
    path = write(tmp_path / "s1.tif", values, utm())
    np.testing.assert_allclose(read_s1(path, units=kind)[0].values, db, atol=1e-4)
    if kind == "amplitude":
        with pytest.raises(ValueError, match=r"look like amplitude.*--s1-units amplit"):
            open_sentinel_1(path)
        with pytest.raises(
            ValueError, match=r"said to be linear power.*like amplitude"
        ):
            open_sentinel_1(path, units="linear")


@pytest.mark.parametrize(
    ("dtype", "scale"), [("int16", 0.01), ("int16", 0.1), ("float64", 0.01)]
)
def test_scale_tags_of_backscatter_are_read(
    tmp_path: Path, dtype: str, scale: float
) -> None:
    db = backscatter(SHAPE)
    path = write(tmp_path / "s1.tif", np.round(db / scale).astype(dtype), utm())
    with pytest.raises(ValueError, match="dB x 10 or x 100"):
        open_sentinel_1(path)
    image, notes = read_s1(tag(path, (scale,) * 2, (0, 0)))
    np.testing.assert_allclose(image.values, db, atol=0.51 * scale)
    assert "taken from the file's tags" in notes[0]


@pytest.mark.parametrize(
    "change",
    [lambda db: -db, lambda db: db / 2, lambda db: db + 40, lambda db: db * 100],
    ids=["positive", "half", "raised", "hundredfold"],
)
def test_backscatter_in_no_known_units_is_refused(
    tmp_path: Path, change: object
) -> None:
    values = change(backscatter(SHAPE)).astype(np.float32)  # type: ignore[operator]
    with pytest.raises(ValueError, match=r"s1\.tif: "):
        open_sentinel_1(write(tmp_path / "s1.tif", values, utm()))


def test_twice_the_decibels_are_doubted(tmp_path: Path) -> None:
    path = write(tmp_path / "s1.tif", 2 * backscatter(SHAPE), utm())
    assert "20 log10 of power" in open_sentinel_1(path).notes[0]


@pytest.mark.parametrize(
    ("vv", "vh"), [(-9, -15), (-6.5, -12.3), (-20, -27), (-17, -26), (-13, -19)]
)
def test_linear_power_of_one_cover_is_no_amplitude(
    tmp_path: Path, vv: float, vh: float
) -> None:
    db = backscatter(SHAPE) + np.float32([vv + 10, vh + 17])[:, None, None]
    path = write(tmp_path / "s1.tif", np.float32(10) ** (db / 10), utm())
    np.testing.assert_allclose(read_s1(path)[0].values, db, atol=1e-4)


FILLS = [-9999, -32768, -999, -3.4028235e38, 1e20, np.inf, -np.inf, np.nan, 32767]


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("units", ["db", "linear"])
def test_fill_values_in_backscatter_are_not_seen(
    tmp_path: Path, fill: float, units: str
) -> None:
    db = backscatter(SHAPE)
    values = db.copy() if units == "db" else np.float32(10) ** (db / 10)
    values[:, :, 40:] = fill
    image, notes = read_s1(write(tmp_path / "s1.tif", values, utm()))
    assert not image.valid[:, 40:].any()
    np.testing.assert_allclose(image.values[:, :, :40], db[:, :, :40], atol=1e-4)
    if units == "db" and np.isfinite(fill):
        assert "not observed" in " ".join(notes)


@pytest.mark.parametrize("fill", [*FILLS, 65535, 9999, -1000, 0, 1])
def test_fill_values_in_reflectance_are_not_seen(tmp_path: Path, fill: float) -> None:
    stored = spectra(*LAND).astype(np.float32)
    stored[:, :, 40:] = fill
    image, notes = read_s2(write(tmp_path / "s2.tif", stored, utm()))
    assert not image.valid[:, 40:].any()
    np.testing.assert_allclose(
        image.values[..., :40], stored[..., :40] * 1e-4, atol=1e-6
    )
    if np.isfinite(fill) and fill not in (0, 1):
        assert "not observed" in " ".join(notes)


def test_an_impossible_value_in_one_band_is_not_seen(tmp_path: Path) -> None:
    stored = spectra(*LAND).astype(np.int16)
    stored[4, 7, 9] = -9999
    image, notes = read_s2(write(tmp_path / "s2.tif", stored, utm()))
    assert np.argwhere(~image.valid).tolist() == [[7, 9]]
    assert "have values that can't be" in notes[0]


@pytest.mark.parametrize("added", [0, 1000])
def test_zero_in_the_short_wave_of_water_is_dark(tmp_path: Path, added: int) -> None:
    stored = spectra(*LAND) + np.uint16(added)
    stored[8:, :32] = 0
    image, _ = read_s2(write(tmp_path / "s2.tif", stored, utm(), nodata=0))
    assert image.valid.all()
    assert image.values[8, 0, 0] == pytest.approx(-1e-4 * added, abs=1e-6)
    np.testing.assert_allclose(image.values[0], (stored[0] - added) * 1e-4, atol=1e-6)


def test_nodata_is_looked_at_before_scale_and_offset(tmp_path: Path) -> None:
    stored = spectra(*LAND) + np.uint16(1000)
    stored[:, 5] = 7777
    path = write(tmp_path / "s2.tif", stored, utm(), nodata=7777)
    image, _ = read_s2(tag(path, (1e-4,) * 10, (-0.1,) * 10))
    assert not image.valid[5].any()
    assert image.valid.sum() == 63 * 64


def hide(path: Path, kind: str) -> Path:
    """A scene whose right half is hidden by a mask of some kind."""
    stored = spectra(*LAND)
    mask = np.where(np.arange(64) < 40, 255, 0)[None].repeat(64, 0).astype(np.uint8)
    if kind == "alpha":
        alpha = (mask.astype(np.uint16) * 257)[None]
        write(path, np.concatenate([stored, alpha]), utm())
        with rasterio.open(path, "r+") as dataset:
            dataset.colorinterp = [
                *[ColorInterp.undefined] * 10,
                ColorInterp.alpha,
            ]
        return path
    tagged = {"nodata": 0} if kind.endswith("tagged") else {}
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=kind.startswith("internal")):
        write(path, stored, utm(), **tagged)
        with rasterio.open(path, "r+") as dataset:
            dataset.write_mask(mask)
    return path


@pytest.mark.parametrize(
    "kind", ["internal", "internal tagged", "sidecar", "sidecar tagged", "alpha"]
)
def test_masks_and_alpha_bands_hide(tmp_path: Path, kind: str) -> None:
    path = hide(tmp_path / "s2.tif", kind)
    checked = open_sentinel_2(path)
    image = checked.image.read(checked.image.grid)
    np.testing.assert_array_equal(image.valid, np.arange(64)[None].repeat(64, 0) < 40)
    np.testing.assert_allclose(
        image.values[..., :40], spectra(*LAND)[..., :40] * 1e-4, atol=1e-6
    )
    whole = slice(0, 64), slice(0, 64)
    thin = checked.image.read_part(whole, (16, 16))
    np.testing.assert_array_equal(
        np.isfinite(thin).all(0), np.arange(16)[None].repeat(16, 0) < 10
    )


def test_a_nodata_tag_that_no_value_can_have_is_known() -> None:
    tags = (-9999.0, None, 0.5, 255.0, float("nan"))
    assert misfits(tags[:4], ("uint16",) * 4) == [-9999, 0.5]
    assert len(misfits(tags[4:], ("uint8",))) == 1
    assert misfits(tags, ("float32",) * 5) == []


def test_numbers_of_a_sample_come_from_full_resolution(tmp_path: Path) -> None:
    values: NDArray[np.float32] = np.tile(backscatter(SHAPE), (1, 10, 10))
    values[:, ::2] = np.where(np.arange(640) % 3 == 0, -9999, values[:, ::2])
    path = write(tmp_path / "s1.tif", values, utm((640, 640)), tiled=True)
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4], rasterio.enums.Resampling.average)
    image, notes = read_s1(path)
    np.testing.assert_array_equal(image.valid, values[0] != -9999)
    assert "-9999 in all bands" in notes[0]
    assert len(notes) == 1


SUN = np.array([1959, 1823, 1512, 1425, 1288, 1163, 1036, 955, 245, 85])
"""Solar irradiance in W/m2/um, of Sentinel-2's ten bands at the top of the atmosphere."""


@pytest.mark.parametrize("covers", [LAND, ("soil", "town"), ("forest", "water")])
@pytest.mark.parametrize(
    ("factor", "dtype"),
    [(1, "float32"), (0.1, "float32"), (10, "uint16"), (100, "uint16")],
)
def test_radiance_is_refused(
    tmp_path: Path, covers: tuple[str, ...], factor: float, dtype: str
) -> None:
    """Times the cosine of 45 degrees over pi, as a sensor measures it."""
    radiance = spectra(*covers) * 1e-4 * SUN[:, None, None] * 0.7071 / np.pi
    path = write(tmp_path / "s2.tif", (radiance * factor).astype(dtype), utm())
    with pytest.raises(ValueError, match=r"s2\.tif: (bands up to|far darker in B12)"):
        open_sentinel_2(path)


def test_what_radiance_looks_like_is_said_in_words(tmp_path: Path) -> None:
    radiance = spectra(*LAND) * 1e-4 * SUN[:, None, None] * 0.7071 / np.pi
    path = write(tmp_path / "s2.tif", radiance.astype("f4"), utm())
    with pytest.raises(ValueError, match=r"s2\.tif: far darker in B12.*--trust"):
        open_sentinel_2(path)
    assert any("is it reflectance?" in n for n in read_s2(path, trust=True)[1])


@pytest.mark.parametrize("covers", [("water",), ("water", "snow"), ("snow",)])
def test_water_and_snow_are_no_radiance(
    tmp_path: Path, covers: tuple[str, ...]
) -> None:
    path = write(tmp_path / "s2.tif", spectra(*covers), utm())
    assert not any("far darker" in note for note in read_s2(path)[1])


def test_percent_in_which_vegetation_is_too_bright_is_refused(tmp_path: Path) -> None:
    values = (spectra(*LAND) * 0.04).astype("float32")
    path = write(tmp_path / "s2.tif", values, utm())
    with pytest.raises(ValueError, match=r"s2\.tif: bands up to .*vegetation in perc"):
        open_sentinel_2(path)
