"""The teacher is the average it says, and stays out of the way of learning."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from overcast.train.batch import IGNORE, Batch
from overcast.train.teacher import Teacher, confident_labels, seen
from tests.train.tiny import Tiny, batch_of, tiny


class Normed(Tiny):
    """A network with batch statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(8)

    def decode(self, features: Tensor) -> Tensor:
        return self.head(self.norm(features))


def walk(model: Tiny, teacher: Teacher, steps: int) -> list[Tensor]:
    """Random steps of the network; the biases it had after each."""
    taken = []
    for step in range(steps):
        with torch.no_grad():
            model.head.bias += torch.randn(model.head.bias.shape)
        teacher.after_step(model, step)
        taken.append(model.head.bias.detach().clone())
    return taken


def test_it_is_the_mean_of_all_steps_at_first() -> None:
    model = tiny()
    teacher = Teacher(model, 0.9)
    taken = walk(model, teacher, 5)
    torch.testing.assert_close(teacher.network.head.bias, torch.stack(taken).mean(0))


def test_then_it_decays() -> None:
    model = tiny()
    teacher = Teacher(model, 0.5)
    expected = torch.zeros(3)
    for step, bias in enumerate(walk(model, teacher, 12)):
        kept = min(0.5, step / (step + 1))
        expected = kept * expected + (1 - kept) * bias
    torch.testing.assert_close(teacher.network.head.bias, expected)


def test_it_is_not_learned_and_not_the_network_itself() -> None:
    model = tiny()
    teacher = Teacher(model)
    assert not any(p.requires_grad for p in teacher.parameters())
    assert all(p.requires_grad for p in model.parameters())
    assert not teacher.probabilities(batch_of(0)).requires_grad


def test_it_stays_in_evaluation_and_averages_batch_statistics() -> None:
    torch.manual_seed(0)
    model = Normed()
    teacher = Teacher(model, 0.5).train()
    model.train()
    assert teacher.training
    assert not teacher.network.norm.training
    model(batch_of(0))
    teacher.after_step(model, 0)
    before = teacher.network.norm.running_mean.clone()
    teacher.probabilities(batch_of(1))
    assert torch.equal(teacher.network.norm.running_mean, before)
    assert torch.equal(before, model.norm.running_mean)
    assert teacher.network.norm.num_batches_tracked == 1


def test_probabilities_are_the_softmax_of_its_own_network() -> None:
    model = tiny()
    teacher, batch = Teacher(model), batch_of(0)
    expected = model(batch).softmax(1)
    with torch.no_grad():
        model.head.weight.zero_()
    torch.testing.assert_close(teacher.probabilities(batch), expected)


def test_trust_grows_to_one() -> None:
    teacher = Teacher(tiny())
    assert teacher.ramp(0) == 1
    trust = []
    for step in range(6):
        trust.append(teacher.ramp(4).item())
        teacher.after_step(tiny(), step)
    expected = [torch.exp(torch.tensor(-5 * (1 - n / 4) ** 2)).item() for n in range(5)]
    assert trust == pytest.approx([*expected, 1.0])


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_decay_is_checked(decay: float) -> None:
    with pytest.raises(ValueError, match=f"decay is {decay}, expected 0 to below 1"):
        Teacher(tiny(), decay)


def test_labels_are_confident_and_only_where_asked() -> None:
    p = torch.rand(2, 3, 4, 5).softmax(1)
    where = torch.rand(2, 4, 5) > 0.5
    labels = confident_labels(p, 0.38, where)
    assert 0 < (labels != IGNORE).sum() < where.sum()
    for b, y, x in torch.cartesian_prod(*map(torch.arange, labels.shape)).tolist():
        best = max(range(3), key=lambda k: p[b, k, y, x].item())
        good = where[b, y, x] and p[b, best, y, x] >= 0.38
        assert labels[b, y, x] == (best if good else IGNORE)


def test_seen_is_by_any_of_the_sensors_named() -> None:
    batch = batch_of(0)
    s1, s2 = batch.valid["s1"], batch.valid["s2"]
    assert torch.equal(seen(batch, ["s1", "s2"]), s1 | s2)
    assert torch.equal(seen(batch, ["s2", "s9"]), s2)
    more = Batch(
        images={**batch.images, "twin": batch.images["s2"]},
        valid={**batch.valid, "twin": torch.ones_like(s1)},
    )
    assert torch.equal(seen(more, ["s1"]), s1)
    assert not seen(batch, []).any()
