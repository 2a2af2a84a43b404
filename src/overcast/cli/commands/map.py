"""`overcast map`: learn from the labels of an area, and map it."""

from __future__ import annotations

from functools import partial
from typing import Unpack

import click

from overcast.cli.arguments import plan_of, reference_of
from overcast.cli.option_values import MapOptions
from overcast.cli.options import (
    HELP,
    Command,
    images,
    labels,
    place,
    probabilities,
    reference,
    runtime,
    start,
    threads,
    writing,
)
from overcast.cli.region_arguments import (
    acquire_of,
    is_region,
    with_fetched,
    with_labels_fetched,
)
from overcast.cli.region_options import region
from overcast.cli.showing import bar, report, say
from overcast.cli.tile_arguments import (
    carry_out,
    region_of,
    tiled_place_of,
    wanted_of,
)
from overcast.cli.tile_options import tiles


@click.command(cls=Command, context_settings=HELP)
@images
@region(dates=4)
@click.option(
    "--area",
    "where",
    metavar="FILE|TILE",
    help="Place: a vector file, or a tile of Sentinel-2 such as 32UPU.",
)
@labels
@place
@start
@reference
@probabilities
@tiles
@threads
@runtime
@writing
def command(**given: Unpack[MapOptions]) -> None:
    """Learn from the labels of an area, and map it.

    Writes map.tif, confidence.tif, report.html and run/. With --reference it also writes
    scores.json, and with --probabilities probabilities.tif. A network that removes clouds
    also writes clear.tif. Give the command again to continue one that was stopped. With a
    place and a time, it first fetches images and labels into data/.

    \b
    Example:
      overcast map --s2 s2.tif --s1 s1.tif --labels modis.tif --legend igbp --out out/
    \b
    Example of a place and a time (see overcast fetch):
      overcast map --bbox 11.2,48.0,11.6,48.3 --year 2024 --labels worldcover --out out/
    \b
    Example of a region in tiles, on four processes:
      overcast map --region region.yaml --workers 4 --out out/
    \b
    Example of a region in tiles, each of which reads its own images from a catalogue:
      overcast map --bbox 11.2,48.0,11.6,48.3 --year 2024 --labels modis.tif \\
          --legend igbp --tiles 2048 --workers 4 --out out/
    \b
    Example where clouds are not to be looked at:
      overcast map --s2 s2.tif --s2-mask SCL.tif --s1 s1.tif --labels modis.tif \\
          --legend igbp --out out/
    \b
    Example with what a run of other scenes knows:
      overcast predict other/run --s2 s2.tif --s1 s1.tif --probabilities --out prior/
      overcast map --s2 s2.tif --s1 s1.tif --labels modis.tif --legend igbp \\
          --prior prior/probabilities.tif --out out/
    \b
    Example with labels that are known to be right on 85 % of the pixels:
      overcast map --s2 s2.tif --labels corine.tif --legend corine \\
          --labels-accuracy 0.85 --out out/
    """
    from overcast.jobs.mapping import make_map

    where = tiled_place_of(given)
    if where is not None:
        from overcast.region.job import map_region

        acquire = acquire_of(given)
        if acquire is not None:
            with bar() as progress:
                given = with_labels_fetched(given, progress)
        wanted, said = wanted_of(given), partial(plan_of, given, given, given)
        tiled = region_of(where, given, said, given["resolution"], acquire)
        carry_out(given, lambda *how: map_region(tiled, wanted, *how), tiled, None)
        return
    notes: tuple[str, ...] = ()
    with bar() as progress:
        if is_region(given):
            given, fetched = with_fetched(given, progress)
            notes = fetched.notes
        elif not given["labels"]:
            raise click.UsageError("Missing option '--labels'.")
        plan = plan_of(given, given, given)
        made = make_map(
            plan,
            given["out"],
            reference_of(given["reference"], given),
            given["overwrite"],
            progress,
            given["probabilities"],
        )
    for note in notes:
        say(f"note: {note}")
    report(made)


for option in command.params:
    if option.name == "labels":  # with a place, --legend may say which
        option.required = False
