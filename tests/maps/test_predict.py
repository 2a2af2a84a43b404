"""Prediction: geometry, nodata, going on after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.arrays import ImageArray
from overcast.geo.bands import Band, Sensor
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import UNKNOWN, Image
from overcast.geo.stack import Chip, Stack
from overcast.geo.tiling import Tiling
from overcast.maps import predict as predict_module
from overcast.maps.ensemble import Ensemble
from overcast.maps.predict import RawMap, predict, probabilities

SENSOR = Sensor("two", "optical", (Band("a", "px", 0, 1), Band("b", "px", 0, 1)))
LEGEND = Legend("two", (LandClass(7, "low", "112233"), LandClass(3, "high", "445566")))
SHAPES = [(97, 70), (70, 97), (33, 20), (20, 33), (150, 32)]


def stack_of(values: NDArray[np.float32]) -> Stack:
    affine = Affine(10, 0, 500_000, 0, -10, 4_000_000)
    grid = GeoBox(values.shape[1:], affine, "EPSG:32633")
    return Stack(grid=grid, images={"x": ImageArray(Image.of(values, grid, SENSOR))})


def random_stack(shape: tuple[int, int], seed: int = 0) -> Stack:
    values = np.random.default_rng(seed).random((2, *shape), np.float32)
    return stack_of(values / values.sum(0))


@dataclass
class Identity:
    """Returns its input; fails at window number `fails`, as a kill would."""

    fails: int = -1
    legend: Legend = LEGEND
    halo: int = 0
    sensors: Mapping[str, Sensor] = field(default_factory=lambda: {"x": SENSOR})
    calls: int = 0

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        self.calls += 1
        if self.calls == self.fails:
            raise InterruptedError
        return chip.images["x"].values


def read(raw: RawMap) -> tuple[bytes, bytes]:
    return raw.classes.read_bytes(), raw.confidence.read_bytes()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("tiling", [Tiling(32, 8), Tiling(32, 24), Tiling(32)])
def test_coordinates_come_back_to_a_twentieth_of_a_pixel(
    shape: tuple[int, int], tiling: Tiling
) -> None:
    """The bar of issue 2, borders and seams included."""
    truth = np.stack(np.mgrid[: shape[0], : shape[1]]).astype(np.float32) + 0.5
    got = np.full_like(truth, np.nan)
    for window, band in probabilities(Identity(), stack_of(truth), tiling):
        got[(slice(None), *window.slices)] = band
    assert np.abs(got - truth).max() < 0.05


@pytest.mark.parametrize("shape", SHAPES)
def test_class_is_the_most_probable_and_confidence_its_probability(
    tmp_path: Path, shape: tuple[int, int]
) -> None:
    stack = random_stack(shape)
    raw = predict(Identity(), stack, Tiling(32, 8), tmp_path)
    classes, confidence = raw.rows(0, shape[0])
    values = stack.read(next(Tiling(999).windows(shape))).images["x"].values
    sure = np.abs(values[0] - values[1]) > 1e-5
    assert np.array_equal(classes[sure], values.argmax(0)[sure])
    assert np.abs(confidence - values.max(0)).max() <= 0.5 / 256 + 1e-5
    assert np.array_equal(confidence * 256, np.rint(confidence * 256))


@pytest.mark.parametrize("shape", SHAPES)
def test_probabilities_are_kept_on_demand(
    tmp_path: Path, shape: tuple[int, int]
) -> None:
    stack = random_stack(shape)
    values = stack.read(next(Tiling(999).windows(shape))).images["x"].values
    plain = predict(Identity(), stack, Tiling(32, 8), tmp_path, "k")
    expected = read(plain)
    with pytest.raises(ValueError, match="not kept"):
        plain.probability_rows(0, 1)
    # Another number of files: nothing of the earlier attempt can be gone on with.
    raw = predict(Identity(), stack, Tiling(32, 8), tmp_path, "k", keep=True)
    assert read(raw) == expected
    got = raw.probability_rows(3, shape[0])
    assert got.dtype == np.uint8
    assert np.abs(got / 254 - values[:, 3:]).max() <= 0.5 / 254 + 1e-5


def test_kept_probabilities_go_on_after_a_kill(tmp_path: Path) -> None:
    stack, tiling = random_stack((70, 97)), Tiling(16, 10)
    found = []
    for name, fails in (("a", ()), ("b", (8,))):
        folder = tmp_path / name
        folder.mkdir()
        for kill in fails:
            with pytest.raises(InterruptedError):
                predict(Identity(kill), stack, tiling, folder, "k", keep=True)
        raw = predict(Identity(), stack, tiling, folder, "k", keep=True)
        found.append(raw.probability_rows(0, 70))
    assert np.array_equal(*found)


def test_unseen_pixels_are_nodata_and_unseen_windows_are_skipped(
    tmp_path: Path,
) -> None:
    values = np.full((2, 96, 64), 0.5, np.float32)
    values[:, 30:90] = np.nan
    values[:, 5, 6] = np.nan
    stack, predictor = stack_of(values), Identity()
    raw = predict(predictor, stack, Tiling(16, 4), tmp_path, keep=True)
    classes, confidence = raw.rows(0, 96)
    unseen = np.isnan(values[0])
    assert np.array_equal(classes == UNKNOWN, unseen)
    assert np.array_equal(np.isnan(confidence), unseen)
    assert all(
        np.array_equal(p == UNKNOWN, unseen) for p in raw.probability_rows(0, 96)
    )
    assert np.all(confidence[~unseen] == 0.5)
    seen = [not unseen[w.slices].all() for w in Tiling(16, 4).windows((96, 64))]
    assert predictor.calls == sum(seen) < len(seen)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fails", [1, 4, 8])
def test_goes_on_with_the_same_bytes(
    tmp_path: Path, shape: tuple[int, int], fails: int
) -> None:
    stack, tiling = random_stack(shape), Tiling(16, 10)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    calm = Identity()
    expected = read(predict(calm, stack, tiling, tmp_path / "a", "k"))
    with pytest.raises(InterruptedError):
        predict(Identity(fails), stack, tiling, tmp_path / "b", "k")
    again = Identity()
    assert read(predict(again, stack, tiling, tmp_path / "b", "k")) == expected
    done = Identity()
    assert read(predict(done, stack, tiling, tmp_path / "b", "k")) == expected
    assert done.calls == 0


def test_another_key_starts_anew_even_after_a_kill_in_between(tmp_path: Path) -> None:
    tiling, one, two = Tiling(16, 4), random_stack((60, 40)), random_stack((60, 40), 1)
    expected = read(predict(Identity(), one, tiling, tmp_path, "one"))
    with pytest.raises(InterruptedError):
        predict(Identity(fails=1), two, tiling, tmp_path, "two")
    assert read(predict(Identity(), one, tiling, tmp_path, "one")) == expected
    assert read(predict(Identity(), two, tiling, tmp_path, "two")) != expected


def test_survives_a_real_kill(tmp_path: Path) -> None:
    """SIGKILL in the middle, from the computing thread of another process."""
    (tmp_path / "calm").mkdir()
    stack, tiling = random_stack((150, 32)), Tiling(16, 4)
    expected = read(predict(Identity(), stack, tiling, tmp_path / "calm", "k"))
    code = f"""
