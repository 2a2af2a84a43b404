"""`overcast demo`: the main job on a simulated scene."""

from __future__ import annotations

from pathlib import Path

import click

from overcast.cli.options import HELP, Command, threads, writing
from overcast.cli.showing import bar, report


@click.command(cls=Command, context_settings=HELP)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option(
    "--size", type=int, default=512, show_default=True, help="Pixels a side, of 10 m."
)
@click.option("--method", help="weak, forest, kmeans or network.  [default: weak]")
@threads
@writing
def command(
    seed: int, size: int, method: str | None, out: Path, overwrite: bool
) -> None:
    """Map a simulated scene, and score the map against the truth.

    \b
    Example:
      overcast demo --out demo/
    """
    from overcast.jobs.mapping import make_demo

    with bar() as progress:
        made = make_demo((seed, size), out, method, overwrite, progress)
    report(made)
