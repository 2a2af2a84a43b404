"""The contract every network keeps. A new file in models/ is tested here unasked."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from overcast.discover import find, names
from overcast.models.segmenter import Segmenter
from overcast.train.batch import Batch

BANDS = {"s1": 2, "s2": 4}
CLASSES = 5


def variants() -> list[Any]:
    """Every network with every fusion that it offers."""
    found = []
    for name in names("models"):
        fused = "fusion" in inspect.signature(find("models", name).__init__).parameters
        for fusion in ("early", "middle", "late") if fused else (None,):
            options = {} if fusion is None else {"fusion": fusion}
            found.append(pytest.param((name, options), id=f"{name} {fusion or ''}"))
    return found


@pytest.fixture(params=variants(), scope="module")
def model(request: pytest.FixtureRequest) -> Segmenter:
    name, options = request.param
    torch.manual_seed(0)
    made = find("models", name)(BANDS, CLASSES, **options)
    assert isinstance(made, Segmenter)
    return made.eval()


def batch(h: int = 64, w: int = 64, b: int = 2) -> Batch:
    g = torch.Generator().manual_seed(1)
    return Batch(
        images={n: torch.randn(b, c, h, w, generator=g) for n, c in BANDS.items()},
        valid={n: torch.rand(b, h, w, generator=g) > 0.2 for n in BANDS},
    )


@torch.no_grad()
def logits(model: Segmenter, of: Batch) -> Tensor:
    return model(of)


def test_any_size(model: Segmenter) -> None:
    for h, w in ((37, 53), (64, 32), (16, 16)):
        found = batch(h, w)
        features = model.encode(found)
        assert features.shape == (2, model.width, h, w)
        assert model.decode(features).shape == (2, CLASSES, h, w)


def test_what_is_not_valid_changes_nothing(model: Segmenter) -> None:
    clean = batch()
    dirty = replace(
        clean,
        images={
            n: torch.where(clean.valid[n].unsqueeze(1), image, torch.nan)
            for n, image in clean.images.items()
        },
    )
    assert torch.equal(logits(model, clean), logits(model, dirty))


def test_a_missing_sensor_is_one_that_saw_nothing(model: Segmenter) -> None:
    whole = batch()
    blind = replace(whole, valid={**whole.valid, "s1": torch.zeros(2, 64, 64).bool()})
    absent = Batch(images={"s2": whole.images["s2"]}, valid={"s2": whole.valid["s2"]})
    assert torch.equal(logits(model, blind), logits(model, absent))
    assert not torch.equal(logits(model, whole), logits(model, absent))


def test_nothing_seen_is_finite(model: Segmenter) -> None:
    whole = batch()
    blind = replace(
        whole, valid={n: torch.zeros_like(v) for n, v in whole.valid.items()}
    )
    assert logits(model, blind).isfinite().all()


def test_every_weight_is_learned(model: Segmenter) -> None:
    model.train()
    model.zero_grad()
    of = batch(b=3)
    full = replace(of, valid={n: torch.ones_like(v) for n, v in of.valid.items()})
    model(full).square().mean().backward()
    model.eval()
    dead = [
        n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()
    ]
    assert dead == []


def test_weights_survive_their_file(model: Segmenter) -> None:
    twin = type(model)
    assert model.classes == CLASSES
    assert dict(model.bands) == BANDS
    assert issubclass(twin, Segmenter)
    before = logits(model, batch())
    model.load_state_dict({k: v.clone() for k, v in model.state_dict().items()})
    assert torch.equal(before, logits(model, batch()))


def test_late_fusion_with_one_sensor_is_that_sensor_alone() -> None:
    torch.manual_seed(0)
    both = find("models", "unet")(BANDS, CLASSES, fusion="late").eval()
    alone = find("models", "unet")({"s2": 4}, CLASSES, fusion="late").eval()
    weights = {k: v for k, v in both.state_dict().items() if ".s1." not in k}
    alone.load_state_dict(weights)
    image = batch().images["s2"]
    only = Batch(images={"s2": image}, valid={"s2": torch.ones(2, 64, 64).bool()})
    assert torch.allclose(logits(both, only), logits(alone, only), atol=1e-5)


def test_fcn_sees_its_halo_and_no_further() -> None:
    model = find("models", "fcn")(BANDS, CLASSES).eval()
    whole = batch(48, 48, b=1)
    whole.images["s2"].requires_grad_(True)
    whole = replace(
        whole, valid={n: torch.ones_like(v) for n, v in whole.valid.items()}
    )
    model(whole)[0, :, 24, 24].sum().backward()
    gradient = whole.images["s2"].grad
    assert gradient is not None
    rows = gradient[0].abs().sum(0).any(1).nonzero().flatten()
    assert (int(rows.min()), int(rows.max())) == (24 - model.halo, 24 + model.halo)


def test_fcn_does_not_know_how_a_scene_was_cut() -> None:
    model = find("models", "fcn")(BANDS, CLASSES).eval()
    whole, halo = batch(48, 48, b=1), model.halo
    part = whole.map(lambda t: t[..., 8:40, 4:36])
    inner = logits(model, part)[..., halo:-halo, halo:-halo]
    outer = logits(model, whole)[..., 8 + halo : 40 - halo, 4 + halo : 36 - halo]
    assert torch.allclose(inner, outer, atol=1e-5)


def test_unet_of_the_paper_s_size() -> None:
    model = find("models", "unet")(
        {"s2": 10},
        10,
        encoder="resnet34",
        fusion="early",
        channels=(512, 256, 128, 64, 32),
    )
    assert 29e6 < sum(p.numel() for p in model.parameters()) < 33e6


def test_unknown_encoder_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean resnet18"):
        find("models", "unet")(BANDS, CLASSES, encoder="resnet181")
