"""`overcast map`: learn from the labels of an area, and map it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from overcast.options import (
    FILE,
    HELP,
    absolute,
    bar,
    data_of,
    images,
    probabilities,
    reference,
    reference_of,
    report,
    writing,
)


@click.command(context_settings=HELP)
@images
@click.option("--labels", type=FILE, required=True, help="Raster of class codes.")
@click.option(
    "--legend",
    required=True,
    help="igbp, simplified-igbp, worldcover, esri, dynamic-world, nlcd, corine, "
    "openearthmap, whu-opt-sar, or a CSV of code,name,colour.",
)
@click.option(
    "--prior",
    type=FILE,
    help="Class probabilities that a run from other scenes gives of this one "
    "(overcast predict RUN --probabilities); they join the labels.",
)
@click.option("--labels-nodata", type=int, help="Code of --labels for not known.")
@click.option("--method", help="weak, forest, kmeans or network.  [default: weak]")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of the method, as YAML: --set trees=300.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@reference
@probabilities
@writing
def command(**given: Any) -> None:
    """Learn from the labels of an area, and map it.

    Writes map.tif, confidence.tif, report.html and run/; with --reference scores.json
    and with --probabilities probabilities.tif too. A run that was stopped goes on when
    the same command is given again.

    \b
    Example:
      overcast map --s2 s2.tif --s1 s1.tif --labels modis.tif --legend igbp --out out/
    \b
    Example with what a run of other scenes knows:
      overcast predict other/run --s2 s2.tif --s1 s1.tif --probabilities --out prior/
      overcast map --s2 s2.tif --s1 s1.tif --labels modis.tif --legend igbp \\
          --prior prior/probabilities.tif --out out/
    """
    from overcast.mapping import make_map
    from overcast.plan import LabelInput, Plan, replace_labels, with_target

    labels = LabelInput(
        path=absolute(given["labels"]),
        legend=_legend(given["legend"]),
        nodata=given["labels_nodata"],
    )
    method = {"name": given["method"] or "weak", **_settings(given["settings"])}
    data = replace_labels(data_of(given), labels)
    if given["prior"]:
        data = with_target(data, "prior", absolute(given["prior"]))
        method["prior"] = "prior"
    plan = Plan(data=data, method=method, seed=given["seed"])
    with bar() as progress:
        made = make_map(
            plan,
            given["out"],
            reference_of(given),
            given["overwrite"],
            progress,
            given["probabilities"],
        )
    report(made)


def _legend(name: str) -> str:
    return absolute(Path(name)) if Path(name).is_file() else name


def _settings(texts: tuple[str, ...]) -> dict[str, Any]:
    import yaml

    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--set {text}: expected KEY=VALUE")
        found[key] = yaml.safe_load(value)
    return found
