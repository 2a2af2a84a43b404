"""Which patches of a scene to label first, as outlines to draw labels in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from overcast import __version__
from overcast.documents import Document
from overcast.geo.series import days_of, middle, spread
from overcast.geo.vectors import write_outlines
from overcast.inputs import Inputs, open_inputs
from overcast.jobs.mapping import JobResult
from overcast.output_file import begin_file
from overcast.plan import Data, files_of
from overcast.progress import Progress
from overcast.threads import steady_learning


def suggest_patches(
    data: Data,
    out: Path,
    *,
    count: int,
    side: int,
    seed: int,
    overwrite: bool,
    progress: Progress,
) -> JobResult:
    """Write the squares that together hold what the images hold, most telling first.

    `side` is in pixels of the grid. The GeoPackage has the columns ``order``, from 1,
    and ``likeness``: how like all of the scene the patches are up to that one, 0 to 1.

    Raises
    ------
    ValueError
        If an image is refused, `out` exists or is no GeoPackage, or there are not so
        many patches.
    """
    if out.suffix.lower() != ".gpkg":
        raise ValueError(f"{out}: expected a name that ends in .gpkg")
    inputs = open_inputs(data)
    facts = ("suggest", count, side, seed, inputs.fingerprint)
    with begin_file(out, facts, overwrite, inputs=files_of(data)) as output:
        summary = _suggest(
            inputs, output.work / out.name, (count, side, seed), progress
        )
    notes = (*output.notes, *inputs.notes)
    if days := days_of(inputs.stack):
        day = days[len(days) // 2]
        notes = (
            *notes,
            f"patches by the images of {day}, the middle of {spread(days)}",
        )
    return JobResult({**summary, "patches": str(out)}, notes)


def _suggest(
    inputs: Inputs, out: Path, wanted: tuple[int, int, int], progress: Progress
) -> Document:
    """Write patches, given their number, side and seed; what is said of them."""
    from overcast.methods.suggest import patches_of, telling_patches

    count, side, seed = wanted
    grid = inputs.stack.grid
    windows = patches_of(inputs.stack.shape, side, seed)
    with steady_learning():
        patches = telling_patches(middle(inputs.stack), windows, count, seed, progress)
    squares = [grid[patch.window.slices].extent.geom for patch in patches]
    columns: dict[str, NDArray[np.generic]] = {
        "order": np.arange(1, len(patches) + 1),
        "likeness": np.round([patch.likeness for patch in patches], 3),
    }
    about = {"side": str(side), "seed": str(seed), "overcast": __version__}
    write_outlines(out, shapely.normalize(squares), str(grid.crs), columns, about)
    return {
        "patches": str(out),
        "count": len(patches),
        "side": side,
        "likeness": float(columns["likeness"][-1]),
    }
