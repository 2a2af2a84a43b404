"""`overcast calibrate`: make the confidence of a map mean what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from overcast.cli.arguments import reference_file
from overcast.cli.option_types import FILE, SOURCE, Number
from overcast.cli.option_values import ReadingOptions
from overcast.cli.options import HELP, Command, reading, threads
from overcast.cli.showing import bar, report


class CalibrateOptions(ReadingOptions):
    """Values of the options of `overcast calibrate`."""

    coverage: float | None
    by_class: bool
    overwrite: bool


@click.command(cls=Command, context_settings=HELP)
@click.argument("out", type=FILE)
@click.argument("sample", type=SOURCE)
@reading
@click.option(
    "--sets",
    "coverage",
    type=Number(0, 1, min_open=True, max_open=True),
    metavar="COVERAGE",
    help="Also write set_sizes.tif: the size of class sets that hold the true class this "
    "often, such as 0.9.",
)
@click.option(
    "--by-class",
    is_flag=True,
    help="Let --sets hold for every class, not only on average; sets are larger.",
)
@threads
@click.option("--overwrite", is_flag=True, help="Calibrate a calibrated run again.")
def command(out: Path, sample: str, **given: Unpack[CalibrateOptions]) -> None:
    """Calibrate the confidence of a map with places whose class is known.

    OUT is a folder that overcast map made. SAMPLE is a filled sample of overcast sample,
    or other points, polygons or a raster that the map did not learn from. Writes the
    calibration to OUT/run, which maps with it from then on, and renews the map's files
    and report. Classes do not change. If OUT is the folder of a region, SAMPLE is
    points, and the command that mapped it renews the tiles.

    \b
    Examples:
      overcast calibrate out/ sample.gpkg
      overcast calibrate out/ sample.gpkg --sets 0.9 --by-class
    """
    from overcast.map_folder import REGION

    if given["by_class"] and given["coverage"] is None:
        raise ValueError("--by-class: give --sets too, such as --sets 0.9")
    known = reference_file(sample, given)
    if (out / REGION).is_file():
        from overcast.region.calibrating import calibrate_region as calibrate
    else:
        from overcast.jobs.calibrate import calibrate_map as calibrate
    with bar() as progress:
        made = calibrate(
            out,
            known,
            coverage=given["coverage"],
            by_class=given["by_class"],
            overwrite=given["overwrite"],
            progress=progress,
        )
    report(made)
