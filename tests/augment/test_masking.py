"""Asymmetric masks: their shares, places and blocks."""

from __future__ import annotations

import pytest
import torch

from overcast.augment.masking import Masking
from overcast.train.batch import Batch
from tests.train.tiny import batch_of


def test_masks_hide_their_shares_in_different_places() -> None:
    whole = torch.ones(200, 16, 16, dtype=torch.bool)
    batch = Batch(
        images={n: torch.zeros(200, 1, 16, 16) for n in ("s1", "s2", "dem")},
        valid={n: whole for n in ("s1", "s2", "dem")},
    )
    valid = Masking(optical=0.5, radar=0.2, block=4).hide(batch, "s2", "s1").valid
    assert valid["s2"].float().mean().item() == pytest.approx(0.5, abs=0.03)
    assert valid["s1"].float().mean().item() == pytest.approx(0.8, abs=0.03)
    assert (valid["s1"] | valid["s2"]).all()
    assert torch.equal(valid["dem"], whole)
    blocks = valid["s2"].unflatten(1, (4, 4)).unflatten(3, (4, 4)).float()
    assert set(blocks.mean((2, 4)).unique().tolist()) == {0.0, 1.0}


def test_masks_uncover_nothing() -> None:
    batch = batch_of(1)
    hidden = Masking(block=2).hide(batch, "s2", "s1")
    for name, valid in hidden.valid.items():
        assert not (valid & ~batch.valid[name]).any()


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="block is 0; expected 1"):
        Masking(block=0)
