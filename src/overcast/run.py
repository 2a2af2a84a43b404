"""Plans carried out: a trained run in a folder, and a map made with one.

A run folder holds ``plan.yaml``, ``interface.json`` (the legend and the sensors that
its predictor has), ``learned.json`` (a record, see `overcast.run_files`) and whatever the
method leaves there; nothing in it is a pickle. Where labels count as evidence of place,
``place.json`` and ``place.tif`` are there (`overcast.label_quality.place_file`), and
once it is calibrated ``calibration.json``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from odc.geo.geobox import GeoBox

from overcast import __version__, map_folder
from overcast.accuracy.calibrated import Calibrated
from overcast.accuracy.calibration_file import Calibration, read_calibration
from overcast.errors import reading
from overcast.geo.legend import Legend
from overcast.geo.near import members_of
from overcast.geo.stack import ImageSource, Stack, agree, file_of
from overcast.geo.tiling import Tiling
from overcast.inputs import Inputs, open_inputs
from overcast.label_quality.place_file import placed, write_place
from overcast.label_quality.support import refuse_one_class
from overcast.maps.by_date import for_dates
from overcast.maps.ensemble import Ensemble
from overcast.maps.matched import matched
from overcast.maps.missing_sensor import MissingSensor
from overcast.maps.placed import Placed
from overcast.maps.predict import predict
from overcast.maps.predictor import Predictor, Restorer
from overcast.maps.views import Viewed, views_of
from overcast.methods.by_date import fit_by_date, load_by_date
from overcast.methods.method import Learner, method_of
from overcast.methods.over import EVERYWHERE, Over, Where, takes_over
from overcast.methods.place.planned import check_stated, find_place
from overcast.outside import keep_copies
from overcast.plan import Plan, Windows, fingerprint, read_plan, write_plan
from overcast.product.rasters import (
    MapRows,
    write_confidence,
    write_image,
    write_map,
    write_probabilities,
)
from overcast.progress import Progress, quiet
from overcast.run_files import (
    Interface,
    begin_record,
    check_record,
    finish_record,
    is_recorded,
    read_interface,
    write_interface,
)
from overcast.run_folder import INTERFACE, PLAN, RunFolder
from overcast.runtimes import running, runtime_for
from overcast.threads import steady_learning
from overcast.trees import to_tree


def train_run(
    plan: Plan, folder: Path, progress: Progress = quiet, inputs: Inputs | None = None
) -> None:
    """Carry out the learning of a plan, leaving a run in `folder`.

    Learns from the plan's data and, if there are any, its further scenes.
    Going on from what an interrupted attempt left there is up to the method.
    """
    inputs = inputs or open_inputs(plan.data)
    learn(
        plan,
        inputs,
        [open_inputs(more).stack for more in plan.scenes],
        folder,
        progress,
    )


def learn(
    plan: Plan,
    inputs: Inputs,
    scenes: Sequence[Stack],
    folder: Path,
    progress: Progress = quiet,
    where: Where = EVERYWHERE,
) -> None:
    """Learn with the method of a plan, leaving a run in `folder`.

    `inputs` are the plan's own data, whose labels may count as evidence of place, and
    `scenes` are further ones to learn from. `where` says which windows of large scenes
    are learned from, and where labels count as evidence of place.

    Raises
    ------
    ValueError
        If no stack has labels of two classes, or they differ in sensors or legend.
    """
    # Every source of labels teaches as a scene of its own.
    stacks = [stack for scene in (inputs.stack, *scenes) for stack in scene.apart()]
    first = agree(stacks)
    assert first.labels is not None
    refuse_one_class(stacks)
    check_stated(inputs.stack, plan, inputs.accuracies)
    folder.mkdir(parents=True, exist_ok=True)
    write_plan(plan, RunFolder(folder).plan)
    keep_copies(plan.method, folder)
    interface = Interface(legend=first.labels.legend, sensors=first.sensors)
    write_interface(interface, folder)
    begin_record(plan, interface, folder)
    with steady_learning():
        method: Learner = method_of(plan)
        if where.over is not None:
            assert takes_over(method)  # as whoever chose the windows made sure
            method = Over(method, where.over)
        _fit(method, stacks, folder, plan.seed, progress)
        if _asks_place(plan) and inputs.stack.labels is not None:
            predictor = _learned(folder, plan, interface)
            stack = replace(inputs.stack, grid=where.place or inputs.stack.grid)
            place = find_place(predictor, stack, plan, inputs.accuracies, progress)
            write_place(place, stack, folder)
    finish_record(plan, interface, folder)


def _fit(
    method: Learner, stacks: list[Stack], folder: Path, seed: int, progress: Progress
) -> None:
    """Let a method learn; from several dates, from each of them."""
    if any(stack.moments for stack in stacks):
        fit_by_date(method, stacks, folder, seed, progress)
    else:
        method.fit(stacks, folder, seed, progress)


def _asks_place(plan: Plan) -> bool:
    """Return whether a run of a plan decides how its labels count as evidence of place."""
    place = plan.place
    if place.use == "auto":
        stated = place.accuracy is not None or place.anchors is not None
        stated |= any(one.accuracy is not None for one in plan.data.every_labels)
        return stated or plan.method["name"] == "weak"
    return place.use == "yes"


def load_run(folder: Path) -> Predictor:
    """Return the predictor of a finished run, with its labels, calibrated if the run is.

    Raises
    ------
    ValueError
        If the folder holds no run, or one that was not finished.
    """
    run = RunFolder(folder)
    if not run.is_whole:
        raise ValueError(f"{folder}: no run; expected {PLAN} and {INTERFACE} there")
    plan = read_plan(run.plan)
    interface = read_interface(folder)
    check_record(plan, interface, folder)
    predictor = placed(_learned(folder, plan, interface), folder)
    calibration = read_calibration(folder)
    if calibration is None:
        return predictor
    return Calibrated(predictor, calibration.scaling)


def _learned(folder: Path, plan: Plan, interface: Interface) -> Predictor:
    """Return what the method of a run left in its folder."""
    legend, sensors = interface.legend, interface.sensors
    try:
        with reading(folder, "train it again", "readable run"):
            return load_by_date(method_of(plan), folder, legend, sensors)
    except FileNotFoundError as error:
        raise ValueError(
            f"{folder}: the run was not finished; run `overcast train` again"
        ) from error


def model_hash(folder: Path, *, calibrated: bool = True) -> str:
    """SHA-256 of a run's learned files, its first sixteen hexadecimal digits.

    Labels that count for place are some of them, and what calibrating it found is one,
    unless `calibrated` is false.
    """
    digest = hashlib.sha256()
    run = RunFolder(folder)
    learned = run.all_learned()
    if labels := run.all_place_labels():
        learned += [run.place, *labels]
    if calibrated and run.calibration.exists():
        learned.append(run.calibration)
    for path in learned:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def is_trained(folder: Path) -> bool:
    """Return whether a run folder holds a finished run."""
    try:
        load_run(folder)
    except ValueError:
        return False
    run = RunFolder(folder)
    plan = read_plan(run.plan)
    decides = _asks_place(plan) and plan.data.labels is not None
    decided = not decides or run.place.is_file()
    return decided and is_recorded(folder)


@dataclass(frozen=True, slots=True)
class Runs:
    """Finished runs that map together, and how they look at a window.

    Attributes
    ----------
    folders
        Run folders, or those that hold one as ``run``.
    weights
        How much each counts; equally, if none are given.
    views
        Number of views that are averaged, see `overcast.maps.views`.
    without
        Names of images that they learned with and map without.
    """

    folders: tuple[Path, ...]
    weights: tuple[float, ...] = ()
    views: int = 1
    without: tuple[str, ...] = ()

    @property
    def run_folders(self) -> tuple[Path, ...]:
        """The run folders themselves."""
        return tuple(RunFolder.of(folder).path for folder in self.folders)

    def load(self) -> Predictor:
        """Return one predictor for all of them.

        Raises
        ------
        ValueError
            If a folder holds no finished run, they differ in legend or images, or
            there is no such number of views, or no image that is done without.
        """
        views = views_of(self.views)
        predictor: Predictor = load_run(self.run_folders[0])
        if len(self.folders) > 1 or self.weights:
            members = (predictor, *map(load_run, self.run_folders[1:]))
            predictor = Ensemble(members, self.weights)
        if self.without:
            predictor = MissingSensor(predictor, frozenset(self.without))
        return predictor if self.views == 1 else Viewed(predictor, views)

    @property
    def model(self) -> str:
        """Hash of all that they learned, and of how it is put together."""
        models = [model_hash(folder) for folder in self.run_folders]
        if not self._averaged and not self.without:
            return models[0]
        return fingerprint([models, self.weights, self.views, sorted(self.without)])

    @property
    def calibration(self) -> Calibration | None:
        """Return the calibration of the confidence, if it was calibrated as it is.

        Averaging several runs or views gives another confidence than any one had, and
        so does an image less.
        """
        if self._averaged or self.without:
            return None
        return read_calibration(self.run_folders[0])

    @property
    def _averaged(self) -> bool:
        return len(self.folders) > 1 or self.views > 1

    @property
    def plan(self) -> str:
        """Fingerprints of their plans."""
        return ", ".join(
            read_plan(RunFolder(f).plan).fingerprint for f in self.run_folders
        )


def map_run(
    runs: Runs,
    inputs: Inputs,
    windows: Windows,
    folder: Path,
    progress: Progress,
    probabilities: bool = False,
) -> Path:
    """Map a stack with finished runs, into map.tif and confidence.tif in `folder`.

    With `probabilities`, those of all classes go into probabilities.tif. A network that
    takes clouds away on its way to the classes leaves the image in clear.tif as well.
    """
    predictor = runs.load()
    stack = matched(inputs.stack, predictor.sensors)
    predictor = for_dates(predictor, stack)
    runtime = runtime_for(stack.shape[0] * stack.shape[1])
    key = fingerprint([runs.model, inputs.fingerprint, to_tree(windows), runtime])
    work = (stack, tiling_of(predictor, windows), folder, key, progress)
    with running(runtime):
        raw = predict(predictor, *work, keep=probabilities)
    tags = tags_of(runs, inputs.stack)
    mapped = write_rasters(raw, (stack.grid, predictor.legend), folder, tags, progress)
    if (clear := _restored(predictor, stack)) is not None:
        write_image(clear, folder / map_folder.CLEAR, tags)
    return mapped


def tags_of(runs: Runs, stack: Stack) -> dict[str, str]:
    """Return a map's tags: version, model, plan, and the files it was made of."""
    tags = {
        "OVERCAST_VERSION": __version__,
        "OVERCAST_MODEL": runs.model,
        "OVERCAST_PLAN": runs.plan,
        "OVERCAST_INPUTS": ", ".join(sorted(_file_names(stack))),
    }
    if (calibration := runs.calibration) is not None:
        tags["OVERCAST_TEMPERATURE"] = f"{calibration.scaling.temperature:.6g}"
    return tags


