"""`overcast sample`: which pixels of a map to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypedDict, Unpack

import click

from overcast.cli.option_types import FILE, Number
from overcast.cli.options import HELP, Command
from overcast.cli.showing import bar, note, show

ANCHORS = 50
"""Points for `--for anchors`, where no size is given."""


class SampleOptions(TypedDict):
    """Values of the options of `overcast sample`."""

    size: int | None
    standard_error: float | None
    expected: tuple[str, ...]
    allocation: Literal["proportional", "neyman", "equal"]
    minimum: int
    purpose: str
    seed: int
    legend: str | None
    out: Path
    overwrite: bool


@click.command(cls=Command, context_settings=HELP)
@click.argument("mapped", metavar="MAP", type=FILE)
@click.option(
    "--size", type=int, help="Number of points.  [default: by --standard-error]"
)
@click.option(
    "--standard-error",
    type=Number(),
    help="Standard error of overall accuracy, if --size is not given.  [default: 0.015]",
)
@click.option(
    "--expected",
    multiple=True,
    metavar="[CLASS=]ACCURACY",
    help="Expected user's accuracy of a class, or of all others; may be repeated.  "
    "[default: 0.8]",
)
@click.option(
    "--allocation",
    type=click.Choice(["proportional", "neyman", "equal"]),
    default="proportional",
    show_default=True,
    help="How points are shared among the classes.",
)
@click.option(
    "--minimum",
    type=click.IntRange(2),
    default=50,
    show_default=True,
    help="Smallest number of points in a class.",
)
@click.option(
    "--for",
    "purpose",
    type=click.Choice(["accuracy", "anchors"]),
    default="accuracy",
    show_default=True,
    help="Purpose of the points; anchors are 50 points at random over the map.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--legend", help="Legend of MAP, if overcast did not make it.")
@click.option(
    "--out", type=FILE, required=True, help="GeoPackage (.gpkg) or .csv to write."
)
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
def command(mapped: Path, **given: Unpack[SampleOptions]) -> None:
    """Draw points of a map, to estimate its accuracy from.

    Draws a stratified random sample; the strata are the map's classes. MAP may be the
    folder of a region, whose tiles and zones count as one map. Fill the column reference
    with codes or names, leave points empty that can't be judged, and give the file to
    overcast assess.

    \b
    Examples:
      overcast sample out/map.tif --size 800 --out sample.gpkg
      overcast sample out/map.tif --expected 0.9 --expected Shrubland=0.6 --out s.csv
      overcast assess out/map.tif sample.gpkg
      overcast sample country/ --size 2000 --out sample.gpkg
    \b
    Points that decide how far the labels are trusted:
      overcast sample out/map.tif --for anchors --out anchors.gpkg
      overcast map ... --anchors anchors.gpkg --out better/
    """
    from overcast.accuracy.design import Design
    from overcast.jobs.assess import draw_sample

    error = given["standard_error"]
    anchors = given["purpose"] == "anchors"
    if given["size"] is not None and error is not None:
        raise ValueError("--standard-error: --size says how many; leave one out")
    size = given["size"]
    if anchors and error is None and size is None:
        size = ANCHORS
    design = Design(
        size=size,
        standard_error=0.015 if error is None else error,
        expected=_expected(given["expected"]),
        allocation=given["allocation"],
        minimum=1 if anchors else given["minimum"],
        seed=given["seed"],
    )
    with bar() as progress:
        drawn = draw_sample(
            mapped,
            given["out"],
            design,
            legend=given["legend"],
            overwrite=given["overwrite"],
            progress=progress,
            say=note,
        )
    show(drawn)


def _expected(texts: tuple[str, ...]) -> dict[str, float]:
    accuracies: dict[str, float] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        if name in accuracies:
            raise ValueError(f"--expected {text}: given twice, expected once")
        try:
            accuracies[name] = float(number)
        except ValueError as error:
            raise ValueError(f"--expected {text}: expected [CLASS=]ACCURACY") from error
    return accuracies
