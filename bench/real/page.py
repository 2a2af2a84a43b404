"""The page docs/real.md, from what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from bench.real.sources import DRAWN

Results = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Scores by arm, by ``TILE_LABELS_SEED``."""
KNOWN = (
    *("282D majority-100", "282D majority-300"),
    *("433D majority-100", "433D majority-300"),
    *("gewata majority-300", "gewata majority-900", "gewata majority-1500"),
)
_BASE, _DEFAULT = "weak, without place", "weak"
_HEADER = """# Real ground

Written by `python -m bench.real --report`; don't edit. Maps of real satellite images
against real land-cover and land-use maps, read at ../shared/tiles (they are not part of the
project; its README has the sources and licences).

| tile | images | pixels | reference |
|---|---|---|---|
| 282D, 433D | Sentinel-1, Sentinel-2 | 224 x 224 of 10 m | Esri Land Cover, a product |
| gewata | Landsat 7, Ethiopia | 768 x 768 of 30 m | land use, by an expert |
| flanders | Sentinel-2, 24 August 2019 | 64 x 64 of 10 m | crops, by farmers |

Labels are made from the reference: `majority-S`, the majority in cells of S metres of the
MODIS grid; `confused-S`, the same with a fifth of the cells called another class;
`product-77`, a product of the reference's pixels with blobs that are called another class,
right on 77 %; `patches-N`, `polygons-40` and `points-200`, the reference in few
places. Maps from the last three are scored on the other pixels. Every pixel that the
reference knows counts. Labels with holes are scored where they are, and where a map is set
against them, it is scored there as well.

Four kinds of majority labels have a fault: `shifted-S` lie one cell too far to the west and
to the north; `lacking-S` call the rarest class with 2 % of the pixels what lies beside it,
as an older map does; `merged-S` have one name for the second and the third largest class;
`holes-S` lack a third of the ground.

Tiles are small: a single difference below .05 means nothing, the pattern over the cases
does. Each figure is the mean over the seeds, with the spread (standard deviation) where
there are several seeds. A seed draws labels and starts methods; majority labels have
nothing to draw.

*weak* is the default of `overcast map`: labels count as evidence of place, as far as
`overcast.methods.place.consistency` says. *Without place* is `--no-place`, *accuracy
stated* is `--labels-accuracy` with the true share of right pixels, *anchors* is
`--anchors` with random pixels of known class. An empty cell, or a case that no table has,
was not measured since the code last changed.
"""


def page(results: Results, anchors: Mapping[str, Mapping[str, Any]]) -> str:
    """All results as Markdown; `anchors` is what `bench.real.anchors` measured."""
    cases = _cases(results)
    pairs = {n: c for n, c in cases.items() if "+" in n}
    cases = {n: c for n, c in cases.items() if n not in pairs}
    coarse = {n: c for n, c in cases.items() if n.split()[1] not in DRAWN}
    drawn = {n: c for n, c in cases.items() if n.split()[1] in DRAWN}
    parts = [_HEADER, *_bars(cases), *_below(coarse)]
    for title, some in (
        ("Coarse labels", coarse),
        ("Few labels", drawn),
        ("A map and drawn labels", pairs),
    ):
        if some:
            parts += [f"## {title}", "", *([_PAIRS] if some is pairs else [])]
            parts += _against_rivals(some) if some is drawn else []
            parts += _table(some, "mean_iou", "Mean IoU")
            parts += _table(some, "overall_accuracy", "Overall accuracy")
    rare = {n: some for n, c in coarse.items() if (some := _with_rare(c))}
    if rare:
        parts += ["## Rare classes", "", _RARE]
        parts += _table(rare, "rare_precision", "Precision of rare classes")
        parts += _table(rare, "rare_recall", "Recall of rare classes")
    parts += _anchors(anchors)
    if cases:
        parts += ["## Calibration error", "", _CALIBRATION]
        parts += _table(cases, "calibration_error", "Expected calibration error")
    return "\n".join(parts)


