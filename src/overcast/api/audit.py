"""What labels get wrong, and which patches to label where there are none."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from xarray import DataArray

from overcast.api.html import table as html_table
from overcast.api.model import Some, plan_and_inputs
from overcast.api.scene import Scene
from overcast.api.showing import Shown, showing
from overcast.api.tables import Table, table_of
from overcast.geo.xarrays import float_dataarray
from overcast.jobs.audit import audit_in, read_suspicion
from overcast.label_quality.audit.findings import Findings
from overcast.label_quality.cells import LabelCells
from overcast.methods.suggest import patches_of, telling_patches
from overcast.threads import steady_learning


@dataclass(frozen=True, eq=False)
class Audit:
    """The mistakes of labels, as estimated by a method that learned from them.

    Attributes
    ----------
    findings
        Which class is called what, with intervals.
    suspicion
        How suspicious the label of every pixel is ``[y, x]``, 0 to 1; NaN where there
        are no labels.
    notes
        What the reader must know, a sentence each.
    """

    findings: Findings
    suspicion: DataArray
    notes: tuple[str, ...]

    @property
    def wrong(self) -> float:
        """Estimated share of the pixels whose label is not their class."""
        return self.findings.wrong

    @property
    def table(self) -> Table:
        """A row for every class and every label: how often the one is called the other.

        ``share`` is that of the class's ground, with the interval ``low`` to ``high``.
        """
        names, called = self.findings.legend.names, self.findings.called
        rows, columns = np.indices(called.value.shape)
        named = np.array(names)
        return table_of(
            {
                "class": named[rows.ravel()],
                "label": named[columns.ravel()],
                "share": called.value.ravel(),
                "low": called.low.ravel(),
                "high": called.high.ravel(),
            }
        )

    def _repr_html_(self) -> str:
        mistakes = [(text,) for text in self.findings.mistakes()]
        title = f"Labels wrong on {self.wrong:.0%} of the pixels (estimate)"
        return html_table(title, ("mistakes",), mistakes, self.notes)


def audit(
    scene: Scene,
    labels: Some | Sequence[Some],
    method: str = "weak",
    seed: int = 0,
    *,
    progress: Shown = None,
    **settings: object,
) -> Audit:
    """Estimate what labels get wrong: learn from them, map, and compare.

    Takes what `overcast.fit` takes.

    Raises
    ------
    ValueError
        If labels are refused, or labels and images are nowhere both.
    """
    plan, inputs = plan_and_inputs(scene, labels, {"name": method, **settings}, seed)
    known = inputs.stack.labels
    assert known is not None
    cells = LabelCells.of(known.grid, inputs.stack.grid)
    work = Path(tempfile.mkdtemp(prefix="overcast-audit-"))
    try:
        with showing(progress) as shown:
            findings = audit_in(plan, inputs, cells, work, shown)
        values = read_suspicion(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    suspicion = float_dataarray(values, inputs.stack.grid, "suspicion")
    suspicion.attrs["long_name"] = "1 - share of what the label says"
    return Audit(findings, suspicion, (*inputs.notes, *findings.notes()))


def suggest(
    scene: Scene,
    count: int = 10,
    *,
    side: int = 32,
    seed: int = 0,
    progress: Shown = None,
) -> Table:
    """Say which patches to label first, where there are no labels yet.

    Parameters
    ----------
    scene
        Images of the place.
    count
        Number of patches.
    side
        Side of a patch in pixels.
    seed
        What random draws depend on.
    progress
        Whether, or by what, progress is shown.

    Returns
    -------
    pandas.DataFrame or list of dict
        A row for every patch, the most telling first: ``order`` from 1, ``likeness``
        of all patches up to this one to the scene, first ``row`` and ``column`` in the
        grid, and the corners ``left, bottom, right, top`` in its coordinates.

    Raises
    ------
    ValueError
        If there are not so many patches.
    """
    windows = patches_of(scene.stack.shape, side, seed)
    with showing(progress) as shown, steady_learning():
        patches = telling_patches(scene.stack, windows, count, seed, shown)
    bounds = np.array([scene.grid[p.window.slices].extent.geom.bounds for p in patches])
    return table_of(
        {
            "order": np.arange(1, len(patches) + 1),
            "likeness": np.round([patch.likeness for patch in patches], 3),
            "row": [patch.window.y for patch in patches],
            "column": [patch.window.x for patch in patches],
            **dict(zip(("left", "bottom", "right", "top"), bounds.T, strict=True)),
        }
    )
