"""`overcast publish`: a static STAC catalogue of maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from overcast.options import FILE, HELP, Command, show, writing


@click.command(cls=Command, context_settings=HELP)
@click.argument("maps", metavar="MAP...", nargs=-1, required=True, type=FILE)
@click.option("--title", default="Land-cover maps", show_default=True)
@click.option("--id", "ident", help="Its name for machines.  [default: from --title]")
@click.option("--description", help="What the maps are, in sentences.")
@click.option(
    "--licence",
    default="other",
    show_default=True,
    help="Of the maps: an SPDX name such as CC-BY-4.0.",
)
@writing
def command(maps: tuple[Path, ...], **given: Any) -> None:
    """Write a STAC collection of the maps in the folders MAP.

    The maps stay where they are: upload the folder above them and --out as it is. What
    the sources of fetched data ask to be said is in the description.

    \b
    Example:
      overcast publish north/ south/ --title 'Land cover 2024' --licence CC-BY-4.0 \\
          --out catalogue/
    """
    from overcast.jobs.catalogue import publish

    show(publish(maps, given["out"], given))
