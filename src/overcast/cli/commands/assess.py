"""`overcast assess`: score a class map against what is known."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from overcast.cli.arguments import reference_file
from overcast.cli.option_types import FILE, SOURCE
from overcast.cli.option_values import ReadingOptions, TableOptions
from overcast.cli.options import HELP, Command, reading, tables
from overcast.cli.showing import bar, check_table, note, present


class AssessOptions(ReadingOptions, TableOptions):
    """Values of the options of `overcast assess`."""

    legend: str | None
    out: Path | None
    overwrite: bool


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
def command(
    mapped: Path, reference: str, report: bool, **given: Unpack[AssessOptions]
) -> None:
    """Score a class map against rasters, polygons or points.

    REFERENCE is a class raster, or a vector file (.gpkg, .geojson, .shp, .fgb), or a
    CSV of points with columns lon and lat. A filled sample of overcast sample gives
    unbiased accuracies, and areas with intervals of 95 %. MAP may be the folder of a
    region, whose tiles and zones count as one map. Prints a table on a terminal,
    and JSON elsewhere.

    \b
    Examples:
      overcast assess out/map.tif truth.tif --out scores.json
      overcast assess out/map.tif sample.gpkg --out estimates.json --report
      overcast assess out/map.tif plots.geojson --reference-column landcover
      overcast assess country/ sample.gpkg
    """
    from overcast.jobs.assess import assess_files
    from overcast.jobs.reporting import report_again
    from overcast.map_folder import REGION
    from overcast.output_file import results
    from overcast.report.summaries import of_scores

    check_table(given["table"])
    if report and (mapped / REGION).is_file():
        raise ValueError(
            f"--report: {mapped} is a region; its report shows tiles alone"
        )
    known = reference_file(reference, given)
    files = {"out": given["out"], "table": given["table"]}
    read = (mapped, known.path)
    with results(files, given, read, given["overwrite"], say=note) as written:
        with bar() as progress:
            scores = assess_files(
                mapped,
                known,
                legend=given["legend"],
                out=written.path("out"),
                progress=progress,
            )
        for line in scores["notes"]:
            note(line)
        present(scores, of_scores, written.path("table"), given["json"])
        if report:
            with bar() as progress:
                report_again(mapped, scores, progress)
