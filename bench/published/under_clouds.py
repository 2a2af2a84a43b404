"""Land cover under clouds: CloudSeg between plain fusion and clear images.

One network is trained on the training patches of a dataset in several ways, and each maps
the cloudy images of the test patches: *fusion* learns from cloudy images, *cloudseg* from
pairs of cloudy and clear ones (Xu, Shi, Yang, Xia, Zhu: CloudSeg, ISPRS Journal 214,
2024), *SAR alone* and *optical alone* from one sensor; *clear images* learns from the
clear ones and maps them: the most that can be recovered. A `Case` is the dataset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.published.benchmark import Job, Result, kept
from odc.geo.geobox import GeoBox

from overcast.datasets.dataset import Dataset, Patch
from overcast.geo.bands import Sensor
from overcast.geo.derived import Derived
from overcast.geo.raster import Image
from overcast.geo.stack import ImageSource, Stack
from overcast.geo.tiling import Tiling

if TYPE_CHECKING:
    from overcast.maps.predictor import Predictor

NAIVE, ORACLE = "fusion", "clear images"
_QUICK: Mapping[str, Any] = {
    "network": {
        "model": {"name": "cloudseg", "widths": [8, 8], "looks": 1},
        "schedule": {"steps": 20, "warmup": 2},
        "window": 32,
        "batch": 2,
    },
    "most": 4,
}
"""Small and few of everything: shows that all of it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How large everything is; windows and batch are those of Xu et al.

    Attributes
    ----------
    network
        ``model``, ``schedule``, ``window`` and ``batch``, the same for every arm.
    recipe
        Hyper-parameters of `overcast.recipes.cloudseg`.
    most
        At most so many patches of each split, or all.
    """

    network: Mapping[str, Any] = field(
        default_factory=lambda: {
            "model": {"name": "cloudseg", "encoder": "resnet34"},
            "schedule": {"steps": 20_000, "peak_rate": 1e-3, "warmup": 500},
            "window": 160,
            "batch": 32,
        }
    )
    recipe: Mapping[str, Any] = field(default_factory=dict)
    most: int | None = None

    def __post_init__(self) -> None:
        wanted = {"model", "schedule", "window", "batch"}
        if self.network.keys() != wanted:
            raise ValueError(
                f"network must have {', '.join(sorted(wanted))}, got "
                f"{', '.join(sorted(self.network))}"
            )
        if self.most is not None and self.most < 1:
            raise ValueError(f"most must be 1 or more, or null, got {self.most}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A dataset with pairs of cloudy and clear images.

    Attributes
    ----------
    title
        Of the page.
    open
        Its folder to the dataset, with splits ``train`` and ``test``.
    stack
        A patch, with labels, as it is seen under clouds, and with its targets.
    optical, sar
        Names of the images that clouds hide, and of the one that sees through them.
    clear, cloud
        Names of the targets: the image without clouds, and where they are.
    tiling
        How test patches are cut.
    deviations
        What is not as in the paper, a sentence each.
    """

    title: str
    open: Callable[[Path], Dataset]
    stack: Callable[[Patch], Stack]
    optical: str
    sar: str
    clear: str = "clear"
    cloud: str = "cloud"
    tiling: Tiling
    deviations: Sequence[str]

    def seen(self, arm: str, patch: Patch) -> Stack:
        """A patch as an arm sees it, with labels and targets, learning and mapping."""
        stack = self.stack(patch)
        if arm == ORACLE:
            clear = stack.images[self.clear]
            return replace(stack, images={**stack.images, self.optical: clear})
        if lost := {"SAR alone": self.optical, "optical alone": self.sar}.get(arm):
            unseen = _Unseen(stack.images[lost])
            return replace(stack, images={**stack.images, lost: unseen})
        return stack


ARMS = ("SAR alone", "optical alone", NAIVE, "cloudseg", ORACLE)


@dataclass(frozen=True, slots=True)
class _Unseen(Derived[ImageSource]):
    """An image that nothing was seen of, as a source."""

    @property
    def sensor(self) -> Sensor:
        return self.source.sensor

    def read(self, grid: GeoBox) -> Image:
        return Image.unseen(grid, self.sensor)


def under_clouds(case: Case, job: Job) -> Result:
    """Every arm trained, and scored over all, clear and cloudy pixels."""
    from overcast.schema import from_tree

    tree = {**(_QUICK if job.quick else {}), **job.settings}
    bench = _Bench(
        case, job, from_tree(Settings, tree, "settings"), case.open(job.root)
    )
    rows = {
        arm: kept(job.folder / "arms" / f"{arm}.json", partial(bench.score, arm))
        for arm in ARMS
    }
    dataset = bench.dataset
    made = {
        "title": case.title,
        "quick": job.quick,
        "seed": job.seed,
        "settings": asdict(bench.settings),
        "patches": {name: len(found) for name, found in dataset.splits.items()},
        "notes": list(dataset.notes),
        "licence": dataset.licence,
        "citation": dataset.citation,
        "rows": {
            arm: {"scores": row, "recovered": _recovered(row, rows)}
            for arm, row in rows.items()
        },
        "deviations": list(case.deviations),
    }
    return Result(made, _page(made))


