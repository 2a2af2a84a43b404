"""Results of a benchmark as plain values, and as a page of Markdown beside the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

import numpy as np
from bench.published.arms import Curve, Row
from bench.published.benchmark import Job
from bench.published.settings import Settings
from bench.published.survey import row_shares

from overcast.accuracy.confusion import plain
from overcast.datasets.dataset import Dataset
from overcast.report.training_log import PseudoLabels

Tree = dict[str, Any]
_SCORES = {
    "AA": "average_accuracy",
    "OA": "overall_accuracy",
    "mIoU": "mean_iou",
    "mIoU, whole legend": "mean_iou_all_classes",
}
_EXPLAINED = """Producer's accuracy in per cent. *AA* and *mIoU* are means over the classes
that occur in the reference, as the paper's AA is; *mIoU, whole legend* counts classes
that don't occur as 0, as the paper's code does. All pixels of all patches are counted
together, never per batch. Rows in italics are the paper's."""


def make_tree(
    job: Job,
    settings: Settings,
    datasets: Sequence[Dataset],
    rows: Sequence[Row],
    curves: Sequence[Curve],
) -> Tree:
    """Everything measured, as plain values."""
    # Rows of a confusion are fine classes; of a transition matrix, coarse ones.
    counts = np.array(rows[0].scores["confusion"], np.int64)
    matrix = row_shares(counts.T).tolist()
    return {
        "quick": job.quick,
        "seed": job.seed,
        "settings": asdict(settings),
        "data": [_data(dataset) for dataset in datasets],
        "rows": [{"name": row.name, **asdict(row)} for row in rows],
        "figure 3": {
            "classes": list(rows[0].scores["per_class"]),
            "fine given coarse": [[plain(share) for share in row] for row in matrix],
        },
        "figure 5": [asdict(curve) for curve in curves],
    }


def _data(dataset: Dataset) -> Tree:
    return {
        "name": dataset.name,
        "licence": dataset.licence,
        "citation": dataset.citation,
        "url": dataset.url,
        "patches": {name: len(found) for name, found in dataset.splits.items()},
        "notes": list(dataset.notes),
    }


def make_page(tree: Tree, panels: Sequence[str]) -> str:
    """Page of Markdown; `panels` are paths of pictures, a folder for each place."""
    names = " and ".join(data["name"] for data in tree["data"])
    lines = [f"# Schmitt et al. 2020 on {names}", ""]
    if tree["quick"]:
        lines += ["**A quick run: it shows that everything works, and no more.**", ""]
    lines += [*_sources(tree), "", "## Accuracy of every class", "", _EXPLAINED, ""]
    lines += _accuracies(tree)
    lines += [
        "",
        "## Class shares and classes a patch (figure 2)",
        "",
        *_figure_2(tree),
    ]
    lines += [
        "",
        "## Fine class given coarse class, % (figure 3)",
        "",
        *_figure_3(tree),
    ]
    if tree["figure 5"]:
        lines += ["", "## AA after every epoch, % (figure 5)", "", *_figure_5(tree)]
    lines += ["", "## Maps (figure 6)", "", *_figure_6(panels)]
    lines += ["", "## Not as in the paper", ""]
    lines += [f"- {sentence}" for sentence in tree["deviations"]]
    return "\n".join(lines) + "\n"


def _sources(tree: Tree) -> list[str]:
    lines = []
    for data in tree["data"]:
        counts = ", ".join(
            f"{count:,} {name}" for name, count in data["patches"].items()
        )
        lines.append(f"- {data['name']}: {counts} patches. {data['citation']}.")
        lines.append(f"  Licence: {data['licence']}.")
        lines += [f"  Note: {note}." for note in data["notes"]]
    return lines


