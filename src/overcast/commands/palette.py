"""`overcast palette`: colours of a legend that everybody tells apart."""

from __future__ import annotations

from pathlib import Path

import click

from overcast.options import FILE, HELP, Command, show
from overcast.output import refuse_to_replace


@click.command(cls=Command, context_settings=HELP)
@click.argument("legend")
@click.option(
    "--out", type=FILE, help="Write the legend in colours that all tell apart, as CSV."
)
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
def command(legend: str, out: Path | None, overwrite: bool) -> None:
    """Say how far apart the colours of LEGEND are, to the colour-blind too.

    LEGEND is a built-in name or a CSV of code,name,colour. Distances are those of
    CIELAB; below 10 two classes are hard to tell apart on a map. With --out, every class
    gets a colour near its own that is told apart in all kinds of colour vision; give
    that file as --legend.

    \b
    Examples:
      overcast palette worldcover
      overcast palette worldcover --out worldcover.csv
    """
    from overcast.geo.legend import legend_to_csv, load_legend
    from overcast.pages.colour_vision import closest, told_apart

    if out is not None:
        refuse_to_replace(out, overwrite, (legend,))
    own = load_legend(legend)
    result = {"legend": own.name, "smallest_distances": _plain(closest(own))}
    if out is not None:
        apart = told_apart(own)
        out.write_text(legend_to_csv(apart), encoding="utf-8")
        result |= {"file": str(out), "then": _plain(closest(apart))}
    show(result)


def _plain(
    found: dict[str, tuple[float, str, str]],
) -> dict[str, dict[str, object]]:
    return {
        vision: {"distance": round(gap, 1), "classes": [a, b]}
        for vision, (gap, a, b) in found.items()
    }
