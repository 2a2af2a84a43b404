"""Accuracy of pseudo-labels is counted right, and its truth is taken out of sight."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import maximum_filter, minimum_filter

from overcast.recipes.dllr.pseudo_label_accuracy import (
    CLASS_NUMBERS,
    accuracy_gauges,
    near_edges,
    split_truth,
)
from overcast.train.batch import IGNORE, Batch
from tests.train.tiny import batch_of


def with_truth(classes: torch.Tensor) -> Batch:
    """A batch whose target ``truth`` holds classes, NaN and invalid if unknown."""
    batch = batch_of(0)
    values = np.where(classes == IGNORE, np.nan, classes).astype(np.float32)
    stored = np.stack([CLASS_NUMBERS.to_network(one[None]) for one in values])
    return Batch(
        images={**batch.images, "truth": torch.from_numpy(stored)},
        valid={**batch.valid, "truth": classes != IGNORE},
        labels=batch.labels,
    )


def test_truth_survives_network_units_and_leaves_the_batch() -> None:
    classes = torch.randint(0, 200, (4, 8, 8))
    classes[0, 0] = IGNORE
    batch, truth = split_truth(with_truth(classes), "truth")
    assert truth is not None
    assert torch.equal(truth, classes)
    assert set(batch.images) == set(batch.valid) == {"s1", "s2"}
    assert batch.labels is not None


def test_without_a_name_there_is_no_truth() -> None:
    given = batch_of(0)
    batch, truth = split_truth(given, "")
    assert truth is None
    assert batch is given


@pytest.mark.parametrize("name", ["s1", "twin"])
def test_truth_must_be_an_image_of_one_band(name: str) -> None:
    with pytest.raises(ValueError, match=f"truth '{name}' must be an image of one"):
        split_truth(batch_of(0), name)


def test_near_edges_are_those_of_filters() -> None:
    truth = torch.randint(0, 2, (1, 5, 7)).repeat_interleave(6, 1)
    truth = truth.repeat_interleave(6, 2)
    values = truth[0].numpy()
    expected = maximum_filter(values, 7) != minimum_filter(values, 7)
    assert 0 < expected.mean() < 1
    np.testing.assert_array_equal(near_edges(truth)[0].numpy(), expected)


def test_unknown_pixels_make_no_edges() -> None:
    truth = torch.full((1, 9, 9), 2)
    truth[0, 4, 4] = IGNORE
    assert not near_edges(truth).any()


def test_gauges_by_hand() -> None:
    truth = torch.zeros(1, 1, 12, dtype=torch.int64)
    truth[..., 8:] = 1
    truth[..., 11] = IGNORE
    one = truth.clone()
    one[..., :2] = 1
    one[..., 8] = 0
    two = truth.clone()
    two[..., 10] = IGNORE
    found = {
        k: v.item() for k, v in accuracy_gauges({"a": one, "b": two}, truth, 3).items()
    }
    # 0 to 9 are known to all: 0, 1 and 8 are wrong in a; 5 to 9 are near the edge.
    assert found == pytest.approx(
        {
            "right a": 0.7,
            "right b": 1.0,
            "pixels edge": 0.5,
            "right a edge": 0.8,
            "right b edge": 1.0,
            "pixels of 0": 0.8,
            "right a of 0": 0.75,
            "right b of 0": 1.0,
            "pixels of 1": 0.2,
            "right a of 1": 0.5,
            "right b of 1": 1.0,
            "pixels of 2": 0.0,
            "right a of 2": 0.0,
            "right b of 2": 0.0,
        }
    )
