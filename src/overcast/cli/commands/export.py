"""`overcast export`: a trained network for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from overcast.cli.option_types import FILE, Number
from overcast.cli.options import HELP, Command
from overcast.cli.showing import bar, note, show
from overcast.run_folder import RunFolder


@click.command(cls=Command, context_settings=HELP)
@click.argument("run", type=FILE)
@click.option("--out", type=FILE, required=True, help="ONNX file to write.")
@click.option(
    "--size",
    type=click.IntRange(min=32),
    default=512,
    show_default=True,
    help="Rows and columns of a window.",
)
@click.option(
    "--joined",
    is_flag=True,
    help="Give the network one input with the bands of all images, for Deepness.",
)
@click.option(
    "--pixel",
    "pixel_m",
    type=Number(min=0, min_open=True),
    default=10,
    show_default=True,
    help="Pixel size in metres at which Deepness reads layers.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing output.")
def command(
    run: Path, out: Path, size: int, joined: bool, pixel_m: float, overwrite: bool
) -> None:
    """Write a trained network as ONNX, for ONNX Runtime or Deepness in QGIS.

    The file takes physical values (reflectance, dB; NaN for no data), and gives class
    probabilities. It is compared with the network before it is written.

    \b
    Example:
      overcast export out/run --out model.onnx
    """
    from overcast.jobs.export import export_run
    from overcast.output_file import begin_file

    run = RunFolder.of(run).path
    facts = ("export", str(run), size, joined, pixel_m)
    output = begin_file(out, facts, overwrite, inputs=RunFolder(run).all_learned())
    for line in output.notes:
        note(line)
    with output, bar() as progress:
        target = output.work / out.name
        difference = export_run(
            run, target, size, joined=joined, pixel_m=pixel_m, progress=progress
        )
    show({"file": str(out), "largest_difference": difference})
