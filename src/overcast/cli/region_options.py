"""Options of a place and a time, for commands that read from catalogues."""

from __future__ import annotations

import click

from overcast.acquire.period import SEASONS
from overcast.cli.options import Option, several


def region(dates: int) -> Option:
    """A place and a time, and where their data come from; so many dates by default."""
    return several(*_WHERE, *_WHEN, *_which(dates))


_WHERE = (
    click.option(
        "--bbox",
        metavar="W,S,E,N",
        help="Place: west, south, east and north in degrees.",
    ),
    click.option(
        "--resolution",
        type=float,
        default=10.0,
        show_default=True,
        help="Pixel size in metres; the grid is UTM.",
    ),
)
_WHEN = (
    click.option("--year", type=int, help="Time: a whole year."),
    click.option(
        "--from", "first", metavar="DAY", help="First day, such as 2024-04-01."
    ),
    click.option("--to", "last", metavar="DAY", help="Last day."),
    click.option(
        "--season",
        type=click.Choice(SEASONS),
        help="Only this season; its months depend on the hemisphere.",
    ),
)


def _which(dates: int) -> tuple[Option, ...]:
    """Sources, and which of their items are taken."""
    return (
        click.option(
            "--source",
            "sources",
            multiple=True,
            metavar="NAME|TOML",
            help="planetary-computer, earth-search, copernicus, or a TOML file. Repeat it: "
            "the first source that has a product is used.  "
            "[default: planetary-computer]",
        ),
        click.option(
            "--dates",
            type=click.IntRange(1, 60),
            default=dates,
            show_default=True,
            help="Number of days of Sentinel-2, and of Sentinel-1.",
        ),
        click.option(
            "--clear",
            type=click.FloatRange(0, 1),
            default=0.5,
            show_default=True,
            help="Smallest share of the place that must be clear on a day.",
        ),
        click.option(
            "--skip",
            multiple=True,
            metavar="ITEM",
            help="An item of the catalogue to leave out; may be repeated.",
        ),
    )
