"""Runs that networks start from; all that start from the same one learn it once.

What is learned is kept in a temporary folder, under a name made of all that it was
learned from.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.claims.blocks import Arm

from overcast.geo.stack import Stack
from overcast.methods.method import method_of
from overcast.methods.network import Network
from overcast.methods.start import write_sensors
from overcast.plan import Data, Plan, choose, write_plan
from overcast.progress import quiet
from overcast.run_folder import ENCODER
from overcast.train.felzenszwalb import with_superpixels
from overcast.worlds.scene import WorldScene

_HERE = Path(tempfile.gettempdir()) / "overcast-patches"

Learn = Callable[[Network, Sequence[Stack], Path, int], None]
"""Leaves an encoder in a folder, from stacks and a seed."""


def start_of(name: str) -> Path:
    """Folder of the run that methods called so start from, in this process."""
    return _HERE / f"start-{os.getpid()}{name.replace(', ', '-').replace(' ', '-')}"


def started(
    name: str,
    run: Callable[[WorldScene, int], Path],
    made: Callable[[WorldScene, int], Arm],
) -> Callable[[WorldScene, int], Arm]:
    """The arm `made`, after seeing to it that `start_of` the name is `run`."""

    def arm(scene: WorldScene, seed: int) -> Arm:
        link, found = start_of(name), run(scene, seed)
        link.unlink(missing_ok=True)
        link.symlink_to(found)
        return made(scene, seed)

    return arm


def from_images(
    method: Network, stacks: Sequence[Stack], folder: Path, seed: int
) -> None:
    """Learn an encoder from images alone, with superpixels computed before."""
    bare = [with_superpixels(replace(stack, labels=None)) for stack in stacks]
    method.pretrain(bare, folder, seed, quiet)


def from_labels(
    method: Network, stacks: Sequence[Stack], folder: Path, seed: int
) -> None:
    """Learn a network from labels, and leave its encoder."""
    method.fit(stacks, folder, seed, quiet)
    write_sensors(stacks[0].sensors, folder)
    (folder / "model.safetensors").rename(folder / ENCODER)


def kept(
    learn: Learn, stacks: Sequence[Stack], method: Mapping[str, Any], seed: int
) -> Path:
    """Run folder of what was learned so, now or before."""
    plan = Plan(data=Data(images={}), method=method, seed=seed)
    network = method_of(plan)
    assert isinstance(network, Network)
    # A plan does not say what a recipe's defaults are.
    recipe = choose("recipes", network.recipe)
    digest = sha256(f"{learn.__name__} {plan.fingerprint} {recipe}".encode())
    for stack in stacks:
        for image in stack.images.values():
            digest.update(image.read(stack.grid).values.tobytes())
    folder = _HERE / digest.hexdigest()[:16]
    if not folder.exists():
        scratch = folder.with_suffix(f".{os.getpid()}")
        scratch.mkdir(parents=True)
        write_plan(plan, scratch / "plan.yaml")
        learn(network, stacks, scratch, seed)
        shutil.rmtree(folder, ignore_errors=True)
        scratch.rename(folder)
    return folder
