"""`overcast composite`: a cloud-free image of a season."""

from __future__ import annotations

from datetime import date
from typing import Unpack

import click

from overcast.cli.arguments import data_of
from overcast.cli.option_values import ImageOptions, WritingOptions
from overcast.cli.options import HELP, Command, images, threads, writing
from overcast.cli.showing import bar, report


class CompositeOptions(ImageOptions, WritingOptions):
    """Values of the options of `overcast composite`."""

    first: str | None
    last: str | None


@click.command(cls=Command, context_settings=HELP)
@images
@click.option(
    "--how",
    type=click.Choice(["median", "geomedian", "medoid"]),
    default="median",
    show_default=True,
    help="How optical dates become one: every band alone, whole spectra, or the most "
    "typical date of a pixel. SAR is averaged in power, per orbit.",
)
@click.option("--from", "first", metavar="DATE", help="First day.  [default: any]")
@click.option("--to", "last", metavar="DATE", help="Last day.  [default: any]")
@threads
@writing
def command(how: str, **given: Unpack[CompositeOptions]) -> None:
    """Write a cloud-free image of a season from many dates.

    Writes s2.tif, s1.tif and so on into --out: the bands of the sensor, and clear_count,
    how many dates saw a pixel. What masks hide counts as not seen. Works tile by tile, so
    that memory does not grow with the image.

    \b
    Example:
      overcast composite --s2 s2_2024/ --s1 s1_2024/ --from 2024-05-01 --to 2024-09-30 \\
          --how geomedian --out summer/
    """
    from overcast.jobs.composite import make_composites

    period = _day("--from", given["first"]), _day("--to", given["last"])
    with bar() as progress:
        made = make_composites(
            data_of(given), given["out"], how, period, given["overwrite"], progress
        )
    report(made)


def _day(option: str, text: str | None) -> date | None:
    from overcast.geo.times import day_of

    if text is None:
        return None
    if (day := day_of(text)) is None:
        raise ValueError(f"{option} {text}: expected a date, as 2024-05-03")
    return day
