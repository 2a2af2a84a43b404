"""Options of regions: where tiles lie, and who works on them."""

from __future__ import annotations

import click

from overcast.cli.option_types import FILE
from overcast.cli.options import several

tiles = several(
    click.option(
        "--region",
        "region_file",
        type=FILE,
        help="Map a region in tiles: a region.yaml, or a vector file with its outline, "
        "with images by --s1, --s2 and --image (patterns work).",
    ),
    click.option(
        "--tiles",
        type=click.IntRange(32),
        metavar="PIXELS",
        help="Side of a tile of --region, or of --bbox and --area, which are then mapped "
        "in tiles.  [default: 2048]",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1),
        metavar="N",
        help="Map tiles of --region with so many processes on this machine.",
    ),
    click.option(
        "--dask",
        "address",
        metavar="ADDRESS",
        help="Map tiles of --region with the workers of this Dask scheduler.",
    ),
    click.option(
        "--memory",
        metavar="SIZE",
        help="Memory of each of --workers, such as 2GiB.  [default: an equal part]",
    ),
    click.option(
        "--retries",
        type=click.IntRange(0, 20),
        help="Times a tile that failed is tried again.  [default: 2]",
    ),
    click.option(
        "--dry-run",
        is_flag=True,
        help="Say how many tiles of --region there are, and what they cost; then end.",
    ),
    click.option(
        "--log",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="How what happens to --region is told on standard error.",
    ),
)