def write_rasters(
    raw: MapRows,
    of: tuple[GeoBox, Legend],
    folder: Path,
    tags: Mapping[str, str],
    progress: Progress = quiet,
) -> Path:
    """Write map.tif, confidence.tif and, if they were kept, probabilities.tif.

    `of` says which grid and legend the rows are of. Returns the path of the map.
    """
    grid, legend = of
    mapped = folder / map_folder.MAP
    parts = 3 if raw.count else 2
    progress("writing", 0, parts)
    write_map(raw, grid, legend, mapped, tags)
    progress("writing", 1, parts)
    write_confidence(raw, grid, folder / map_folder.CONFIDENCE, tags)
    progress("writing", 2, parts)
    if raw.count:
        write_probabilities(raw, grid, legend, folder / map_folder.PROBABILITIES, tags)
        progress("writing", 3, parts)
    return mapped


def _restored(predictor: Predictor, stack: Stack) -> ImageSource | None:
    """The optical image without clouds, of a network that has learned to make it."""
    inner = predictor
    while isinstance(inner, Calibrated | Placed):
        inner = inner.predictor
    if not isinstance(inner, Restorer) or not inner.restores:
        return None
    # These import torch, which a network did too.
    from overcast.methods.cloud_free import Restored
    from overcast.methods.network import TrainedNetwork

    assert isinstance(inner, TrainedNetwork)

    return Restored(inner, stack)


def tiling_of(predictor: Predictor, windows: Windows) -> Tiling:
    """Return how a map is cut, so that every pixel has the context that it draws on."""
    overlap = max(windows.overlap, 2 * predictor.halo)
    return Tiling(max(windows.size, 2 * overlap), overlap)


def _file_names(stack: Stack) -> list[str]:
    sources = [*stack.images.values(), stack.labels, *stack.others]
    single = [one for source in sources for one in members_of(source)]
    return [path.name for one in single if (path := file_of(one)) is not None]
