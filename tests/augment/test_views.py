"""Views of a batch: what they keep, and that they are as random as they say."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from overcast.augment.views import dihedral, drop_sensor, hide, jitter
from overcast.train.batch import Batch

VIEWS: list[Callable[[Batch], Batch]] = [
    dihedral,
    jitter,
    partial(hide, sensor="s2", fraction=0.5),
    partial(drop_sensor, probability=0.7),
]


def located(samples: int = 4, height: int = 6, width: int = 6) -> Batch:
    """Two sensors and labels whose values are the pixel's own number."""
    number = torch.arange(height * width).view(1, height, width).repeat(samples, 1, 1)
    return Batch(
        images={
            "s1": number.float().unsqueeze(1),
            "s2": torch.stack([number.float(), -number.float()], 1),
        },
        valid={"s1": number % 3 != 0, "s2": number % 5 != 0},
        labels=number,
    )


@pytest.mark.parametrize("view", VIEWS)
def test_inputs_are_not_changed(view: Callable[[Batch], Batch]) -> None:
    batch = located()
    before = deepcopy(batch)
    view(batch)
    for name in batch.images:
        assert torch.equal(batch.images[name], before.images[name])
        assert torch.equal(batch.valid[name], before.valid[name])
    assert batch.labels is not None
    assert before.labels is not None
    assert torch.equal(batch.labels, before.labels)


@pytest.mark.parametrize("view", VIEWS)
def test_draws_follow_the_seed(view: Callable[[Batch], Batch]) -> None:
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        seen = view(located(16))
        found.append(
            torch.cat([seen.images["s2"].flatten(), seen.valid["s2"].flatten()])
        )
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@given(seed=st.integers(0, 1000), width=st.sampled_from([6, 4]))
def test_turned_images_validity_and_labels_stay_together(seed: int, width: int) -> None:
    torch.manual_seed(seed)
    turned = dihedral(located(width=width))
    number = turned.labels
    assert number is not None
    assert torch.equal(turned.images["s1"][:, 0], number.float())
    assert torch.equal(turned.images["s2"][:, 1], -number.float())
    assert torch.equal(turned.valid["s1"], number % 3 != 0)
    assert torch.equal(turned.valid["s2"], number % 5 != 0)
    assert torch.equal(number.flatten(1).sort(1).values[0], torch.arange(6 * width))


@pytest.mark.parametrize(("width", "views"), [(6, 8), (4, 4)])
def test_all_symmetries_come_equally_often(width: int, views: int) -> None:
    turned = dihedral(located(1600, width=width)).labels
    assert turned is not None
    kinds, counts = turned.flatten(1).unique(dim=0, return_counts=True)
    assert len(kinds) == views
    assert counts.min() > 0.7 * 1600 / views


def test_jitter_is_linear_and_different_for_every_band_and_sample() -> None:
    batch = located(300)
    image, shaken = batch.images["s2"], jitter(batch, 0.1, 0.3).images["s2"]
    bias = shaken[..., 0, 0]
    gain = (shaken[..., 0, 1] - bias) / image[..., 0, 1]
    expected = gain[..., None, None] * image + bias[..., None, None]
    torch.testing.assert_close(shaken, expected, rtol=1e-4, atol=1e-4)
    assert gain.std().item() == pytest.approx(0.1, rel=0.2)
    assert bias.std().item() == pytest.approx(0.3, rel=0.2)
    assert gain.mean().item() == pytest.approx(1.0, abs=0.03)
    assert len(gain.flatten().unique()) == 600


def test_hide_takes_whole_blocks_of_one_sensor() -> None:
    batch = located(200, 10, 10)
    batch = replace(
        batch, valid={k: torch.ones_like(v) for k, v in batch.valid.items()}
    )
    seen = hide(batch, "s2", 0.3, block=4)
    blocks = seen.valid["s2"][:, :8, :8].unflatten(1, (2, 4)).unflatten(3, (2, 4))
    share = blocks.float().mean((2, 4))
    assert set(share.unique().tolist()) == {0.0, 1.0}
    assert share.mean().item() == pytest.approx(0.7, abs=0.05)
    assert seen.valid["s1"].all()


def test_hide_never_uncovers() -> None:
    batch = located()
    assert not (hide(batch, "s2", 0.5).valid["s2"] & ~batch.valid["s2"]).any()


def test_hide_names_an_unknown_sensor() -> None:
    with pytest.raises(ValueError, match="no sensor 's3'; there are s1, s2"):
        hide(located(), "s3", 0.5)


def lost(before: Batch, after: Batch) -> Tensor:
    """Bool ``[S, B]``: a sensor that saw something of a sample sees nothing now."""
    seen = [
        torch.stack([v.flatten(1).any(1) for v in batch.valid.values()])
        for batch in (before, after)
    ]
    return seen[0] & ~seen[1]


def test_drop_sensor_takes_one_with_the_probability() -> None:
    batch = located(2000)
    gone = lost(batch, drop_sensor(batch, 0.3))
    assert gone.sum(0).max() == 1
    assert gone.any(0).float().mean().item() == pytest.approx(0.3, abs=0.04)
    assert gone[0].sum().item() == pytest.approx(gone[1].sum().item(), rel=0.25)


def test_drop_sensor_never_takes_the_last_one() -> None:
    batch = located(50)
    batch.valid["s1"][:25] = False
    gone = lost(batch, drop_sensor(batch, 1.0))
    assert not gone[:, :25].any()
    assert gone[:, 25:].any(0).all()


def test_drop_sensor_keeps_a_single_sensor() -> None:
    both = located()
    one = Batch(images={"s1": both.images["s1"]}, valid={"s1": both.valid["s1"]})
    assert torch.equal(drop_sensor(one, 1.0).valid["s1"], one.valid["s1"])
