"""Weights and training state as safetensors: no file from outside can run code."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the weights of a model; the file is whole or not there."""
    _save(model.state_dict(), path, {"format": "overcast-weights"})


def load_weights(model: nn.Module, path: Path) -> None:
    """Read weights into a model.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no such file, or of another model.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        _fill(model, load_file(path), path)
    except SafetensorError as error:
        raise ValueError(f"{path}: not a safetensors file: {error}") from error


def save_checkpoint(
    path: Path,
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    step: int,
    run: str,
) -> None:
    """Write weights, optimiser and `step` of the run that `run` describes."""
    tensors = {f"weights/{n}": t for n, t in module.state_dict().items()}
    for index, slot in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{index}/{n}": t for n, t in slot.items()}
    _save(tensors, path, {"step": json.dumps(step), "run": run})


def load_checkpoint(
    path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, run: str
) -> int:
    """Fill module and optimiser from a checkpoint; the step to go on from, or 0.

    Raises
    ------
    ValueError
        If the checkpoint is of another run or another model.
    """
    if not path.is_file():
        return 0
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path}: not a checkpoint: {error}") from error
    if facts.get("run") != run:
        raise ValueError(
            f"{path}: checkpoint of another run ({facts.get('run')}), expected {run}; "
            "delete it to start anew"
        )
    weights = {
        n.removeprefix("weights/"): t
        for n, t in tensors.items()
        if n.startswith("weights/")
    }
    _fill(module, weights, path)
    slots: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser/"):
            _, index, key = name.split("/")
            slots.setdefault(int(index), {})[key] = tensor
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": slots, "param_groups": groups})
    return int(json.loads(facts["step"]))


def _fill(module: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    mine = {n: tuple(t.shape) for n, t in module.state_dict().items()}
    theirs = {n: tuple(t.shape) for n, t in tensors.items()}
    if mine != theirs:
        odd = sorted(n for n in mine.keys() | theirs if mine.get(n) != theirs.get(n))
        raise ValueError(
            f"{path}: weights of another model; {odd[0]} is {theirs.get(odd[0])}, "
            f"expected {mine.get(odd[0])}"
        )
    module.load_state_dict(tensors)


def _save(tensors: dict[str, Tensor], path: Path, facts: dict[str, str]) -> None:
    """Write beside the target, force to disk, rename: a kill leaves the old file."""
    scratch = path.with_name(path.name + ".tmp")
    save_file(
        {n: t.detach().cpu().contiguous() for n, t in tensors.items()}, scratch, facts
    )
    with scratch.open("rb") as file:
        os.fsync(file.fileno())
    scratch.replace(path)
