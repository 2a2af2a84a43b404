"""Write a result as the command does: rasters, styles, catalogue items and a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from xarray import Dataset

from overcast import __version__
from overcast.api.model import Folder
from overcast.api.result import Map, ResultOrigin
from overcast.api.showing import Shown, showing
from overcast.inputs import Inputs
from overcast.jobs.after import describe_map, describe_run
from overcast.jobs.page import MapFindings
from overcast.map_folder import BESIDE, MAP_FILES
from overcast.output import Output
from overcast.plan import fingerprint, write_plan
from overcast.progress import Progress
from overcast.run import write_rasters
from overcast.run_folder import PLAN, RUN


def write(
    result: Dataset, folder: Folder, *, overwrite: bool = False, progress: Shown = None
) -> Path:
    """Write a result into a folder, as `overcast map` does.

    Cloud Optimized GeoTIFFs of the variables, styles for QGIS, the attribute table and
    the legend. A whole result of `Model.predict` also brings its report, its STAC item
    and the model (``run``); a part of one, or one from a file, the rasters alone.

    Parameters
    ----------
    result
        What `Model.predict` returned, or a part of it.
    folder
        Where files go; nothing is left half-written.
    overwrite
        Replace what is there.
    progress
        Whether, or by what, progress is shown.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ValueError
        If one of the files exists and `overwrite` is not set, or the result lacks
        classes, confidence, a legend or a grid.
    """
    out, mapped = Path(folder), Map(result)
    origin: ResultOrigin | None = result.overcast.origin
    names = (*MAP_FILES, *BESIDE, RUN, PLAN)
    key = fingerprint(["write", str(out), id(result)])
    output = Output.begin(out, names, key, overwrite)
    try:
        with showing(progress) as shown:
            _write(mapped, output.work, (out, origin), shown)
    except BaseException:
        output.discard()
        raise
    output.finish()
    return out


def _write(
    mapped: Map, work: Path, final: tuple[Path, ResultOrigin | None], progress: Progress
) -> None:
    out, origin = final
    tags = _tags(mapped.result.attrs)
    path = write_rasters(mapped, (mapped.grid, mapped.legend), work, tags, progress)
    if origin is None:
        return
    model, inputs = origin.model, _inputs(origin)
    plan = replace(model.plan, data=origin.scene.data, scenes=())
    runs = model.runs.run_folders
    if len(runs) == 1:
        model.save(work / RUN)
        if model.inputs is not None:
            describe_run(work / RUN, model.plan, model.inputs, out / RUN)
        runs = (out / RUN,)
    else:
        write_plan(plan, work / PLAN)
    findings = MapFindings(
        notes=[*model.notes, *inputs.notes], calibration=model.runs.calibration
    )
    made = path, model.predictor
    describe_map(made, inputs, plan, findings, (out, runs), progress)


def _inputs(origin: ResultOrigin) -> Inputs:
    """Return the mapped inputs, with labels if the model learned from this scene."""
    scene, learned = origin.scene, origin.model.inputs
    if learned is not None and learned.stack.grid == scene.grid:
        same = all(
            learned.stack.images.get(name) is image
            for name, image in scene.stack.images.items()
        )
        if same:
            return replace(learned, notes=())
    return Inputs(scene.stack, scene.notes, scene.fingerprint)


def _tags(attributes: Mapping[str, object]) -> dict[str, str]:
    """Return the tags of a map."""
    own = {
        str(name).upper(): str(text)
        for name, text in attributes.items()
        if str(name).startswith("overcast_")
    }
    return {"OVERCAST_VERSION": __version__, **own}