def with_sections_of(text: str, before: str) -> str:
    """A page, and those sections of the page before that it has not, each in its place."""
    old, new = _sections(before), _sections(text)
    titles = list(new)
    last = 0
    for title in old:
        if title not in titles:
            titles.insert(last + 1, title)
        last = titles.index(title)
    return "".join(new.get(title) or old[title] for title in titles).rstrip() + "\n"


def _sections(text: str) -> dict[str, str]:
    """Parts of a page by their headings; the head has none."""
    parts = ("\n" + text).split("\n## ")
    sections = {"": parts[0].removeprefix("\n") + "\n"}
    for part in parts[1:]:
        sections[part.partition("\n")[0]] = f"## {part.rstrip()}\n\n"
    return sections


_PAIRS = """`overcast map --labels MAP --labels POLYGONS`, against either alone. `sieved` is
the majority without patches below 25 cells, as CORINE has them. Scored where no polygon is.
"""
_RARE = """Classes with less than 5 % of the reference, mean over them: the share of pixels
mapped as such that are right, and the share of theirs that are found. A class that leaves
its labels for look-alikes loses precision.
"""
_CALIBRATION = """Of the confidence as it comes, before `overcast calibrate`.
"""


_MUCH = {"mean_iou": 0.03, "overall_accuracy": 0.01}
"""Differences to the labels that count as worse."""


def _below(
    cases: Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]],
) -> Iterator[str]:
    """Say in which cases of coarse labels the default map is worse than its labels."""
    measured = below = 0
    lines = []
    for name, runs in cases.items():
        both = [run for run in runs if {"labels", _DEFAULT} <= run.keys()]
        if not both:
            continue
        measured += 1
        apart = {
            score: float(
                np.mean(
                    [
                        _beside(r[_DEFAULT], score) - _beside(r["labels"], score)
                        for r in both
                    ]
                )
            )
            for score in _MUCH
        }
        below += any(apart[score] < 0 for score in _MUCH)
        if any(apart[score] < -much for score, much in _MUCH.items()):
            lines.append(
                f"- {name}: {apart['mean_iou']:+.3f} mean IoU, "
                f"{apart['overall_accuracy']:+.3f} overall accuracy"
            )
    if not measured:
        return
    worse = f"{len(lines)}:" if lines else "none."
    yield (
        f"Of all {measured} cases of coarse labels, the default map is below its labels in "
        f"{below}, in one of the two scores or both. It is so by more than .03 of mean IoU "
        f"or .01 of overall accuracy in {worse}\n"
    )
    if lines:
        yield "\n".join(lines) + "\n"


def _beside(scores: Mapping[str, float], score: str) -> float:
    """Score where labels are, of labels that lack some of the ground."""
    return scores.get(f"labelled_{score}", scores[score])


_BY_ANCHORS = """What the map loses, in mean IoU, if anchors choose how far labels are
trusted, against the best strength that is the same for all classes. The best was searched
with the truth of every pixel. Mean and largest loss of six draws of anchors; below 0, the
map is better than with that strength. Without anchors it is the default
(`python -m bench.real.anchors`).
"""


