"""`overcast areas`: how large every class is, in a map or in each of its zones."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from overcast.cli.arguments import file_of, refuse_without
from overcast.cli.option_types import FILE, SOURCE
from overcast.cli.option_values import TableOptions
from overcast.cli.options import HELP, Command, tables
from overcast.cli.showing import bar, check_table, note, present


class AreaOptions(TableOptions):
    """Values of the options of `overcast areas`."""

    zones: str | None
    name: str | None
    sample: str | None
    sample_column: str | None
    legend: str | None
    out: Path | None
    overwrite: bool


@click.command(cls=Command, context_settings=HELP)
@click.argument("mapped", metavar="MAP", type=FILE)
@click.option(
    "--zones",
    type=SOURCE,
    help="Polygons such as municipalities: a vector file, or FILE|layername=LAYER.",
)
@click.option("--name", help="Column of --zones with their names.  [default: name]")
@click.option(
    "--sample",
    type=SOURCE,
    help="Filled points of overcast sample, to estimate areas from.",
)
@click.option(
    "--sample-column",
    help="Column of --sample with codes or names.  [default: reference]",
)
@click.option("--legend", help="Legend of MAP, if overcast did not make it.")
@click.option("--out", type=FILE, help="Also write the areas to this JSON file.")
@tables
@click.option("--overwrite", is_flag=True, help="Replace existing output.")
def command(mapped: Path, **given: Unpack[AreaOptions]) -> None:
    """State the area of every class, of a map or of each of its zones.

    Counted pixels are not areas on the ground, because a map errs. With a filled sample
    of the map, every area is an estimate with an interval of 95 %, and the table says
    what each estimate assumes. Zones add up to the whole map. MAP may be the folder of a
    region.

    \b
    Examples:
      overcast areas out/map.tif
      overcast areas country/ --sample filled.gpkg
      overcast areas out/map.tif --zones towns.gpkg --name NAME
      overcast areas out/map.tif --zones towns.gpkg --name NAME --sample filled.gpkg \\
          --table areas.csv
    """
    from overcast.accuracy.reference import ReferenceFile
    from overcast.jobs.areas import ZoneFile, measure_areas
    from overcast.output_file import results
    from overcast.report.summaries import of_areas

    refuse_without(given, "name", "zones")
    refuse_without(given, "sample_column", "sample")
    check_table(given["table"])
    zones, sample = given["zones"], given["sample"]
    read = [mapped, *(file_of(path) for path in (zones, sample) if path is not None)]
    files = {"out": given["out"], "table": given["table"]}
    with results(files, given, read, given["overwrite"], say=note) as written:
        with bar() as progress:
            areas = measure_areas(
                mapped,
                zones=None
                if zones is None
                else ZoneFile(path=file_of(zones), name=given["name"] or "name"),
                sample=None
                if sample is None
                else ReferenceFile(file_of(sample), column=given["sample_column"]),
                legend=given["legend"],
                out=written.path("out"),
                progress=progress,
            )
        for line in areas["notes"]:
            note(line)
        present(areas, of_areas, written.path("table"), given["json"])
