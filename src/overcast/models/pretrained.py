"""Encoders that start from published weights; `folding` says what becomes of bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from torch import Tensor, nn

from overcast.geo.bands import Sensor
from overcast.models.cloudseg import CloudSegNetwork
from overcast.models.encoders import Branches
from overcast.models.folding import InputChannels, fold, knows
from overcast.models.published import DISPLAY, Published
from overcast.models.segmenter import Segmenter
from overcast.models.weight_files import find, read
from overcast.progress import Progress, quiet

_COUNTER = "num_batches_tracked"
_UNIVERSAL = "model."
"""What segmentation-models-pytorch puts before timm's names."""


def load(
    start: str | Path,
    model: Segmenter,
    sensors: Mapping[str, Sensor],
    progress: Progress = quiet,
) -> list[str]:
    """Give the encoders of `model` published weights, in place.

    Encoders of other bands than the weights' stay as they are: weights of Sentinel-1
    after those of Sentinel-2 start both encoders of a network that fuses in the middle.
    Weights that saw pictures (ImageNet) fit encoders of any bands.

    Parameters
    ----------
    start
        A name (see `overcast.models.published`), a file of weights that is known by
        its checksum, or a TOML file that describes one.
    model
        A network with encoders of segmentation-models-pytorch or timm.
    sensors
        Bands of each of its images, in order.

    Returns
    -------
    list of str
        Names of the parameters of `model` that were loaded.

    Raises
    ------
    ValueError
        If there are no such weights, they can't be fetched or are damaged, the network
        has no encoder that they fit, or none of their bands.
    """
    weights = find(start)
    parts = _encoders(model, sensors)
    if not parts:
        raise ValueError(
            f"{type(model).__name__} has no encoder that weights are published for; "
            "take unet, deeplab or cloudseg with an encoder such as resnet50"
        )
    chosen = [
        part
        for part, images in parts.items()
        if weights.unit == DISPLAY or any(knows(weights, i.bands) for i in images)
    ]
    if not chosen:
        have = [f"{n}: {', '.join(sensor.names)}" for n, sensor in sensors.items()]
        raise ValueError(
            f"{weights.name} was trained on {', '.join(weights.bands)}, in "
            f"{weights.unit}; the network has none of these ({'; '.join(have)})"
        )
    tensors, loaded = read(weights, progress), set[str]()
    for part in chosen:
        encoder = model.get_submodule(part)
        translated = _translated(encoder, tensors, weights)
        _fill(encoder, translated, weights, parts[part])
        loaded |= {f"{part}.{name}" for name in translated}
    return [name for name, _ in model.named_parameters() if name in loaded]


def _encoders(
    model: Segmenter, sensors: Mapping[str, Sensor]
) -> dict[str, list[InputChannels]]:
    """Module name of every encoder, and the images that it sees, in order."""
    images = {name: InputChannels(sensors[name].bands) for name in model.bands}
    if isinstance(model, CloudSegNetwork):
        optical = images.pop(model.optical)
        bands = sum(len(image.bands) for image in images.values())
        inputs = cast(Sequence[int], model.encoders["others"].out_channels)[0]
        more = (inputs - len(images)) // bands - 1  # what it makes of every band
        others = [InputChannels(i.bands, more * len(i.bands)) for i in images.values()]
        seen = {"optical": [optical], "others": others, "all": [optical, *others]}
        return {f"encoders.{name}": of for name, of in seen.items()}
    branches = getattr(model, "branches", None)
    if not isinstance(branches, Branches):
        return {}
    if branches.fusion == "early":
        return {"branches.encoders.all": list(images.values())}
    return {f"branches.encoders.{name}": [of] for name, of in images.items()}


def _translated(
    encoder: nn.Module, tensors: Mapping[str, Tensor], weights: Published
) -> dict[str, Tensor]:
    """Published tensors by the names that `encoder` has for them.

    Files differ in what stands before the names of an encoder's own parts, and hold
    heads of no use here; timm joins the first two words of some names (``stages_0``) in
    networks that give features.

    Raises
    ------
    ValueError
        If the file has another architecture, or two encoders of this one.
    """
    words = {word for name in tensors for word in name.split(".")}
    own = {}
    for name in encoder.state_dict():
        first, dot, rest = name.removeprefix(_UNIVERSAL).partition(".")
        known = first if first in words else first.replace("_", ".", 1)
        own[name] = known + dot + rest
    needed = [name for name in own.values() if not name.endswith(_COUNTER)]
    heads = {
        name.removesuffix(needed[0])
        for name in tensors
        if f".{name}".endswith(f".{needed[0]}")
    }
    whole = [h for h in heads if all(h + name in tensors for name in needed)]
    if len(whole) != 1:
        what = (
            f"several of them: {', '.join(sorted(whole))}"
            if whole
            else f"none; it begins with {', '.join(list(tensors)[:3])}"
        )
        raise ValueError(
            f"{weights.name}: expected one encoder with parts such as "
            f"{', '.join(needed[:3])}, the file holds {what}; {_advice(weights)}"
        )
    (head,) = whole
    rooms = {name.split(".")[0] for name in needed}
    inside = [n.removeprefix(head) for n in tensors if n.startswith(head)]
    more = [n for n in inside if n.split(".")[0] in rooms and n not in own.values()]
    if more:
        raise ValueError(
            f"{weights.name}: the file's encoder is larger: it has {more[0]}; "
            f"{_advice(weights)}"
        )
    return {
        n: tensors[head + bare] for n, bare in own.items() if head + bare in tensors
    }


def _advice(weights: Published) -> str:
    named = (
        f"encoder: {weights.encoder}" if weights.encoder else "the file's own encoder"
    )
    return f"build the network with {named}"


def _fill(
    encoder: nn.Module,
    tensors: dict[str, Tensor],
    weights: Published,
    images: Sequence[InputChannels],
) -> None:
    """Copy published tensors into an encoder, after folding the first convolution."""
    stem = _stem(encoder, sum(image.channels for image in images))
    if tensors[stem].shape[1] != len(weights.bands):
        raise ValueError(
            f"{weights.name}: {stem} is {list(tensors[stem].shape)}, expected "
            f"{len(weights.bands)} inputs: {', '.join(weights.bands)}"
        )
    tensors[stem] = fold(tensors[stem], weights, images)
    for name, tensor in encoder.state_dict().items():
        if name in tensors and tensors[name].shape != tensor.shape:
            raise ValueError(
                f"{weights.name}: {name} is {list(tensors[name].shape)}, expected "
                f"{list(tensor.shape)}; {_advice(weights)}"
            )
    encoder.load_state_dict(tensors, strict=False)


def _stem(encoder: nn.Module, inputs: int) -> str:
    """Name of the weight that meets the image."""
    for name, part in encoder.named_modules():
        if isinstance(part, nn.Conv2d) and part.in_channels == inputs:
            return f"{name}.weight"
    raise ValueError(
        f"{type(encoder).__name__} has no convolution of {inputs} channels, its images' "
        "bands and validity; published weights can't be fitted to it"
    )
