"""Every network, found by itself, in training: batches of one, and repeatability."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from overcast.discover import find, names
from overcast.models.segmenter import Segmenter
from overcast.train.batch import Batch

BANDS = {"s1": 2, "s2": 4}


Make = Callable[[], Segmenter]


def variants() -> list[Any]:
    """Every network with every fusion that it offers, on a small encoder."""
    found = []
    for name in names("models"):
        takes = inspect.signature(find("models", name)).parameters
        options = {"encoder": "mobilenet_v2"} if "encoder" in takes else {}
        for fusion in ("early", "middle", "late") if "fusion" in takes else (None,):
            chosen = options | ({"fusion": fusion} if fusion else {})
            found.append(pytest.param((name, chosen), id=f"{name}-{fusion}"))
    return found


@pytest.fixture(params=variants())
def make(request: pytest.FixtureRequest) -> Make:
    """Make the network, with other weights each time."""
    name, options = request.param
    return lambda: find("models", name)(BANDS, 5, **options)  # type: ignore[no-any-return]


def batch(size: int, b: int = 1) -> Batch:
    g = torch.Generator().manual_seed(size)
    return Batch(
        images={
            n: torch.randn(b, c, size, size, generator=g) for n, c in BANDS.items()
        },
        valid={n: torch.rand(b, size, size, generator=g) > 0.3 for n in BANDS},
    )


def test_learns_from_a_batch_of_one(make: Make) -> None:
    model = make()
    model.train()(batch(16)).square().mean().backward()
    gradients = [p.grad for p in model.parameters()]
    assert all(g is not None and g.isfinite().all() for g in gradients)


def test_what_is_not_valid_teaches_nothing(make: Make) -> None:
    """Neither by gradients nor by statistics that a network gathers."""
    model = make()
    clean = batch(32, b=2)
    hidden = {
        n: torch.where(clean.valid[n].unsqueeze(1), image, torch.nan)
        for n, image in clean.images.items()
    }
    before = {k: v.clone() for k, v in model.state_dict().items()}
    learned = []
    for of in (clean, replace(clean, images=hidden)):
        model.load_state_dict(before)
        model.zero_grad()
        torch.manual_seed(0)  # for dropout
        model.train()(of).square().mean().backward()
        gradients = {f"d {n}": p.grad for n, p in model.named_parameters()}
        learned.append({**gradients, **model.state_dict()})
        learned[-1] = {k: v.clone() for k, v in learned[-1].items() if v is not None}
    one, other = learned
    assert one.keys() == other.keys()
    assert [k for k in one if not torch.equal(one[k], other[k])] == []


@torch.no_grad()
def test_maps_alike_again_and_again(make: Make) -> None:
    model = make()
    model.train()(batch(64, b=2))  # statistics that are not those of the start
    model.eval()
    of = batch(48, b=2)
    found = model(of)
    assert torch.equal(found, model(of))
    single = torch.cat([model(of.map(lambda t, i=i: t[i : i + 1])) for i in range(2)])
    torch.testing.assert_close(found, single, rtol=1e-3, atol=1e-4)


@torch.no_grad()
def test_weights_make_the_network(make: Make) -> None:
    model, twin = make(), make()
    model.train()(batch(64, b=2))
    of = batch(48)
    assert not torch.equal(model.eval()(of), twin.eval()(of))
    twin.load_state_dict(model.state_dict())
    assert torch.equal(model(of), twin(of))
