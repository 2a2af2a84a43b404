"""What can't be in memory is refused in a sentence before it is begun."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from overcast import memory
from overcast.errors import MACHINE, MachineError, explain
from overcast.geo.dataset import MOST_PIXELS, open_raster
from overcast.geo.tiling import Tiling
from overcast.maps.predict import predict
from overcast.maps.views import Viewed, views_of
from overcast.methods.weak.clusters import neighbours
from tests.maps.test_predict import Identity, random_stack


def test_what_is_free_is_known_on_linux() -> None:
    free = memory.available()
    assert free is None or 1 << 20 < free < 1 << 50


def test_work_that_fits_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 1000)
    memory.need(1000, "a window", "take a smaller one")
    with pytest.raises(MachineError) as refusal:
        memory.need(2**31, "a window", "take a smaller one")
    assert explain(refusal.value) == (
        MACHINE,
        "a window: needs 2 GB of memory or more, and 9.31e-07 GB are free; take a "
        "smaller one",
    )


def test_a_system_that_says_nothing_refuses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "available", lambda: None)
    memory.need(1e30, "a window", "take a smaller one")


def test_windows_that_no_memory_holds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = random_stack((64, 64))
    monkeypatch.setattr(memory, "available", lambda: 64 * 64 * 4)
    with pytest.raises(MachineError, match=r"windows of 64 pixels: needs .* GB"):
        predict(Identity(), stack, Tiling(64, 0), tmp_path)
    predict(Identity(), stack, Tiling(16, 0), tmp_path)


def test_views_that_no_memory_holds_are_refused_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One window fits; the view of it at a scale of 1.25 beside it does not."""
    stack, one = random_stack((64, 64)), Identity()
    bands = sum(len(sensor.bands) for sensor in stack.sensors.values())
    plain = 4 * 64 * 64 * (bands + 2 * len(one.legend))
    seen = 4 * 64 * 64 * 1.25**2 * (bands + len(one.legend))
    monkeypatch.setattr(memory, "available", lambda: int(plain + seen) - 1)
    for name in ("one", "all"):
        (tmp_path / name).mkdir()
    predict(one, stack, Tiling(64, 0), tmp_path / "one")
    with pytest.raises(MachineError, match=r"64 pixels in 24 views: .* fewer --views"):
        predict(Viewed(one, views_of(24)), stack, Tiling(64, 0), tmp_path / "all")


def test_many_clusters_take_little_memory() -> None:
    """All differences of 1500 centres at once would be 216 MB; by parts it's some MB."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(1500, 12)).astype(np.float32)
    tracemalloc.start()
    edges = neighbours({"seen.0": np.ones(12), "centres.0.0": centres}, 0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 80 << 20
    square = ((centres[:3, None] - centres[None]) ** 2).sum(-1)
    for number, away in enumerate(square):
        nearest = set(np.argsort(away)[1:7].tolist())
        assert nearest <= set(edges[[number]].indices.tolist())


def test_a_raster_of_more_pixels_than_are_allowed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.vrt"
    path.write_text(
        '<VRTDataset rasterXSize="2000" rasterYSize="1000"><SRS>EPSG:32632</SRS>'
        "<GeoTransform>600000,10,0,5300000,0,-10</GeoTransform>"
        '<VRTRasterBand dataType="Byte" band="1"/></VRTDataset>'
    )
    assert open_raster(path).shape == (1000, 2000)
    monkeypatch.setenv(MOST_PIXELS, "1e6")
    with pytest.raises(ValueError, match=r"a\.vrt: 2000 x 1000 pixels; at most 1e\+06"):
        open_raster(path)
    monkeypatch.setenv(MOST_PIXELS, "many")
    with pytest.raises(
        ValueError, match="OVERCAST_MOST_PIXELS=many: expected a number"
    ):
        open_raster(path)
