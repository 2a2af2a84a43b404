"""`overcast chain`: SAR-only maps from labels of optical images of elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from overcast.cli.option_types import FILE
from overcast.cli.option_values import WritingOptions
from overcast.cli.options import HELP, Command, threads, views, writing
from overcast.cli.showing import bar, report


class ChainOptions(WritingOptions):
    """Values of the options of `overcast chain`."""

    networks: int
    refits: int
    views: int


@click.command(cls=Command, context_settings=HELP)
@click.argument("optical", type=FILE)
@click.argument("sar", type=FILE)
@click.option(
    "--networks",
    type=int,
    default=1,
    show_default=True,
    help="Number of optical runs that label the pairs.",
)
@click.option(
    "--refits",
    type=int,
    default=0,
    show_default=True,
    help="Number of times that `weak` corrects the pseudo-labels.",
)
@views(24)
@threads
@writing
def command(optical: Path, sar: Path, **given: Unpack[ChainOptions]) -> None:
    """Map from SAR alone, with labels of optical images of other places.

    OPTICAL is a plan with labelled scenes, and a method to learn from them. SAR is a
    plan with pairs of optical and SAR images, without labels, and a method to learn from
    SAR. Writes optical runs, pseudo-labels, a SAR run and a map of every pair to --out.
    Give the command again to continue one that was stopped.

    \b
    Example:
      overcast chain optical.yaml sar.yaml --refits 2 --out allweather/
    """
    from overcast.jobs.chain import Chain, make_chain
    from overcast.plan import read_plan

    chain = Chain(
        optical=read_plan(optical),
        sar=read_plan(sar),
        networks=given["networks"],
        views=given["views"],
        refits=given["refits"],
    )
    with bar() as progress:
        made = make_chain(chain, given["out"], given["overwrite"], progress)
    report(made)
