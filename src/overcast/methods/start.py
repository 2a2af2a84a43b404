"""Where a network starts: from a run's encoder, or from published weights by name.

A run that was pretrained leaves `SENSORS` and `ENCODER` beside its plan; one that was
trained on labels serves as well, and gives its encoder alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from overcast.geo.bands import Sensor
from overcast.geo.stack import Stack
from overcast.methods.method import method_of
from overcast.models.segmenter import Segmenter
from overcast.plan import choose, read_plan
from overcast.progress import Progress
from overcast.run_folder import PLAN, RunFolder
from overcast.schema import from_tree, read_json
from overcast.train.checkpoint import read_weights
from overcast.train.transfer import Reading, adopt, readings, unread
from overcast.trees import to_tree


def start_from(
    where: str,
    model: Segmenter,
    options: Mapping[str, Any],
    sensors: Mapping[str, Sensor],
    progress: Progress,
) -> list[str]:
    """Put the weights of a run folder, or published ones, into a network's encoder.

    Parameters
    ----------
    where
        A run folder, a folder that holds one as ``run``, or what
        `overcast.models.pretrained` knows.
    model
        What is changed, in place.
    options
        What `model` was built with: its name and its options.
    sensors
        What it reads, by name.
    progress
        Told of a download.

    Returns
    -------
    list[str]
        Names of the weights that were put in.

    Raises
    ------
    ValueError
        If there is no such run or name, or nothing of it fits the network.
    """
    folder = Path(where)
    if not folder.is_dir():
        if "/" in where and not folder.is_file():
            raise ValueError(f"{where}: no such run, nor a file that describes weights")
        from overcast.models import pretrained

        return pretrained.load(where, model, sensors, progress)
    run = _Run.read(RunFolder.of(folder))
    own = _Run(options, sensors, model.state_dict())
    _check_units(where, sensors, run.sensors)
    adopted = adopt(model, own.readings(), run.weights, run.readings())
    if not adopted:
        raise ValueError(
            f"{where}: nothing of it fits this network; the run is {run}, this is {own}; "
            "take the run's model with its options, and some of its bands"
        )
    return adopted


def check_frozen(
    model: Segmenter, options: Mapping[str, Any], sensors: Mapping[str, Sensor]
) -> None:
    """Refuse frozen weights to which some bands are nothing.

    Raises
    ------
    ValueError
        If a band was not known to what `model` started from, and so begins at zero.
    """
    left = unread(model, _Run(options, sensors, {}).readings())
    if left:
        names = ", ".join(f"{band} of {image}" for image, band in left)
        raise ValueError(
            f"frozen, but what it starts from did not know {names}, which would never be "
            "read; leave these bands out, or let the network learn without frozen"
        )


def alike(stacks: Sequence[Stack]) -> Mapping[str, Sensor]:
    """Sensors of scenes that are learned from together.

    Raises
    ------
    ValueError
        If there are no scenes, or they differ in sensors.
    """
    if not stacks:
        raise ValueError("no scenes to learn from")
    for stack in stacks:
        if stack.sensors != stacks[0].sensors:
            raise ValueError(
                "scenes to learn from must have the same images: "
                f"{_listed(stacks[0].sensors)} and {_listed(stack.sensors)}"
            )
    return stacks[0].sensors


def write_sensors(sensors: Mapping[str, Sensor], folder: Path) -> None:
    """Leave in a run folder what its network reads."""
    tree = {"sensors": {name: to_tree(sensor) for name, sensor in sensors.items()}}
    text = json.dumps(tree, indent=2, ensure_ascii=False)
    RunFolder(folder).sensors.write_text(text, encoding="utf-8")


def _check_units(
    where: str, own: Mapping[str, Sensor], theirs: Mapping[str, Sensor]
) -> None:
    """Refuse bands of one name that are not in one unit and range."""
    for image in own.keys() & theirs.keys():
        known = {band.name: band for band in theirs[image].bands}
        for band in own[image].bands:
            other = known.get(band.name, band)
            if (band.unit, band.low, band.high) != (other.unit, other.low, other.high):
                raise ValueError(
                    f"{where}: {band.name} of {image} is {other.low:g} to {other.high:g} "
                    f"{other.unit} there and {band.low:g} to {band.high:g} {band.unit} "
                    "here, so what was learned of it does not hold; describe the sensor "
                    "alike, or rename the image"
                )


@dataclass(frozen=True, slots=True)
class _Run:
    """A run's network, what it reads, and what it has learned."""

    model: Mapping[str, Any]
    sensors: Mapping[str, Sensor]
    weights: Mapping[str, Tensor]

    @classmethod
    def read(cls, run: RunFolder) -> _Run:
        folder = run.path
        if not run.plan.is_file():
            raise ValueError(f"{folder}: no run to start from; expected {PLAN} there")
        method = method_of(read_plan(run.plan))
        if not hasattr(method, "model"):
            name = type(method).__name__.lower()
            raise ValueError(f"{folder}: a run of {name}; expected one of a network")
        description, weights = run.sensors, run.encoder
        if not weights.is_file():
            description, weights = run.interface, run.weights
        if not weights.is_file():
            raise ValueError(f"{folder}: the run was not finished; carry it out first")
        again = "train the run again"
        tree = read_json(description, again)
        items = tree.get("sensors") if isinstance(tree, dict) else None
        if not isinstance(items, dict):
            raise ValueError(
                f"{description}: sensors: expected images by name; {again}"
            )
        sensors = {
            name: from_tree(Sensor, item, f"{description}: sensors.{name}", again)
            for name, item in items.items()
        }
        return cls(method.model, sensors, read_weights(weights))

    def readings(self) -> dict[str, Reading]:
        """Return what each of its weights reads of images."""
        return readings(
            lambda bands: choose("models", self.model, bands, 1), self.sensors
        )

    def __str__(self) -> str:
        options = [f"{k}={v}" for k, v in self.model.items() if k != "name"]
        name = " ".join([self.model["name"], *options])
        return f"{name} for {_listed(self.sensors)}"


def _listed(sensors: Mapping[str, Sensor]) -> str:
    return "; ".join(f"{n} ({', '.join(s.names)})" for n, s in sensors.items())
