"""SAR networks from noisy pseudo-labels on OpenEarthMap-SAR, as Liu et al. 2025.

``oem-sar`` learns from radar images and the pseudo-labels of ``train``, with every loss
that the paper names and with the one that its code has, and is tested on regions of
``train`` that were held out. Optical images and labels of validation and test were never
published: what stands beside it was scored by the contest's server, on other regions
and on labels that people made, and is no measure of these rows.

Liu: Learning from noisy pseudo-labels for all-weather land cover mapping, 2025.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from bench.published.benchmark import Benchmark, Job, Result, kept

from overcast.datasets import openearthmap_sar
from overcast.datasets.dataset import Dataset, Patch
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Chip, Stack
from overcast.geo.tiling import Window

if TYPE_CHECKING:
    from bench.published.windows import Training

PUBLISHED = {
    "SegFormer MiT-B5, CE (comment in the code)": 35.13,
    "SegFormer MiT-B5, 3 x CE (in the code: CE + SCE)": 35.31,
    "UperNet SwinV2-B": 35.6,
    "UperNet ConvNeXtV2-B": 36.0,
    "UperNet ConvNeXtV2-L, final phase": 39.9,
}
"""mIoU in per cent of single SAR networks on the contest's server."""
DEVIATIONS = (
    "Tested on pseudo-labels of held-out regions of train: labels made by people exist "
    "for the contest's server alone.",
    "One network, schedule and window for every row, ours, from random weights.",
    "Speckle, jitter, turns and mirrors; the paper has photometric distortion and scales "
    "as well.",
)
"""What stands between these numbers and published ones, a sentence each."""
_QUICK: Mapping[str, Any] = {
    "model": {"name": "fcn", "width": 8, "dilations": [1, 2]},
    "steps": 20,
    "batch": 2,
    "window": 48,
    "views": 1,
    "most": 8,
}
"""Small and few of everything: shows that all of it runs."""


_WHOLE: Mapping[str, Any] = {"published": "liu2025", "lovasz": 1.0}
"""The paper's loss, and the Lovasz of its code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is compared, and how large it is.

    Attributes
    ----------
    losses
        Name in the table to hyper-parameters of the recipe ``noisy``.
    model
        ``name`` of a file in `overcast.models`, and that network's options.
    steps, batch, window, peak_rate
        Optimiser steps, windows in a step, their side in pixels, highest learning rate.
    views
        Views that maps are averages of.
    holdout
        Share of the regions of ``train`` that is tested on; one region at least.
    most
        At most so many images to learn from, and to test on, or all.
    """

    losses: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: {
            "CE": {},
            "CE + SCE": {"published": "liu2025"},
            "3 x CE": {"published": "liu2025-code"},
            "CE + SCE + Lovasz": _WHOLE,
            "CE + SCE + Lovasz, speckle": {**_WHOLE, "looks": 4},
            "GCE": {"cross_entropy": 0.0, "generalised": 1.0},
        }
    )
    model: Mapping[str, Any] = field(
        default_factory=lambda: {"name": "unet", "encoder": "resnet34"}
    )
    steps: int = 20_000
    batch: int = 8
    window: int = 512
    peak_rate: float = 1e-3
    views: int = 8
    holdout: float = 0.2
    most: int | None = None

    def __post_init__(self) -> None:
        counts = ("steps", "batch", "window") + (("most",) if self.most else ())
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")
        if not 0 < self.holdout < 1:
            raise ValueError(
                f"holdout is {self.holdout}, expected a share between 0 and 1"
            )
        if not self.losses:
            raise ValueError("losses has no row; name one, such as CE: {}")


@dataclass(frozen=True, slots=True)
class Arm:
    """A row to be made: a loss, and the image that it is learned from."""

    name: str
    image: str
    recipe: Mapping[str, Any]


def noisy_labels(job: Job) -> Result:
    """Every loss on SAR, and cross-entropy on the aerial images beside them."""
    from overcast.schema import from_tree

    tree = {**(_QUICK if job.quick else {}), **job.settings}
    settings = from_tree(Settings, tree, "settings")
    dataset = openearthmap_sar.open(job.root)
    learn, test = _divided(dataset, settings, job.seed)
    arms = [Arm(name, "sar", loss) for name, loss in settings.losses.items()]
    arms.append(Arm("CE, on aerial RGB", "rgb", {}))
    rows = {
        arm.name: kept(
            job.folder / "arms" / f"{arm.name}.json",
            partial(_score, job, settings, arm, (learn, test)),
        )
        for arm in arms
    }
    made = {
        "quick": job.quick,
        "seed": job.seed,
        "settings": asdict(settings),
        "images": {"learned from": len(learn), "tested on": len(test)},
        "regions tested on": sorted({patch.scene for patch in test}),
        "share not seen by the radar": _unseen(test),
        "notes": list(dataset.notes),
        "licence": dataset.licence,
        "citation": dataset.citation,
        "rows": rows,
        "published": dict(PUBLISHED),
        "deviations": list(DEVIATIONS),
    }
    return Result(made, _page(made))


