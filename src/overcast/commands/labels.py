"""`overcast labels`: what can be said of labels themselves, and where to draw some."""

from __future__ import annotations

from typing import Any

import click

from overcast.given import data_of, plan_of
from overcast.option_types import FILE
from overcast.options import HELP, Group, bar, images, labels, report, threads, writing


@click.group(cls=Group, context_settings=HELP)
def command() -> None:
    """Look into labels, and say where to draw some.

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
def audit(**given: Any) -> None:
    """Estimate what labels get wrong here: which classes, how often, and where.

    Learns from the labels, maps the area, and compares. Writes audit.html, a page with
    pictures; audit.json, what every class is called, with intervals; suspicious.tif, how
    suspicious every label is; and map.tif. There is no reference in it: what labels get
    wrong everywhere alike stays unseen.

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
    help="Patches.",
)
@click.option(
    "--side",
    type=click.IntRange(1),
    default=32,
    show_default=True,
    help="Of a patch, in pixels.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@threads
@click.option("--out", type=FILE, required=True, help="A .gpkg to write.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
def suggest(**given: Any) -> None:
    """Say which patches to label first, where there are no labels yet.

    Writes squares that together hold what all of the images hold, the most telling one
    first. Draw polygons with a class in them, as many as it takes to fill them, and
    give these to overcast map as --labels. To judge a map by, overcast sample draws points.

    \b
    Example:
      overcast labels suggest --s2 s2.tif --s1 s1.tif --out patches.gpkg
      overcast map --s2 s2.tif --s1 s1.tif --labels drawn.gpkg --legend worldcover \\
          --set cell=2 --set balance=1 --out map/
    """
    from overcast.jobs.suggest import suggest_patches

    named = {name: given[name] for name in ("count", "side", "seed", "overwrite")}
    with bar() as progress:
        made = suggest_patches(data_of(given), given["out"], progress=progress, **named)
    report(made)
