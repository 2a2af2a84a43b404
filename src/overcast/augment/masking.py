"""Asymmetric masking: blocks hidden in two images, in other places and unequal shares.

What one sensor can't see there, the other one has to tell: the information gap that
Han 2025 (DLLR) makes on purpose. The paper gives no detail; blocks, shares and places
are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from overcast.limits import SHARE, check_limits
from overcast.train.batch import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """Which shares of the optical and the radar image are hidden, in square blocks.

    Places are drawn so that no block is hidden in both, unless the shares add up to
    more than 1.
    """

    optical: float = 0.3
    radar: float = 0.2
    block: int = 8

    def __post_init__(self) -> None:
        check_limits(self, optical=SHARE, radar=SHARE, block=(1, 4096))

    def hide(self, batch: Batch, optical: str, radar: str) -> Batch:
        """Hide blocks of the sensors called `optical` and `radar`."""
        samples, height, width = batch.valid[optical].shape
        draw = torch.rand(samples, -(-height // self.block), -(-width // self.block))
        draw = draw.repeat_interleave(self.block, 1).repeat_interleave(self.block, 2)
        draw = draw[:, :height, :width].to(batch.valid[optical].device)
        visible = {optical: draw >= self.optical, radar: draw < 1 - self.radar}
        valid = {
            n: v & visible[n] if n in visible else v for n, v in batch.valid.items()
        }
        return replace(batch, valid=valid)
