"""Published weights where a download would have put them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from overcast.models import weight_files
from overcast.models.published import PUBLISHED, Published


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Put a file where a download would be, under a name of the table."""
    monkeypatch.setenv("OVERCAST_CACHE", str(tmp_path))

    def put(weights: Published, tensors: dict[str, Tensor]) -> str:
        file = weight_files.cache_folder() / weights.url.rsplit("/", 1)[1]
        file.parent.mkdir(exist_ok=True)
        torch.save(tensors, file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        own = replace(weights, sha256=digest)
        monkeypatch.setitem(PUBLISHED, weights.name, own)  # type: ignore[misc]
        return weights.name

    return put
