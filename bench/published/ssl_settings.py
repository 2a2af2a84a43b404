"""Sizes of the benchmark of few labels after learning without, and of a trial of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LABELS = (10, 50, 100, 500, 1000)
"""Numbers of labelled patches in Chen and Bruzzone 2022."""
PRETRAINED = "pretrained"
"""Stands in the settings of an arm for the folder of what was pretrained."""
QUICK: Mapping[str, Any] = {
    "labels": [1, 2],
    "unlabelled": 50,
    "test": 50,
    "networks": {
        "middle": {"model": {"name": "fcn", "width": 8, "dilations": [1]}},
    },
    "training": {"schedule": {"steps": 6, "warmup": 2}, "window": 32, "batch": 2},
    "pretraining": {
        "recipe": {"name": "contrast", "dimensions": 16},
        "schedule": {"steps": 4, "warmup": 2},
        "window": 48,
        "batch": 2,
    },
}
"""Small and few of everything: shows that all of it runs."""


def _network(fusion: str, **recipe: Any) -> dict[str, Any]:
    return {
        "model": {"name": "unet", "encoder": "resnet18", "fusion": fusion},
        "recipe": {"fusion": fusion, **recipe},
    }


def _networks() -> dict[str, dict[str, Any]]:
    """The paper's three ways of fusion, and the recipe's own defaults."""
    paper = {
        "image": 1.0,
        "pixel": False,
        "temperature": 0.5,
        "dimensions": 256,
        "drop": 0.0,
    }
    found = {
        fusion: _network(fusion, **paper) for fusion in ("middle", "early", "late")
    }
    return {**found, "pixels": _network("early")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is compared, and how large it is.

    Attributes
    ----------
    labels
        Numbers of labelled patches; each draw holds the smaller ones.
    unlabelled
        Patches that are pretrained on.
    test
        At most so many patches are tested, spread over all; or all of them.
    regions
        Names of the splits that are tested: regions, in the public release. If none are
        given, two are drawn by the seed, or the contest's validation split is tested.
    networks
        Name in the table to a ``model`` (a file in `overcast.models`, its options) and,
        maybe, hyper-parameters of the pretraining ``recipe`` that belong to it.
    pretraining, training
        Settings of `overcast.methods.network.Network`, with labels and without.
    arms
        Name in the table to what differs from `training`; ``start: pretrained`` starts
        from the network's pretraining. One of another method (``name: forest``) has all
        its settings here, and stands in the table once.
    """

    labels: Sequence[int] = LABELS
    unlabelled: int = 1000
    test: int | None = None
    regions: Sequence[str] = ()
    networks: Mapping[str, Mapping[str, Any]] = field(default_factory=_networks)
    pretraining: Mapping[str, Any] = field(
        default_factory=lambda: {
            "recipe": {"name": "contrast", "memory": 1024},
            "schedule": {"steps": 20_000, "peak_rate": 3e-4, "warmup": 500},
            "window": 64,
            "batch": 64,
        }
    )
    training: Mapping[str, Any] = field(
        default_factory=lambda: {
            "schedule": {"steps": 5000, "peak_rate": 1e-3, "warmup": 100},
            "window": 128,
            "batch": 16,
        }
    )
    arms: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: {
            "scratch": {},
            # Without a rate: that of a classifier alone is another one.
            "linear": {
                "start": PRETRAINED,
                "frozen": True,
                "schedule": {"steps": 5000, "warmup": 100},
            },
            "fine-tuned": {"start": PRETRAINED},
            "forest": {"name": "forest", "filtered": False},
        }
    )

    def __post_init__(self) -> None:
        for name in ("labels", "networks", "arms"):
            if not getattr(self, name):
                raise ValueError(f"{name} must not be empty")
        least = min(
            *self.labels, self.unlabelled, 1 if self.test is None else self.test
        )
        if least < 1:
            raise ValueError(
                "labels, unlabelled and test must be 1 or more each, got "
                f"labels={self.labels}, unlabelled={self.unlabelled}, test={self.test}"
            )

    def pretraining_of(self, network: str) -> dict[str, Any]:
        """Method that pretrains a network, by its name in the table."""
        parts, given = self.networks[network], dict(self.pretraining)
        recipe = {**given.pop("recipe"), **parts.get("recipe", {})}
        return {"name": "network", **given, "model": parts["model"], "recipe": recipe}

    def method_of(self, network: str, arm: str) -> dict[str, Any]:
        """Method of an arm of a network; `PRETRAINED` stands where it starts."""
        model = self.networks[network]["model"]
        return {"name": "network", **self.training, "model": model, **self.arms[arm]}
