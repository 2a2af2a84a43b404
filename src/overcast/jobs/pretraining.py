"""An encoder from images that nobody has labelled: which scenes there are, and the run."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from overcast import run_folder
from overcast.geo.location import Location
from overcast.geo.masks import is_scene_classes
from overcast.geo.series import each_date
from overcast.geo.stack import Stack
from overcast.inputs import Inputs, open_inputs
from overcast.jobs.mapping import JobResult
from overcast.methods.method import method_of
from overcast.output import Output
from overcast.plan import (
    Data,
    ImageInput,
    Plan,
    choose,
    fingerprint,
    read_plan,
    replace_labels,
    write_plan,
)
from overcast.progress import Progress
from overcast.threads import steady_learning

if TYPE_CHECKING:
    from overcast.methods.network import Network
    from overcast.train.recipe import Recipe, State

SENSORS = {"1": "sentinel-1", "2": "sentinel-2"}
_LOG = run_folder.LOG
_SUFFIXES = (".tif", ".tiff", ".vrt", ".jp2")
_PLANS = (".yaml", ".yml")
_WORD = re.compile(r"(?<![a-z0-9])s([12])[abc]?(?![a-z0-9])", re.IGNORECASE)
_ORBIT = re.compile(r"[_.-](?:asc|desc)(?:ending)?(?![a-z0-9])", re.IGNORECASE)
_COLLAPSED = 3.0
"""Effective rank of projections below which all places are one and the same to the loss;
tests/recipes/test_contrast.py holds it between runs with negatives and without."""
_RANK = "projected rank"
_LAST = 10
"""Steps at the end that are looked at."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """Data of every scene, and what was passed over."""

    data: tuple[Data, ...]
    notes: tuple[str, ...] = ()


def find_scenes(paths: Sequence[Path]) -> Scenes:
    """Scenes in folders, of files, and of plans.

    A raster with the word S1 or S2 in its name is an image of Sentinel-1 or Sentinel-2.
    Two whose paths differ in that word alone, and in the orbit of Sentinel-1, are of one
    scene, and so are the only two of a folder. Other rasters are passed over.

    Raises
    ------
    ValueError
        If a path does not exist, there is no image, or some scenes have both sensors
        and some have not.
    """
    planned = [
        data for path in paths if path.suffix in _PLANS for data in _planned(path)
    ]
    named: dict[str, dict[str, Path]] = {}
    passed = []
    for path in _rasters([p for p in paths if p.suffix not in _PLANS]):
        if (word := _WORD.search(path.name)) is None:
            passed.append(path.name)
        else:
            key = _WORD.sub("*", str(path))
            images, name = named.setdefault(key, {}), f"s{word[1]}"
            if images.setdefault(name, path) != path:
                raise ValueError(
                    f"{path}: its name and that of {images[name]} say that both are "
                    f"the S{word[1]} image of one scene; expected one"
                )
    scenes = [*_paired(named)]
    if not scenes and not planned:
        raise ValueError(
            f"{', '.join(map(str, paths))}: no image; expected files with S1 or S2 in "
            "their names, such as s1.tif and s2.tif, or a plan"
        )
    _check_alike(scenes)
    notes = []
    if passed:
        shown = ", ".join(passed[:3]) + (" ..." if len(passed) > 3 else "")
        notes = [f"{len(passed)} rasters without S1 or S2 in their names: {shown}"]
    data = [*planned, *map(_data, scenes)]
    return Scenes(tuple(data), tuple(notes))


def pretrain(
    paths: Sequence[Path],
    out: Path,
    settings: Mapping[str, object],
    seed: int,
    overwrite: bool,
    progress: Progress,
) -> JobResult:
    """Learn an encoder from all images in `paths`, into the run folder `out`.

    Raises
    ------
    ValueError
        If an image is refused, a setting is unknown, or `out` holds a run.
    """
    scenes = find_scenes(paths)
    first, *more = scenes.data
    plan = Plan(data=first, scenes=tuple(more), method=_method(settings), seed=seed)
    network = _network(plan)
    inputs = [open_inputs(data) for data in scenes.data]
    key = fingerprint([plan.fingerprint, *(i.fingerprint for i in inputs)])
    names = (run_folder.PLAN, run_folder.SENSORS, run_folder.ENCODER, _LOG)
    output = Output.begin(out, names, key, overwrite)
    noticed = (*output.notes, *scenes.notes, *_noticed(inputs))
    if output.finished:
        return _made(out, len(inputs), noticed)
    cache = output.work / "superpixels"
    with output:
        write_plan(plan, output.work / run_folder.PLAN)
        stacks = _stacks(inputs, choose("recipes", network.recipe), cache)
        with steady_learning():
            network.pretrain(stacks, output.work, seed, progress)
        shutil.rmtree(cache, ignore_errors=True)
    return _made(out, len(stacks), noticed)


def pretrain_on_worlds(
    count: int,
    out: Path,
    settings: Mapping[str, object],
    seed: int,
    overwrite: bool,
    progress: Progress,
) -> JobResult:
    """Learn an encoder from simulated worlds, into the run folder `out`.

    By default from their true classes; by a recipe that learns from images alone, such as
    contrast, if `settings` say so.

    Raises
    ------
    ValueError
        If `count` is out of range, a setting is unknown, or `out` holds a run.
    """
    from overcast.methods.start import write_sensors
    from overcast.worlds.varied import varied_stacks

    method = _method(settings, "supervised")
    plan = Plan(data=Data(images={}), method=method, seed=seed)
    network = _network(plan)
    labelled = "labelled" in choose("recipes", network.recipe).streams
    stacks = varied_stacks(count, seed, labelled)
    key = fingerprint([plan.fingerprint, "worlds", count])
    names = (run_folder.PLAN, run_folder.SENSORS, run_folder.ENCODER, _LOG)
    output = Output.begin(out, names, key, overwrite)
    if output.finished:
        return _made(out, count, output.notes)
    with output, steady_learning():
        write_plan(plan, output.work / run_folder.PLAN)
        if labelled:
            network.fit(stacks, output.work, seed, progress)
            write_sensors(stacks[0].sensors, output.work)
            weights = output.work / run_folder.WEIGHTS
            weights.rename(output.work / run_folder.ENCODER)
        else:
            network.pretrain(stacks, output.work, seed, progress)
    return _made(out, count, output.notes)


def _network(plan: Plan) -> Network:
    """Return the method of a plan, which must be a network."""
    from overcast.methods.network import Network

    network = method_of(plan)
    if not isinstance(network, Network):
        raise ValueError(
            f"--set name={plan.method['name']}: an encoder is that of a network; leave it "
            "out"
        )
    return network


def _stacks(
    inputs: Sequence[Inputs], recipe: Recipe[State], folder: Path
) -> list[Stack]:
    """Return the stacks to learn from, with superpixels if the recipe asks for them."""
    from overcast.train.felzenszwalb import with_superpixels
    from overcast.train.recipe import OfSuperpixels

    # An encoder sees every date of a scene as a scene.
    dates = [date for one in inputs for date in each_date(one.stack)]
    target = recipe.superpixel_target if isinstance(recipe, OfSuperpixels) else None
    if target is None:
        return dates
    return [
        with_superpixels(stack, folder / str(number), target)
        for number, stack in enumerate(dates)
    ]


def _method(
    settings: Mapping[str, object], default: str = "contrast"
) -> dict[str, object]:
    parts: dict[str, object] = {"name": "network", **settings}
    for key, first in (("recipe", {"name": default}), ("schedule", {"steps": 2000})):
        said = settings.get(key, {})
        if not isinstance(said, dict):
            raise ValueError(f"{key}: expected keys and values, got {said!r}")
        parts[key] = {**first, **said}
    return parts


def _made(out: Path, scenes: int, notes: tuple[str, ...]) -> JobResult:
    lines = (out / _LOG).read_text(encoding="utf-8").splitlines()
    log = [json.loads(line) for line in lines[-_LAST:]]
    ranks = [record[_RANK] for record in log if _RANK in record]
    if ranks and (rank := sum(ranks) / len(ranks)) < _COLLAPSED:
        notes = (
            *notes,
            f"features collapsed: their effective rank is {rank:.2f} where the loss "
            "looks; lower the learning rate, or take larger batches",
        )
    return JobResult({"run": str(out), "scenes": scenes, **log[-1]}, notes)


def _noticed(inputs: Sequence[Inputs]) -> tuple[str, ...]:
    """Return the notes on all scenes, each once."""
    return tuple(dict.fromkeys(note for one in inputs for note in one.notes))


def _planned(path: Path) -> Iterator[Data]:
    plan = read_plan(path)
    for data in (plan.data, *plan.scenes):
        yield replace_labels(data, None)


def _rasters(paths: Sequence[Path]) -> Iterator[Path]:
    """Files as they are, and every raster in folders."""
    for path in paths:
        if path.is_dir():
            inside = (p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES)
            yield from sorted(p for p in inside if not is_scene_classes(p.name))
        elif path.is_file():
            yield path
        else:
            raise ValueError(
                f"{Location.of(path)}: no such file or folder of this machine, and "
                "pretrain reads no others"
            )


def _paired(named: Mapping[str, dict[str, Path]]) -> list[dict[str, Path]]:
    """Scenes: images of one name, and the two of a folder that are alone there."""
    scenes = [images for images in named.values() if len(images) > 1]
    dated = [pair for key in named for pair in _on_orbit(key, named)]
    used = {path for images in (*scenes, *dated) for path in images.values()}
    lonely = dict[Path, list[dict[str, Path]]]()
    for images in named.values():
        path = next(iter(images.values()))
        if path not in used:
            lonely.setdefault(path.parent, []).append(images)
    scenes += dated
    for files in lonely.values():
        pair = {name: path for images in files for name, path in images.items()}
        scenes += [pair] if len(files) == len(pair) == len(SENSORS) else files
    return scenes


def _on_orbit(
    key: str, named: Mapping[str, dict[str, Path]]
) -> Iterator[dict[str, Path]]:
    """Pair an S1 image that names its orbit with the S2 image of its day.

    Only SAR files name an orbit: ``s1_DATE_asc.tif`` and ``s2_DATE.tif`` are of one scene.
    """
    path = Path(key)
    bare = path.with_stem(_ORBIT.sub("", path.stem))
    if bare != path and list(named[key]) == ["s1"] and "s2" in named.get(str(bare), {}):
        yield {**named[key], "s2": named[str(bare)]["s2"]}


def _check_alike(scenes: Sequence[Mapping[str, Path]]) -> None:
    both = [scene for scene in scenes if len(scene) == len(SENSORS)]
    kinds = {tuple(sorted(scene)) for scene in scenes}
    if len(kinds) > 1:
        odd = next(scene for scene in scenes if len(scene) < len(SENSORS))
        (name,) = odd
        other = "S2" if name == "s1" else "S1"
        raise ValueError(
            f"{odd[name]}: no {other} image of the same scene, but {len(both)} of "
            f"{len(scenes)} scenes have both; give both images of a scene the same name "
            "but for S1 and S2, or leave this one out"
        )


def _data(scene: Mapping[str, Path]) -> Data:
    return Data(
        images={
            name: ImageInput(
                path=Location.of(scene[name]).text, sensor=SENSORS[name[1]]
            )
            for name in sorted(scene)
        }
    )
