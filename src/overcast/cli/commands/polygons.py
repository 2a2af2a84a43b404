"""`overcast polygons`: a map as polygons."""

from __future__ import annotations

from pathlib import Path

import click

from overcast.cli.option_types import FILE, Number
from overcast.cli.options import HELP, Command
from overcast.cli.showing import bar, note, show

VECTORS = (".gpkg", ".fgb", ".parquet")
"""Endings of files of polygons."""


@click.command(cls=Command, context_settings=HELP)
@click.argument("mapped", metavar="MAP", type=FILE)
@click.option(
    "--mmu",
    type=Number(min=0),
    default=0,
    show_default=True,
    metavar="HECTARES",
    help="Minimum mapping unit: smaller patches go to their largest neighbour.",
)
@click.option(
    "--smooth",
    type=click.FloatRange(min=0),
    default=0,
    show_default=True,
    metavar="METRES",
    help="Smooth outlines by about this distance, such as two pixels.",
)
@click.option(
    "--out",
    type=FILE,
    required=True,
    help="GeoPackage (.gpkg), FlatGeobuf (.fgb) or GeoParquet (.parquet) to write.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing output.")
def command(
    mapped: Path, mmu: float, smooth: float, out: Path, overwrite: bool
) -> None:
    """Write a map as polygons with their class and area.

    \b
    Examples:
      overcast polygons out/map.tif --mmu 0.5 --out out/map.gpkg
      overcast polygons out/map.tif --mmu 0.5 --smooth 20 --out out/map.fgb
    """
    if out.suffix not in VECTORS:
        raise ValueError(f"{out}: expected a name that ends in {' or '.join(VECTORS)}")
    from overcast.output_file import begin_file
    from overcast.product.parquet import require
    from overcast.product.vector import write_polygons

    require(out)
    facts = ("polygons", mmu, smooth)
    output = begin_file(out, facts, overwrite, inputs=(mapped,))
    for line in output.notes:
        note(line)
    with output, bar() as progress:
        count = write_polygons(mapped, output.work / out.name, mmu, progress, smooth)
    show({"polygons": count, "file": str(out)})
