"""A batch: aligned image tensors, where they were observed, and maybe labels.

Shape letters everywhere: B batch, C channel, K class, H row, W column.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Chip

IGNORE = UNKNOWN
"""Class index of a pixel whose class is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Co-registered images of the same places.

    A sensor that is missing and a pixel under cloud are the same thing: not valid.

    Attributes
    ----------
    images
        Sensor name to float32 ``[B, C, H, W]``, in network units.
    valid
        Sensor name to bool ``[B, H, W]``; False under cloud or outside the swath.
    labels
        int64 ``[B, H, W]`` class indices, `IGNORE` where unknown; None if unlabelled.
    """

    images: Mapping[str, Tensor]
    valid: Mapping[str, Tensor]
    labels: Tensor | None = None

    def __post_init__(self) -> None:
        if self.images.keys() != self.valid.keys():
            raise ValueError(
                f"images has {sorted(self.images)}, valid has {sorted(self.valid)}"
            )
        for name, image in self.images.items():
            expect = (image.shape[0], *image.shape[2:])
            if self.valid[name].shape != expect:
                raise ValueError(
                    f"valid[{name!r}] is {tuple(self.valid[name].shape)}, "
                    f"expected {tuple(expect)}"
                )
        shapes = {name: tuple(valid.shape) for name, valid in self.valid.items()}
        if self.labels is not None:
            shapes["labels"] = tuple(self.labels.shape)
        if len(set(shapes.values())) > 1:
            raise ValueError(f"all of a batch must have one [B, H, W], got {shapes}")

    @classmethod
    def of(cls, chips: Sequence[Chip]) -> Batch:
        """Stack chips of one size; labels only if every chip has them.

        Raises
        ------
        ValueError
            If there are no chips, or they differ in sensors or size.
        """
        if not chips:
            raise ValueError("a batch needs at least one chip")
        names = chips[0].images.keys()
        if any(
            c.images.keys() != names or c.grid.shape != chips[0].grid.shape
            for c in chips
        ):
            raise ValueError("chips of a batch must have the same sensors and size")
        images = {
            n: np.stack(
                [c.images[n].sensor.to_network(c.images[n].values) for c in chips]
            )
            for n in names
        }
        valid = {n: np.stack([c.images[n].valid for c in chips]) for n in names}
        known = [c.labels.values for c in chips if c.labels is not None]
        labels = np.stack(known) if len(known) == len(chips) else None
        return cls(
            images={n: torch.from_numpy(v) for n, v in images.items()},
            valid={n: torch.from_numpy(v) for n, v in valid.items()},
            labels=None if labels is None else torch.from_numpy(labels).long(),
        )

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns."""
        height, width = next(iter(self.valid.values())).shape[1:]
        return int(height), int(width)

    def only(self, names: Collection[str]) -> Batch:
        """Return the batch with no other images than these: a network's own, say."""
        return replace(
            self,
            images={name: i for name, i in self.images.items() if name in names},
            valid={name: v for name, v in self.valid.items() if name in names},
        )

    def map(self, fn: Callable[[Tensor], Tensor]) -> Batch:
        """Apply `fn` to every tensor."""
        return replace(
            self,
            images={k: fn(v) for k, v in self.images.items()},
            valid={k: fn(v) for k, v in self.valid.items()},
            labels=None if self.labels is None else fn(self.labels),
        )

    def to(self, device: torch.device) -> Batch:
        """Copy to `device`."""
        return self.map(lambda t: t.to(device, non_blocking=True))


def join(batches: Sequence[Batch]) -> Batch:
    """One batch of the samples of several; labels only if all have them.

    Raises
    ------
    ValueError
        If there are none, or they differ in images or size.
    """
    if len({(*b.images, *b.extent) for b in batches}) != 1:
        raise ValueError(
            "batches to be joined must have the same images and size, got "
            f"{[(*b.images, *b.extent) for b in batches]}"
        )
    labels = [b.labels for b in batches if b.labels is not None]
    return Batch(
        images={
            n: torch.cat([b.images[n] for b in batches]) for n in batches[0].images
        },
        valid={n: torch.cat([b.valid[n] for b in batches]) for n in batches[0].valid},
        labels=torch.cat(labels) if len(labels) == len(batches) else None,
    )
