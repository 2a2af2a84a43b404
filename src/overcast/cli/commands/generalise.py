"""`overcast generalise`: a map without patches that are too small."""

from __future__ import annotations

from pathlib import Path

import click

from overcast.cli.commands.polygons import VECTORS
from overcast.cli.options import FILE, HELP, Command
from overcast.cli.showing import bar, note, show
from overcast.map_folder import auxiliary_of, style_of


@click.command(cls=Command, context_settings=HELP)
@click.argument("mapped", metavar="MAP", type=FILE)
@click.option(
    "--mmu",
    type=click.FloatRange(min=0, min_open=True),
    required=True,
    metavar="HECTARES",
    help="Minimum mapping unit: smaller patches are removed.",
)
@click.option(
    "--smooth",
    type=click.FloatRange(min=0),
    default=0,
    show_default=True,
    metavar="METRES",
    help="Smooth outlines of polygons by about this distance, such as two pixels.",
)
@click.option(
    "--out",
    type=FILE,
    required=True,
    help="GeoTIFF (.tif) to write; or polygons: .gpkg, .fgb or .parquet.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing output.")
def command(
    mapped: Path, mmu: float, smooth: float, out: Path, overwrite: bool
) -> None:
    """Remove patches below a minimum mapping unit from a map.

    A small patch takes the class of a neighbour. That class is probable in the patch
    (probabilities.tif beside MAP), has a long border with it, and is sure there
    (confidence.tif). The ending of --out decides the format. Borders that two polygons
    share stay shared when they are smoothed.

    \b
    Examples:
      overcast generalise out/map.tif --mmu 0.5 --out out/map-0.5ha.tif
      overcast generalise out/map.tif --mmu 0.5 --smooth 20 --out out/map.gpkg
    """
    raster = out.suffix.lower() in (".tif", ".tiff")
    if not raster and out.suffix not in VECTORS:
        expected = f".tif, {', '.join(VECTORS[:-1])} or {VECTORS[-1]}"
        raise ValueError(f"{out}: expected a name that ends in {expected}")
    if raster and smooth:
        raise ValueError(f"--smooth {smooth:g}: {out.name} is a raster; leave it out")
    from overcast.output_file import begin_file
    from overcast.product.generalise import generalise_file, generalise_polygons
    from overcast.product.parquet import require

    require(out)
    beside = (auxiliary_of(out.name), style_of(out.name)) if raster else ()
    output = begin_file(
        out, ("generalise", mmu, smooth), overwrite, inputs=(mapped,), beside=beside
    )
    for line in output.notes:
        note(line)
    with output, bar() as progress:
        written = output.work / out.name
        if raster:
            done = generalise_file(mapped, written, mmu, progress)
        else:
            done = generalise_polygons(mapped, written, mmu, smooth, progress)
    show({**done, "map": str(out)})
