"""`overcast train`: the learning that a plan describes."""

from __future__ import annotations

from pathlib import Path

import click

from overcast.options import FILE, HELP, bar, report


@click.command(context_settings=HELP)
@click.argument("plan", type=FILE)
@click.option("--out", type=FILE, help="Folder for run/.  [default: PLAN's name]")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
def command(plan: Path, out: Path | None, overwrite: bool) -> None:
    """Carry out the learning that a plan describes; going on where it was stopped.

    `overcast map` leaves a plan in OUT/run/plan.yaml to start from.

    \b
    Example:
      overcast train plan.yaml --out trained/
    """
    from overcast.jobs.mapping import train_only
    from overcast.plan import read_plan

    with bar() as progress:
        made = train_only(
            read_plan(plan), out or plan.with_suffix(""), overwrite, progress
        )
    report(made)
