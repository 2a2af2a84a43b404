"""`overcast generalise`: a map without patches that are too small."""

from __future__ import annotations

from pathlib import Path

import click

from overcast.cli.options import FILE, HELP, Command, bar, show


@click.command(cls=Command, context_settings=HELP)
@click.argument("mapped", metavar="MAP", type=FILE)
@click.option(
    "--mmu",
    type=click.FloatRange(min=0, min_open=True),
    required=True,
    metavar="HECTARES",
    help="Minimum mapping unit: smaller patches are removed.",
)
@click.option("--out", type=FILE, required=True, help="GeoTIFF to write.")
@click.option("--overwrite", is_flag=True, help="Replace existing output.")
def command(mapped: Path, mmu: float, out: Path, overwrite: bool) -> None:
    """Remove patches below a minimum mapping unit from a map.

    A small patch takes the class of a neighbour. That class is probable in the patch
    (probabilities.tif beside MAP), has a long border with it, and is sure there
    (confidence.tif).

    \b
    Example:
      overcast generalise out/map.tif --mmu 0.5 --out out/map-0.5ha.tif
    """
    if out.suffix.lower() not in (".tif", ".tiff"):
        raise ValueError(f"{out}: expected a name that ends in .tif")
    from overcast.output_file import begin_file
    from overcast.product.generalise import generalise_file

    beside = (f"{out.name}.aux.xml", f"{out.stem}.qml")
    output = begin_file(
        out, ("generalise", mmu), overwrite, inputs=(mapped,), beside=beside
    )
    with output, bar() as progress:
        done = generalise_file(mapped, output.work / out.name, mmu, progress)
    show({**done, "map": str(out)})
