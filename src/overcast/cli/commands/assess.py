"""`overcast assess`: score a class map against what is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from overcast.cli.arguments import reference_of
from overcast.cli.option_types import FILE, SOURCE
from overcast.cli.options import (
    HELP,
    Command,
    bar,
    check_table,
    note,
    present,
    reading,
    tables,
)


@click.command(cls=Command, context_settings=HELP)
@click.argument("mapped", metavar="MAP", type=FILE)
@click.argument("reference", type=SOURCE)
@click.option("--legend", help="Legend of MAP, if overcast did not make it.")
@reading
@click.option("--out", type=FILE, help="Also write the scores to this JSON file.")
@tables
@click.option("--overwrite", is_flag=True, help="Replace existing output.")
@click.option(
    "--report",
    is_flag=True,
    help="Also renew report.html beside MAP with these results.",
)
def command(mapped: Path, reference: str, report: bool, **given: Any) -> None:
    """Score a class map against rasters, polygons or points.

    REFERENCE is a class raster, or a vector file (.gpkg, .geojson, .shp, .fgb), or a
    CSV of points with columns lon and lat. A filled sample of overcast sample gives
    unbiased accuracies, and areas with intervals of 95 %. Prints a table on a terminal,
    and JSON elsewhere.

    \b
    Examples:
      overcast assess out/map.tif truth.tif --out scores.json
      overcast assess out/map.tif sample.gpkg --out estimates.json --report
      overcast assess out/map.tif plots.geojson --reference-column landcover
    """
    from overcast.jobs.assess import assess_files
    from overcast.jobs.reporting import report_again
    from overcast.output_file import results
    from overcast.report.summaries import of_scores

    check_table(given)
    known = reference_of(reference, given)
    with results(given, (mapped, known.path), say=note):
        with bar() as progress:
            found = assess_files(
                mapped,
                known,
                legend=given["legend"],
                out=given["out"],
                progress=progress,
            )
        for line in found["notes"]:
            note(line)
        present(found, of_scores, given)
        if report:
            with bar() as progress:
                report_again(mapped, found, progress)
