from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from torch import Tensor

from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Sensor
from overcast.models.cloudseg import CloudSegNetwork
from overcast.models.deeplab import DeepLab
from overcast.models.fcn import FCN
from overcast.models.fusion import observed
from overcast.models.pretrained import load
from overcast.models.published import Published, described, published
from overcast.models.segmenter import Segmenter
from overcast.models.unet import UNet
from overcast.train.batch import Batch
from tests.models.miniature import COUNTS, OPTICAL, RADAR, SENSORS, layout, shapes, unet


def scene(h: int = 64, w: int = 64) -> tuple[dict[str, Tensor], Batch]:
    """Physical values, and the batch of them; a corner of s2 was not seen."""
    g = torch.Generator().manual_seed(3)
    physical = {
        "s1": -22 + 12 * torch.rand(1, 2, h, w, generator=g),
        "s2": 0.4 * torch.rand(1, 10, h, w, generator=g),
    }
    images = {
        name: torch.from_numpy(SENSORS[name].to_network(values[0].numpy()))[None]
        for name, values in physical.items()
    }
    valid = {name: torch.ones(1, h, w).bool() for name in physical}
    valid["s2"][:, :20, :30] = False
    return physical, Batch(images=images, valid=valid)


def expected_input(weights: Published, sensor: Sensor, values: Tensor) -> Tensor:
    """What the published network is shown ``[1, N, h, w]``: z, band by band."""
    shown = []
    for channel in weights.channels:
        there = channel.band in sensor.names
        at = sensor.names.index(channel.band) if there else 0
        x = values[:, at] if there else torch.full_like(values[:, 0], channel.typical)
        shown.append((x - channel.mean) / channel.spread)
    return torch.stack(shown, 1)


@torch.no_grad()
@pytest.mark.parametrize(
    ("image", "weights", "encoder"),
    [
        ("s1", RADAR, "resnet18"),
        ("s2", OPTICAL, "tu-test_resnet"),
        ("s2", OPTICAL, "tu-test_convnext"),
    ],
)
def test_an_encoder_is_the_published_function_of_the_image(
    publish: Callable[..., str], image: str, weights: Published, encoder: str
) -> None:
    bare = encoder.removeprefix("tu-")
    inputs = len(weights.bands)
    tensors = dict(layout(inputs, bare).state_dict())
    model = unet(encoder).eval()
    loaded = load(publish(weights, tensors), model, SENSORS)
    assert loaded
    assert all(key.startswith(f"branches.encoders.{image}.") for key in loaded)

    physical, batch = scene()
    shown = expected_input(weights, SENSORS[image], physical[image])
    shown = torch.where(batch.valid[image][:, None], shown, 0)
    network = timm.create_model(bare, in_chans=inputs, features_only=True).eval()
    network.load_state_dict(
        dict(zip(network.state_dict(), tensors.values(), strict=False))
    )
    found = model.branches.encoders[image](observed(batch, COUNTS)[image])
    seen = [f for f in found[1:] if f.shape[1]]  # some have nothing at half size
    for there, here in zip(network(shown), seen, strict=True):
        torch.testing.assert_close(here, there, rtol=1e-3, atol=1e-4)


def test_both_encoders_start_from_two_files(publish: Callable[..., str]) -> None:
    names = [
        publish(OPTICAL, dict(layout(13).state_dict())),
        publish(RADAR, dict(layout(2, seed=1).state_dict())),
    ]
    model = unet()
    before = {n: p.clone() for n, p in model.named_parameters()}
    loaded = {key for name in names for key in load(name, model, SENSORS)}
    encoders = {n for n in before if ".encoders." in n}
    assert loaded == encoders
    for name, parameter in model.named_parameters():
        if name not in encoders or parameter.ndim > 1:  # norms begin at one and zero
            changed = not torch.equal(parameter, before[name])
            assert changed == (name in encoders), name


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: unet(fusion="early"), {"all"}),
        (lambda: unet(fusion="late"), {"s2"}),
        (lambda: DeepLab(COUNTS, 3, encoder="tu-test_resnet", width=8), {"s2"}),
        (
            lambda: CloudSegNetwork(COUNTS, 3, encoder="tu-test_resnet"),
            {"optical", "all"},
        ),
    ],
)
def test_fits_every_network_with_encoders(
    publish: Callable[..., str], make: Callable[[], Segmenter], expected: set[str]
) -> None:
    name = publish(OPTICAL, dict(layout(13).state_dict()))
    model = make()
    loaded = load(name, model, SENSORS)
    assert {n.split("encoders.")[1].split(".")[0] for n in loaded} == expected
    with torch.no_grad():
        assert model.eval()(scene()[1]).isfinite().all()


