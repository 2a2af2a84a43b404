"""Few labels on WHU-OPT-SAR: the official scene split, labels of a part of its scenes.

``whu-opt-sar`` gives recipes the labels of 1/16 and 1/8 of the training scenes and the
images of all of them, and labels of all to the supervised one, which says what there is
to recover. Everything is tested on all pixels of the official test scenes together.

Which scenes were labelled in the experiments of Han et al. 2025 (DLLR, IEEE TIP 34,
doi 10.1109/TIP.2025.3526064) is not published, nor is their network; here the scenes
are drawn by the seed, those of 1/16 being among those of 1/8. Figures of others beside
ours are of full supervision on the same split.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from bench.published.benchmark import Benchmark, Job, Result, kept
from rasterio.errors import NotGeoreferencedWarning

from overcast.datasets import whu_opt_sar
from overcast.datasets.dataset import Dataset, Patch
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling
from overcast.progress import Progress
from overcast.report.training_log import PseudoLabels, pseudo_labels, read_log

if TYPE_CHECKING:
    from overcast.accuracy.confusion import Confusion
    from overcast.maps.predictor import Predictor

PUBLISHED = {
    "FuseNet": 38.0,
    "SA-Gate": 53.2,
    "CMFNet": 53.7,
    "FTransUNet": 54.5,
    "CMX": 55.7,
    "ASANet": 56.1,
}
"""mIoU of seven classes in per cent, of full supervision on the official split."""
DEVIATIONS = (
    "Which scenes are labelled is drawn by the seed; the paper's choice is not published.",
    "Network, schedule and windows are ours, the same for every row.",
    "The figures of others are of full supervision, and of larger networks from "
    "pretrained weights.",
)
"""What stands between these numbers and published ones, a sentence each."""
ORACLE = "supervised"
"""The recipe that is also given the labels of all scenes."""
_SENSORS = {"optical": "optical", "radar": "sar"}
_TRUTH = "truth"
"""Target of scenes without labels: how right their pseudo-labels are."""
_TILING = Tiling(1024, 128)
_QUICK: Mapping[str, Any] = {
    "network": {
        "model": {"name": "fcn", "width": 8, "dilations": [1]},
        "schedule": {"steps": 20, "warmup": 2},
        "window": 32,
        "batch": 2,
    },
    "most": 4,
}
"""Small and few of everything: shows that all of it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is compared, and how large it is.

    Attributes
    ----------
    shares
        Labels of one training scene in so many.
    recipes
        Name in the table to ``name`` of a file in `overcast.recipes` and its
        hyper-parameters; one of them is `ORACLE`.
    network
        Settings of `overcast.methods.network.Network` but for its recipe.
    most
        At most so many scenes of each split, or all.
    """

    shares: Sequence[int] = (16, 8)
    recipes: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: {
            ORACLE: {"name": "supervised"},
            "mean_teacher": {"name": "mean_teacher"},
            "fixmatch": {"name": "fixmatch"},
            "cross_pseudo": {"name": "cross_pseudo"},
            "dllr": {"name": "dllr", **_SENSORS},
        }
    )
    network: Mapping[str, Any] = field(
        default_factory=lambda: {
            "model": {"name": "unet", "encoder": "resnet34"},
            "schedule": {"steps": 20_000, "peak_rate": 1e-3, "warmup": 500},
            "window": 256,
            "batch": 16,
        }
    )
    most: int | None = None

    def __post_init__(self) -> None:
        if not self.shares or min(self.shares) < 2:
            raise ValueError(f"shares must be 2 or more each, got {self.shares}")
        if ORACLE not in self.recipes:
            raise ValueError(f"recipes must have {ORACLE!r}, got {list(self.recipes)}")
        if "recipe" in self.network:
            raise ValueError("network has a recipe; name it among recipes instead")
        if self.most is not None and self.most < 1:
            raise ValueError(f"most must be 1 or more, or null, got {self.most}")


@dataclass(frozen=True, slots=True)
class Row:
    """Scores of one recipe with the labels of some scenes.

    `pseudo_labels` says how right those of scenes without labels were, if it asks.
    """

    recipe: str
    share: int
    labelled: Sequence[str]
    scores: Mapping[str, Any]
    pseudo_labels: PseudoLabels | None


def few_labels(job: Job) -> Result:
    """Every recipe with labels of every share of the scenes, and all of them."""
    from overcast.schema import from_tree

    tree = {**(_QUICK if job.quick else {}), **job.settings}
    settings = from_tree(Settings, tree, "settings")
    dataset = whu_opt_sar.open(job.root)
    rows = [_row(job, settings, dataset, ORACLE, 1)]
    rows += [
        _row(job, settings, dataset, recipe, share)
        for share in settings.shares
        for recipe in settings.recipes
    ]
    made = {
        "quick": job.quick,
        "seed": job.seed,
        "settings": asdict(settings),
        "scenes": {name: len(found) for name, found in dataset.splits.items()},
        "notes": list(dataset.notes),
        "licence": dataset.licence,
        "citation": dataset.citation,
        "rows": [{**asdict(row), "recovered": _recovered(row, rows)} for row in rows],
        "published": dict(PUBLISHED),
        "deviations": list(DEVIATIONS),
    }
    return Result(made, _page(made, rows))


BENCHMARKS: Mapping[str, Benchmark] = {"whu-opt-sar": few_labels}


def labelled_scenes(scenes: Sequence[Patch], share: int, seed: int) -> list[Patch]:
    """One scene in `share`, at least one; those of a larger share hold the others."""
    order = np.random.default_rng(seed).permutation(len(scenes))
    return [scenes[place] for place in order[: max(1, len(scenes) // share)]]


def _row(
    job: Job, settings: Settings, dataset: Dataset, recipe: str, share: int
) -> Row:
    """Scores of an arm, made now or remembered."""
    scenes = dataset.split("train")[: settings.most]
    labelled = labelled_scenes(scenes, share, job.seed)
    folder = job.folder / "arms" / f"{recipe} 1 in {share}"

    def make() -> dict[str, Any]:
        from overcast.accuracy.confusion import scores
        from overcast.plan import choose

        asked = dict(settings.recipes[recipe])
        if diagnosed := hasattr(choose("recipes", asked), "truth"):
            asked["truth"] = _TRUTH
        chosen = {"name": "network", "recipe": asked}
        method = choose("methods", {**settings.network, **chosen})
        given = [_stack(scene, scene in labelled, diagnosed) for scene in scenes]
        folder.mkdir(parents=True, exist_ok=True)
        method.fit(given, folder, job.seed, job.progress)
        predictor = method.load(folder, dataset.legend, given[0].sensors)
        test = dataset.split("test")[: settings.most]
        return scores(_assess(predictor, test, job.progress), dataset.legend)

    with warnings.catch_warnings():
        # That scenes have no place is among the dataset's notes; every thread that
        # opens them again would say so once more.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        found = kept(folder.with_name(f"{folder.name}.json"), make)
    right = pseudo_labels(read_log(folder / "log.jsonl"), dataset.legend.names)
    return Row(recipe, share, [scene.name for scene in labelled], found, right)


def _stack(scene: Patch, labelled: bool, diagnosed: bool) -> Stack:
    """A scene with labels, or with them as a target from which nothing is learned."""
    from overcast.recipes.dllr.pseudo_label_accuracy import with_truth

    if labelled:
        return scene.stack("fine")
    bare = scene.stack()
    return with_truth(bare, scene.labels("fine"), _TRUTH) if diagnosed else bare


def _assess(
    predictor: Predictor, scenes: Sequence[Patch], progress: Progress
) -> Confusion:
    """Confusion of all pixels of the scenes together, from one band at a time."""
    from overcast.accuracy.confusion import Confusion
    from overcast.maps.predict import probabilities

    classes = len(predictor.legend)
    total = Confusion.none(classes)
    for done, scene in enumerate(scenes, 1):
        stack = scene.stack("fine")
        for window, band in probabilities(predictor, stack, _TILING):
            truth = stack.read(window).labels
            assert truth is not None
            mapped = band.argmax(0).astype(np.uint8)
            mapped[band.sum(0) == 0] = UNKNOWN
            total += Confusion.of(truth.values, mapped, classes)
        progress("assessing", done, len(scenes))
    return total


def _recovered(row: Row, rows: Sequence[Row]) -> float | None:
    """Share of the mIoU between labels alone and all labels; None where there is none."""
    best = rows[0].scores["mean_iou"]
    naive = next(
        r.scores["mean_iou"] for r in rows if (r.recipe, r.share) == (ORACLE, row.share)
    )
    gap = best - naive
    return (row.scores["mean_iou"] - naive) / gap if gap > 0 else None


def _page(tree: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Page of Markdown."""
    from bench.published.tables import (
        percent,
        pseudo_label_tables,
        table_head,
        table_row,
    )

    lines = ["# Few labels on WHU-OPT-SAR", ""]
    if tree["quick"]:
        lines += ["**A quick run: it shows that everything works, and no more.**", ""]
    lines += [f"{tree['citation']}. Licence: {tree['licence']}.", ""]
    lines += [f"- {note}" for note in tree["notes"]]
    classes = list(tree["rows"][0]["scores"]["per_class"])
    lines += ["", "## Scores in per cent, all pixels of all test scenes together", ""]
    lines += table_head(["", "labelled scenes", *classes, "mIoU", "OA", "recovered"])
    for row in tree["rows"]:
        found = row["scores"]
        cells = [percent(found["per_class"][name]["iou"]) for name in classes]
        cells += [percent(found[name]) for name in ("mean_iou", "overall_accuracy")]
        which = f"{len(row['labelled'])} (1 in {row['share']})"
        share = percent(row["recovered"])
        lines.append(table_row([row["recipe"], which, *cells, share]))
    lines += ["", "Columns of classes are IoU. *Recovered* is the share of the mIoU"]
    lines += ["between the supervised recipe's labels alone and all labels.", ""]
    for one in rows:
        if one.pseudo_labels is not None:
            lines += [f"## Pseudo-labels of {one.recipe}, 1 in {one.share}, %", ""]
            lines += ["Right ones in scenes without labels, before and after they were"]
            lines += ["reassigned; nothing was learned from their truth.", ""]
            lines += [*pseudo_label_tables(one.pseudo_labels), ""]
    lines += ["## Of others: full supervision, same split", ""]
    lines += table_head(["", "mIoU"])
    lines += [table_row([n, f"{v:.1f}"]) for n, v in tree["published"].items()]
    lines += ["", "## What stands between", ""]
    lines += [f"- {sentence}" for sentence in tree["deviations"]]
    return "\n".join(lines) + "\n"
