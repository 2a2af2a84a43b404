"""Series of images: dates, mosaics, what is missing, and the grid that all cover."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from overcast.geo.series import at, chip_at, days_of, observations, shown_of
from overcast.geo.tiling import Window
from overcast.inputs import open_inputs
from overcast.plan import Data, ImageInput, MaskInput, ObservationInput
from tests.rasters import BANDS, SPECTRA, backscatter, utm, write

SHAPE = (32, 32)
GRID = utm(SHAPE)
FOREST, CROPS, SOIL = (SPECTRA[name] for name in ("forest", "crops", "soil"))


def spectrum(
    values: tuple[int, ...], shape: tuple[int, int] = SHAPE
) -> NDArray[np.uint16]:
    """Ten bands that are nearly alike everywhere."""
    noise = np.random.default_rng(0).integers(0, 30, (10, *shape))
    return (np.array(values)[:, None, None] + noise).astype(np.uint16)


def s2(folder: Path, name: str, values: NDArray[np.uint16], east: int = 600_000) -> str:
    grid = utm(values.shape[1:], east=east)
    return str(write(folder / name, values, grid, nodata=0, names=BANDS))


def optical(*dates: ObservationInput) -> Data:
    image = ImageInput(sensor="sentinel-2", offset=0, dates=dates)
    return Data(images={"s2": image}, trust=True)


def test_dates_are_images_of_their_own_in_order_of_time(tmp_path: Path) -> None:
    names = ("s2_20240803.tif", "s2_20240503.tif")
    paths = [
        s2(tmp_path, n, spectrum(v)) for n, v in zip(names, (SOIL, CROPS), strict=True)
    ]
    data = optical(*(ObservationInput(path=path) for path in paths))
    stack = open_inputs(data).stack
    days = (date(2024, 5, 3), date(2024, 8, 3))
    assert days_of(stack) == days
    assert set(stack.images) == {"s2@2024-05-03", "s2@2024-08-03"}
    assert list(stack.sensors) == ["s2"]
    chip = stack.read(Window(0, 0, 8, 8))
    seen = observations(chip.images, chip.moments, "s2")
    assert tuple(day for day, _ in seen) == days
    red = [image.values[2].mean() for _, image in seen]
    np.testing.assert_allclose(red, [0.1015, 0.1815], atol=2e-3)
    one, leading = chip_at(chip, date(2024, 8, 20))
    assert (leading, list(one.images), dict(one.moments)) == ("s2", ["s2"], {})
    np.testing.assert_array_equal(one.images["s2"].values, seen[1][1].values)
    assert open_inputs(
        optical(*reversed(data.images["s2"].dates))
    ).stack.images.keys() == (stack.images.keys())


def test_files_of_one_day_are_mosaicked_the_later_processing_first(
    tmp_path: Path,
) -> None:
    old = s2(
        tmp_path,
        "S2A_MSIL2A_20240503T105031_N0400_R051_T31UFS_20240503T120000.tif",
        spectrum(CROPS),
    )
    part = spectrum(SOIL)
    part[:, :, 16:] = 0
    new = s2(
        tmp_path,
        "S2A_MSIL2A_20240503T105031_N0510_R051_T31UFS_20240601T120000.tif",
        part,
    )
    beside = s2(tmp_path, "s2_20240503_east.tif", spectrum(FOREST), 600_320)
    data = optical(*(ObservationInput(path=path) for path in (old, beside, new)))
    stack = open_inputs(data).stack
    assert (set(stack.images), stack.shape, days_of(stack)) == ({"s2"}, (32, 64), ())
    red = stack.read(Window(0, 0, 32, 64)).images["s2"].values[2]
    assert np.isfinite(red).all()
    means = [float(red[:, i : i + 16].mean()) for i in (0, 16, 32, 48)]
    np.testing.assert_allclose(means, [0.1815, 0.1015, 0.0235, 0.0235], atol=2e-3)


def test_tiles_of_two_zones_are_one_observation_without_a_gap(tmp_path: Path) -> None:
    # 6 degrees east lies between zones 31 and 32.
    from odc.geo.geobox import GeoBox

    west = utm((64, 64), east=716_000, north=5_432_000, zone=31)
    there = west.footprint("EPSG:32632", 0).boundingbox
    east = GeoBox.from_bbox(
        (there.left + 320, there.bottom - 100, there.left + 1100, there.top + 100),
        "EPSG:32632",
        resolution=10,
    )
    paths = [
        write(
            tmp_path / f"s2_20240503_{n}.tif",
            spectrum(CROPS, tuple(g.shape)),
            g,
            nodata=0,
        )
        for n, g in (("w", west), ("e", east))
    ]
    data = optical(*(ObservationInput(path=str(path)) for path in paths))
    stack = open_inputs(data).stack
    assert set(stack.images) == {"s2"}
    assert stack.shape[1] > 90
    middle = stack.read(Window(25, 12, 40, 85)).images["s2"]
    assert middle.valid.all()
    np.testing.assert_allclose(middle.values[2], 0.1015, atol=3e-3)


def test_orbits_are_kept_apart(tmp_path: Path) -> None:
    names = [f"s1_2024-0{m}-03_{o}.tif" for m in (5, 6) for o in ("asc", "desc")]
    paths = [
        write(tmp_path / n, backscatter(SHAPE, k), GRID) for k, n in enumerate(names)
    ]
    dates = tuple(ObservationInput(path=str(path)) for path in paths)
    radar = ImageInput(sensor="sentinel-1", units="db", dates=dates)
    stack = open_inputs(Data(images={"s1": radar})).stack
    assert list(stack.sensors) == ["s1_ascending", "s1_descending"]
    assert len(days_of(stack)) == 2
    assert set(at(stack, date(2024, 5, 3)).images) == {"s1_ascending", "s1_descending"}


def test_a_mask_hides_its_date_and_what_is_around(tmp_path: Path) -> None:
    paths = [s2(tmp_path, f"s2_2024050{n}.tif", spectrum(CROPS)) for n in (3, 8)]
    classes = np.full((16, 16), 4, np.uint8)
    classes[8, 8] = 9
    scl = write(tmp_path / "scl.tif", classes, utm((16, 16), size=20))
    mask = MaskInput(path=str(scl), dilation=40)
    data = optical(
        ObservationInput(path=paths[0], mask=mask), ObservationInput(path=paths[1])
    )
    inputs = open_inputs(data)
    chip = inputs.stack.read(Window(0, 0, 32, 32))
    seen = observations(chip.images, chip.moments, "s2")
    valid = [image.valid for _, image in seen]
    assert valid[1].all()
    rows, columns = np.nonzero(~valid[0])
    # 40 m are four pixels around the two by two of a scene class.
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (12, 21, 12, 21)
    assert valid[0][12, 12]  # a disc, not a square
    assert "s2: masks of 1 of 2 files hide 0% to 0% of their own pixels" in inputs.notes


def test_without_a_time_it_is_refused_in_words(tmp_path: Path) -> None:
    paths = [s2(tmp_path, f"{n}.tif", spectrum(CROPS)) for n in ("a", "b")]
    data = optical(*(ObservationInput(path=path) for path in paths))
    with pytest.raises(
        ValueError, match=r"a\.tif: one of several files of s2.*--s2 2024-05"
    ):
        open_inputs(data)
    given = optical(
        ObservationInput(path=paths[0], day=date(2024, 5, 3)),
        ObservationInput(path=paths[1], day=date(2024, 6, 3)),
    )
    assert len(days_of(open_inputs(given).stack)) == 2


def test_dates_with_other_bands_are_refused(tmp_path: Path) -> None:
    first = s2(tmp_path, "s2_20240503.tif", spectrum(CROPS))
    few = spectrum(CROPS)[:3]
    second = str(
        write(tmp_path / "s2_20240603.tif", few, GRID, nodata=0, names=BANDS[:3])
    )
    data = optical(ObservationInput(path=first), ObservationInput(path=second))
    with pytest.raises(ValueError, match="dates of s2 must have the same bands"):
        open_inputs(data)


def test_either_a_path_or_dates() -> None:
    with pytest.raises(ValueError, match="either a path or dates"):
        ImageInput(sensor="sentinel-2")


def test_dates_that_saw_little_are_not_shown(tmp_path: Path) -> None:
    stack = open_inputs(
        optical(
            *(
                ObservationInput(
                    path=s2(tmp_path, f"s2_2024-0{n}-03.tif", spectrum(CROPS))
                )
                for n in range(1, 8)
            )
        )
    ).stack
    months = range(1, 8)
    clear = {date(2024, n, 3): 1.0 for n in months}
    shown = shown_of(stack, {"s2": clear}, most=2)
    assert list(shown) == ["s2@2024-01-03", "s2@2024-07-03"]
    seen = {day: float(day.month in (3, 4)) for day in clear}
    assert list(shown_of(stack, {"s2": seen})) == ["s2@2024-03-03", "s2@2024-04-03"]
