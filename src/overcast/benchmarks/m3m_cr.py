"""Land cover under clouds on M3M-CR: CloudSeg between plain fusion and clear images.

``m3m-cr`` trains one network on the training areas in several ways and maps the cloudy
images of the test areas with each: *fusion* learns from cloudy images, *cloudseg* from
pairs of cloudy and clear ones (Xu, Shi, Yang, Xia, Zhu: CloudSeg, ISPRS Journal 214,
2024), *SAR alone* and *optical alone* from one sensor; *clear images* learns from the
clear ones and maps them: the most that can be recovered.

The paper's own figure is 3.16 points of mIoU above its best competitor; its encoders are
MiT-B4 from ImageNet's weights, for which ``network`` has to say ``encoder: mit_b4``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from odc.geo.geobox import GeoBox

from overcast.benchmarks.benchmark import Benchmark, Job, Result, kept
from overcast.datasets import m3m_cr
from overcast.datasets.dataset import Dataset, Patch
from overcast.geo.bands import Sensor
from overcast.geo.raster import Image
from overcast.geo.stack import ImageSource, Stack
from overcast.geo.tiling import Tiling

if TYPE_CHECKING:
    from overcast.maps.predictor import Predictor

OPTICAL, SAR, CLEAR, CLOUD = "planet", "s1", "clear", "cloud"
NAIVE, ORACLE = "fusion", "clear images"
DEVIATIONS = (
    "Encoders start from random weights, and teacher and student are one network: see "
    "overcast.recipes.cloudseg and overcast.models.cloudseg for what differs.",
    "Labels of 10 m are put on the grid of 3 m by the nearest pixel; classes outside the "
    "six are unknown, where the paper's code has a seventh label outside its head.",
)
"""What is not as in the paper, a sentence each."""
_TILING = Tiling(160, 80)
"""Windows of 160 pixels every 80, as the paper tests."""
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
    """How large everything is; windows and batch are the paper's.

    Attributes
    ----------
    network
        ``model``, ``schedule``, ``window`` and ``batch``, the same for every arm.
    recipe
        Hyper-parameters of `overcast.recipes.cloudseg`.
    most
        At most so many areas of each split, or all.
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


@dataclass(frozen=True, slots=True)
class _Unseen:
    """An image that nothing was seen of, as a source."""

    image: ImageSource

    @property
    def grid(self) -> GeoBox:
        return self.image.grid

    @property
    def blocks(self) -> tuple[int, int]:
        return self.image.blocks

    @property
    def sensor(self) -> Sensor:
        return self.image.sensor

    def read(self, grid: GeoBox) -> Image:
        shape = len(self.sensor.bands), *grid.shape
        return Image.of(np.full(shape, np.nan, np.float32), grid, self.sensor)


def _without(name: str, stack: Stack) -> Stack:
    return replace(stack, images={**stack.images, name: _Unseen(stack.images[name])})


def _cleared(stack: Stack) -> Stack:
    return replace(stack, images={**stack.images, OPTICAL: stack.images[CLEAR]})


_SEEN: Mapping[str, Callable[[Stack], Stack]] = {
    "SAR alone": partial(_without, OPTICAL),
    "optical alone": partial(_without, SAR),
    NAIVE: lambda stack: stack,
    "cloudseg": lambda stack: stack,
    ORACLE: _cleared,
}
"""Arm to what it sees of an area, learning and mapping alike."""


def under_clouds(job: Job) -> Result:
    """Every arm trained, and scored over all, clear and cloudy pixels."""
    from overcast.plan import from_tree

    tree = {**(_QUICK if job.quick else {}), **job.settings}
    settings = from_tree(Settings, tree, "settings")
    dataset = m3m_cr.open(job.root)
    rows = {
        arm: kept(
            job.folder / "arms" / f"{arm}.json",
            partial(_score, arm, job, settings, dataset),
        )
        for arm in _SEEN
    }
    made = {
        "quick": job.quick,
        "seed": job.seed,
        "settings": asdict(settings),
        "areas": {name: len(found) for name, found in dataset.splits.items()},
        "notes": list(dataset.notes),
        "licence": dataset.licence,
        "citation": dataset.citation,
        "rows": {
            arm: {"scores": row, "recovered": _recovered(row, rows)}
            for arm, row in rows.items()
        },
        "deviations": list(DEVIATIONS),
    }
    return Result(made, _page(made))


BENCHMARKS: Mapping[str, Benchmark] = {"m3m-cr": under_clouds}


def _score(arm: str, job: Job, settings: Settings, dataset: Dataset) -> dict[str, Any]:
    """Train an arm, and score it by part of the test areas."""
    from overcast.accuracy.confusion import scores
    from overcast.benchmarks.clouded import assess

    predictor = _trained(arm, job, settings, dataset)
    test = dataset.split("test")[: settings.most]

    def stacks() -> Any:
        for done, patch in enumerate(test, 1):
            yield _open(arm, patch)
            job.progress("assessing", done, len(test))

    found = assess(predictor, stacks(), CLOUD, _TILING)
    return {part: scores(counts, dataset.legend) for part, counts in found.items()}


def _trained(arm: str, job: Job, settings: Settings, dataset: Dataset) -> Predictor:
    from overcast.benchmarks.windows import Training
    from overcast.learn.train import Schedule
    from overcast.plan import from_tree

    network, own = dict(settings.network), arm == "cloudseg"
    training = Training(
        model={**network["model"], "optical": OPTICAL, "gate": own},
        recipe=_recipe(settings) if own else {"name": "supervised", "drop": 0.0},
        schedule=from_tree(
            Schedule, {**network["schedule"], "seed": job.seed}, "schedule"
        ),
        window=network["window"],
        batch=network["batch"],
    )
    return training.train(
        dataset.split("train")[: settings.most],
        partial(_open, arm),
        job.folder / "arms" / arm,
        job.progress,
    )


def _recipe(settings: Settings) -> dict[str, Any]:
    names = {"optical": OPTICAL, "clear": CLEAR, "cloud_mask": CLOUD}
    return {"name": "cloudseg", **names, **settings.recipe}


def _open(arm: str, patch: Patch) -> Stack:
    """An area as an arm sees it, with labels and targets."""
    return _SEEN[arm](patch.stack("fine"))


def _recovered(
    row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]
) -> float | None:
    """Share of the cloudy pixels' mIoU between fusion and clear images; None if none."""
    own, naive, best = (
        r["cloudy"]["mean_iou"] for r in (row, rows[NAIVE], rows[ORACLE])
    )
    return (own - naive) / (best - naive) if best > naive else None


def _page(tree: Mapping[str, Any]) -> str:
    """Page of Markdown."""
    from overcast.benchmarks.clouded import PARTS
    from overcast.benchmarks.tables import percent, table_head, table_row

    lines = ["# Under clouds on M3M-CR", ""]
    if tree["quick"]:
        lines += ["**A quick run: it shows that everything works, and no more.**", ""]
    lines += [f"{tree['citation']}. Licence: {tree['licence']}.", ""]
    lines += [f"- {note}" for note in tree["notes"]]
    lines += ["", "## Scores in per cent, all test areas together", ""]
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
    from overcast.benchmarks.tables import percent, table_head, table_row

    names = list(rows[NAIVE]["scores"]["cloudy"]["per_class"])
    lines = table_head(["", *names])
    for arm, row in rows.items():
        found = row["scores"]["cloudy"]["per_class"]
        lines.append(table_row([arm, *(percent(found[n]["iou"]) for n in names)]))
    return lines
