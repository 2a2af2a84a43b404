"""`overcast labels`: what can be said of labels themselves, and where to draw some."""

from __future__ import annotations

from typing import Unpack

import click

from overcast.cli.arguments import data_of, plan_of
from overcast.cli.option_types import FILE
from overcast.cli.option_values import ImageOptions, PlanOptions, WritingOptions
from overcast.cli.options import HELP, Group, images, labels, threads, writing
from overcast.cli.showing import bar, report


class AuditOptions(PlanOptions, WritingOptions):
    """Values of the options of `overcast labels audit`."""


class SuggestOptions(ImageOptions, WritingOptions):
    """Values of the options of `overcast labels suggest`."""

    count: int
    side: int
    seed: int


@click.group(cls=Group, context_settings=HELP)
def command() -> None:
    """Find what labels get wrong, or where to draw them.

    \b
    Example: what a coarse map gets wrong here
      overcast labels audit --s2 s2.tif --s1 s1.tif --labels modis.tif \\
          --legend igbp --out audit/
    \b
    Example: which ten patches to label first
      overcast labels suggest --s2 s2.tif --s1 s1.tif --out patches.gpkg
    """


@command.command(context_settings=HELP)
@images
@labels
@threads
@writing
def audit(**given: Unpack[AuditOptions]) -> None:
    """Estimate what labels get wrong here: which classes, how often, and where.

    Learns from the labels, maps the area, and compares. Writes audit.html, a page with
    pictures; audit.json, what every class is called, with intervals; suspicious.tif, how
    suspicious every label is; and map.tif. It uses no reference data, so it can't see a
    mistake that the labels make everywhere.

    \b
    Example:
      overcast labels audit --s2 s2.tif --s1 s1.tif --labels modis.tif \\
          --legend igbp --out audit/
    """
    from overcast.jobs.audit import audit_labels

    plan = plan_of(given)
    with bar() as progress:
        made = audit_labels(plan, given["out"], given["overwrite"], progress)
    report(made)


@command.command(context_settings=HELP)
@images
@click.option(
    "--count",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Number of patches.",
)
@click.option(
    "--side",
    type=click.IntRange(1),
    default=32,
    show_default=True,
    help="Side of a patch in pixels.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@threads
@click.option("--out", type=FILE, required=True, help="GeoPackage (.gpkg) to write.")
@click.option("--overwrite", is_flag=True, help="Replace existing output.")
def suggest(**given: Unpack[SuggestOptions]) -> None:
    """Choose which patches to label first.

    Writes squares that together hold the same kinds of land as the images, the most
    useful one first. Fill them with polygons that have a class, and give the polygons as
    --labels of a map. To judge a map, draw points with overcast sample instead.

    \b
    Example:
      overcast labels suggest --s2 s2.tif --s1 s1.tif --out patches.gpkg
      overcast map --s2 s2.tif --s1 s1.tif --labels drawn.gpkg --legend worldcover \\
          --out map/
    """
    from overcast.jobs.suggest import suggest_patches

    with bar() as progress:
        made = suggest_patches(
            data_of(given),
            given["out"],
            count=given["count"],
            side=given["side"],
            seed=given["seed"],
            overwrite=given["overwrite"],
            progress=progress,
        )
    report(made)
