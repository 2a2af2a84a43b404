"""Cross-entropy on the labels as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from overcast.learn.recipe import State
from overcast.recipes.supervised import Supervised
from tests.learn.tiny import batch_of, tiny


def test_without_augmentation_it_is_cross_entropy_on_known_pixels() -> None:
    batch, model = batch_of(1), tiny()
    terms = Supervised(augment=False, drop=0).terms(model, State(), {"labelled": batch})
    expected = F.cross_entropy(model(batch), batch.labels, ignore_index=255)
    torch.testing.assert_close(terms.total, expected)


def test_a_dropped_sensor_changes_the_loss() -> None:
    batch, model = batch_of(1), tiny()
    losses = [
        Supervised(augment=False, drop=drop)
        .terms(model, State(), {"labelled": batch})
        .total.item()
        for drop in (0.0, 1.0)
    ]
    assert losses[0] != losses[1]


def test_labels_are_required() -> None:
    batch = replace(batch_of(0), labels=None)
    with pytest.raises(ValueError, match="'labelled' gave a batch without labels"):
        Supervised().terms(tiny(), State(), {"labelled": batch})


def test_drop_is_a_probability() -> None:
    with pytest.raises(ValueError, match=r"0 to 1, got 1\.5"):
        Supervised(drop=1.5)
