"""`overcast labels`: what can be said of labels themselves."""

from __future__ import annotations

from typing import Any

import click

from overcast.given import plan_of
from overcast.options import HELP, bar, images, labels, report, writing


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
@labels
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
