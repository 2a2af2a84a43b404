"""`overcast pseudo`: labels for an area from runs that were trained elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from overcast.cli.arguments import codes_of, data_of, file_of, refuse_without, runs_of
from overcast.cli.option_types import FILE, SOURCE
from overcast.cli.option_values import EnsembleOptions, ImageOptions, WritingOptions
from overcast.cli.options import (
    HELP,
    Command,
    ensemble,
    images,
    threads,
    views,
    writing,
)
from overcast.cli.showing import bar, report


class PseudoOptions(ImageOptions, EnsembleOptions, WritingOptions):
    """Values of the options of `overcast pseudo`."""

    official: str | None
    official_legend: str | None
    official_nodata: tuple[str, ...]


@click.command(cls=Command, context_settings=HELP)
@click.argument("run", type=FILE)
@images
@ensemble
@views(24)
@click.option("--official", type=SOURCE, help="Class raster to compare with.")
@click.option(
    "--official-legend", help="Legend of --official, if not the legend of the runs."
)
@click.option(
    "--official-nodata",
    multiple=True,
    metavar="CODE,...",
    help="Codes of --official for no data, besides the nodata tag; may be repeated.",
)
@threads
@writing
def command(run: Path, **given: Unpack[PseudoOptions]) -> None:
    """Label an area with trained runs, for other images to learn from.

    Writes map.tif, confidence.tif and probabilities.tif (a band per class, uint8 with
    scale; a plan reads it as sensor class-probabilities). With --official it also writes
    agreement.json, and agreed.tif without the pixels to which the official labels give
    another class.

    \b
    Example: labels for a SAR network from an optical one
      overcast pseudo optical/run --s2 s2.tif --out pseudo/
    """
    from overcast.accuracy.reference import ReferenceFile
    from overcast.jobs.pseudo import make_pseudo_labels

    official = None
    for name in ("official_legend", "official_nodata"):
        refuse_without(given, name, "official")
    if given["official"] is not None:
        nodata = codes_of("--official-nodata", given["official_nodata"])
        path = file_of(given["official"])
        official = ReferenceFile(path, given["official_legend"], nodata)
    with bar() as progress:
        made = make_pseudo_labels(
            runs_of(run, given),
            data_of(given),
            given["out"],
            official,
            given["overwrite"],
            progress,
        )
    report(made)
