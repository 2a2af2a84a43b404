"""`overcast map`: learn from the labels of an area, and map it."""

from __future__ import annotations

from typing import Any

import click

from overcast.given import plan_of, reference_of
from overcast.options import (
    HELP,
    Command,
    bar,
    images,
    labels,
    place,
    probabilities,
    reference,
    report,
    start,
    threads,
    writing,
)


@click.command(cls=Command, context_settings=HELP)
@images
@labels
@place
@start
@reference
@probabilities
@threads
@writing
def command(**given: Any) -> None:
    """Learn from the labels of an area, and map it.

    Writes map.tif, confidence.tif, report.html and run/; with --reference scores.json
    and with --probabilities probabilities.tif too; a network that takes clouds away
    leaves clear.tif. A run that was stopped goes on when the same command is given again.

    \b
    Example:
      overcast map --s2 s2.tif --s1 s1.tif --labels modis.tif --legend igbp --out out/
    \b
    Example where clouds are not to be looked at:
      overcast map --s2 s2.tif --s2-mask SCL.tif --s1 s1.tif --labels modis.tif \\
          --legend igbp --out out/
    \b
    Example with what a run of other scenes knows:
      overcast predict other/run --s2 s2.tif --s1 s1.tif --probabilities --out prior/
      overcast map --s2 s2.tif --s1 s1.tif --labels modis.tif --legend igbp \\
          --prior prior/probabilities.tif --out out/
    \b
    Example with labels that are known to be right on 85 % of the pixels:
      overcast map --s2 s2.tif --labels corine.tif --legend corine \\
          --labels-accuracy 0.85 --out out/
    """
    from overcast.jobs.mapping import make_map

    plan = plan_of(given)
    with bar() as progress:
        made = make_map(
            plan,
            given["out"],
            reference_of(given["reference"], given),
            given["overwrite"],
            progress,
            given["probabilities"],
        )
    report(made)
