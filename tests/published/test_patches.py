from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from bench.published.patches import (
    NINE,
    SENSORS,
    TEN,
    Epochs,
    assess,
    classify,
    draw_pixels,
    read_chip,
    some,
    whole,
)

from overcast.datasets.dataset import Dataset, Patch
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Chip
from overcast.progress import quiet


class Always:
    """Says the same class everywhere."""

    legend, sensors, halo = NINE, SENSORS, 0

    def __init__(self, index: int) -> None:
        self.index = index

    def predict(self, chip: Chip) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        found = np.zeros((len(NINE), *chip.grid.shape), np.float32)
        found[self.index] = 1
        return found


def test_values_lie_in_the_papers_ranges(local: Dataset) -> None:
    for patch in local.split("test"):
        chip = read_chip(patch, "S1+S2", "fine")
        for name, (low, high) in {"s1": (-25, 0), "s2": (0, 1)}.items():
            image = chip.images[name]
            assert np.nanmin(image.values) >= low
            assert np.nanmax(image.values) <= high
            scaled = image.sensor.to_network(image.values)
            expected = (np.nan_to_num(image.values, nan=low) - low) / (high - low)
            assert np.abs(scaled - expected).max() < 1e-6


def test_a_chip_has_the_images_asked_for(local: Dataset) -> None:
    patch = local.split("test")[0]
    assert set(read_chip(patch, "S2 only", None).images) == {"s2"}
    assert set(read_chip(patch, "S1+S2", None).images) == {"s1", "s2"}


def test_savanna_is_not_known_and_all_else_stays(world: Dataset) -> None:
    seen = set()
    for patch in world.split("train"):
        source = patch.labels("coarse")
        ten = source.read(source.grid).values
        labels = read_chip(patch, "S2 only", "coarse").labels
        assert labels is not None
        nine = labels.values
        savanna = ten == TEN.names.index("Savanna")
        assert (nine[savanna] == UNKNOWN).all()
        for index in np.unique(ten[~savanna]):
            (there,) = np.unique(nine[ten == index])
            assert NINE.names[there] == TEN.names[index]
            seen.add(TEN.names[index])
    assert len(seen) > 4


def test_nan_in_sar_is_not_the_brightest_value(world: Dataset) -> None:
    (damaged,) = [p for p in world.split("train") if p.name.endswith("146_p202")]
    image = read_chip(damaged, "S1+S2", "coarse").images["s1"]
    assert not image.valid[20:90, 30:70].any()
    assert np.isnan(image.values[:, 20:90, 30:70]).all()
    assert image.valid[100:].all()
    assert (image.sensor.to_network(image.values)[:, 20:90, 30:70] == 0).all()


def test_some_are_spread_evenly() -> None:
    patches = [Patch(str(n), "", "", None) for n in range(9)]  # type: ignore[arg-type]
    assert [p.name for p in some(patches, 3)] == ["0", "4", "8"]
    assert some(patches, None) == some(patches, 12) == patches


def test_an_epoch_shows_every_patch_once(world: Dataset) -> None:
    read: list[str] = []

    def note(patch: Patch) -> Chip:
        read.append(patch.name)
        return read_chip(patch, "S2 only", "coarse")

    patches = world.split("train")
    epochs = Epochs(patches, note, batch=4, seed=3)
    assert epochs.length == 2
    for step in range(4):
        epochs(step)
    assert Counter(read) == {patch.name: 2 for patch in patches}
    assert read[:8] != read[8:]  # in another order


def test_batches_are_a_function_of_the_step(world: Dataset) -> None:
    def read(patch: Patch) -> Chip:
        return read_chip(patch, "S2 only", "coarse")

    patches = world.split("train")
    one, other = (Epochs(patches, read, batch=2, seed=1) for _ in range(2))
    one(0)
    a, b = one(5), other(5)
    assert (a.images["s2"] == b.images["s2"]).all()
    with pytest.raises(ValueError, match="don't fill a batch of 99"):
        Epochs(patches, read, batch=99, seed=0)


def test_drawn_pixels_keep_their_class(world: Dataset) -> None:
    patches = world.split("train")
    stack = draw_pixels(patches, "S1+S2", 800, 0, quiet)
    chip = stack.read(whole(stack))
    assert chip.labels is not None
    known = chip.labels.valid
    assert 600 < known.sum() <= 800  # one patch is mostly Savanna
    assert np.isfinite(chip.images["s1"].values[:, known]).all()
    table: dict[bytes, int] = {}
    for patch in patches:
        there = read_chip(patch, "S1+S2", "coarse")
        assert there.labels is not None
        bands = np.concatenate([i.values for i in there.images.values()])
        pairs = zip(bands.reshape(12, -1).T, there.labels.values.ravel(), strict=True)
        table |= {pixel.tobytes(): int(label) for pixel, label in pairs}
    drawn = np.concatenate([i.values for i in chip.images.values()])[:, known].T
    for pixel, label in zip(drawn, chip.labels.values[known], strict=True):
        assert table[np.ascontiguousarray(pixel).tobytes()] == label


def test_assesses_all_patches_together(local: Dataset) -> None:
    patches = local.split("validation")
    water = NINE.names.index("Water")
    found = assess(
        Always(water), patches, lambda p: read_chip(p, "S2 only", "fine"), quiet
    )
    assert found.counts[:, water].sum() == found.counts.sum()
    assert found.counts.sum() == len(patches) * 128 * 128
    assert found.average_accuracy == pytest.approx(1 / (found.support > 0).sum())


def test_what_no_sensor_saw_stays_unknown(local: Dataset) -> None:
    chip = read_chip(local.split("test")[0], "S2 only", None)
    chip.images["s2"].valid[:7] = False
    mapped = classify(Always(2), chip).values
    assert (mapped[:7] == UNKNOWN).all()
    assert (mapped[7:] == 2).all()
