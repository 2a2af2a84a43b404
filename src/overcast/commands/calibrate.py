"""`overcast calibrate`: make the confidence of a map mean what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from overcast.given import reference_of
from overcast.option_types import FILE, SOURCE, Number
from overcast.options import HELP, Command, bar, reading, report, threads


@click.command(cls=Command, context_settings=HELP)
@click.argument("out", type=FILE)
@click.argument("sample", type=SOURCE)
@reading
@click.option(
    "--sets",
    "coverage",
    type=Number(0, 1, min_open=True, max_open=True),
    metavar="COVERAGE",
    help="Also write set_sizes.tif: how many classes a pixel may have, so that its set "
    "holds the true one this often, such as 0.9.",
)
@click.option(
    "--by-class",
    is_flag=True,
    help="Let --sets hold within every class, and not on average over the map alone; "
    "sets are larger then.",
)
@threads
@click.option("--overwrite", is_flag=True, help="Calibrate a calibrated run anew.")
def command(out: Path, sample: str, **given: Any) -> None:
    """Calibrate the confidence of a map with places whose class is known.

    OUT is a folder that overcast map made, SAMPLE what overcast sample drew, filled, or
    any other points, polygons or raster that the map was not learned from. Leaves what
    it learned in OUT/run, which maps with it from then on, and makes the map's files
    and report anew; classes stay as they are.

    \b
    Examples:
      overcast calibrate out/ sample.gpkg
      overcast calibrate out/ sample.gpkg --sets 0.9 --by-class
    """
    from overcast.jobs.calibrate import calibrate_map

    if given["by_class"] and given["coverage"] is None:
        raise ValueError("--by-class: give --sets too, such as --sets 0.9")
    known = reference_of(sample, given)
    with bar() as progress:
        made = calibrate_map(
            out,
            known,
            coverage=given["coverage"],
            by_class=given["by_class"],
            overwrite=given["overwrite"],
            progress=progress,
        )
    report(made)
