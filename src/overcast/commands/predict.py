"""`overcast predict`: map an area with a run that was trained before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from overcast.options import (
    FILE,
    HELP,
    bar,
    data_of,
    images,
    reference,
    reference_of,
    report,
    writing,
)


@click.command(context_settings=HELP)
@click.argument("run", type=FILE)
@images
@reference
@writing
def command(run: Path, **given: Any) -> None:
    """Map an area with a run that was trained before, there or elsewhere.

    \b
    Example:
      overcast predict out/run --s2 other_s2.tif --s1 other_s1.tif --out other/
    """
    from overcast.mapping import map_elsewhere

    with bar() as progress:
        made = map_elsewhere(
            run,
            data_of(given),
            given["out"],
            reference_of(given),
            given["overwrite"],
            progress,
        )
    report(made)
