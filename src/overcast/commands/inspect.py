"""`overcast inspect`: what files are, and what looks wrong."""

from __future__ import annotations

from pathlib import Path

import click

from overcast.options import FILE, HELP, Command, show


@click.command(cls=Command, context_settings=HELP)
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(files: tuple[Path, ...], as_json: bool) -> None:
    """Say what each file is, how it lies on the first raster's grid, what is odd.

    \b
    Example:
      overcast inspect s2.tif s1.tif coarse.tif drawn.gpkg
    """
    from overcast.geo.inspect import inspect_files, to_text

    found = inspect_files(list(files))
    show(found) if as_json else click.echo(to_text(found))
