"""`overcast inspect`: what files are, and what looks wrong."""

from __future__ import annotations

import click

from overcast.cli.arguments import file_of
from overcast.cli.option_types import SOURCE
from overcast.cli.options import HELP, Command
from overcast.cli.showing import show


@click.command(cls=Command, context_settings=HELP)
@click.argument("files", type=SOURCE, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(files: tuple[str, ...], as_json: bool) -> None:
    """Describe files, and say what looks wrong.

    Also says how each file fits the grid of the first raster.
    FILES may be folders and patterns. Three or more images with dates show as a table:
    clear share, orbit and cover. --json has all details.

    \b
    Example:
      overcast inspect s2.tif s1.tif coarse.tif drawn.gpkg
      overcast inspect s2_2024/ labels.tif
    """
    from overcast.cli.image_arguments import expanded
    from overcast.geo.inspect import inspect_files, to_text

    every = [one for text in files for one in expanded("FILES", text)]
    descriptions = inspect_files([file_of(text) for text in every])
    show(descriptions) if as_json else click.echo(to_text(descriptions))
