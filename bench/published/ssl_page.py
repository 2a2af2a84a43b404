"""Page of Markdown of the benchmark of few labels after learning without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.published.tables import percent, table_head, table_row

Tree = Mapping[str, Any]
_CONVENTIONS = {
    "mean_iou": "mIoU over the classes that occur in the reference",
    "mean_iou_all_classes": "mIoU of ten classes, those that don't occur counting as 0: "
    "the paper's",
    "overall_accuracy": "Overall accuracy",
}
_PAPERS = "mean_iou_all_classes"


def make_page(tree: Tree) -> str:
    """Page of Markdown."""
    lines = ["# Few labels on DFC2020, after learning without", ""]
    if tree["quick"]:
        lines += ["**A quick run: it shows that everything works, and no more.**", ""]
    lines += [f"{tree['citation']}. Licence: {tree['licence']}.", ""]
    lines += [f"- {note}" for note in tree["notes"]]
    for what in ("learned", "tested"):
        scenes = [f"{scene} ({count:,})" for scene, count in tree[what].items()]
        lines.append(f"- Patches {what}: {', '.join(scenes)}")
    classes = tree["rows"][0]["scores"]["classes_present"]
    lines.append(f"- Classes in the reference: {', '.join(classes)}")
    for score, title in _CONVENTIONS.items():
        lines += ["", f"## {title}, %", "", *_scores(tree, score)]
    lines += ["", "Columns are numbers of labelled patches; all pixels of all tested"]
    lines += ["patches are counted together. Rows in italics are the paper's: other"]
    lines += ["patches, and of scenes that it learned from as well."]
    lines += ["", "## IoU of every class with the most labels, %", "", *_classes(tree)]
    lines += ["", "## Not as in the paper", ""]
    lines += [f"- {sentence}" for sentence in tree["deviations"]]
    return "\n".join(lines) + "\n"


def _scores(tree: Tree, score: str) -> list[str]:
    counts = sorted({row["labels"] for row in tree["rows"]})
    lines = table_head(["", *map(str, counts)])
    for name, found in _by_name(tree["rows"]).items():
        cells = [percent(found[count][score]) for count in counts]
        lines.append(table_row([name, *cells]))
    if score == _PAPERS:
        theirs = dict(tree["published"])
        places = theirs.pop("labels")
        for name, values in theirs.items():
            at = dict(zip(places, values, strict=True))
            cells = [f"*{at[n]:.1f}*" if n in at else "" for n in counts]
            if any(cells):
                lines.append(table_row([f"*{name}*", *cells]))
    return lines


def _classes(tree: Tree) -> list[str]:
    most = max(row["labels"] for row in tree["rows"])
    classes = tree["rows"][0]["scores"]["classes_present"]
    lines = table_head(["", *classes])
    for name, found in _by_name(tree["rows"]).items():
        per_class = found[most]["per_class"]
        cells = [percent(per_class[kind]["iou"]) for kind in classes]
        lines.append(table_row([name, *cells]))
    return lines


def _by_name(rows: Sequence[Tree]) -> dict[str, dict[int, Tree]]:
    found: dict[str, dict[int, Tree]] = {}
    for row in rows:
        found.setdefault(row["name"], {})[row["labels"]] = row["scores"]
    return found
