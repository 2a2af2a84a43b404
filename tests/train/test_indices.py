from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.arrays import ImageArray
from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Band, Sensor, from_db
from overcast.geo.raster import Image
from overcast.geo.stack import Chip, Stack
from overcast.geo.tiling import Window
from overcast.train import indices
from overcast.train.batch import Batch
from overcast.train.indices import chip_with_indices, indexed, stack_with_indices

GRID = GeoBox((6, 5), Affine.scale(10, -10), "EPSG:32632")
SENSORS = {"s1": SENTINEL_1, "s2": SENTINEL_2}
NAMES = ("NDVI", "EVI", "NDPolI")


def image(sensor: Sensor, seed: int = 0) -> Image:
    random = np.random.default_rng(seed)
    low = np.array([b.low for b in sensor.bands])[:, None, None] + 0.01
    high = np.array([b.high for b in sensor.bands])[:, None, None]
    shape = (len(sensor.bands), *GRID.shape)
    values = low + (high - low) * random.random(shape)
    values[:, 2, 3] = np.nan
    return Image.of(values.astype(np.float32), GRID, sensor)


def stack() -> Stack:
    return Stack(
        grid=GRID, images={n: ImageArray(image(s)) for n, s in SENSORS.items()}
    )


def band(of: Image, name: str) -> Any:
    return of.values[of.sensor.names.index(name)]


def test_formulas_are_those_of_their_papers() -> None:
    chip = stack_with_indices(stack(), NAMES).read(Window(0, 0, 6, 5))
    s1, s2 = chip.images["s1"], chip.images["s2"]
    assert s2.sensor.names == (*SENTINEL_2.names, "NDVI", "EVI")
    assert s1.sensor.names == ("VV", "VH", "NDPolI")
    red, blue, nir = (band(s2, n) for n in ("B04", "B02", "B08"))
    expected = {
        "NDVI": (nir - red) / (nir + red),
        "EVI": 2.5 * (nir - red) / (nir + 6 * red - 7.5 * blue + 1),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(band(s2, name), values, rtol=1e-5)
    vv, vh = (from_db(band(s1, n)) for n in ("VV", "VH"))
    np.testing.assert_allclose(band(s1, "NDPolI"), (vv - vh) / (vv + vh), rtol=1e-4)


def test_what_was_not_seen_has_no_index_and_all_else_has_one() -> None:
    plain = stack().read(Window(0, 0, 6, 5))
    dark = plain.images["s2"].values.copy()
    dark[:, 0, 0] = 0  # 0 / 0
    image = Image.of(dark, GRID, SENTINEL_2)
    chip = Chip(images={"s2": image}, labels=None, grid=GRID)
    found = chip_with_indices(chip, ["NDVI"]).images["s2"]
    assert found.values[-1, 0, 0] == 0
    assert np.isnan(found.values[-1, 2, 3])
    np.testing.assert_array_equal(found.valid, image.valid)
    np.testing.assert_array_equal(found.values[:-1], image.values)


def test_a_chip_and_a_stack_give_the_same() -> None:
    one = stack_with_indices(stack(), NAMES).read(Window(1, 0, 4, 5))
    other = chip_with_indices(stack().read(Window(1, 0, 4, 5)), NAMES)
    for name in SENSORS:
        assert one.images[name].sensor == other.images[name].sensor
        np.testing.assert_array_equal(
            one.images[name].values, other.images[name].values
        )
    batch = Batch.of([one])
    ndvi = one.images["s2"].values[-2]
    seen = one.images["s2"].valid
    scaled = batch.images["s2"][0, -2].numpy()
    np.testing.assert_allclose(scaled[seen], (ndvi[seen] + 1) / 2, rtol=1e-5)


def test_no_indices_change_nothing() -> None:
    plain = stack()
    assert stack_with_indices(plain, ()) is plain
    assert stack_with_indices(plain, ["NDVI"]).images["s1"] is plain.images["s1"]


def test_bands_are_told_by_their_names() -> None:
    names = ("blue", "green", "red", "nir")
    bands = tuple(Band(n, "reflectance", 0.0, 0.5) for n in names)
    user = Sensor("planet", "optical", bands)
    sensors = {"s1": SENTINEL_1, "p": user, "s2": SENTINEL_2}
    found = indexed(sensors, ["NDWI", "NDMI"])
    assert found["p"].names == (*names, "NDWI")
    assert found["s2"].names == (*SENTINEL_2.names, "NDMI")
    values = np.full((4, *GRID.shape), 0.1, np.float32)
    values[1] = 0.3
    chip = Chip(images={"p": Image.of(values, GRID, user)}, labels=None, grid=GRID)
    water = chip_with_indices(chip, ["NDWI"]).images["p"].values[-1]
    np.testing.assert_allclose(water, 0.5, rtol=1e-5)


def test_targets_get_none() -> None:
    clear = replace(stack(), targets=frozenset({"s2"}))
    with pytest.raises(ValueError, match="no image has the bands of NDVI"):
        stack_with_indices(clear, ["NDVI"])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["NDVII"], r"no index 'NDVII'; did you mean (NDVI|NDII)\?"),
        (["NDVI", "NDVI"], "NDVI is named twice"),
        (["RFDI"], r"bands of RFDI \(HH, HV\); s1: VV, VH"),
        (["kNDVI"], "no image has the bands of kNDVI"),
    ],
)
def test_what_can_not_be_is_said(names: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        indexed(SENSORS, names)


def test_without_spyndex_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(indices, "import_module", missing)
    indices._catalogue.cache_clear()
    with pytest.raises(ValueError, match=r"pip install 'overcast\[indices\]'"):
        indexed(SENSORS, ["NDVI"])
