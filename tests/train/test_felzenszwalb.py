"""Superpixels of a scene as an image: functions of place, computed once."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.segmentation import felzenszwalb

from overcast.geo.arrays import ImageArray
from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Band, Sensor
from overcast.geo.raster import Image
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.train import felzenszwalb as module
from overcast.train.batch import Batch
from overcast.train.felzenszwalb import NUMBERS, SENSOR, Superpixels, with_superpixels
from tests.rasters import backscatter, utm

SHAPE = (150, 130)


def optical(shape: tuple[int, int] = SHAPE) -> ImageArray:
    """Four fields and noise; a corner was not seen."""
    random = np.random.default_rng(0)
    y, x = np.indices(shape)
    fields = 0.05 + 0.06 * (2 * (y > shape[0] // 2) + (x > shape[1] // 3))
    values = fields + random.normal(0, 0.002, (10, *shape))
    values[:, -9:, -9:] = np.nan
    return ImageArray(Image.of(values.astype(np.float32), utm(shape), SENTINEL_2))


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TILE_PX", 48)


def numbers(source: Superpixels, window: Window | None = None) -> NDArray[np.float32]:
    grid = source.grid if window is None else source.grid[window.slices]
    values: NDArray[np.float32] = source.read(grid).values[0]
    return values


def test_is_scikit_images_of_red_green_and_blue() -> None:
    image = optical()
    found = numbers(Superpixels(image=image, grid=image.grid))
    values = SENTINEL_2.to_network(image.read(image.grid).values)[[2, 1, 0]]
    expected = felzenszwalb(
        np.moveaxis(values.clip(0, 1), 0, -1), scale=200, sigma=0.5, min_size=30
    )
    known = np.isfinite(found)
    assert (known == image.image.valid).all()
    assert (found == expected)[known].all()
    assert len(np.unique(found[known])) >= 4


@pytest.mark.usefixtures("small_tiles")
def test_a_number_depends_on_its_place_alone() -> None:
    image = optical()
    whole = numbers(Superpixels(image=image, grid=image.grid))
    for window in (
        Window(0, 0, 20, 30),
        Window(40, 30, 77, 99),
        Window(96, 96, 48, 34),
    ):
        part = numbers(Superpixels(image=image, grid=image.grid), window)
        np.testing.assert_array_equal(part, whole[window.slices])


@pytest.mark.usefixtures("small_tiles")
def test_numbers_of_neighbouring_tiles_differ() -> None:
    image = optical()
    whole = numbers(Superpixels(image=image, grid=image.grid))
    tiles = [whole[y : y + 48, x : x + 48] for y in (0, 48, 96) for x in (0, 48, 96)]
    seen = [set(np.unique(tile[np.isfinite(tile)])) for tile in tiles]
    assert sum(map(len, seen)) == len(set.union(*seen))


@pytest.mark.usefixtures("small_tiles")
def test_every_tile_is_computed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    original = module._algorithm()

    def counted(*args: Any, **settings: Any) -> Any:
        calls.append(1)
        return original(*args, **settings)

    monkeypatch.setattr(module, "_algorithm", lambda: counted)
    image = optical()
    source = Superpixels(image=image, grid=image.grid, folder=tmp_path / "kept")
    threads = [threading.Thread(target=numbers, args=(source,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 4 * 3
    later = Superpixels(image=image, grid=image.grid, folder=tmp_path / "kept")
    np.testing.assert_array_equal(numbers(later), numbers(source))
    assert len(calls) == 4 * 3


def test_numbers_survive_network_units() -> None:
    """The largest number that there can be, and its neighbour."""
    values = np.array([[[NUMBERS - 1, NUMBERS - 2, 0]]], np.float32)
    stored = SENSOR.to_network(values).astype(np.float64) * NUMBERS
    np.testing.assert_array_equal(stored, values)


def test_joins_a_stack_as_a_target() -> None:
    image = optical()
    radar = Image.of(backscatter(SHAPE), image.grid, SENTINEL_1)
    stack = Stack(grid=image.grid, images={"s1": ImageArray(radar), "s2": image})
    more = with_superpixels(stack)
    assert more.sensors == stack.sensors
    assert more.targets == {"superpixels"}
    batch = Batch.of([more.read(Window(3, 5, 60, 70))])
    expected = numbers(Superpixels(image=image, grid=image.grid), Window(3, 5, 60, 70))
    np.testing.assert_array_equal(batch.images["superpixels"][0, 0] * NUMBERS, expected)


@pytest.mark.parametrize("bands", [1, 2, 3, 5])
def test_any_sensor_has_some(bands: int) -> None:
    random, image = np.random.default_rng(0), optical()
    sensor = Sensor(
        "x", "sar", tuple(Band(f"b{i}", "dB", -20, 0) for i in range(bands))
    )
    values = random.normal(-10, 2, (bands, *SHAPE)).astype(np.float32)
    values[:, :, 60:] += 9
    radar = ImageArray(Image.of(values, image.grid, sensor))
    stack = with_superpixels(Stack(grid=image.grid, images={"x": radar}))
    found = stack.images["superpixels"].read(stack.grid).values[0]
    assert np.isfinite(found).all()
    assert not set(np.unique(found[:, :50])) & set(np.unique(found[:, 70:]))


def test_another_grid_is_refused() -> None:
    image = optical()
    source = Superpixels(image=image, grid=image.grid)
    with pytest.raises(ValueError, match="on the grid they were made for"):
        source.read(utm(SHAPE, size=20))
    with pytest.raises(ValueError, match="least is 3 pixels"):
        replace(source, least=3)
