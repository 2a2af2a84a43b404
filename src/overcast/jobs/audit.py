"""What the labels of an area get wrong: learn from them, map, and compare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from overcast import map_folder
from overcast.documents import Document
from overcast.geo.label_file import open_labels
from overcast.geo.raster import UNKNOWN
from overcast.geo.series import shown_of
from overcast.geo.stack import ImageSource, LabelSource, file_name_of
from overcast.inputs import Inputs, open_inputs
from overcast.jobs.mapping import JobResult
from overcast.jobs.page import provenance, seen_by_date
from overcast.label_quality.audit.examples import picture_of
from overcast.label_quality.audit.findings import Findings
from overcast.label_quality.audit.label_confusion import Tables
from overcast.label_quality.audit.page import AuditPage, write_audit_page
from overcast.label_quality.audit.scan import LabelledMap
from overcast.label_quality.audit.suspicion import CellSums, pixel_suspicion
from overcast.label_quality.cells import LabelCells
from overcast.maps.predict import PROBABILITY_STEPS
from overcast.output import Output
from overcast.plan import Plan, fingerprint
from overcast.product.rasters import write_suspicion
from overcast.progress import Progress
from overcast.report.page import Panel
from overcast.report.quicklook import (
    class_picture,
    confidence_picture,
    jpeg,
    look_at_classes,
    look_at_image,
    look_at_values,
    overview,
    png,
    rgb,
)
from overcast.run import Runs, is_trained, map_run, train_run
from overcast.run_folder import RUN, RunFolder

FINDINGS, PAGE = "audit.json", "audit.html"
FILES = (FINDINGS, PAGE, map_folder.SUSPICIOUS, map_folder.MAP)
_BESIDE = (
    map_folder.style_of(map_folder.SUSPICIOUS),
    map_folder.STYLE,
    map_folder.CATEGORIES,
    map_folder.LEGEND,
)
_PLACES, _OF_ONE_LABEL = 8, 2


def audit_labels(
    plan: Plan, out: Path, overwrite: bool, progress: Progress
) -> JobResult:
    """Estimate what the labels of a plan get wrong, into the folder `out`.

    Learns from them with the plan's method and maps the area. Writes ``audit.json``
    and ``audit.html``, the estimates; ``suspicious.tif``, how suspicious every label
    is; and ``map.tif``.

    Raises
    ------
    ValueError
        If an input is refused, an output exists, or labels and images are nowhere
        both; nothing is left behind then.
    """
    inputs = open_inputs(plan.data)
    assert inputs.stack.labels is not None
    cells = LabelCells.of(inputs.stack.labels.grid, inputs.stack.grid)
    key = fingerprint(["audit", plan.fingerprint, inputs.fingerprint])
    output = Output.begin(out, (*FILES, *_BESIDE), key, overwrite)
    if output.finished:
        return JobResult(_files_in(out), (*output.notes, *inputs.notes))
    with output:
        findings = audit_in(plan, inputs, cells, output.work, progress)
    summary = {
        **_files_in(out),
        "wrong": round(findings.wrong, 3),
        "mistakes": findings.mistakes(),
    }
    return JobResult(summary, (*output.notes, *inputs.notes, *findings.notes()))


def _files_in(out: Path) -> Document:
    return {
        "page": str(out / PAGE),
        "audit": str(out / FINDINGS),
        "suspicious": str(out / map_folder.SUSPICIOUS),
        "map": str(out / map_folder.MAP),
    }


def audit_in(
    plan: Plan, inputs: Inputs, cells: LabelCells, work: Path, progress: Progress
) -> Findings:
    """Learn from the labels of a plan and compare, leaving all files in `work`."""
    run, stack = work / RUN, inputs.stack
    assert stack.labels is not None
    if not is_trained(run):
        train_run(plan, run, progress, inputs)
    runs = Runs((run,))
    mapped = map_run(runs, inputs, plan.windows, work, progress, probabilities=True)
    beside = mapped.with_name(map_folder.PROBABILITIES)
    scene = LabelledMap(
        probabilities=beside, grid=stack.grid, labels=stack.labels, cells=cells
    )
    tables = Tables(cells.blocks, len(stack.labels.legend))
    sums = CellSums(cells, work)
    _count(scene, tables, sums, progress)
    findings = Findings.of(tables, stack.labels.legend, plan.seed)
    with rasterio.open(mapped) as dataset:
        tags = {k: v for k, v in dataset.tags().items() if k.startswith("OVERCAST_")}
    rows = _suspicion(scene, sums, progress)
    write_suspicion(rows, stack.grid, work / map_folder.SUSPICIOUS, tags)
    text = json.dumps(findings.as_tree(), indent=2, ensure_ascii=False)
    (work / FINDINGS).write_text(text + "\n", encoding="utf-8")
    pictures = _Pictures(scene, sums, inputs, mapped)
    write_audit_page(pictures.page(findings, plan), work / PAGE)
    return findings


def read_suspicion(work: Path) -> NDArray[np.float32]:
    """Suspicion ``[H, W]`` of every label that `audit_in` left; NaN where none is."""
    with rasterio.open(work / map_folder.SUSPICIOUS) as dataset:
        steps = dataset.read(1)
    shares = steps.astype(np.float32) / PROBABILITY_STEPS
    return np.where(steps == UNKNOWN, np.float32(np.nan), shares)


def _count(
    scene: LabelledMap, tables: Tables, sums: CellSums, progress: Progress
) -> None:
    for band in scene.bands("comparing", progress):
        known = band.known
        labels, cell = band.labels[known], band.cell[known]
        probabilities = band.probabilities[:, known]
        tables.add(probabilities, labels, band.block[known])
        own = np.take_along_axis(probabilities, labels[None].astype(np.intp), 0)[0]
        sums.add(cell, own, labels)


def _suspicion(
    scene: LabelledMap, sums: CellSums, progress: Progress
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for band in scene.bands("writing", progress):
        if scene.cells.are_labels:
            suspicion = sums.suspicion(np.maximum(band.cell, 0))
            suspicion[~band.labelled] = np.nan
        else:
            suspicion = pixel_suspicion(band.probabilities, band.labels, band.known)
        yield band.window[0].start, suspicion


@dataclass(frozen=True, slots=True)
class _Pictures:
    """The inputs of the pictures on the page."""

    scene: LabelledMap
    sums: CellSums
    inputs: Inputs
    mapped: Path

    def page(self, findings: Findings, plan: Plan) -> AuditPage:
        """The page of `findings`, filled."""
        classes = open_labels(self.mapped, findings.legend)
        worst = self.sums.worst(_PLACES, _OF_ONE_LABEL)
        image = _clearest(self.inputs)
        return AuditPage(
            title=f"What {file_name_of(self.scene.labels)} gets wrong here",
            findings=findings,
            panels=list(self._panels(image, classes)),
            places=[picture_of(cell, self.scene, image, classes) for cell in worst],
            warnings=(*findings.notes(), *self.inputs.notes),
            provenance=provenance(self.mapped, self.inputs, plan),
            plan=RunFolder.beside(self.mapped).plan.read_text("utf-8"),
        )

    def _panels(self, image: ImageSource, classes: LabelSource) -> Iterator[Panel]:
        grid = overview(self.scene.grid)
        labels = look_at_classes(self.scene.labels, grid)
        yield Panel(
            title="Labels",
            picture=png(class_picture(labels)),
            text=f"As they are: {file_name_of(self.scene.labels)}.",
        )
        yield Panel(
            title="Map",
            picture=png(class_picture(look_at_classes(classes, grid))),
            text="What the method that learned from them makes of the images.",
        )
        stored = look_at_values(self.mapped.with_name(map_folder.SUSPICIOUS), grid)
        shares = np.where(stored == UNKNOWN, np.nan, stored / PROBABILITY_STEPS)
        yield Panel(
            title="Suspicion",
            picture=png(confidence_picture(shares.astype(np.float32))),
            text=self._meaning(),
            ramp=("0 as labelled", "1 not as labelled"),
        )
        yield Panel(
            title="Image",
            picture=jpeg(rgb(look_at_image(image, grid))),
            text=f"{file_name_of(image)}, {image.sensor.name}.",
        )

    def _meaning(self) -> str:
        if self.scene.cells.are_labels:
            return "Estimated share of a label's cell that is not what it says."
        return "Probability that a pixel is not what its label says."


def _clearest(inputs: Inputs) -> ImageSource:
    """The image that a person sees most on: an optical one, if there is any."""
    images = shown_of(inputs.stack, seen_by_date(inputs.stack), most=1)
    optical = [image for image in images.values() if image.sensor.kind == "optical"]
    return (optical or list(images.values()))[0]