def _accuracies(tree: Tree) -> list[str]:
    published = tree["published"]
    classes = [name for name in next(iter(published.values())) if name != "Average"]
    lines = table_head(["", "epoch", *classes, *_SCORES])
    shown = set()
    for row in tree["rows"]:
        found = row["scores"]["per_class"]
        cells = [percent(found[name]["producers_accuracy"]) for name in classes]
        cells += [percent(row["scores"][key]) for key in _SCORES.values()]
        name = row["name"] + (f" ({row['chosen']})" if row["chosen"] else "")
        lines.append(table_row([name, str(row["epoch"] or ""), *cells]))
        last = row["chosen"] == "" or row["name"] in shown
        shown.add(row["name"])
        if last and row["name"] in published:
            theirs = [f"*{value:.1f}*" for value in published[row["name"]].values()]
            empty = [""] * (len(_SCORES) - 1)
            lines.append(table_row([f"*{row['name']}*", "", *theirs, *empty]))
    return lines


def _figure_2(tree: Tree) -> list[str]:
    splits = tree["figure 2"]
    first = next(iter(splits.values()))
    lines = table_head(["share, %", *first["shares"], "patches"])
    for name, found in splits.items():
        shares = [percent(share) for share in found["shares"].values()]
        lines.append(table_row([name, *shares, f"{found['patches']:,}"]))
    most = len(first["patches with so many classes"])
    lines += ["", *table_head(["patches with so many classes", *map(str, range(most))])]
    for name, found in splits.items():
        counts = [str(count) for count in found["patches with so many classes"]]
        lines.append(table_row([name, *counts]))
    return lines


def _figure_3(tree: Tree) -> list[str]:
    figure = tree["figure 3"]
    names = figure["classes"]
    rows = zip(names, figure["fine given coarse"], strict=True)
    lines = table_head(["coarse \\ fine", *names])
    return lines + [table_row([name, *map(percent, shares)]) for name, shares in rows]


def _figure_5(tree: Tree) -> list[str]:
    curves = tree["figure 5"]
    epochs = range(1, len(curves[0]["test"]) + 1)
    lines = table_head(["epoch", *map(str, epochs)])
    for curve in curves:
        for where, title in (("holdout", "hold-out, coarse"), ("test", "test, fine")):
            values = [percent(found["average_accuracy"]) for found in curve[where]]
            lines.append(table_row([f"{curve['name']}: {title}", *values]))
    return lines


def _figure_6(panels: Sequence[str]) -> list[str]:
    lines: list[str] = []
    places: dict[str, dict[str, str]] = {}
    for panel in panels:
        path = PurePath(panel)
        places.setdefault(path.parent.name, {})[path.stem] = quote(panel)
    for place, pictures in places.items():
        names = [name.lstrip("0123456789 ") for name in pictures]
        lines += [place, "", *table_head(names)]
        lines += [table_row([f"![]({file})" for file in pictures.values()]), ""]
    return lines


def pseudo_label_tables(found: PseudoLabels) -> list[str]:
    """Two tables: how right pseudo-labels were over training, and so by true class."""
    lines = table_head(["steps", "before", "after", "before, edges", "after, edges"])
    for part in found.stretches:
        shares = [(r.before, r.after) for r in (part.everywhere, part.edges)]
        cells = [percent(share) for pair in shares for share in pair]
        lines.append(table_row([f"{part.first} to {part.last}", *cells]))
    steps = [f"{part.first} to {part.last}" for part in found.stretches]
    lines += ["", *table_head(["class: before, after", *steps, "share"])]
    for name, rights in found.classes.items():
        cells = [f"{percent(r.before)}, {percent(r.after)}" for r in rights]
        lines.append(table_row([name, *cells, percent(rights[-1].pixels)]))
    return lines


def table_head(cells: Sequence[str]) -> list[str]:
    """First two lines of a table."""
    return [table_row(cells), "|" + "---|" * len(cells)]


def table_row(cells: Sequence[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(cells) + " |"


def percent(share: float | None) -> str:
    """Share as per cent with one decimal; a dash where it is not defined."""
    return "–" if share is None else f"{100 * share:.1f}"
