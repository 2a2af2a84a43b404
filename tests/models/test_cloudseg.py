"""The network of three streams: what it restores, its options, any encoder and size."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from overcast.models.cloudseg import CloudSegNetwork
from overcast.models.segmenter import Remover
from overcast.train.batch import Batch
from tests.models.slow_fusion import fused

BANDS = {"s1": 2, "s2": 4}


def batch(h: int = 32, w: int = 32, b: int = 2) -> Batch:
    g = torch.Generator().manual_seed(1)
    return Batch(
        images={n: torch.rand(b, c, h, w, generator=g) for n, c in BANDS.items()},
        valid={n: torch.ones(b, h, w, dtype=torch.bool) for n in BANDS},
    )


def test_it_is_a_remover_of_clouds() -> None:
    assert isinstance(CloudSegNetwork(BANDS, 3), Remover)


def test_the_restored_image_starts_as_the_image() -> None:
    model, given = CloudSegNetwork(BANDS, 3).eval(), batch(37, 29)
    with torch.no_grad():
        features, restored = model.restore(given)
    assert features.shape == (2, model.width, 37, 29)
    assert restored.shape == given.images["s2"].shape
    torch.testing.assert_close(restored, given.images["s2"], rtol=0, atol=0.1)
    assert torch.equal(features, model.encode(given))


def test_removal_learns_to_brighten_an_image() -> None:
    model, given = CloudSegNetwork(BANDS, 3, widths=(4, 4)), batch()
    wanted = given.images["s2"] + 0.5
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(40):
        loss = (model.restore(given)[1] - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.02


def test_classes_read_the_restored_image() -> None:
    model, given = CloudSegNetwork(BANDS, 3).eval(), batch()
    with torch.no_grad():
        before = model(given)
        model.remover.last.bias += 1.0
        assert not torch.allclose(model(given), before, atol=1e-3)


@pytest.mark.parametrize("gate", [True, False])
@pytest.mark.parametrize("level", [0, 1])
def test_a_block_has_the_published_formulas(level: int, gate: bool) -> None:
    """Against loops over pixels, in float64, at a size that no pool divides."""
    torch.manual_seed(level)
    block = CloudSegNetwork(BANDS, 3, widths=(6, 8), gate=gate).blocks[level].double()
    width = (6, 8)[level]
    streams = [torch.randn(1, width, 6, 10).double() for _ in range(3)]
    finer = torch.randn(1, 6, 12, 20).double() if level else None
    with torch.no_grad():
        cross, optical = block(*streams, finer)
    expected = fused(
        block,
        *(m[0].numpy() for m in streams),
        None if finer is None else finer[0].numpy(),
    )
    np.testing.assert_allclose(cross[0], expected[0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(optical[0], expected[1], rtol=1e-10, atol=1e-12)


def test_each_stream_has_its_own_weight_for_each_channel() -> None:
    """Optical can be turned down and the others up: the point of the excitation."""
    block = CloudSegNetwork(BANDS, 3, gate=False).eval().blocks[0]
    width = block.correct.out_channels
    with torch.no_grad():
        block.excite[2].weight.zero_()
        block.excite[2].bias.fill_(1e4)
        block.excite[2].bias[:width] = -1e4
    others, cross = torch.rand(1, width, 8, 8), torch.rand(1, width, 8, 8)
    with torch.no_grad():
        one, two = (
            block(torch.rand(1, width, 8, 8), others, cross, None)[0] for _ in range(2)
        )
        expected = block.others(others) + block.all(cross)
    assert torch.equal(one, two)
    torch.testing.assert_close(one, expected)


def test_a_shut_gate_leaves_the_cross_features_of_the_others() -> None:
    block = CloudSegNetwork(BANDS, 3).eval().blocks[0]
    others, cross = torch.rand(1, 24, 8, 8), torch.rand(1, 24, 8, 8)
    optical = [torch.rand(1, 24, 8, 8) for _ in range(2)]
    with torch.no_grad():
        open_one, open_two = (block(o, others, cross, None)[0] for o in optical)
        block.gate.bias.fill_(-1e4)
        shut_one, shut_two = (block(o, others, cross, None)[0] for o in optical)
    assert not torch.equal(open_one, open_two)
    assert torch.equal(shut_one, shut_two)


def test_the_first_gate_learns_to_hide_opaque_cloud() -> None:
    torch.manual_seed(1)
    model, given = CloudSegNetwork(BANDS, 3, widths=(8, 8)), batch()
    clear = given.images["s2"].clone()
    given.images["s2"][:, :, :16] = 1.5
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(30):
        loss = (model.restore(given)[1] - clear).square().mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    seen = model.gate(torch.cat(list(model.inputs(given).values()), 1))[:, 0]
    assert seen[:, :12].mean() < 0.3
    assert seen[:, 20:].mean() > 0.6


def test_without_the_gate_all_else_is_there() -> None:
    with_gate, without = (
        {name for name, _ in CloudSegNetwork(BANDS, 3, gate=gate).named_parameters()}
        for gate in (True, False)
    )
    assert without == {name for name in with_gate if "gate." not in name}


@pytest.mark.parametrize("encoder", ["mobilenet_v2", "mit_b0", "tu-resnet10t"])
def test_encoders_of_the_libraries(encoder: str) -> None:
    model = CloudSegNetwork(BANDS, 3, encoder=encoder).eval()
    with torch.no_grad():
        features, restored = model.restore(batch(40, 33, 1))
    assert features.shape == (1, model.width, 40, 33)
    assert restored.shape == (1, 4, 40, 33)


def test_the_plain_encoder_is_small() -> None:
    model = CloudSegNetwork({"s1": 2, "s2": 10}, 8)
    assert (model.width, model.stride) == (24, 8)
    assert 2e5 < sum(p.numel() for p in model.parameters()) < 5e5


def test_windows_agree_inside_their_halo() -> None:
    """Cut at whole multiples of the coarsest stride, a part is what the whole says."""
    model, whole = CloudSegNetwork(BANDS, 3).eval(), batch(192, 192, 1)
    part = whole.map(lambda t: t[..., 32:160, 32:160])
    with torch.no_grad():
        inner = model(part)[..., model.halo : -model.halo, model.halo : -model.halo]
        outer = model(whole)[..., 32 + model.halo : 160 - model.halo, :]
        outer = outer[..., 32 + model.halo : 160 - model.halo]
    assert (inner - outer).abs().max() < 0.1 * outer.std()


def test_further_sensors_join_those_that_see_through_clouds() -> None:
    bands = {"s1": 2, "s2": 4, "dem": 1}
    model = CloudSegNetwork(bands, 3).eval()
    with torch.no_grad():
        assert model(batch()).shape == (2, 3, 32, 32)


@pytest.mark.parametrize("bands", [{"s2": 4}, {"s1": 2, "sar": 2}])
def test_it_needs_an_optical_image_and_another(bands: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="needs an optical image and another"):
        CloudSegNetwork(bands, 3)


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="one to six"):
        CloudSegNetwork(BANDS, 3, widths=(2,))
    with pytest.raises(ValueError, match="looks must be 0 boxes or more, got -1"):
        CloudSegNetwork(BANDS, 3, looks=-1)
