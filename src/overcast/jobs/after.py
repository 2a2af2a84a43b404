"""What comes after mapping: its failure is a note, and never costs the map.

A full disk is no such failure: with room, the same command goes on from the map.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from overcast import map_folder
from overcast.errors import is_of_full_disk
from overcast.inputs import Inputs
from overcast.jobs.page import MapFindings, make_page
from overcast.jobs.publish import publish_map, publish_run
from overcast.maps.predictor import Predictor
from overcast.plan import Plan
from overcast.progress import Progress
from overcast.report.heading import read_heading

T = TypeVar("T")
U = TypeVar("U")


def attempt(what: str, make: Callable[[], T], otherwise: U) -> tuple[T | U, list[str]]:
    """Do what a finished map can do without; why it failed, if it did, is a note.

    `what` begins the note, such as "no report". A fault of any kind counts: hours of
    learning are in the map.

    Raises
    ------
    OSError
        If the disk is full.
    """
    try:
        return make(), []
    except Exception as error:
        if is_of_full_disk(error):
            raise
        return otherwise, [f"{what}: {reason_of(error)}"]


def reason_of(error: Exception) -> str:
    """One line on an error; its type too, unless it was written for the reader."""
    text = " ".join(str(error).split())
    if isinstance(error, ValueError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def describe_run(run: Path, plan: Plan, inputs: Inputs, final: Path) -> list[str]:
    """Write the STAC item of a run; notes on what failed."""
    _, notes = attempt(
        "no STAC item of the run",
        lambda: publish_run(run, plan, inputs, final),
        None,
    )
    return notes


def describe_map(
    made: tuple[Path, Predictor],
    inputs: Inputs,
    plan: Plan,
    findings: MapFindings,
    published: tuple[Path, tuple[Path, ...]],
    progress: Progress,
) -> list[str]:
    """Write the report and the STAC item of a map; notes on what failed.

    `published` is the folder where the map will lie and those of the runs that made it.
    """
    page = made[0].with_name(map_folder.REPORT)

    def write() -> None:
        said = replace(findings, heading=read_heading(published[0]))
        make_page(made, inputs, plan, said, progress)

    _, notes = attempt("no report", write, None)
    if notes:
        page.unlink(missing_ok=True)
    _, more = attempt(
        "no STAC item of the map", lambda: publish_map(*made, inputs, *published), None
    )
    return [*notes, *more]