@dataclass(frozen=True, slots=True)
class _Bench:
    """All arms on one dataset."""

    case: Case
    job: Job
    settings: Settings
    dataset: Dataset

    def patches(self, split: str) -> Sequence[Patch]:
        """Those of a split that are used."""
        return self.dataset.split(split)[: self.settings.most]

    def score(self, arm: str) -> dict[str, Any]:
        """Train an arm, and score it by part of the test patches."""
        from bench.published.clouded import assess

        from overcast.accuracy.confusion import scores

        predictor, test = self.trained(arm), self.patches("test")

        def stacks() -> Iterator[Stack]:
            for done, patch in enumerate(test, 1):
                yield self.case.seen(arm, patch)
                self.job.progress("assessing", done, len(test))

        found = assess(predictor, stacks(), self.case.cloud, self.case.tiling)
        legend = self.dataset.legend
        return {part: scores(counts, legend) for part, counts in found.items()}

    def trained(self, arm: str) -> Predictor:
        """Train the network of an arm, go on, or take it as it is."""
        from bench.published.windows import Training

        from overcast.schema import from_tree
        from overcast.train.loop import Schedule

        network, own = dict(self.settings.network), arm == "cloudseg"
        schedule = {**network["schedule"], "seed": self.job.seed}
        training = Training(
            model={**network["model"], "optical": self.case.optical, "gate": own},
            recipe=self.recipe if own else {"name": "supervised", "drop": 0.0},
            schedule=from_tree(Schedule, schedule, "schedule"),
            window=network["window"],
            batch=network["batch"],
        )
        return training.train(
            self.patches("train"),
            partial(self.case.seen, arm),
            self.job.folder / "arms" / arm,
            self.job.progress,
        )

    @property
    def recipe(self) -> dict[str, Any]:
        """That of cloudseg, told the names of the images."""
        case = self.case
        names = {
            "optical": case.optical,
            "clear": case.clear,
            "cloud_mask": case.cloud,
        }
        return {"name": "cloudseg", **names, **self.settings.recipe}


def _recovered(
    row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]
) -> float | None:
    """Share of the cloudy pixels' mIoU between fusion and clear images; None if none."""
    found = [r["cloudy"]["mean_iou"] for r in (row, rows[NAIVE], rows[ORACLE])]
    if None in found:  # nothing known is under cloud
        return None
    own, naive, best = map(float, found)
    return (own - naive) / (best - naive) if best > naive else None


def _page(tree: Mapping[str, Any]) -> str:
    """Page of Markdown."""
    from bench.published.clouded import PARTS
    from bench.published.tables import percent, table_head, table_row

    lines = [f"# {tree['title']}", ""]
    if tree["quick"]:
        lines += ["**A quick run: it shows that everything works, and no more.**", ""]
    lines += [f"{tree['citation']}. Licence: {tree['licence']}.", ""]
    lines += [f"- {note}" for note in tree["notes"]]
    lines += ["", "## Scores in per cent, all test patches together", ""]
    keys = {"mIoU": "mean_iou", "OA": "overall_accuracy"}
    head = [f"{part}: {name}" for part in PARTS for name in keys]
    lines += table_head(["", *head, "recovered"])
    for arm, row in tree["rows"].items():
        found = row["scores"]
        cells = [percent(found[part][key]) for part in PARTS for key in keys.values()]
        lines.append(table_row([arm, *cells, percent(row["recovered"])]))
    lines += ["", "*Recovered*: of the mIoU of cloudy pixels between fusion and clear"]
    lines += ["images. Pixels whose cloud is not known are in *all* alone.", ""]
    lines += ["## IoU under cloud", "", *_classes(tree["rows"])]
    lines += ["", "## Not as in the paper", ""]
    lines += [f"- {sentence}" for sentence in tree["deviations"]]
    return "\n".join(lines) + "\n"


def _classes(rows: Mapping[str, Any]) -> Sequence[str]:
    from bench.published.tables import percent, table_head, table_row

    names = list(rows[NAIVE]["scores"]["cloudy"]["per_class"])
    lines = table_head(["", *names])
    for arm, row in rows.items():
        found = row["scores"]["cloudy"]["per_class"]
        lines.append(table_row([arm, *(percent(found[n]["iou"]) for n in names)]))
    return lines
