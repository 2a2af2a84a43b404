"""Where to look, how right a map is, and confidence that means what it says."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from odc.geo.geobox import GeoBox
from xarray import DataArray, Dataset

from overcast.accuracy.calibration_file import write_calibration
from overcast.accuracy.confusion import Confusion, translation
from overcast.accuracy.design import Design, count_classes, draw
from overcast.accuracy.held_out import known_pixels
from overcast.accuracy.independence import are_fine, remark
from overcast.accuracy.reference import (
    Reference,
    ReferenceFile,
    ReferencePoints,
    ReferenceRaster,
)
from overcast.accuracy.sample_form import REFERENCE, form_of, write_form
from overcast.api.html import table as html_table
from overcast.api.model import Model
from overcast.api.result import Map, ResultOrigin
from overcast.api.scene import Scene
from overcast.api.showing import Shown, showing
from overcast.api.tables import Table, features_of, table_of
from overcast.documents import Document
from overcast.geo.label_array import labels_from_dataarray
from overcast.geo.legend import Legend, load_legend
from overcast.geo.location import Location
from overcast.geo.stack import LabelSource
from overcast.geo.vectors import with_place
from overcast.geo.xarrays import legend_of_array
from overcast.jobs.assess import judge
from overcast.jobs.calibrate import calibrate as calibration_of
from overcast.jobs.calibrate import held_out
from overcast.output import refuse_to_replace
from overcast.run import Runs
from overcast.run_folder import CALIBRATION
from overcast.threads import steady_learning

Known: TypeAlias = "str | os.PathLike[str] | DataArray | Table"
"""Known classes: a path, an array of codes, or a table of points."""


@dataclass(frozen=True, eq=False)
class Assessment:
    """The accuracy of a map.

    Attributes
    ----------
    scores
        Every score as plain values, as `overcast assess` writes them; with a filled
        sample ``estimates`` for the whole map, else ``intervals`` of the agreement.
    notes
        What the reader must know, a sentence each.
    """

    scores: Document
    notes: tuple[str, ...]

    @property
    def table(self) -> Table:
        """A row for every class: areas in hectares and accuracies, with intervals."""
        return table_of(self._columns())

    def _columns(self) -> dict[str, list[object]]:
        sampled = self.scores.get("estimates")
        per_class = (sampled or self.scores)["per_class"]
        columns: dict[str, list[object]] = {"class": list(per_class)}
        for row in per_class.values():
            for name, value in row.items():
                parts = {name: value}
                if isinstance(value, Mapping):
                    ends = {"low": value["low"], "high": value["high"]}
                    parts = {name: value["value"]}
                    parts |= {f"{name}_{end}": at for end, at in ends.items()}
                for part, number in parts.items():
                    columns.setdefault(part, []).append(number)
        return columns

    def _repr_html_(self) -> str:
        columns = self._columns()
        rows = (tuple(map(_shown, row)) for row in zip(*columns.values(), strict=True))
        overall = self.scores["overall_accuracy"]
        if "estimates" in self.scores:
            overall = self.scores["estimates"]["overall_accuracy"]["value"]
        title = f"Overall accuracy {_shown(overall)}"
        return html_table(title, list(columns), rows, self.notes)


def sample(
    result: Dataset,
    size: int | None = None,
    *,
    purpose: Literal["accuracy", "anchors"] = "accuracy",
    design: Design | None = None,
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> Table:
    """Draw points of a map to look at, as `overcast sample` does.

    Fill the column ``reference`` with codes or names, and leave what can't be judged
    empty; then give the table to `overcast.assess`.

    Parameters
    ----------
    result
        What `Model.predict` returned.
    size
        Points in all; by default as many as a standard error of 0.015 asks for.
    purpose
        ``anchors`` are points at random, 50 by default.
    design
        How points are shared among the classes, in place of `size` and `purpose`.
    out
        A ``.gpkg`` or ``.csv`` to write the points to as well.
    overwrite
        Replace `out`.

    Returns
    -------
    pandas.DataFrame or list of dict
        A row for every point: ``x`` and ``y`` in the coordinates of the map, ``lon``
        and ``lat``, its stratum, and columns to fill.

    Raises
    ------
    ValueError
        If the map has no class, the design is impossible, or `out` exists.
    """
    source = Map(result)
    if design is None:
        anchors = purpose == "anchors"
        size = 50 if anchors and size is None else size
        design = Design(size=size, minimum=1 if anchors else Design().minimum)
    elif size is not None:
        raise ValueError("size: design says how many; leave one out")
    if out is not None:
        refuse_to_replace(Path(out), overwrite)
    pixels = count_classes(source)
    drawn = draw(source, pixels, design.sizes(pixels, source.legend), design.seed)
    if out is not None:
        write_form(Path(out), source, drawn, pixels, {"legend": source.legend.name})
    centres, columns = form_of(source, drawn, pixels)
    return table_of(with_place(centres, str(source.grid.crs), columns))


def assess(
    result: Dataset,
    known: Known,
    *,
    legend: str | Legend | None = None,
    column: str = REFERENCE,
    progress: Shown = None,
) -> Assessment:
    """Score a map against known classes.

    Parameters
    ----------
    result
        What `Model.predict` returned.
    known
        A filled sample of `overcast.sample`, which gives estimates for the whole map;
        or points, polygons or a raster, as a path, a table or an array.
    legend
        Its legend, if it is not that of the map.
    column
        Column of codes or names.
    progress
        Whether, or by what, progress is shown.

    Raises
    ------
    ValueError
        If `known` is refused, or nowhere both are known.
    """
    source = Map(result)
    truth = _reference(known, source, legend, column)
    with showing(progress) as shown:
        scores = judge(source, truth, ("the result", _name(known)), shown)
    origin: ResultOrigin | None = result.overcast.origin
    notes = [*scores.pop("notes"), *_on_labels(origin, truth)]
    return Assessment(scores, tuple(notes))


def calibrate(
    model: Model,
    known: Known,
    scene: Scene | None = None,
    *,
    coverage: float | None = None,
    column: str = REFERENCE,
    progress: Shown = None,
) -> Model:
    """Return a model whose confidence means what it says, by known classes.

    Parameters
    ----------
    model
        A model that is not calibrated.
    known
        A filled sample, or points, polygons or a raster as fine as the images.
    scene
        The images there; by default those that the model was learned from.
    coverage
        Also learn sets of classes that hold the true one so often.
    column
        Column of codes or names.
    progress
        Whether, or by what, progress is shown.

    Raises
    ------
    ValueError
        If there are fewer than 50 known pixels, the model is several runs or calibrated
        already, or it was loaded and no scene is given.
    """
    if len(model.runs.folders) > 1 or model.runs.calibration is not None:
        raise ValueError(
            "model: several runs, or calibrated already; give a single one"
        )
    if scene is not None:
        stack = scene.stack
    elif model.inputs is not None:
        stack = model.inputs.stack
    else:
        raise ValueError("scene: the model was loaded, so give the images as well")
    place = _Place(stack.grid, model.legend)
    truth = _reference(known, place, None, column)
    if isinstance(truth, ReferenceRaster) and not are_fine(
        truth.truth.grid, stack.grid
    ):
        raise ValueError(
            f"{_name(known)}: its cells are larger than the pixels of the map; give "
            "points, or a raster as fine as the map"
        )
    folder = Path(tempfile.mkdtemp(prefix="overcast-run-"))
    try:
        run = model.runs.run_folders[0]
        unlike = shutil.ignore_patterns(CALIBRATION)
        shutil.copytree(run, folder, ignore=unlike, dirs_exist_ok=True)
        pixels = known_pixels(truth, model.legend)
        with showing(progress) as shown:
            held = held_out(Runs((folder,)), stack, pixels, _name(known), shown)
        with steady_learning():
            made = calibration_of(held, _name(known), coverage)
        write_calibration(made, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    calibrated = Model(Runs((folder,)), model.notes, model.inputs)
    weakref.finalize(calibrated, shutil.rmtree, folder, ignore_errors=True)
    return calibrated


@dataclass(frozen=True)
class _Place:
    """A grid and a legend."""

    grid: GeoBox
    legend: Legend


def _reference(
    known: Known, source: Map | _Place, legend: str | Legend | None, column: str
) -> Reference:
    """Return the reference that a map is judged by."""
    own = legend if isinstance(legend, Legend) else None
    if isinstance(legend, str):
        own = load_legend(legend)
    if isinstance(known, str | os.PathLike):
        if isinstance(legend, Legend):
            raise ValueError("legend: of a file, give its name or a CSV")
        named = None if column == REFERENCE else column
        where = Location.of(os.fspath(known))
        return ReferenceFile(where, legend, column=named).open(
            source.legend, source.grid
        )
    if isinstance(known, DataArray):
        own = own or legend_of_array(known) or source.legend
        labels = labels_from_dataarray(known, own, (), source.grid)
        translation(own, source.legend)
        return ReferenceRaster(labels, source.grid)
    points = features_of(known, str(source.grid.crs))
    own = own or source.legend
    classes = translation(own, source.legend)(points.classes(column, own))
    return ReferencePoints(points, np.asarray(classes, np.uint8), source.grid)


def _on_labels(origin: ResultOrigin | None, truth: Reference) -> list[str]:
    """Say how the labels that the map learned from relate to the reference."""
    learned = None if origin is None else origin.model.inputs
    if origin is None or learned is None:
        return [
            "what the model learned from is not known here, so whether the reference "
            "overlaps it was not checked"
        ]
    said = []
    labels: list[LabelSource] = [
        one.labels for one in learned.stack.apart() if one.labels is not None
    ]
    for one in labels:
        common = sum(truth.against(one), Confusion.none(len(one.legend)))
        if text := remark(common, are_fine(one.grid, learned.stack.grid)):
            said.append(text)
    return said


def _name(known: Known) -> str:
    if isinstance(known, str | os.PathLike):
        return Path(known).name
    return "the array" if isinstance(known, DataArray) else "the table"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"
    return "" if value is None else str(value)
