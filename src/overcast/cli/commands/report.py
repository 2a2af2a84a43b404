"""`overcast report`: name the report of a map, and print it."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

import click

from overcast.cli.option_types import FILE
from overcast.cli.options import HELP, Command
from overcast.cli.showing import show


class HeadingOptions(TypedDict):
    """Values of the options that say what the head of a report says."""

    title: str | None
    place: str | None
    period: str | None
    author: str | None
    licence: str | None
    logo: Path | None


@click.command(cls=Command, context_settings=HELP)
@click.argument("folder", metavar="OUT", type=FILE)
@click.option("--title", help="Title of the report.")
@click.option("--place", help="Place that the map shows, such as a municipality.")
@click.option("--period", help="Time that the map shows, such as 2024.")
@click.option("--author", help="Person or office that made the map.")
@click.option("--licence", help="Licence of the map, such as CC BY 4.0.")
@click.option("--logo", type=FILE, help="Picture for the head: PNG, JPEG or WebP.")
@click.option(
    "--pdf", type=FILE, help="Also print the page to this .pdf; needs a browser."
)
@click.option("--overwrite", is_flag=True, help="Replace an existing PDF.")
def command(
    folder: Path, pdf: Path | None, overwrite: bool, **said: Unpack[HeadingOptions]
) -> None:
    """Give the report of a map a title, place, period, author, licence and logo.

    OUT is a folder with report.html or change.html. What you say is kept in
    heading.json, and stays when the page is written again. An empty text takes a line
    away. --pdf prints with Chromium, Chrome or Edge.

    \b
    Examples:
      overcast report out/ --title "Land cover of Ohrid" --period 2024 \\
          --author "Regional office" --licence "CC BY 4.0" --logo logo.png
      overcast report out/ --pdf out/report.pdf
    """
    from overcast.jobs.heading import report_of

    logo = said["logo"]
    texts = {
        "title": said["title"],
        "place": said["place"],
        "period": said["period"],
        "author": said["author"],
        "licence": said["licence"],
    }
    show(report_of(folder, texts, logo, pdf, overwrite))
