"""Every loss by its name, as `overcast.learn.losses` has it."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
import torch

from overcast.learn import losses
from overcast.learn.recipe import State
from overcast.recipes.robust import Loss, Robust
from tests.learn.tiny import batch_of, tiny


@pytest.mark.parametrize("name", get_args(Loss))
def test_a_name_is_that_loss_on_known_pixels(name: Loss) -> None:
    batch, model = batch_of(1), tiny()
    recipe = Robust(loss=name, augment=False, drop=0)
    terms = recipe.terms(model, State(), {"labelled": batch})
    expected = getattr(losses, name)(model(batch), batch.labels)
    assert list(terms.losses) == [name]
    torch.testing.assert_close(terms.total, expected)


def test_losses_differ() -> None:
    found = {
        Robust(loss=name, augment=False, drop=0)
        .terms(tiny(), State(), {"labelled": batch_of(1)})
        .total.item()
        for name in get_args(Loss)
    }
    assert len(found) == len(get_args(Loss))


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ValueError, match="expected one of generalised_cross_entropy"):
        Robust(loss="huber")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"0 to 1, got 1\.5"):
        Robust(drop=1.5)
    batch = replace(batch_of(0), labels=None)
    with pytest.raises(ValueError, match="'labelled' gave a batch without labels"):
        Robust().terms(tiny(), State(), {"labelled": batch})
