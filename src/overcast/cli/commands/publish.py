"""`overcast publish`: a static STAC catalogue of maps."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from overcast.cli.option_values import WritingOptions
from overcast.cli.options import FILE, HELP, Command, writing
from overcast.cli.showing import show


class PublishOptions(WritingOptions):
    """Values of the options of `overcast publish`."""

    title: str
    ident: str | None
    description: str | None
    licence: str


@click.command(cls=Command, context_settings=HELP)
@click.argument("maps", metavar="MAP...", nargs=-1, required=True, type=FILE)
@click.option("--title", default="Land-cover maps", show_default=True)
@click.option(
    "--id",
    "ident",
    help="Name of the collection for machines.  [default: from --title]",
)
@click.option("--description", help="Description of the maps, in sentences.")
@click.option(
    "--licence",
    default="other",
    show_default=True,
    help="Licence of the maps: an SPDX name such as CC-BY-4.0.",
)
@writing
def command(maps: tuple[Path, ...], **given: Unpack[PublishOptions]) -> None:
    """Write a STAC collection of the maps in the folders MAP.

    The maps are not copied: upload the folder that holds them and --out. The description
    has the statements that the sources of fetched data require.

    \b
    Example:
      overcast publish north/ south/ --title 'Land cover 2024' --licence CC-BY-4.0 \\
          --out catalogue/
    """
    from overcast.jobs.catalogue import Collection, publish

    collection = Collection(
        title=given["title"],
        licence=given["licence"],
        ident=given["ident"],
        description=given["description"],
    )
    show(publish(maps, given["out"], collection, given["overwrite"]))
