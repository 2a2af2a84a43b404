"""`overcast change`: what changed between two maps."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from overcast.cli.arguments import file_of, refuse_without
from overcast.cli.option_types import FILE, SOURCE
from overcast.cli.option_values import TableOptions
from overcast.cli.options import HELP, Command, tables, threads, writing
from overcast.cli.showing import bar, check_table, note, present


class ChangeOptions(TableOptions):
    """Values of the options of `overcast change`."""

    probability: float
    mmu: float
    sample: str | None
    sample_column: str | None
    overwrite: bool


@click.command(cls=Command, context_settings=HELP)
@click.argument("before", metavar="OUT_A", type=FILE)
@click.argument("after", metavar="OUT_B", type=FILE)
@click.option(
    "--probability",
    type=float,
    default=0.5,
    show_default=True,
    help="Smallest probability of change for a pixel to count as changed.",
)
@click.option(
    "--mmu",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    metavar="HECTARES",
    help="Minimum mapping unit: smaller patches of change are removed.",
)
@click.option(
    "--sample",
    type=SOURCE,
    help="Filled points of overcast sample, to estimate areas from.",
)
@click.option(
    "--sample-column",
    help="Column of --sample with codes or names.  [default: reference]",
)
@tables
@threads
@writing
def command(
    before: Path, after: Path, out: Path, **given: Unpack[ChangeOptions]
) -> None:
    """Map what changed between two maps of one place.

    OUT_A is the map before, OUT_B the map after.
    Both dates are judged together from the probabilities of both maps, since two maps
    made apart differ wherever one of them errs. Writes change.tif with a class for every
    transition, change_probability.tif, change.json and change.html. Then draw a sample
    of change.tif, fill it, and give the command again for areas with intervals of 95 %.

    \b
    Examples:
      overcast change out2018/ out2024/ --mmu 0.3 --out change/
      overcast sample change/change.tif --size 700 --out sample.gpkg
      overcast change out2018/ out2024/ --mmu 0.3 --sample sample.gpkg \\
          --table change.csv --out change/ --overwrite
    """
    from overcast.accuracy.reference import ReferenceFile
    from overcast.jobs.change import NAMES, ChangeSettings, map_change
    from overcast.output_file import results
    from overcast.report.summaries import of_change

    refuse_without(given, "sample_column", "sample")
    check_table(given["table"])
    sample = given["sample"]
    known = None
    if sample is not None:
        known = ReferenceFile(file_of(sample), column=given["sample_column"])
    read = [before, after, *([] if known is None else [known.path])]
    settings = ChangeSettings(least=given["probability"], mmu_ha=given["mmu"])
    more, overwrite = [out / name for name in NAMES], given["overwrite"]
    files = {"table": given["table"]}
    with results(files, given, read, overwrite, more, note) as written:
        with bar() as progress:
            changes = map_change(
                (before, after),
                out,
                settings,
                sample=known,
                overwrite=overwrite or written.again,
                progress=progress,
            )
        for line in changes["notes"]:
            note(line)
        present(changes, of_change, written.path("table"), given["json"])
