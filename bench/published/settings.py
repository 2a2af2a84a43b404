"""Sizes of the baselines of Schmitt et al. 2020, and of a quick trial of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_PIXELS = 64 * 256 * 256
"""What `overcast.methods` sample of a stack at most."""
QUICK: Mapping[str, Any] = {
    "patches": 50,
    "pixels": 20_000,
    "trees": 10,
    "epochs": 2,
    "batch": 4,
    "peak_rate": 1e-2,
    "most": 50,
    "networks": {
        "DLv3": {"name": "deeplab", "encoder": "mobilenet_v2", "width": 16},
        "Unet": {"name": "unet", "encoder": "mobilenet_v2", "channels": [16] * 5},
    },
    "methods": {
        "overcast weak": {
            "name": "weak",
            "cell": 50,
            "clusters": [32],
            "samples": 10_000,
        }
    },
}
"""Small and few of everything: shows that all of it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Sizes of everything; the defaults are the paper's where it states them.

    Attributes
    ----------
    patches, pixels
        What the shallow classifiers learn from: so many patches, and of them together
        so many pixels. The paper took all 164 million pixels of 2,500 patches.
    clusters, trees
        Of k-means and of the forest.
    epochs, batch, peak_rate
        Of the networks; the learning rate is ours, for AdamW.
    most
        At most so many patches of every split, or all.
    networks
        Name in the table to ``name`` of a file in `overcast.models` and its options.
    methods
        Name in the table to ``name`` of a file in `overcast.methods` and its settings:
        what overcast itself makes of the same coarse labels, Savanna among them. Their
        cells of 500 m come on a grid of 10 m, so `cell` has to say how large they are.
    """

    patches: int = 2_500
    pixels: int = 4_000_000
    clusters: int = 8
    trees: int = 100
    epochs: int = 10
    batch: int = 32
    peak_rate: float = 1e-3
    most: int | None = None
    networks: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: {
            "DLv3": {"name": "deeplab", "encoder": "resnet101", "fusion": "early"},
            "Unet": {
                "name": "unet",
                "encoder": "resnet34",
                "fusion": "early",
                "channels": [512, 256, 128, 64, 32],
            },
        }
    )
    methods: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: {"overcast weak": {"name": "weak", "cell": 50}}
    )

    def __post_init__(self) -> None:
        counts = ("patches", "pixels", "clusters", "trees", "epochs", "batch")
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")
        if self.pixels > MOST_PIXELS:
            raise ValueError(
                f"pixels must be {MOST_PIXELS:,} or fewer, got {self.pixels:,}"
            )
