"""Colour transfer: moments become the other's, by a share that is drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from overcast.augment.style import restyle
from overcast.train.batch import Batch
from tests.train.tiny import batch_of


def brighter() -> Batch:
    """Another batch, much brighter and with more contrast."""
    batch = batch_of(1)
    return replace(batch, images={n: 3 * i + 5 for n, i in batch.images.items()})


def moments(batch: Batch, name: str, sample: int) -> torch.Tensor:
    seen = batch.images[name][sample][:, batch.valid[name][sample]]
    return torch.stack([seen.mean(1), seen.std(1, correction=0)])


def test_a_whole_share_takes_over_mean_and_spread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch, other = batch_of(0), brighter()
    monkeypatch.setattr(torch, "rand", lambda *shape: torch.ones(shape))
    made = restyle(batch, other, probability=1.1)
    for name in batch.images:
        for sample in range(4):
            torch.testing.assert_close(
                moments(made, name, sample), moments(other, name, sample)
            )


def test_moments_of_a_whole_batch_keep_its_samples_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch, other = batch_of(0), brighter()
    # The first sample is brighter than the others, and stays so.
    raised = {
        n: i + 4 * (torch.arange(4) == 0)[:, None, None, None]
        for n, i in batch.images.items()
    }
    batch = replace(batch, images=raised)
    monkeypatch.setattr(torch, "rand", lambda *shape: torch.ones(shape))
    made = restyle(batch, other, probability=1.1, whole=True)
    for name in batch.images:
        found, theirs = (
            b.images[name].movedim(1, 0)[:, b.valid[name]] for b in (made, other)
        )
        torch.testing.assert_close(found.mean(1), theirs.mean(1))
        torch.testing.assert_close(
            found.std(1, correction=0), theirs.std(1, correction=0)
        )
        means = [moments(made, name, sample)[0] for sample in range(4)]
        assert all((means[0] > mean + 1).all() for mean in means[1:])


def test_any_share_lies_between_and_keeps_what_is_where() -> None:
    batch, other = batch_of(0), brighter()
    made = restyle(batch, other, 1.0)
    for name in batch.images:
        for sample in range(4):
            here, there = (moments(b, name, sample)[0] for b in (batch, other))
            found = moments(made, name, sample)[0]
            assert ((found > here) & (found < there)).all()
            seen = batch.valid[name][sample]
            pair = torch.stack([b.images[name][sample, 0][seen] for b in (batch, made)])
            assert torch.corrcoef(pair)[0, 1] > 0.999


def test_by_no_chance_nothing_changes() -> None:
    batch = batch_of(0)
    made = restyle(batch, brighter(), 0.0)
    for name, image in batch.images.items():
        torch.testing.assert_close(
            made.images[name], image, equal_nan=True, rtol=0, atol=0
        )


@pytest.mark.parametrize("whole", [False, True])
def test_what_was_not_seen_gives_no_style(whole: bool) -> None:
    batch = batch_of(0)
    nothing = {name: torch.zeros_like(valid) for name, valid in batch.valid.items()}
    made = restyle(batch, replace(brighter(), valid=nothing), 1.0, whole)
    for name, image in batch.images.items():
        torch.testing.assert_close(made.images[name], image, equal_nan=True)


def test_batches_must_be_alike() -> None:
    batch = batch_of(0)
    with pytest.raises(ValueError, match="as many samples"):
        restyle(batch, batch.map(lambda t: t[:2]))
