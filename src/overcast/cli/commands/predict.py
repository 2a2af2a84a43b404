"""`overcast predict`: map an area with a run that was trained before."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from overcast.cli.arguments import data_of, reference_of, runs_of
from overcast.cli.option_types import FILE
from overcast.cli.option_values import (
    EnsembleOptions,
    ImageOptions,
    ReferenceOptions,
    TileOptions,
)
from overcast.cli.options import (
    HELP,
    Command,
    ensemble,
    images,
    probabilities,
    reference,
    runtime,
    threads,
    views,
    writing,
)
from overcast.cli.showing import bar, report
from overcast.cli.tile_arguments import carry_out, region_file_of, region_of, wanted_of
from overcast.cli.tile_options import tiles


class PredictOptions(ImageOptions, EnsembleOptions, ReferenceOptions, TileOptions):
    """Values of the options of `overcast predict`."""

    without: tuple[str, ...]


@click.command(cls=Command, context_settings=HELP)
@click.argument("run", type=FILE)
@images
@ensemble
@views(1)
@click.option(
    "--without",
    multiple=True,
    metavar="NAME",
    help="Input that is missing at prediction time; may be repeated.",
)
@reference
@probabilities
@tiles
@threads
@runtime
@writing
def command(run: Path, **given: Unpack[PredictOptions]) -> None:
    """Map an area with a run that was trained before, on this area or another.

    Several runs of one legend, and several views, are averaged. This takes more time.

    \b
    Example:
      overcast predict out/run --s2 other_s2.tif --s1 other_s1.tif --out other/
      overcast predict one/run --with two/run --views 8 --s1 s1.tif --out map/
      overcast predict out/run --s1 today.tif --without s2 --out today/
      overcast predict out/run --region region.yaml --workers 4 --out country/
    """
    from overcast.jobs.mapping import map_elsewhere

    path = region_file_of(given)
    runs = runs_of(run, given, given["without"])
    if path is not None:
        from overcast.plan import Plan
        from overcast.region.job import predict_region

        tiled = region_of(path, given, lambda: Plan(data=data_of(given)), None)
        wanted = wanted_of(given)
        carry_out(
            given,
            lambda *how: predict_region(tiled, runs, wanted, *how),
            tiled,
            runs,
        )
        return
    with bar() as progress:
        made = map_elsewhere(
            runs,
            data_of(given),
            given["out"],
            reference_of(given["reference"], given),
            given["overwrite"],
            progress,
            probabilities=given["probabilities"],
        )
    report(made)
