"""Plans carried out: a trained run in a folder, and a map made with one.

A run folder holds ``plan.yaml``, ``interface.json`` (the legend and the sensors that
its predictor has) and whatever the method leaves there; nothing in it is a pickle.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overcast import __version__
from overcast.geo.bands import Band, Sensor
from overcast.geo.files import open_labels
from overcast.geo.legend import LandClass, Legend, load_legend
from overcast.geo.stack import LabelSource, Stack, agree
from overcast.geo.tiling import Tiling
from overcast.inputs import Inputs, open_inputs
from overcast.maps.predict import predict
from overcast.maps.predictor import Predictor
from overcast.maps.product import write_confidence, write_map
from overcast.plan import (
    Plan,
    Windows,
    fingerprint,
    method_of,
    read_plan,
    to_tree,
    write_plan,
)
from overcast.progress import Progress, quiet

_PLAN, _INTERFACE = "plan.yaml", "interface.json"


@dataclass(frozen=True, slots=True)
class Reference:
    """What a map is scored against."""

    path: Path
    legend: str | None = None
    nodata: int | None = None

    def open(self, legend: Legend) -> LabelSource:
        """Open it, with the map's legend unless it has its own."""
        own = legend if self.legend is None else load_legend(self.legend)
        return open_labels(self.path, own, self.nodata)


def train_run(
    plan: Plan, folder: Path, progress: Progress = quiet, inputs: Inputs | None = None
) -> None:
    """Carry out the learning of a plan, leaving a run in `folder`.

    Learns from the plan's data and, if there are any, its further scenes.
    Going on from what an interrupted attempt left there is up to the method.
    """
    inputs = inputs or open_inputs(plan.data)
    stacks = [inputs.stack, *(open_inputs(more).stack for more in plan.scenes)]
    first = agree(stacks)
    assert first.labels is not None
    folder.mkdir(parents=True, exist_ok=True)
    write_plan(plan, folder / _PLAN)
    interface = {
        "legend": to_tree(first.labels.legend),
        "sensors": {n: to_tree(s) for n, s in first.sensors.items()},
        "version": __version__,
    }
    text = json.dumps(interface, indent=2, ensure_ascii=False)
    (folder / _INTERFACE).write_text(text, encoding="utf-8")
    method_of(plan).fit(stacks, folder, plan.seed, progress)


def load_run(folder: Path) -> Predictor:
    """Return the predictor of a finished run.

    Raises
    ------
    ValueError
        If the folder holds no run, or one that was not finished.
    """
    if not (folder / _PLAN).is_file() or not (folder / _INTERFACE).is_file():
        raise ValueError(f"{folder}: no run; expected {_PLAN} and {_INTERFACE} there")
    plan = read_plan(folder / _PLAN)
    tree = json.loads((folder / _INTERFACE).read_text(encoding="utf-8"))
    legend = Legend(
        tree["legend"]["name"],
        tuple(LandClass(**item) for item in tree["legend"]["classes"]),
    )
    sensors = {name: _sensor(item) for name, item in tree["sensors"].items()}
    try:
        predictor: Predictor = method_of(plan).load(folder, legend, sensors)
    except FileNotFoundError as error:
        raise ValueError(
            f"{folder}: the run was not finished; run `overcast train` again"
        ) from error
    return predictor


def _sensor(tree: Mapping[str, Any]) -> Sensor:
    bands = tuple(Band(**band) for band in tree["bands"])
    layouts = tuple(tuple(layout) for layout in tree["layouts"])
    return Sensor(tree["name"], tree["kind"], bands, layouts)


def model_hash(folder: Path) -> str:
    """SHA-256 of a run's learned files, its first sixteen hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def is_trained(folder: Path) -> bool:
    """Whether a run folder holds a finished run."""
    try:
        load_run(folder)
    except ValueError:
        return False
    return True


def map_run(
    run: Path, inputs: Inputs, windows: Windows, folder: Path, progress: Progress
) -> Path:
    """Map a stack with a run, into map.tif and confidence.tif in `folder`."""
    predictor = load_run(run)
    stack = matched(inputs.stack, predictor.sensors)
    model = model_hash(run)
    key = fingerprint([model, inputs.fingerprint, to_tree(windows)])
    overlap = max(windows.overlap, 2 * predictor.halo)
    tiling = Tiling(max(windows.size, 2 * overlap), overlap)
    raw = predict(predictor, stack, tiling, folder, key, progress)
    tags = {
        "OVERCAST_VERSION": __version__,
        "OVERCAST_MODEL": model,
        "OVERCAST_PLAN": read_plan(run / _PLAN).fingerprint,
        "OVERCAST_INPUTS": ", ".join(sorted(_file_names(inputs.stack))),
    }
    mapped = folder / "map.tif"
    progress("writing", 0, 2)
    write_map(raw, stack.grid, predictor.legend, mapped, tags)
    progress("writing", 1, 2)
    write_confidence(raw, stack.grid, folder / "confidence.tif", tags)
    progress("writing", 2, 2)
    return mapped


def _file_names(stack: Stack) -> list[str]:
    sources: list[Any] = [*stack.images.values(), stack.labels]
    return [source.path.name for source in sources if hasattr(source, "path")]


def matched(stack: Stack, sensors: Mapping[str, Sensor]) -> Stack:
    """Return the stack with exactly the images that a predictor reads, and no labels.

    Raises
    ------
    ValueError
        If an image is missing, or is of another sensor or other bands.
    """
    missing = sensors.keys() - stack.images.keys()
    if missing:
        raise ValueError(
            f"the run was trained with images {', '.join(sorted(sensors))}; "
            f"{', '.join(sorted(missing))} was not given"
        )
    for name, sensor in sensors.items():
        found = stack.images[name].sensor
        if (found.name, found.names) != (sensor.name, sensor.names):
            raise ValueError(
                f"{name}: the run was trained on {sensor.name} "
                f"({', '.join(sensor.names)}), the image is {found.name} "
                f"({', '.join(found.names)})"
            )
    images = {n: stack.images[n] for n in sensors}
    return dataclasses.replace(stack, images=images, labels=None)
