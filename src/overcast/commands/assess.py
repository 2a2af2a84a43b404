"""`overcast assess`: score a class map against a reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from overcast.options import FILE, HELP, bar, show


@click.command(context_settings=HELP)
@click.argument("mapped", metavar="MAP", type=FILE)
@click.argument("reference", type=FILE)
@click.option("--legend", help="Legend of MAP, if overcast did not make it.")
@click.option("--reference-legend", help="Legend of REFERENCE, if not that of MAP.")
@click.option("--reference-nodata", type=int, help="REFERENCE's code for no data.")
@click.option("--out", type=FILE, help="Also write the scores to this JSON file.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
def command(mapped: Path, reference: Path, **given: Any) -> None:
    """Score a class map against a reference map; prints JSON.

    \b
    Example:
      overcast assess out/map.tif truth.tif --out scores.json
    """
    from overcast.assess import assess_files

    with bar() as progress:
        found = assess_files(mapped, reference, progress=progress, **given)
    show(found)
