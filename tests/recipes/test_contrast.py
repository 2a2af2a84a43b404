"""The recipe `contrast`: what is contrasted with what, and that it does not collapse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from overcast.models.fcn import FCN
from overcast.models.segmenter import Segmenter
from overcast.models.unet import UNet
from overcast.recipes import contrast as module
from overcast.recipes.contrast import Contrast
from overcast.train.batch import Batch
from overcast.train.felzenszwalb import NUMBERS
from overcast.train.loop import Schedule, train
from tests.train.tiny import batch_of, tiny

LEVELS = ("image", "superpixel")


def scene(step: int, samples: int = 8, size: int = 16) -> Batch:
    """Fields that differ in all bands, half of each image; numbered as superpixels."""
    random = torch.Generator().manual_seed(step)
    sides = torch.arange(size).expand(size, size) < size // 2
    numbers = torch.where(sides, 1.0, 7.0).expand(samples, 1, size, size) / NUMBERS
    images = {"superpixels": numbers}
    levels = torch.rand(samples, 2, 1, 1, generator=random)
    for name, bands in {"s1": 2, "s2": 3}.items():
        noise = 0.1 * torch.randn(samples, bands, size, size, generator=random)
        field = torch.where(sides, levels[:, :1], levels[:, 1:])
        images[name] = field * (1 + torch.arange(bands)).view(1, -1, 1, 1) + noise
    valid = torch.ones(samples, size, size, dtype=torch.bool)
    return Batch(images=images, valid=dict.fromkeys(images, valid))


def seen_by(recipe: Contrast, batch: Batch) -> list[Batch]:
    """What a network is shown, the two views of each contrast after one another."""
    model, shown = tiny(), []

    original = model.encode

    def encode(batch: Batch) -> Tensor:
        shown.append(batch)
        return original(batch)

    model.encode = encode  # type: ignore[method-assign]
    recipe.terms(model, recipe.start(model), {"unlabelled": batch})
    (joined,) = shown
    parts = len(next(iter(joined.valid.values()))) // len(batch.valid["s1"])
    pieces = [
        joined.map(lambda t, n=n: t.chunk(parts)[n])  # type: ignore[misc]
        for n in range(parts)
    ]
    return [pieces[i] for n in range(parts // 2) for i in (n, n + parts // 2)]


def sensors(view: Batch) -> set[str]:
    return {name for name, valid in view.valid.items() if valid.any()}


BOTH = {"s1", "s2"}


def paper(**settings: Any) -> Contrast:
    """Both levels, means of superpixels, and no sensor lost."""
    both = {"image": 1.0, "pixel": False, "fusion": "middle", "drop": 0.0}
    return Contrast(**{**both, **settings})


@pytest.mark.parametrize(
    ("fusion", "levels", "views"),
    [
        ("early", LEVELS, [BOTH, BOTH]),
        ("middle", LEVELS, [{"s1"}, {"s2"}, BOTH, BOTH]),
        ("late", LEVELS, [{"s1"}, {"s2"}]),
        ("middle", ("image",), [{"s1"}, {"s2"}]),
        ("middle", ("superpixel",), [BOTH, BOTH]),
    ],
)
def test_views_are_those_of_the_fusion(
    fusion: Any, levels: tuple[str, ...], views: list[set[str]]
) -> None:
    off = {level: 0.0 for level in LEVELS if level not in levels}
    recipe = paper(fusion=fusion, **off)
    torch.manual_seed(0)
    assert [sensors(view) for view in seen_by(recipe, scene(0))] == views


def test_a_level_that_is_off_has_no_head_and_no_loss() -> None:
    model = tiny()
    for level, other in (LEVELS, LEVELS[::-1]):
        recipe = paper(**{other: 0.0})
        state = recipe.start(model)
        assert list(state.heads) == [level]
        assert set(recipe.terms(model, state, {"unlabelled": scene(0)}).losses) == {
            level
        }
    with pytest.raises(ValueError, match="image and superpixel are 0"):
        paper(image=0, superpixel=0)


def test_the_copy_is_shifted_and_turned_with_its_superpixels() -> None:
    """Pixels that tell their own place say where the copy has put them."""
    size = 16
    place = torch.arange(size * size, dtype=torch.float32).view(1, 1, size, size)
    image = place.repeat(4, 1, 1, 1)
    valid = torch.ones(4, size, size, dtype=torch.bool)
    images = {"s1": image, "s2": image, "superpixels": image / NUMBERS}
    batch = Batch(images=images, valid=dict.fromkeys(images, valid))

    class Seeing(FCN):
        def encode(self, batch: Batch) -> Tensor:
            shown.append(batch)
            return super().encode(batch)

    shown: list[Batch] = []
    model = Seeing({"s1": 1, "s2": 1}, 2, width=4)
    recipe = paper(fusion="early", least=1, image=0)
    torch.manual_seed(1)
    recipe.terms(model, recipe.start(model), {"unlabelled": batch})
    (joined,) = shown
    assert joined.extent == (12, 12)
    assert joined.labels is not None
    first, second = joined.images["s1"][:, 0].chunk(2)
    here, there = joined.labels.chunk(2)
    assert not torch.equal(first, second)
    for sample in range(4):
        # Numbers are of the whole batch; pixels of one place share theirs.
        numbers = dict(_pixels(here[sample], first[sample]))
        copied = _pixels(there[sample], second[sample])
        common = [(numbers[n], pixel) for n, pixel in copied if n in numbers]
        assert len(common) >= 64
        assert all(a == b for a, b in common)
    assert not set(here[0].flatten().tolist()) & set(here[1].flatten().tolist())


def _pixels(numbers: Tensor, image: Tensor) -> list[tuple[float, float]]:
    return list(zip(numbers.flatten().tolist(), image.flatten().tolist(), strict=True))


def test_a_superpixel_may_be_contrasted_with_one_pixel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    def noted(one: Tensor, two: Tensor, *_: Any, **settings: Any) -> Tensor:
        seen.append((one, two))
        return one.sum()

    monkeypatch.setattr(module, "contrastive_loss", noted)
    monkeypatch.setattr(module.Heads, "project", lambda _, level, a, b: (a, b, None))
    spreads = []
    for pixel in (False, True):
        recipe = paper(fusion="early", image=0, pixel=pixel)
        torch.manual_seed(0)
        model = FCN({"s1": 2, "s2": 3}, 3, width=8, dilations=[1])
        with torch.no_grad():
            recipe.terms(model, recipe.start(model), {"unlabelled": scene(0)})
        one, two = seen[-1]
        spreads.append((one - two).square().mean().item())
    assert torch.equal(seen[0][0], seen[1][0])
    assert spreads[1] > 3 * spreads[0]


def test_superpixels_are_found_where_none_are_given() -> None:
    bare = batch_of(0).only(("s1", "s2"))
    model, recipe = tiny(), paper(image=0, least=1)
    terms = recipe.terms(model, recipe.start(model), {"unlabelled": bare})
    assert terms.losses["superpixel"] > 0


def test_one_sensor_alone_is_contrasted_with_its_copy() -> None:
    batch = scene(0)
    model, recipe = FCN({"s2": 3}, 2, width=8), paper(fusion="late")
    terms = recipe.terms(model, recipe.start(model), {"unlabelled": batch})
    assert all(loss > 0 for loss in terms.losses.values())


def test_what_nobody_saw_is_no_contrast() -> None:
    batch = scene(0)
    dark = replace(
        batch, valid={n: torch.zeros_like(v) for n, v in batch.valid.items()}
    )
    model, recipe = tiny(), paper()
    terms = recipe.terms(model, recipe.start(model), {"unlabelled": dark})
    assert terms.total == 0
    terms.total.backward()


def test_memory_holds_the_newest_projections(tmp_path: Path) -> None:
    model, recipe = tiny(), paper(superpixel=0, memory=10, fusion="early")
    state = recipe.start(model)
    for step in range(2):
        recipe.terms(model, state, {"unlabelled": scene(step)})
        before = state.get_buffer("image").clone()
        state.after_step(model, step)
    held = state.get_buffer("image")
    assert held.shape == (10, recipe.dimensions)
    assert held.any(1).all()
    assert torch.equal(held[8:], before[:2])
    assert not torch.equal(held[:8], before[:8])


@pytest.mark.parametrize(
    "model",
    [
        lambda: FCN({"s1": 2, "s2": 3}, 3, width=8),
        lambda: UNet({"s1": 2, "s2": 3}, 3, encoder="mobilenet_v2", channels=[8] * 5),
    ],
    ids=["fcn", "unet"],
)
def test_networks_learn_by_it(model: Callable[[], Segmenter]) -> None:
    torch.manual_seed(0)
    network, recipe = model().train(), paper()
    state = recipe.start(network)
    terms = recipe.terms(network, state, {"unlabelled": scene(0, 2, 32)})
    terms.total.backward()
    assert set(terms.losses) == set(LEVELS)
    assert terms.gauges["rank"] >= 1
    dead = {n for n, p in network.named_parameters() if p.grad is None}
    assert dead <= {"head.weight", "head.bias"}


def test_pixels_become_like_their_field_and_unlike_others(tmp_path: Path) -> None:
    """By the defaults, in places that were not learned from."""

    def apart(model: Segmenter) -> float:
        """Variance between fields over that within, mean of the channels."""
        with torch.no_grad():
            features = model.encode(scene(1000).only(("s1", "s2")))
        fields = torch.stack(features.chunk(2, -1), 1).flatten(0, 1).flatten(2)
        return float((fields.mean(2).var(0) / fields.var(2).mean(0)).mean())

    torch.manual_seed(0)
    model = FCN({"s1": 2, "s2": 3}, 3, width=8, dilations=[1])
    before = apart(model)
    schedule = Schedule(steps=60, warmup=5, peak_rate=1e-2)
    list(train(model, Contrast(), {"unlabelled": scene}, schedule, tmp_path / "c"))
    assert apart(model) > 4 * before


def attraction(one: Tensor, two: Tensor, *_: Any, **settings: Any) -> Tensor:
    """Contrast without its negatives."""
    return (1 - F.cosine_similarity(one, two)).mean()


def rank(folder: Path, name: str) -> float:
    torch.manual_seed(0)
    model = FCN({"s1": 2, "s2": 3}, 3, width=8, dilations=[1])
    schedule = Schedule(steps=30, warmup=1, peak_rate=2e-2, weight_decay=0)
    recipe = paper(fusion="early", gain=0.1, bias=0.01, drop=0.1)
    steps = train(model, recipe, {"unlabelled": scene}, schedule, folder / name)
    ranks = [float(terms.gauges["projected rank"]) for _, terms in steps]
    return sum(ranks[-10:]) / 10


def test_without_contrast_features_collapse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contrasted = rank(tmp_path, "contrasted")
    monkeypatch.setattr(module, "contrastive_loss", attraction)
    collapsed = rank(tmp_path, "collapsed")
    assert collapsed < 2.6
    assert contrasted > 3.2


def test_settings_out_of_range_are_refused() -> None:
    wrong: list[Mapping[str, Any]] = [
        {"shift": 1},
        {"drop": 2},
        {"least": 0},
        {"memory": -1},
    ]
    for settings in wrong:
        with pytest.raises(ValueError, match="expected"):
            Contrast(**settings)
