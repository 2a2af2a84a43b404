"""Results as a table: mean and spread over worlds and seeds, and the recovered share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

LEAST_GAP = 0.10
"""Oracle minus naive, in mIoU, from which a recovered share means something."""
_HEADER = """# Results

Written by the commands named in it; don't edit. Every problem has three arms or more.
The *oracle* learns from true labels of half of the blocks. The *naive* arm learns the same
way from what the problem leaves, and so does a method. Scores are means over worlds and
seeds on the other half of the blocks, ± the standard deviation. *Over naive* is the
difference in mIoU to the naive arm of the same world and seed, with half the width of its
95 % interval. This is Student's t over the runs; runs of one world are alike, so other
worlds may differ by more. *Recovered* is (method - naive) / (oracle - naive), given where
the gap is at least 10 points of mIoU: of every run, and in brackets of the means. Where a
table has a *ceiling*, told the true class of every pixel of the images, testing blocks
included, it takes the place of the oracle in that share. Worlds from 100 on are for
reporting and were not looked at while tuning.
"""


def page(results: Sequence[Mapping[str, Any]]) -> str:
    """All results as Markdown, in the order given."""
    return "\n".join([_HEADER, *(_section(r) for r in results)])


def _section(result: Mapping[str, Any]) -> str:
    worlds = ", ".join(map(str, result["worlds"]))
    seeds = ", ".join(map(str, result["seeds"]))
    lines = [
        f"## {result['title']}: {result['base']}",
        "",
        f"`{result['command']}`",
        "",
        f"Worlds {worlds} of {result['size']} x {result['size']} pixels, seeds {seeds}; "
        f"{result['made']}.",
        "",
        "| arm | mIoU | over naive | AA | OA | recovered | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_row(name, result["arms"]) for name in result["arms"]]
    return "\n".join([*lines, "", *_groups(result["arms"]), *_classes(result["arms"])])


def _row(name: str, arms: Mapping[str, list[dict[str, Any]]]) -> str:
    cells = [
        _spread([run[score] for run in arms[name]])
        for score in ("mean_iou", "average_accuracy", "overall_accuracy")
    ]
    cells.insert(1, "" if name == "naive" else interval(over(name, "naive", arms)))
    seconds = np.mean([run["seconds"] for run in arms[name]])
    return (
        f"| {name} | {' | '.join(cells)} | {_recovered(name, arms)} | {seconds:.0f} |"
    )


def over(
    name: str, other: str, arms: Mapping[str, list[dict[str, Any]]]
) -> NDArray[np.float64]:
    """Difference in mIoU of two arms in every run, paired by world and seed."""
    one, two = (np.array([r["mean_iou"] for r in arms[arm]]) for arm in (name, other))
    return np.asarray(one - two)


def interval(differences: NDArray[np.float64]) -> str:
    """Mean of some runs, with half the width of its 95 % interval."""
    mean, runs = differences.mean(), len(differences)
    if runs < 2:
        return f"{mean:+.3f}"
    width = t.ppf(0.975, runs - 1) * differences.std(ddof=1) / np.sqrt(runs)
    return f"{mean:+.3f} ± {width:.3f}"


def recovered(name: str, arms: Mapping[str, list[dict[str, Any]]]) -> list[float]:
    """Recovered share of every run, paired by world and seed; empty if undefined."""
    naive, bound, method = (
        np.array([run["mean_iou"] for run in arms[arm]])
        for arm in ("naive", bound_of(arms), name)
    )
    if (bound - naive).mean() < LEAST_GAP:
        return []
    return [float(v) for v in (method - naive) / (bound - naive)]


def bound_of(arms: Mapping[str, Any]) -> str:
    """Name of the arm that counts as all there is to recover."""
    return "ceiling" if "ceiling" in arms else "oracle"


def _recovered(name: str, arms: Mapping[str, list[dict[str, Any]]]) -> str:
    ends = {"naive": "0", bound_of(arms): "1"}
    if name in ends:
        return ends[name]
    found = recovered(name, arms)
    if not found:
        return "gap below .10"
    gap = over(bound_of(arms), "naive", arms).sum()
    whole = over(name, "naive", arms).sum() / gap
    return f"{_spread(found)} ({whole:.2f})"


def _groups(arms: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Mean IoU, recovered share and calibration error per group of pixels, if any."""
    names = list(arms["oracle"][0].get("groups", {}))
    if not names:
        return
    heads = (f"{n}: mIoU | recovered | calibration error" for n in names)
    yield "| arm | " + " | ".join(heads) + " |"
    yield "|---" * (3 * len(names) + 1) + "|"
    for arm in arms:
        cells = (_group(name, arm, arms) for name in names)
        yield f"| {arm} | " + " | ".join(cells) + " |"
    yield ""


def _group(name: str, arm: str, arms: Mapping[str, list[dict[str, Any]]]) -> str:
    """Cells of an arm, over the runs whose scene has any pixel of the group."""
    runs = {a: [r["groups"][name] for r in arms[a] if r["groups"][name]] for a in arms}
    if not runs[arm]:
        return "none | none | none"
    error = np.mean([r["calibration_error"] for r in runs[arm]])
    iou = _spread([r["mean_iou"] for r in runs[arm]])
    return f"{iou} | {_recovered(arm, runs)} | {error:.3f}"


def _classes(arms: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """IoU per class, and how much of the gap is recovered in it."""
    names = list(dict.fromkeys(c for run in arms["oracle"] for c in run["iou"]))
    yield "| IoU | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    for arm, runs in arms.items():
        means = (
            np.mean([r["iou"][c] for r in runs if r["iou"].get(c) is not None])
            for c in names
        )
        yield f"| {arm} | " + " | ".join(f"{m:.3f}" for m in means) + " |"
    yield ""


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"
