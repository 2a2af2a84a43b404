"""`overcast labels`: what can be said of labels themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from overcast.options import (
    FILE,
    HELP,
    absolute,
    bar,
    data_of,
    images,
    report,
    writing,
)


@click.group(context_settings=HELP)
def command() -> None:
    """Look into labels.

    \b
    Example: what a coarse map gets wrong here
      overcast labels audit --s2 s2.tif --s1 s1.tif --labels modis.tif \\
          --legend igbp --out audit/
    """


@command.command(context_settings=HELP)
@images
@click.option("--labels", type=FILE, required=True, help="Raster of class codes.")
@click.option(
    "--legend", required=True, help="A built-in name, or a CSV of code,name,colour."
)
@click.option("--labels-nodata", type=int, help="Code of --labels for not known.")
@click.option("--method", help="Method to learn with.  [default: that of overcast map]")
@click.option("--seed", type=int, default=0, show_default=True)
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
    from overcast.audit import audit_labels
    from overcast.plan import LabelInput, Plan, replace_labels

    legend = given["legend"]
    labels = LabelInput(
        path=absolute(given["labels"]),
        legend=absolute(Path(legend)) if Path(legend).is_file() else legend,
        nodata=given["labels_nodata"],
    )
    plan = Plan(data=replace_labels(data_of(given), labels), seed=given["seed"])
    if given["method"] is not None:
        plan = replace(plan, method={"name": given["method"]})
    with bar() as progress:
        made = audit_labels(plan, given["out"], given["overwrite"], progress)
    report(made)