def test_files_of_ones_own_are_described(tmp_path: Path) -> None:
    network = layout(2)
    nested = {f"backbone.{k}": v for k, v in network.state_dict().items()}
    head = {"projector.weight": torch.zeros(3, 3)}
    torch.save({"state_dict": {**nested, **head}, "epoch": 3}, tmp_path / "own.pt")
    description = tmp_path / "own.toml"
    bands = '[[bands]]\nband = "red"\nmean = 0.1\n[[bands]]\nband = "nir"\n'
    description.write_text(f'file = "own.pt"\nunit = "reflectance"\n{bands}')
    model = unet()
    assert len(load(description, model, SENSORS)) == len(list(layout(2).parameters()))
    there = model.branches.encoders["s2"].get_parameter("model.conv1.0.weight")
    red, nir = (SENTINEL_2.bands[SENTINEL_2.names.index(b)] for b in ("B04", "B08"))
    scale = 2 / 10  # ten bands of that unit get a kernel, two are known
    own = network.state_dict()["conv1.0.weight"]
    torch.testing.assert_close(there[:, 2], own[:, 0] * red.high * scale)
    torch.testing.assert_close(there[:, 6], own[:, 1] * nir.high * scale)
    description.write_text(f'file = "own.pt"\nunits = "reflectance"\n{bands}')
    with pytest.raises(ValueError, match=r"own.toml: unknown key 'units'; did you"):
        load(description, model, SENSORS)
    description.write_text(f'file = "x.pt"\nunit = "dB"\nfiles = 3\n{bands}')
    with pytest.raises(ValueError, match="unknown key 'files'"):
        described(description)


@pytest.mark.parametrize(
    ("file", "encoder", "message"),
    [
        ("resnet34", "resnet18", "file's encoder is larger: it has layer1.2"),
        ("resnet18", "resnet34", "expected one encoder with parts such as conv1"),
        ("resnet18", "mobilenet_v2", "with parts such as features.0.0.weight"),
        ("resnet26", "resnet18", "file's encoder is larger: it has layer1.0.conv3"),
    ],
)
def test_another_architecture_is_refused(
    publish: Callable[..., str], file: str, encoder: str, message: str
) -> None:
    name = publish(OPTICAL, shapes(13, file))
    with torch.device("meta"):
        model = unet(encoder)
    with pytest.raises(ValueError, match=rf"(?s){message}.*encoder: resnet18"):
        load(name, model, SENSORS)


def test_another_width_is_refused(publish: Callable[..., str]) -> None:
    tensors = dict(layout(13).state_dict())
    (name,) = [n for n in tensors if n.endswith("layer1.0.conv1.weight")]
    tensors[name] = torch.zeros(7, 7, 3, 3)
    with pytest.raises(ValueError, match=r"layer1.0.conv1.weight is \[7, 7, 3, 3\]"):
        load(publish(OPTICAL, tensors), unet(), SENSORS)


def test_two_encoders_in_a_file_are_refused(publish: Callable[..., str]) -> None:
    one = layout(13).state_dict()
    both = {f"{head}.{n}": t for head in ("query", "key") for n, t in one.items()}
    with pytest.raises(ValueError, match=r"several of them: key\., query\."):
        load(publish(OPTICAL, both), unet(), SENSORS)


def test_what_can_not_be_loaded_is_said(publish: Callable[..., str]) -> None:
    name = publish(OPTICAL, dict(layout(2).state_dict()))
    with pytest.raises(
        ValueError, match=r"conv1.0.weight is \[\d+, 2, 3, 3\].*13 inputs"
    ):
        load(name, unet(), SENSORS)
    with pytest.raises(ValueError, match="FCN has no encoder that weights"):
        load(name, FCN(COUNTS, 3), SENSORS)
    only = {"s1": SENTINEL_1}
    with pytest.raises(ValueError, match=r"trained on B01, .*s1: VV, VH"):
        load(name, UNet({"s1": 2}, 3, encoder="tu-test_resnet"), only)
    with pytest.raises(ValueError, match="did you mean resnet18-sentinel2-moco"):
        published("resnet18-sentinel2-mocco")