def _anchors(measured: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Return a table of what anchors lose."""
    if not measured:
        return
    yield "## Strength of place by anchors\n"
    yield _BY_ANCHORS
    yield "| loss | labels | best | without anchors | 20 anchors | 50 anchors |"
    yield "|---|---|---|---|---|---|"
    rows = []
    for name in sorted(measured, key=lambda name: _order(name.replace("_", " "))):
        one = measured[name]
        draws = [one["best"] - np.array(one[n]) for n in ("20", "50")]
        rows.append([one["best"] - one["default"], *(d.mean() for d in draws)])
        cells = [f"{d.mean():.3f}, {d.max():.3f}" for d in draws]
        yield (
            f"| {name.replace('_', ' ')} | {one['labels']:.3f} | {one['best']:.3f} | "
            f"{rows[-1][0]:.3f} | {cells[0]} | {cells[1]} |"
        )
    means = " | ".join(f"{mean:.3f}" for mean in np.mean(rows, 0))
    yield f"| mean of {len(rows)} | | | {means} |"
    yield ""


def _cases(results: Results) -> dict[str, list[Mapping[str, Mapping[str, float]]]]:
    """Runs by tile and labels."""
    cases: dict[str, list[Mapping[str, Mapping[str, float]]]] = {}
    for name, arms in results.items():
        tile, source, _ = name.split("_")
        cases.setdefault(f"{tile} {source}", []).append(arms)
    return dict(sorted(cases.items(), key=lambda item: _order(item[0])))


def _against_rivals(
    cases: Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]],
) -> Iterator[str]:
    """`weak` against the other arm that is best in mean, over the draws of both."""
    yield "Each draw is another seed. The best rival is best in mean mIoU over the draws."
    yield ""
    yield "| | draws | best rival | its mIoU | weak | difference | in the worst draw |"
    yield "|---|---|---|---|---|---|---|"
    for name, runs in cases.items():
        rivals = {
            a for run in runs for a in run if not a.startswith(("weak", "labels"))
        }
        full = [run for run in runs if rivals | {_DEFAULT} <= run.keys()]
        if not (rivals and full):
            continue
        own, *others = (
            np.array([run[arm]["mean_iou"] for run in full])
            for arm in (_DEFAULT, *sorted(rivals))
        )
        best = int(np.argmax([other.mean() for other in others]))
        apart = own - others[best]
        yield (
            f"| {name} | {len(full)} | {sorted(rivals)[best]} | "
            f"{others[best].mean():.3f} | {own.mean():.3f} | {apart.mean():+.3f} | "
            f"{apart.min():+.3f} |"
        )
    yield ""


def _with_rare(
    runs: Sequence[Mapping[str, Mapping[str, float]]],
) -> list[Mapping[str, Mapping[str, float]]]:
    """Arms of runs that were measured on rare classes."""
    some = [{a: s for a, s in run.items() if "rare_recall" in s} for run in runs]
    return [run for run in some if run]


def _order(name: str) -> tuple[str, str, int]:
    tile, source = name.split()
    kind, _, number = source.partition("+")[0].partition("-")
    return tile, kind, int(number)


def _table(
    cases: Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]],
    score: str,
    title: str,
) -> Iterator[str]:
    arms = list(
        dict.fromkeys(arm for runs in cases.values() for r in runs for arm in r)
    )
    yield f"| {title} | seeds | " + " | ".join(arms) + " |"
    yield "|---" * (len(arms) + 2) + "|"
    for name, runs in cases.items():
        cells = (_spread([r[arm][score] for r in runs if arm in r]) for arm in arms)
        yield f"| {name} | {len(runs)} | " + " | ".join(cells) + " |"
    yield ""


def _spread(values: Sequence[float]) -> str:
    if not values:
        return ""
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"


def _bars(
    cases: Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]],
) -> Iterator[str]:
    """The known cases, each against its labels."""
    known = {name: cases[name] for name in KNOWN if name in cases}
    if not known:
        return
    yield "## Is the map worse than its labels?\n"
    yield (
        "Score of the map less that of the labels, mean IoU and overall accuracy, in the "
        "cases of which these figures are tracked.\n"
    )
    arms = [
        _BASE,
        _DEFAULT,
        "weak, accuracy stated",
        "weak, 20 anchors",
        "weak, 50 anchors",
    ]
    yield "| less the labels | " + " | ".join(arms) + " |"
    yield "|---" * (len(arms) + 1) + "|"
    for name, runs in known.items():
        cells = []
        for arm in arms:
            pairs = [
                np.mean([r[arm][s] - r["labels"][s] for r in runs if arm in r])
                for s in ("mean_iou", "overall_accuracy")
                if any(arm in r for r in runs)
            ]
            cells.append(", ".join(f"{p:+.3f}" for p in pairs))
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""
    both = [
        (
            np.mean([r[_DEFAULT]["mean_iou"] for r in runs]),
            np.mean([r[_BASE]["mean_iou"] for r in runs]),
        )
        for runs in known.values()
        if all({_DEFAULT, _BASE} <= r.keys() for r in runs)
    ]
    if both:
        now, before = np.mean(both, 0)
        yield (
            f"Mean over {len(both)} of these cases: {now:.3f} by default, {before:.3f} "
            "without place.\n"
        )
