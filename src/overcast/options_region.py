"""Options of a place and a time, for commands that read from catalogues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from overcast.options import several


def region(dates: int) -> Callable[[Any], Any]:
    """A place and a time, and where their data come from; so many dates by default."""
    return several(
        click.option(
            "--bbox",
            metavar="W,S,E,N",
            help="The place: west, south, east and north in degrees.",
        ),
        click.option("--year", type=int, help="The time: a whole year."),
        click.option(
            "--from", "first", metavar="DAY", help="Or its first day, 2024-04-01."
        ),
        click.option("--to", "last", metavar="DAY", help="And its last day."),
        click.option(
            "--season",
            type=click.Choice(["spring", "summer", "autumn", "winter"]),
            help="Only this season of it; the place says which months that are.",
        ),
        click.option(
            "--source",
            "sources",
            multiple=True,
            metavar="NAME|TOML",
            help="planetary-computer, earth-search, copernicus, or a TOML file; may be "
            "repeated: the first that has a product is asked.  "
            "[default: planetary-computer]",
        ),
        click.option(
            "--dates",
            type=click.IntRange(1, 60),
            default=dates,
            show_default=True,
            help="Days of Sentinel-2, and as many of Sentinel-1.",
        ),
        click.option(
            "--clear",
            type=click.FloatRange(0, 1),
            default=0.5,
            show_default=True,
            help="Least share of the place that is clear on a day.",
        ),
        click.option(
            "--resolution",
            type=float,
            default=10.0,
            show_default=True,
            help="Metres of a pixel; the grid is UTM of the middle of the place.",
        ),
        click.option(
            "--skip",
            multiple=True,
            metavar="ITEM",
            help="An item of the catalogue to leave out; may be repeated.",
        ),
    )