BENCHMARKS: Mapping[str, Benchmark] = {"oem-sar": noisy_labels}


def _divided(
    dataset: Dataset, settings: Settings, seed: int
) -> tuple[list[Patch], list[Patch]]:
    """Images of ``train`` to learn from and to test on; no region is in both."""
    from bench.published.patches import some

    patches = dataset.split("train")
    regions = sorted({patch.scene for patch in patches})
    count = max(1, round(settings.holdout * len(regions)))
    if count >= len(regions):
        raise ValueError(
            f"{dataset.name}: train has the regions {', '.join(regions)}; holding out "
            f"{count} leaves none to learn from: lower holdout, or unpack all of it"
        )
    order = np.random.default_rng(seed).permutation(len(regions))
    held = {regions[place] for place in order[:count]}
    learn = [patch for patch in patches if patch.scene not in held]
    test = [patch for patch in patches if patch.scene in held]
    return some(learn, settings.most), some(test, settings.most)


def _stack(image: str, patch: Patch) -> Stack:
    """The patch with one of its images and its pseudo-labels."""
    stack = patch.stack("pseudo")
    return replace(stack, images={image: stack.images[image]})


def _score(
    job: Job,
    settings: Settings,
    arm: Arm,
    patches: tuple[Sequence[Patch], Sequence[Patch]],
) -> dict[str, Any]:
    """Train an arm, or go on with it, and score it."""
    from bench.published.patches import assess

    from overcast.accuracy.confusion import scores
    from overcast.maps.views import Viewed, views_of

    learn, test = patches
    folder = job.folder / "arms" / arm.name
    training = _training(settings, arm, job.seed)
    open_stack = partial(_stack, arm.image)
    network = training.train(learn, open_stack, folder, job.progress)
    viewed = Viewed(network, views_of(settings.views))
    found = assess(viewed, test, partial(_tested, arm.image), job.progress)
    return scores(found, viewed.legend)


def _training(settings: Settings, arm: Arm, seed: int) -> Training:
    from bench.published.windows import Training

    from overcast.train.loop import Schedule

    return Training(
        model=settings.model,
        recipe={"name": "noisy", **arm.recipe},
        schedule=Schedule(
            steps=settings.steps, peak_rate=settings.peak_rate, seed=seed
        ),
        window=settings.window,
        batch=settings.batch,
    )


def _tested(image: str, patch: Patch) -> Chip:
    """All of a patch, with labels where the radar saw it: the same for every row."""
    stack = patch.stack("pseudo")
    chip = stack.read(Window(0, 0, *stack.shape))
    assert chip.labels is not None
    seen = chip.images["sar"].valid
    values = np.where(seen, chip.labels.values, np.uint8(UNKNOWN))
    labels = replace(chip.labels, values=values)
    return replace(chip, images={image: chip.images[image]}, labels=labels)


def _unseen(patches: Sequence[Patch]) -> float:
    """Share of the pixels that lie outside the radar's footprint."""
    outside, total = 0, 0
    for patch in patches:
        source = patch.stack().images["sar"]
        valid = source.read(source.grid).valid
        outside, total = outside + int((~valid).sum()), total + valid.size
    return outside / total


def _page(tree: Mapping[str, Any]) -> str:
    from bench.published.tables import percent, table_head, table_row

    images, regions = tree["images"], ", ".join(tree["regions tested on"])
    lines = ["# Noisy pseudo-labels on OpenEarthMap-SAR", ""]
    if tree["quick"]:
        lines += ["**A quick run: it shows that everything works, and no more.**", ""]
    lines += [
        f"{tree['citation']}. Licence: {tree['licence']}.",
        *(f"Note: {note}." for note in tree["notes"]),
        "",
        f"Learned from {images['learned from']:,} images, tested on the pseudo-labels of "
        f"{images['tested on']:,} of other regions: {regions}. The radar did not see "
        f"{percent(tree['share not seen by the radar'])} % of their pixels, which count "
        "for no row. IoU in per cent, all pixels of all images together.",
        "",
    ]
    classes = list(next(iter(tree["rows"].values()))["per_class"])
    lines += table_head(["learned with", *classes, "mIoU", "OA"])
    for name, found in tree["rows"].items():
        cells = [percent(found["per_class"][c]["iou"]) for c in classes]
        cells += [percent(found[key]) for key in ("mean_iou", "overall_accuracy")]
        lines.append(table_row([name, *cells]))
    lines += ["", "## As published, on other regions and other labels", ""]
    lines += table_head(["network", "mIoU"])
    lines += [table_row([n, f"*{value}*"]) for n, value in tree["published"].items()]
    lines += ["", "## Not as in the paper", ""]
    lines += [f"- {sentence}" for sentence in tree["deviations"]]
    return "\n".join(lines) + "\n"
