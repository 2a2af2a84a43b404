"""The report of a map made anew, with what was found out since it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from overcast import map_folder
from overcast.accuracy.calibration_file import Calibration
from overcast.documents import Document
from overcast.inputs import Inputs, open_inputs
from overcast.jobs.page import MapFindings, make_page
from overcast.jobs.scoring import SCORES, read_scores
from overcast.label_quality.support import remarks
from overcast.plan import read_plan
from overcast.progress import Progress, quiet
from overcast.report.heading import read_heading
from overcast.run import Runs
from overcast.run_folder import RunFolder


def report_again(mapped: Path, scores: Document, progress: Progress = quiet) -> Path:
    """Write report.html beside a map anew, with what `assess_files` found of it.

    Raises
    ------
    ValueError
        If there is no run beside the map, or an input is not where it was.
    """
    runs = Runs((RunFolder.beside(mapped).path,))
    predictor = runs.load()
    plan = read_plan(RunFolder(runs.run_folders[0]).plan)
    inputs = open_inputs(plan.data)
    findings = findings_with(
        scores, mapped.parent, inputs, runs.calibration, plan.method
    )
    findings = replace(findings, heading=read_heading(mapped.parent))
    make_page((mapped, predictor), inputs, plan, findings, progress)
    return mapped.with_name(map_folder.REPORT)


def findings_with(
    judged: Document,
    out: Path,
    inputs: Inputs,
    calibration: Calibration | None,
    method: Mapping[str, object] | None = None,
) -> MapFindings:
    """Return the results of `assess_files`, and the findings already in `out`."""
    scored = read_scores(out / SCORES)
    known = scored.scores
    sampled = "estimates" in judged
    # The first note of an assessed sample is on scores that the page doesn't show.
    notes = judged["notes"][1:] if sampled else judged["notes"]
    return MapFindings(
        scores=known if sampled else {**known, "map": judged},
        notes=tuple(
            dict.fromkeys(
                (
                    *inputs.notes,
                    *remarks(inputs.stack, method),
                    *scored.notes,
                    *notes,
                )
            )
        ),
        estimates=judged.get("estimates"),
        calibration=calibration,
    )
