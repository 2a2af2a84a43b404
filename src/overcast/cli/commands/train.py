"""`overcast train`: the learning that a plan describes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Unpack

import click

from overcast.cli.arguments import started
from overcast.cli.option_types import FILE
from overcast.cli.option_values import StartOptions
from overcast.cli.options import HELP, Command, start, threads
from overcast.cli.showing import bar, report


@click.command(cls=Command, context_settings=HELP)
@click.argument("plan", type=FILE)
@start
@threads
@click.option("--out", type=FILE, help="Folder for run/.  [default: PLAN's name]")
@click.option("--overwrite", is_flag=True, help="Replace existing output.")
def command(
    plan: Path, out: Path | None, overwrite: bool, **given: Unpack[StartOptions]
) -> None:
    """Learn what a plan describes.

    Give the command again to continue a run that was stopped.
    `overcast map` writes a plan to OUT/run/plan.yaml, which you can edit.

    \b
    Example:
      overcast train plan.yaml --out trained/
      overcast train plan.yaml --start pretrained/ --frozen --out linear/
    """
    from overcast.jobs.mapping import train_only
    from overcast.plan import read_plan

    read = read_plan(plan)
    read = dataclasses.replace(read, method=started(read.method, given))
    with bar() as progress:
        made = train_only(read, out or plan.with_suffix(""), overwrite, progress)
    report(made)