import os, signal, pathlib
from overcast.geo.tiling import Tiling
from overcast.maps.predict import predict
from tests.maps.test_predict import Identity, random_stack
class Killed(Identity):
    def predict(self, chip):
        self.calls += 1
        if self.calls == 20:
            os.kill(os.getpid(), signal.SIGKILL)
        return chip.images["x"].values
predict(Killed(), random_stack((150, 32)), Tiling(16, 4),
        pathlib.Path({str(tmp_path)!r}), "k")
"""
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=os.environ, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    journal = json.loads((tmp_path / "journal.json").read_text())
    assert 0 < journal["done"] < 150
    again = Identity()
    assert read(predict(again, stack, tiling, tmp_path, "k")) == expected
    assert again.calls < sum(1 for _ in tiling.windows(stack.shape)) - 9


def test_an_error_while_reading_ends_the_run(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Broken:
        inner: ImageArray

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

        def read(self, grid: GeoBox) -> Image:
            raise OSError("block 7 is damaged")

    stack = random_stack((40, 40))
    broken = Stack(grid=stack.grid, images={"x": Broken(stack.images["x"])})
    with pytest.raises(OSError, match="block 7"):
        predict(Identity(), broken, Tiling(16, 4), tmp_path)


@dataclass
class Slow(Identity):
    """Takes longer for some windows, so that others overtake; counts those at once."""

    threaded: bool = True
    at_work: int = 0
    most: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        with self.lock:
            self.at_work += 1
            self.most = max(self.most, self.at_work)
        time.sleep(0.01 * float(chip.images["x"].values[0, 0, 0]))
        with self.lock:
            self.at_work -= 1
            return super().predict(chip)


@dataclass
class Around:
    """A predictor made of another one."""

    predictor: Identity
    legend: Legend = LEGEND
    halo: int = 0
    sensors: Mapping[str, Sensor] = field(default_factory=lambda: {"x": SENSOR})

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        return self.predictor.predict(chip)


@pytest.mark.parametrize("shape", SHAPES)
def test_threads_change_no_byte(
    tmp_path: Path, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, made = random_stack(shape), []
    for threads in (1, 2, 4):
        monkeypatch.setattr(predict_module, "count", lambda n=threads: n)
        predictor, folder = Slow(), tmp_path / str(threads)
        folder.mkdir()
        raw = predict(predictor, stack, Tiling(16, 4), folder, keep=True)
        assert raw.probabilities is not None
        made.append((*read(raw), raw.probabilities.read_bytes()))
        assert predictor.most <= threads
    assert made[0] == made[1] == made[2]


def test_several_windows_are_predicted_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(3, timeout=60)

    class Meeting(Identity):
        threaded = True

        def predict(self, chip: Chip) -> NDArray[np.float32]:
            together.wait()
            return chip.images["x"].values

    monkeypatch.setattr(predict_module, "count", lambda: 3)
    # 6 windows: nobody waits for more than there are.
    predict(Meeting(), random_stack((36, 24)), Tiling(16, 4), tmp_path)
    assert not together.broken


@pytest.mark.parametrize(
    ("predictor", "most"),
    [
        (Slow(), 3),
        (Slow(threaded=False), 1),
        (Around(Slow()), 3),
        (Around(Slow(threaded=False)), 1),
        (Ensemble((Slow(), Slow())), 3),
        (Ensemble((Slow(), Slow(threaded=False))), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_those_who_may_are_asked_at_once(
    tmp_path: Path, predictor: Any, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict_module, "count", lambda: 3)
    predict(predictor, random_stack((97, 70)), Tiling(16, 4), tmp_path)
    inner = getattr(predictor, "predictor", predictor)
    first = getattr(inner, "members", (inner,))[0]
    assert 1 <= first.most <= most


def test_a_failure_in_a_thread_is_raised_and_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, tiling = random_stack((97, 70)), Tiling(16, 4)
    whole = tmp_path / "whole"
    whole.mkdir()
    expected = read(predict(Identity(), stack, tiling, whole, "key"))
    monkeypatch.setattr(predict_module, "count", lambda: 3)
    with pytest.raises(InterruptedError):
        predict(Slow(fails=20), stack, tiling, tmp_path, "key")
    assert json.loads((tmp_path / "journal.json").read_text())["done"] > 0
    assert read(predict(Slow(), stack, tiling, tmp_path, "key")) == expected
