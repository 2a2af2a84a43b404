"""Weights and training progress as files: safetensors and JSON, never a pickle.

A file is replaced whole or not at all, and is on the disk before it has its name: a
crash or a power cut leaves the previous one. Equal contents give equal bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from overcast.errors import AGAIN, reading, writing

_KEY = "overcast"
_OPTIMISER = "optimiser/"


def save_weights(model: nn.Module, path: Path) -> None:
    """Write every weight and buffer of `model`."""
    _write(path, model.state_dict(), {"kind": "weights"})


def load_weights(model: nn.Module, path: Path) -> None:
    """Read the weights of `model` from `path` into it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a safetensors file, or does not fit the model.
    """
    weights = read_weights(path)
    for name, values in weights.items():
        if values.is_floating_point() and not bool(torch.isfinite(values).all()):
            raise ValueError(
                f"{path}: {name} holds values that are not finite; train the run again"
            )
    for name, values in model.state_dict().items():
        if name in weights and weights[name].dtype != values.dtype:
            raise ValueError(
                f"{path}: {name} holds {weights[name].dtype}, expected {values.dtype}; "
                "train the run again"
            )
    _fill(model, weights, path)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Weights and buffers by name, on the CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a safetensors file.
    """
    return _read(path)[0]


def save_checkpoint(
    path: Path,
    parts: nn.Module,
    optimiser: Optimizer,
    step: int,
    made_with: Mapping[str, str],
) -> None:
    """Write all that training needs to go on at `step`.

    `made_with` says in words what else decides the outcome, such as the schedule.
    """
    tensors = {**parts.state_dict(), **dict(_memory(parts, optimiser))}
    _write(path, tensors, {"kind": "checkpoint", "step": step, **made_with})


def load_checkpoint(
    path: Path, parts: nn.Module, optimiser: Optimizer, made_with: Mapping[str, str]
) -> int:
    """Read a checkpoint into `parts` and `optimiser`; return the step to go on at.

    Raises
    ------
    ValueError
        If the file is no checkpoint, does not fit `parts`, or was `made_with`
        something else.
    """
    tensors, notes = _read(path)
    if notes.get("kind") != "checkpoint":
        raise ValueError(f"{path} is not a checkpoint of overcast")
    for what, now in made_with.items():
        if notes.get(what) != now:
            raise ValueError(
                f"{path} was made with {what} {notes.get(what)}, now it is {now}; "
                "go on with the same settings, or start in another folder"
            )
    memory = {k: v for k, v in tensors.items() if k.startswith(_OPTIMISER)}
    _fill(parts, {k: v for k, v in tensors.items() if k not in memory}, path)
    _remember(parts, optimiser, memory)
    return int(notes["step"])


def _memory(parts: nn.Module, optimiser: Optimizer) -> Iterator[tuple[str, Tensor]]:
    for name, parameter in parts.named_parameters():
        for key, value in optimiser.state.get(parameter, {}).items():
            yield f"{_OPTIMISER}{name}/{key}", value


def _remember(
    parts: nn.Module, optimiser: Optimizer, memory: Mapping[str, Tensor]
) -> None:
    parameters = dict(parts.named_parameters())
    for path, value in memory.items():
        name, key = path.removeprefix(_OPTIMISER).rsplit("/", 1)
        parameter = parameters[name]
        # The count of steps stays on the CPU; moments lie in memory as weights do.
        own = value if key == "step" else torch.empty_like(parameter).copy_(value)
        optimiser.state[parameter][key] = own


def _fill(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    wanted = module.state_dict()
    faults = [f"{name} is missing" for name in wanted if name not in tensors]
    faults += [f"{name} is not part of it" for name in tensors if name not in wanted]
    faults += [
        f"{name} is {list(tensors[name].shape)}, expected {list(own.shape)}"
        for name, own in wanted.items()
        if name in tensors and tensors[name].shape != own.shape
    ]
    if faults:
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise ValueError(
            f"{path} does not fit this {type(module).__name__}: "
            f"{'; '.join(faults[:3])}{more}; build the network with the settings that "
            "the file was trained with"
        )
    module.load_state_dict(tensors)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with reading(path, AGAIN, "safetensors file"), safe_open(path, "pt") as file:
        notes = json.loads((file.metadata() or {}).get(_KEY, "{}"))
        return {name: file.get_tensor(name) for name in file.keys()}, notes  # noqa: SIM118


def _write(path: Path, tensors: Mapping[str, Tensor], notes: Mapping[str, Any]) -> None:
    # Copies, because safetensors refuses tensors that share memory. One key of
    # metadata, because it writes several in an order that differs between processes.
    own = {
        name: tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in tensors.items()
    }
    scratch = path.with_name(f"{path.name}.tmp")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not `save_file`: if it is killed, a file stays whose name nobody knows.
        scratch.write_bytes(save(own, {_KEY: json.dumps(notes, sort_keys=True)}))
        _flush(scratch)
        scratch.replace(path)
        if os.name == "posix":
            _flush(path.parent)


def _flush(path: Path) -> None:
    """Wait until the disk holds a file, or a folder's list of names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
