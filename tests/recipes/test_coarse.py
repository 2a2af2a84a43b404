"""Losses of areas: what each compares, by slow and obvious sums over pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from overcast.recipes.coarse import Coarse, Loss
from overcast.train.batch import IGNORE, Batch
from tests.train.tiny import CLASSES, batch_of, tiny

PLAIN: dict[str, Any] = {"augment": False, "drop": 0.0}
MEAN = ((0.6, 0.3, 0.1), (0.1, 0.8, 0.1), (0.2, 0.3, 0.5))
TRANSITION = ((0.7, 0.2, 0.1), (0.2, 0.5, 0.3), (0.1, 0.0, 0.9))


def losses(batch: Batch, **settings: Any) -> dict[str, Tensor]:
    recipe, model = Coarse(**{**PLAIN, **settings}), tiny()
    terms = recipe.terms(model, recipe.start(model), {"labelled": batch})
    return dict(terms.losses)


def pixels(batch: Batch) -> list[tuple[Tensor, int]]:
    """Prediction and label of every known pixel."""
    assert batch.labels is not None
    p = tiny()(batch).softmax(1)
    return [
        (p[b, :, y, x], int(batch.labels[b, y, x]))
        for b, y, x in (batch.labels != IGNORE).nonzero().tolist()
    ]


def test_forward_is_the_likelihood_of_the_label() -> None:
    batch, table = batch_of(1), torch.tensor(TRANSITION)
    expected = torch.stack([-(p @ table[:, y]).log() for p, y in pixels(batch)]).mean()
    (found,) = losses(batch, loss="forward", transition=TRANSITION).values()
    torch.testing.assert_close(found, expected)


def test_shares_are_those_of_the_area_of_a_label() -> None:
    batch, mean = batch_of(1), torch.tensor(MEAN)
    assert batch.labels is not None
    p = tiny()(batch).softmax(1)
    total, size = torch.zeros(()), 0
    for b in range(len(p)):
        for c in range(CLASSES):
            area = batch.labels[b] == c
            held = p[b][:, area].mean(1)
            total = total + area.sum() * (mean[c] * (mean[c] / held).log()).sum()
            size += int(area.sum())
    (found,) = losses(batch, loss="shares", mean=MEAN).values()
    torch.testing.assert_close(found, total / size)


def test_a_prior_is_the_row_of_the_label() -> None:
    """Where the label says nothing, RQ is the cross-entropy of its own posterior."""
    batch = batch_of(1)
    even = ((1 / 3,) * 3,) * 3
    told, untold = (losses(batch, loss="rq", mean=m)["rq"] for m in (MEAN, even))
    assert told != untold
    relabelled = replace(batch, labels=(batch.labels + 1) % CLASSES)  # type: ignore[operator]
    relabelled = replace(
        relabelled,
        labels=torch.where(batch.labels == IGNORE, IGNORE, relabelled.labels),
    )
    torch.testing.assert_close(losses(relabelled, loss="rq", mean=even)["rq"], untold)
    assert losses(relabelled, loss="rq", mean=MEAN)["rq"] != told


def test_without_tables_labels_are_right_in_a_share() -> None:
    rest = 0.2
    table = tuple(
        tuple(0.6 if k == c else rest for k in range(CLASSES)) for c in range(CLASSES)
    )
    for loss in ("forward", "shares", "qr"):
        assumed = losses(batch_of(1), loss=loss, right=0.6)
        given = losses(batch_of(1), loss=loss, mean=table, transition=table)
        torch.testing.assert_close(assumed[loss], given[loss])


def test_a_noise_layer_is_learned_and_drawn_from_identity() -> None:
    recipe, model = Coarse(**PLAIN, loss="noise_layer", right=0.7, trace=0.5), tiny()
    state = recipe.start(model)
    assert state.noise is not None
    torch.testing.assert_close(state.noise().diagonal(), torch.full((CLASSES,), 0.7))
    terms = recipe.terms(model, state, {"labelled": batch_of(1)})
    torch.testing.assert_close(terms.losses["trace"], torch.tensor(0.5 * 3 * 0.7))
    terms.total.backward()
    assert all(p.grad is not None and p.grad.any() for p in state.parameters())


@pytest.mark.parametrize("name", get_args(Loss))
def test_every_loss_is_finite_without_a_known_pixel(name: Loss) -> None:
    batch = batch_of(0)
    assert batch.labels is not None
    unknown = replace(batch, labels=torch.full_like(batch.labels, IGNORE))
    assert all(value.isfinite() for value in losses(unknown, loss=name).values())


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"loss": "l2"}, "expected one of forward, noise_layer"),
        ({"right": 1.0}, "above 0 and below 1"),
        ({"trace": -1.0}, "trace is -1.0; expected 0 to"),
        ({"drop": 2.0}, "drop is 2.0; expected 0 to 1"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Coarse(**settings)


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match=r"mean is \[2, 2\], expected \[3, 3\]"):
        Coarse(mean=((0.5, 0.5), (0.5, 0.5))).start(tiny())
    with pytest.raises(ValueError, match="without labels"):
        losses(replace(batch_of(0), labels=None))
