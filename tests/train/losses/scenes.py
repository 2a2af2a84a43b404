"""Small random logits and labels, and a softmax that can't be wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from overcast.train.batch import IGNORE

CLASSES = 4
SHAPE = (2, 3, 2)


def draw(
    seed: int, unknown: float = 0.3, classes: int = CLASSES
) -> tuple[Tensor, Tensor]:
    """Logits float64 ``[2, K, 3, 2]`` and labels ``[2, 3, 2]``."""
    source = torch.Generator().manual_seed(seed)
    batch, height, width = SHAPE
    logits = 2 * torch.randn(
        batch, classes, height, width, generator=source, dtype=torch.float64
    )
    labels = torch.randint(classes, SHAPE, generator=source)
    labels[torch.rand(SHAPE, generator=source) < unknown] = IGNORE
    return logits, labels


def draw_soft(seed: int, labels: Tensor, classes: int = CLASSES) -> Tensor:
    """Distributions ``[2, K, 3, 2]``, all zero where `labels` are unknown."""
    source = torch.Generator().manual_seed(seed)
    soft = torch.rand(2, classes, 3, 2, generator=source, dtype=torch.float64)
    return soft / soft.sum(1, keepdim=True) * (labels != IGNORE)[:, None]


def draw_matrix(seed: int, rows: int = CLASSES, columns: int = CLASSES) -> Tensor:
    """Transition matrix with a strong diagonal, rows sum to one."""
    source = torch.Generator().manual_seed(seed)
    matrix = torch.rand(rows, columns, generator=source, dtype=torch.float64)
    matrix += 2 * torch.eye(rows, columns)
    return matrix / matrix.sum(1, keepdim=True)


def softmax(scores: list[float]) -> list[float]:
    total = sum(math.exp(s) for s in scores)
    return [math.exp(s) / total for s in scores]


def known_pixels(labels: Tensor) -> Iterator[tuple[int, int, int, int]]:
    """(image, row, column, label) of every pixel whose class is known."""
    for b, y, x in torch.cartesian_prod(*map(torch.arange, labels.shape)).tolist():
        if int(labels[b, y, x]) != IGNORE:
            yield b, y, x, int(labels[b, y, x])
