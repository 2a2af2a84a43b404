"""The contract every recipe keeps. A new file in recipes/ is tested here unasked."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import overcast.recipes
from overcast.discover import find, names
from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.train.batch import IGNORE, Batch
from overcast.train.loop import Schedule, train
from overcast.train.recipe import TrainingContext, configured
from tests.train.tiny import Tiny, batch_of, tiny

SHORT = Schedule(steps=8, warmup=1, save_every=4)
SENSORS = {"s1": SENTINEL_1, "s2": SENTINEL_2.select(("B02", "B03", "B04"))}


@pytest.fixture(params=names("recipes"))
def recipe(request: pytest.FixtureRequest) -> Any:
    setting = TrainingContext(sensors=SENSORS, steps=SHORT.steps)
    return configured(find("recipes", request.param)(), setting)


def streams(recipe: Any) -> dict[str, Callable[[int], Batch]]:
    return dict.fromkeys(recipe.streams, batch_of)


def batches(recipe: Any) -> dict[str, Batch]:
    return {name: batch_of(0) for name in recipe.streams}


def weights(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def trained(recipe: Any, path: Path, schedule: Schedule = SHORT) -> Tiny:
    model = tiny()
    list(train(model, recipe, streams(recipe), schedule, path))
    return model


def gradients(recipe: Any, given: dict[str, Batch]) -> tuple[Tensor, nn.Module]:
    """Total loss and the parts it was sent back through."""
    model = tiny()
    torch.manual_seed(3)
    parts = nn.ModuleDict({"model": model, "state": recipe.start(model)}).train()
    total = recipe.terms(model, parts["state"], given).total
    total.backward()
    return total.detach(), parts


def test_same_seed_same_weights(recipe: Any, tmp_path: Path) -> None:
    one, two = (trained(recipe, tmp_path / name) for name in "ab")
    assert torch.equal(weights(one), weights(two))
    assert not torch.equal(weights(one), weights(tiny()))


def test_resuming_is_bit_identical(recipe: Any, tmp_path: Path) -> None:
    whole = trained(recipe, tmp_path / "whole")
    list(islice(train(tiny(), recipe, streams(recipe), SHORT, tmp_path / "cut"), 5))
    resumed = trained(recipe, tmp_path / "cut")
    assert torch.equal(weights(whole), weights(resumed))
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "cut").read_bytes()


def test_loss_falls(recipe: Any, tmp_path: Path) -> None:
    if hasattr(recipe, "ramp"):
        # While a term is brought in step by step, the sum grows before it falls.
        recipe = replace(recipe, ramp=0)
    if hasattr(recipe, "pixel"):
        # Single pixels of these images are mostly noise, and noise can't be told apart.
        recipe = replace(recipe, pixel=False)
    schedule = Schedule(steps=80, warmup=5, peak_rate=1e-2)
    losses = [
        terms.total.item()
        for _, terms in train(tiny(), recipe, streams(recipe), schedule, tmp_path / "c")
    ]
    assert sum(losses[-20:]) < 0.9 * sum(losses[:20])


def test_every_learned_weight_gets_a_gradient(recipe: Any) -> None:
    _, parts = gradients(recipe, batches(recipe))
    dead = {
        name
        for name, p in parts.named_parameters()
        if p.requires_grad and (p.grad is None or not p.grad.any())
    }
    # What learns from images alone has no use for the head that names classes.
    spare = {"model.head.weight", "model.head.bias"}
    assert dead <= (spare if recipe.streams == ("unlabelled",) else set())


def test_missing_stream_is_named(recipe: Any, tmp_path: Path) -> None:
    for name in recipe.streams:
        rest = {k: v for k, v in streams(recipe).items() if k != name}
        with pytest.raises(ValueError, match=f"'{name}'"):
            train(tiny(), recipe, rest, SHORT, tmp_path / "c")


def test_unknown_everywhere_is_finite(recipe: Any) -> None:
    unknown = {
        name: replace(batch, labels=torch.full_like(batch.labels, IGNORE))
        for name, batch in batches(recipe).items()
        if batch.labels is not None
    }
    total, parts = gradients(recipe, unknown)
    assert total.isfinite()
    found = [p.grad for p in parts.parameters() if p.grad is not None]
    assert found
    assert all(gradient.isfinite().all() for gradient in found)


def test_inputs_are_not_changed(recipe: Any) -> None:
    given = batches(recipe)
    before = deepcopy(given)
    gradients(recipe, given)
    for name, batch in given.items():
        for new, old in zip(tensors(batch), tensors(before[name]), strict=True):
            torch.testing.assert_close(new, old, rtol=0, atol=0, equal_nan=True)


def tensors(batch: Batch) -> list[Tensor]:
    found: list[Tensor] = []
    batch.map(lambda t: found.append(t) or t)  # type: ignore[func-returns-value]
    return found


def test_values_of_invalid_pixels_change_nothing(recipe: Any) -> None:
    given = batches(recipe)
    assert any(v.isnan().any() for b in given.values() for v in b.images.values())
    filled = {
        name: replace(b, images={k: v.nan_to_num(9.0) for k, v in b.images.items()})
        for name, b in given.items()
    }
    (loss, parts), (same, twins) = gradients(recipe, given), gradients(recipe, filled)
    assert torch.equal(loss, same)
    for one, two in zip(parts.parameters(), twins.parameters(), strict=True):
        if one.grad is not None:
            assert torch.equal(one.grad, two.grad)


CONTRACT = [
    test
    for name, test in sorted(globals().items())
    if name.startswith("test_") and "recipe" in inspect.signature(test).parameters
]

NEW_FILE = '''
from dataclasses import dataclass
from typing import ClassVar

from overcast.train.losses import cross_entropy
from overcast.train.recipe import State, Terms


@dataclass(frozen=True, slots=True)
class Sharpened:
    """Cross-entropy of sharper logits."""

    streams: ClassVar[tuple[str, ...]] = ("sharp",)
    factor: float = 2.0

    def start(self, model):
        return State()

    def terms(self, model, state, batches):
        batch = batches["sharp"]
        logits = self.factor * model(batch)
        return Terms({"sharp": cross_entropy(logits, batch.labels)})
'''


@pytest.fixture
def dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's own recipes, holding one file."""
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "sharpened.py").write_text(textwrap.dedent(NEW_FILE))
    path = [*overcast.recipes.__path__, str(folder)]
    monkeypatch.setattr(overcast.recipes, "__path__", path)
    return folder


@pytest.mark.usefixtures("dropped")
def test_a_recipe_is_one_file(tmp_path: Path) -> None:
    assert "sharpened" in names("recipes")
    new = find("recipes", "sharpened")()
    assert len(CONTRACT) == 8
    for number, test in enumerate(CONTRACT):
        folder = tmp_path / str(number)
        folder.mkdir()
        wants_folder = "tmp_path" in inspect.signature(test).parameters
        test(new, folder) if wants_folder else test(new)


def test_the_contract_can_be_broken(dropped: Path) -> None:
    """A mean that divides by the number of known pixels, were there any or not."""
    fault = "logits.sum() / (batch.labels != 255).sum()"
    text = textwrap.dedent(NEW_FILE).replace(
        "cross_entropy(logits, batch.labels)", fault
    )
    (dropped / "faulty.py").write_text(text)
    with pytest.raises(AssertionError):
        test_unknown_everywhere_is_finite(find("recipes", "faulty")())
