"""`overcast fetch`: images and labels of a place and a time, from public catalogues."""

from __future__ import annotations

from typing import Unpack

import click

from overcast.cli.option_types import SOURCE
from overcast.cli.option_values import RegionOptions, WritingOptions
from overcast.cli.options import HELP, Command, threads, writing
from overcast.cli.region_options import region
from overcast.cli.showing import bar, say, show


class FetchOptions(RegionOptions, WritingOptions):
    """Values of the options of `overcast fetch`."""

    labels: tuple[str, ...]
    no_s1: bool
    no_s2: bool
    elevation: bool
    dry_run: bool


@click.command(cls=Command, context_settings=HELP)
@click.argument("where", metavar="[PLACE]", required=False)
@region(dates=4)
@click.option(
    "--labels",
    multiple=True,
    metavar="NAME",
    help="Labels to fetch, such as worldcover or esri; may be repeated.",
)
@click.option("--no-s1", is_flag=True, help="Leave out Sentinel-1.")
@click.option("--no-s2", is_flag=True, help="Leave out Sentinel-2.")
@click.option("--elevation", is_flag=True, help="Fetch elevation as well.")
@click.option("--grid", type=SOURCE, help="Raster whose grid is used.")
@click.option("--dry-run", is_flag=True, help="Only say what would be read.")
@threads
@writing
def command(**given: Unpack[FetchOptions]) -> None:
    """Fetch Sentinel-2, Sentinel-1 and labels of a PLACE onto one grid.

    PLACE is a vector file, or a tile such as 32UPU; or give --bbox. Writes
    s2_DATE.tif, s2_DATE_scl.tif, s1_DATE_asc.tif or _desc.tif, labels_NAME_YEAR.tif and
    fetch.json. Give the command again to continue one that was stopped.

    \b
    Examples:
      overcast fetch --bbox 11.2,48.0,11.6,48.3 --year 2024 --labels worldcover \\
          --out data/
      overcast fetch area.gpkg --from 2023-04-01 --to 2024-09-30 --season summer \\
          --out data/
      overcast fetch 32UPU --year 2024 --dry-run --out data/
    """
    from overcast.acquire.fetch import fetch, fetched_before, survey_only
    from overcast.acquire.table import table
    from overcast.cli.region_arguments import request_of

    wanted = [*([] if given["no_s2"] else ["sentinel-2"])]
    wanted += [] if given["no_s1"] else ["sentinel-1"]
    wanted += [*given["labels"], *(["elevation"] if given["elevation"] else [])]
    request = request_of(given, tuple(wanted))
    say(request.area.words())
    with bar() as progress:
        if given["dry_run"]:
            click.echo(table(request, survey_only(request, progress)))
            return
        old = fetched_before(request, given["out"])
        made = old or fetch(request, given["out"], given["overwrite"], progress)
    if old is not None:
        say(f"{given['out']}: all of it is there already; nothing was read")
    for line in made.said:
        say(line)
    for note in made.notes:
        say(f"note: {note}")
    files = {n: str(given["out"] / n) for n in made.manifest["files"]}
    show({"files": files, "sources": made.manifest["sources"]})
