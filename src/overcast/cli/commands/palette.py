"""`overcast palette`: colours of a legend that everybody tells apart."""

from __future__ import annotations

from pathlib import Path

import click

from overcast.cli.options import FILE, HELP, Command
from overcast.cli.showing import note, show


@click.command(cls=Command, context_settings=HELP)
@click.argument("legend")
@click.option(
    "--out",
    type=FILE,
    help="CSV to write: the legend in colours that all can tell apart.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing output.")
def command(legend: str, out: Path | None, overwrite: bool) -> None:
    """Say how well all readers can tell the colours of LEGEND apart.

    LEGEND is a built-in name or a CSV of code,name,colour. Distances are those of
    CIELAB; below 10 two classes are hard to tell apart on a map. --out writes a legend
    with similar colours that differ in all kinds of colour vision. Give that file as
    --legend.

    \b
    Examples:
      overcast palette worldcover
      overcast palette worldcover --out worldcover.csv
    """
    from overcast.errors import writing
    from overcast.geo.legend import legend_to_csv, load_legend
    from overcast.output_file import begin_file
    from overcast.report.colour_vision import closest, told_apart

    own = load_legend(legend)
    result = {"legend": own.name, "smallest_distances": _plain(closest(own))}
    if out is not None:
        apart = told_apart(own)
        output = begin_file(out, "palette", overwrite, inputs=(legend,))
        for line in output.notes:
            note(line)
        with output, writing(out):
            text = legend_to_csv(apart)
            (output.work / out.name).write_text(text, encoding="utf-8")
        result |= {"file": str(out), "then": _plain(closest(apart))}
    show(result)


def _plain(
    closest: dict[str, tuple[float, str, str]],
) -> dict[str, dict[str, object]]:
    return {
        vision: {"distance": round(gap, 1), "classes": [a, b]}
        for vision, (gap, a, b) in closest.items()
    }
