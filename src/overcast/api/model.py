"""A trained model: learned here from a scene and labels, or loaded from a run folder."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
import weakref
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

from xarray import DataArray, Dataset

from overcast.api.html import classes, table
from overcast.api.labels import GivenLabels, TrainingLabels, labels, with_labels
from overcast.api.result import ResultOrigin, remember, to_dataset
from overcast.api.scene import Scene
from overcast.api.showing import Shown, showing
from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.raster import Labels
from overcast.geo.series import series_of
from overcast.inputs import Inputs, settle
from overcast.jobs.after import describe_run
from overcast.label_quality.place_file import read_place, said_elsewhere
from overcast.label_quality.support import remarks
from overcast.maps.by_date import for_dates
from overcast.maps.matched import matched
from overcast.maps.predict import predict
from overcast.maps.predictor import Predictor
from overcast.outside import located
from overcast.plan import PlaceInput, Plan, Windows, check_method, read_plan
from overcast.run import Runs, learn, tags_of, tiling_of
from overcast.run_folder import RunFolder

Folder = str | os.PathLike[str]
Some = TrainingLabels | GivenLabels
_AUTO = PlaceInput()


class Model:
    """A trained model, ready to map; `overcast.fit` and `overcast.load` make it.

    Attributes
    ----------
    runs
        The run folders that it lies in, and how they map together.
    notes
        What was noticed while it was learned, a sentence each.
    inputs
        What it was learned from; None if it was loaded.
    """

    def __init__(
        self, runs: Runs, notes: tuple[str, ...] = (), inputs: Inputs | None = None
    ) -> None:
        self.runs, self.notes, self.inputs = runs, notes, inputs

    @cached_property
    def predictor(self) -> Predictor:
        """Return the predictor, which gives probabilities of a window."""
        return self.runs.load()

    @property
    def legend(self) -> Legend:
        """The classes that it tells apart."""
        return self.predictor.legend

    @property
    def sensors(self) -> dict[str, Sensor]:
        """Name of every image that it maps from, and its sensor."""
        return dict(self.predictor.sensors)

    @property
    def plan(self) -> Plan:
        """Return the plan of the training; the first one of several runs."""
        return read_plan(RunFolder(self.runs.run_folders[0]).plan)

    def predict(
        self, scene: Scene, *, probabilities: bool = False, progress: Shown = None
    ) -> Dataset:
        """Map a scene.

        Parameters
        ----------
        scene
            Images of the same sensors as those that the model was learned with.
        probabilities
            Also give the probability of every class.
        progress
            Whether, or by what, progress is shown.

        Returns
        -------
        xarray.Dataset
            ``land_cover`` uint8 class codes ``[y, x]`` with CF ``flag_values`` and
            ``flag_meanings``, 255 where no sensor saw the ground; ``confidence``
            float32 ``[y, x]``, the probability of the class, NaN there; and
            ``probabilities`` float32 ``[class, y, x]``. A large map stays in files
            that are read by window.

        Warns
        -----
        UserWarning
            If the labels that the model maps with are of another place.

        Raises
        ------
        ValueError
            If an image is missing, is of another sensor, or is not read.
        """
        self._refuse_unread(scene)
        stack = matched(scene.stack, self.predictor.sensors)
        for note in said_elsewhere(self.predictor, stack):
            warnings.warn(note, stacklevel=2)
        predictor = for_dates(self.predictor, stack)
        tiling = tiling_of(predictor, Windows())
        folder = Path(tempfile.mkdtemp(prefix="overcast-map-"))
        try:
            with showing(progress) as shown:
                raw = predict(
                    predictor,
                    stack,
                    tiling,
                    folder,
                    progress=shown,
                    keep=probabilities,
                )
            result = to_dataset(raw, stack.grid, predictor.legend, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        tags = tags_of(self.runs, scene.stack)
        result.attrs |= {name.lower(): text for name, text in tags.items()}
        return remember(result, ResultOrigin(self, scene, tags))

    def save(self, folder: Folder, *, overwrite: bool = False) -> Path:
        """Save the model as a run folder, which `overcast predict` maps with.

        Raises
        ------
        ValueError
            If the folder exists and `overwrite` is not set, it is no run, or the model
            is several runs.
        """
        target = Path(folder)
        if len(self.runs.folders) > 1:
            raise ValueError(f"{target}: the model is several runs; save each of them")
        if target.exists() and (target.is_file() or any(target.iterdir())):
            if not overwrite:
                raise ValueError(f"{target}: exists; give overwrite=True, or another")
            if not RunFolder(target).plan.is_file():
                raise ValueError(
                    f"{target}: no run, so it is not replaced; give another"
                )
        draft = target.with_name(f".{target.name}.draft")
        old = target.with_name(f".{target.name}.old")
        if old.exists() and not target.exists():
            old.rename(target)  # of a save that was killed
        for left in (draft, old):
            shutil.rmtree(left, ignore_errors=True)
        shutil.copytree(self.runs.run_folders[0], draft)
        if self.inputs is not None:
            describe_run(draft, self.plan, self.inputs, target)
        if target.exists():
            target.rename(old)
        draft.rename(target)
        shutil.rmtree(old, ignore_errors=True)
        return target

    def __repr__(self) -> str:
        name = self.plan.method["name"]
        return (
            f"<overcast.Model {name}: {', '.join(self.sensors)} to "
            f"{len(self.legend)} classes of {self.legend.name}>"
        )

    def _repr_html_(self) -> str:
        rows = [
            (name, sensor.name, ", ".join(sensor.names))
            for name, sensor in self.sensors.items()
        ]
        title = f"Model, method {self.plan.method['name']}"
        head = ("image", "sensor", "bands")
        return table(title, head, rows, self.notes) + classes(self.legend)

    def _refuse_unread(self, scene: Scene) -> None:
        moments = scene.stack.moments
        wanted = self.sensors.keys()
        given = {series_of(name, moments) for name in scene.stack.images}
        if wanted <= given and (unread := given - wanted):
            raise ValueError(
                f"{', '.join(sorted(unread))}: given, and not read; the model maps from "
                f"{', '.join(self.sensors)}, so leave out the others"
            )


def fit(
    scene: Scene,
    labels: Some | Sequence[Some],
    method: str = "weak",
    seed: int = 0,
    *,
    place: PlaceInput | Literal["auto", "yes", "no"] = "auto",
    progress: Shown = None,
    **settings: object,
) -> Model:
    """Learn from imperfect labels of a scene.

    Parameters
    ----------
    scene
        Images of the place.
    labels
        What `overcast.labels` returned, an array that says what its codes mean, or
        several of them: the first that is a map of everything stands for all.
    method
        ``weak``, ``forest``, ``kmeans``, ``network``, or one of your own.
    seed
        What all random draws depend on.
    place
        Whether labels count as evidence of place.
    progress
        Whether, or by what, progress is shown.
    **settings
        Settings of the method.

    Raises
    ------
    ValueError
        If a setting is unknown, labels are refused, or have fewer than two classes.
    """
    if not isinstance(place, PlaceInput):
        place = PlaceInput(use=place)
    chosen = {"name": method, **settings}
    plan, inputs = plan_and_inputs(scene, labels, chosen, seed, place)
    folder = Path(tempfile.mkdtemp(prefix="overcast-run-"))
    model = Model(Runs((folder,)), inputs=inputs)
    weakref.finalize(model, shutil.rmtree, folder, ignore_errors=True)
    with showing(progress) as shown:
        learn(plan, inputs, [], folder, shown)
    learned = read_place(folder, model.legend)
    model.notes = (
        *inputs.notes,
        *remarks(inputs.stack, plan.method),
        *(() if learned is None else learned.notes),
    )
    return model


def plan_and_inputs(
    scene: Scene,
    labels: Some | Sequence[Some],
    method: Mapping[str, object],
    seed: int,
    place: PlaceInput = _AUTO,
) -> tuple[Plan, Inputs]:
    """Plan of learning from a scene and labels, and the two on one grid.

    Raises
    ------
    ValueError
        If a setting is unknown, or labels are refused.
    """
    data, memory = with_labels(scene.data, _every(labels))
    method = located(method, Path.cwd())
    plan = Plan(data=data, method=method, seed=seed, place=place)
    check_method(plan)  # a setting that is wrong is named before anything is read
    return plan, settle(scene.opened, data, scene.memory | memory)


def load(
    *folders: Folder,
    weights: Sequence[float] = (),
    views: int = 1,
    without: Sequence[str] = (),
) -> Model:
    """Load what `Model.save`, ``overcast train`` or ``overcast map`` left.

    Parameters
    ----------
    *folders
        A run folder, or one that holds one as ``run``; several map together.
    weights
        How much each counts; equally, if none are given.
    views
        Number of views of a window that are averaged.
    without
        Names of images that it learned with and maps without.

    Raises
    ------
    ValueError
        If a folder holds no finished run, or they differ in legend or images.
    """
    if not folders:
        raise ValueError("load: give a run folder")
    runs = Runs(tuple(map(Path, folders)), tuple(weights), views, tuple(without))
    model = Model(runs)
    _ = model.predictor  # refused here, not when it maps
    return model


def _every(given: Some | Sequence[Some]) -> list[TrainingLabels]:
    """Every source of labels, named."""
    alone = (TrainingLabels, str, os.PathLike, DataArray, Labels)
    every = [given] if isinstance(given, alone) else list(given)
    return [one if isinstance(one, TrainingLabels) else labels(one) for one in every]
