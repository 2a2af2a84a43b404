"""Files of published weights: fetched once, checked every time, read without unpickling.

They are kept in ``weights`` below the folder that the variable OVERCAST_CACHE names, or
else ``overcast`` of the user's cache folder. A file that was put there by hand is as
good as one that was downloaded.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from overcast.errors import MachineError
from overcast.models.published import PUBLISHED, Published, described, published
from overcast.output import write_whole
from overcast.progress import Progress, quiet

_BLOCK = 1 << 20
_DIGITS = 64
"""Hexadecimal digits of a SHA-256; timm and torchvision publish the first eight."""
_PATIENCE_S = 60
_TOO_MANY, _SERVER = 429, 500
"""States of HTTP: too many requests, and the first that is the server's fault."""
_NESTED = ("state_dict", "model", "model_state_dict")


def cache_folder() -> Path:
    """Return where downloaded weights are kept."""
    own = os.environ.get("OVERCAST_CACHE")
    if own:
        return Path(own) / "weights"
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "overcast" / "weights"


def find(start: str | Path) -> Published:
    """Weights by name, by a TOML file that describes them, or by a file itself.

    A file is recognised by its checksum, whatever it is called.

    Raises
    ------
    ValueError
        If there are no such weights, or nobody says what a file expects.
    """
    path = Path(start)
    if path.suffix == ".toml":
        return described(path)
    if not path.is_file():
        if path.suffix in (".pth", ".pt", ".safetensors"):
            raise ValueError(f"{path}: no such file of weights")
        return published(str(start))
    digest = _digest(path)
    for weights in PUBLISHED.values():
        if digest.startswith(weights.sha256):
            return replace(weights, file=path)
    raise ValueError(
        f"{path}: not one of the published files that are known here; describe it in a "
        "TOML file (file, unit, [[bands]]) and give that"
    )


def read(weights: Published, progress: Progress = quiet) -> dict[str, Tensor]:
    """Tensors by name, after fetching the file if need be and checking it.

    Raises
    ------
    ValueError
        If the file is not there, is not what was published, or holds no tensors.
    MachineError
        If the network or the disk failed, so that it can't be fetched now.
    """
    path = weights.file or _fetched(weights, progress)
    if not path.is_file():
        raise ValueError(f"{path}: no such file of weights")
    _check(path, weights)
    _pin(path, weights)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        tree = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path}: not a file of weights: {reason}") from error
    return _tensors(tree, path)


def _tensors(tree: Any, path: Path) -> dict[str, Tensor]:
    for key in _NESTED:
        if isinstance(tree, Mapping) and isinstance(tree.get(key), Mapping):
            tree = tree[key]
    tensors = tree.items() if isinstance(tree, Mapping) else ()
    weights = {str(name): value for name, value in tensors if isinstance(value, Tensor)}
    if not weights:
        raise ValueError(f"{path}: holds no tensors by name; expected a state dict")
    return weights


def _fetched(weights: Published, progress: Progress) -> Path:
    path = cache_folder() / weights.url.rsplit("/", 1)[1]
    if path.is_file():
        return path
    scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(weights.url, scratch, progress)
        _check(scratch, weights)
        scratch.replace(path)
    except (OSError, HTTPException) as error:
        kind = MachineError if _is_of_network(error) else ValueError
        raise kind(
            f"{weights.name}: can't be fetched ({error}); try again later, or get "
            f"{weights.url} on another machine and put it into {path.parent}"
        ) from error
    finally:
        scratch.unlink(missing_ok=True)
    return path


def _is_of_network(error: Exception) -> bool:
    """Return whether network or disk failed, not the address: a retry may help."""
    if isinstance(error, HTTPError):
        return error.code == _TOO_MANY or error.code >= _SERVER
    return not isinstance(error, (PermissionError, NotADirectoryError, FileExistsError))


def _download(url: str, path: Path, progress: Progress) -> None:
    with (
        urllib.request.urlopen(url, timeout=_PATIENCE_S) as reply,
        path.open("wb") as out,
    ):
        total = int(reply.headers.get("Content-Length") or 0)
        done = 0
        while block := reply.read(_BLOCK):
            out.write(block)
            done += len(block)
            progress("downloading weights", done, max(total, done))
        if done < total:
            raise OSError(f"the connection ended after {done:,} of {total:,} bytes")


def _check(path: Path, weights: Published) -> None:
    digest, expected = _digest(path), _expected(path, weights)
    if not digest.startswith(expected):
        raise ValueError(
            f"{path}: not the file of {weights.name} that was published, or damaged: "
            f"SHA-256 is {digest[:16]}..., expected {expected[:16]}...; get it anew"
        )


def _expected(path: Path, weights: Published) -> str:
    """Return the SHA-256 that a file must have; what was pinned, if a prefix is known."""
    pinned = _pin_of(path)
    if weights.file is None and len(weights.sha256) < _DIGITS and pinned.is_file():
        return pinned.read_text(encoding="ascii").strip()
    return weights.sha256


def _pin(path: Path, weights: Published) -> None:
    """Keep the whole SHA-256 of a file of the cache whose prefix alone was published."""
    if weights.file is None and len(weights.sha256) < _DIGITS:
        with suppress(OSError):  # a cache that others keep
            write_whole(_pin_of(path), f"{_digest(path)}\n")


def _pin_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
