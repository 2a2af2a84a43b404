"""Schmitt et al. 2020, tables 3 and 4 and figures 2, 3, 5 and 6.

``sen12ms`` learns from the coarse labels of SEN12MS and is tested on the fine labels of
DFC2020 (transfer, table 3); ``dfc2020`` learns from the coarse labels of the very
patches that it is tested on (target, table 4, the paper's appendix).

Schmitt, Prexl, Ebel, Liebel, Zhu: Weakly supervised semantic segmentation of satellite
images for land cover mapping - challenges and opportunities, ISPRS Annals V-3, 2020.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.published.benchmark import Benchmark, Job, Result, kept
from bench.published.settings import QUICK, Settings

from overcast.datasets import dfc2020, sen12ms
from overcast.datasets.dataset import Dataset, Patch

if TYPE_CHECKING:
    from bench.published.arms import Arms, Curve

CLASSES = (
    *("Forest", "Shrubland", "Grassland", "Wetlands"),
    *("Croplands", "Urban", "Barren", "Water"),
)
"""Columns of both tables; DFC2020's fine labels have no others."""
TABLE_3 = {
    "LR-HR": (51.6, 7.7, 6.7, 0.6, 64.4, 71.5, 0.3, 95.1, 37.2),
    "DLv3, S2 only": (71.4, 2.3, 64.4, 2.4, 53.3, 71.0, 0.2, 88.9, 44.2),
    "DLv3, S1+S2": (61.2, 3.8, 48.2, 3.8, 61.9, 62.8, 1.0, 95.8, 42.3),
    "Unet, S2 only": (67.3, 0.0, 76.7, 3.7, 65.7, 80.9, 0.6, 89.4, 48.1),
    "Unet, S1+S2": (55.4, 3.7, 77.2, 3.2, 50.7, 73.1, 0.8, 92.7, 44.6),
    "k-means, S2 only": (2.4, 7.7, 11.2, 2.2, 42.1, 0.0, 54.4, 55.8, 22.0),
    "k-means, S1+S2": (1.7, 5.9, 12.5, 0.3, 13.4, 0.0, 6.2, 68.9, 13.6),
    "RF, S2 only": (77.1, 0.0, 90.3, 4.1, 42.1, 0.0, 0.0, 25.4, 29.9),
    "RF, S1+S2": (76.9, 0.0, 90.5, 4.0, 39.6, 0.0, 0.0, 34.5, 30.7),
}
"""Producer's accuracy of `CLASSES` and their average in per cent, as published."""
TABLE_4 = {
    "LR-HR": TABLE_3["LR-HR"],
    "k-means, S2 only": (80.7, 0.3, 21.2, 38.2, 33.4, 38.8, 0.4, 73.1, 35.8),
    "k-means, S1+S2": (93.3, 44.7, 49.8, 1.3, 40.3, 50.7, 9.8, 48.7, 42.3),
    "RF, S2 only": (80.1, 0.9, 78.0, 0.0, 80.7, 91.8, 0.0, 99.9, 54.0),
    "RF, S1+S2": (80.1, 0.8, 78.2, 0.0, 80.9, 91.7, 0.0, 99.8, 54.1),
}
DEVIATIONS = (
    "Where S1 is NaN it is unknown; the paper's code leaves out the one patch of SEN12MS "
    "that is known to have some, and would turn NaN into 0 dB, the brightest value.",
    "Networks: AdamW with warm-up and linear cool-down instead of RMSprop and SGD of a "
    "fixed rate; DeepLabv3+ starts from random weights instead of ImageNet's; both see "
    "which pixels are valid as one more channel a sensor.",
    "Shallow classifiers: so many pixels as the settings say, drawn evenly from all "
    "patches, instead of every pixel of 2,500 patches.",
)
"""What is not as in the paper, a sentence each."""
_EXAMPLES = 2


def transfer(job: Job) -> Result:
    """Table 3 and figures 2, 3, 5, 6: learned on SEN12MS, tested on DFC2020."""
    settings = _settings(job)
    world = sen12ms.open(job.root)
    try:
        local = dfc2020.open(job.test_root or job.root)
    except ValueError as error:
        raise ValueError(f"DFC2020 to test on (--test-root): {error}") from error
    arms = _arms(
        job, settings, world.split("train"), world.split("holdout"), _tested(local)
    )
    return _result(job, arms, (world, local), TABLE_3)


def target(job: Job) -> Result:
    """Table 4 and figures 2, 3, 6: learned and tested on DFC2020."""
    local = dfc2020.open(job.root)
    patches = _tested(local)
    arms = _arms(job, _settings(job), patches, (), patches)
    return _result(job, arms, (local,), TABLE_4)


BENCHMARKS: Mapping[str, Benchmark] = {"sen12ms": transfer, "dfc2020": target}


def _settings(job: Job) -> Settings:
    from overcast.schema import from_tree

    tree = {**(QUICK if job.quick else {}), **job.settings}
    return from_tree(Settings, tree, "settings")


def _tested(dataset: Dataset) -> list[Patch]:
    """The validation split; all patches of the release that knows no such split."""
    if "validation" in dataset.splits:
        return list(dataset.split("validation"))
    return [patch for patches in dataset.splits.values() for patch in patches]


def _arms(
    job: Job,
    settings: Settings,
    learn: Sequence[Patch],
    holdout: Sequence[Patch],
    test: Sequence[Patch],
) -> Arms:
    from bench.published.arms import Arms
    from bench.published.patches import some

    chosen = some(test, settings.most)
    return Arms(
        learn=some(learn, settings.most),
        test=chosen,
        holdout=some(holdout, settings.most),
        examples=_most_varied(job, chosen),
        settings=settings,
        folder=job.folder,
        seed=job.seed,
        progress=job.progress,
    )


def _most_varied(job: Job, patches: Sequence[Patch]) -> list[Patch]:
    """The patches whose fine labels have the most classes, to be looked at."""
    from bench.published.survey import count_classes

    def count() -> list[int]:
        found = []
        for done, patch in enumerate(patches, 1):
            pixels = count_classes([patch], "fine").pixels
            found.append(int((pixels > 0).sum()))
            job.progress("looking for examples", done, len(patches))
        return found

    classes = kept(job.folder / "examples.json", count)
    places = sorted(range(len(patches)), key=lambda n: (-classes[n], n))
    return [patches[n] for n in places[:_EXAMPLES]]


def _result(
    job: Job,
    arms: Arms,
    datasets: Sequence[Dataset],
    published: Mapping[str, Sequence[float]],
) -> Result:
    from bench.published.tables import make_page, make_tree

    rows = [arms.coarse(), *arms.shallow(), *arms.methods()]
    curves: list[Curve] = []
    if arms.holdout:
        deep, curves = arms.deep()
        rows[1:1] = deep
    tree = make_tree(job, arms.settings, datasets, rows, curves)
    tree["figure 2"] = _figure_2(job, arms, datasets)
    tree["published"] = {
        name: dict(zip((*CLASSES, "Average"), values, strict=True))
        for name, values in published.items()
    }
    tree["deviations"] = list(DEVIATIONS)
    pictures = sorted((job.folder / "panels").rglob("*.png"))
    panels = [str(file.relative_to(job.folder)) for file in pictures]
    return Result(tree, make_page(tree, panels))


def _figure_2(job: Job, arms: Arms, datasets: Sequence[Dataset]) -> dict[str, Any]:
    """Class shares, and classes a patch, of every split by each of its labels."""
    from bench.published.patches import some

    figure = {}
    for dataset in datasets:
        for split in dataset.splits:
            patches = some(dataset.split(split), arms.settings.most)
            for labels in patches[0].layout.labels:
                name = f"{dataset.name} {split}, {labels}"
                file = job.folder / "figure 2" / f"{name}.json"
                figure[name] = kept(file, partial(_count, job, patches, labels))
    return figure


def _count(job: Job, patches: Sequence[Patch], labels: str) -> dict[str, Any]:
    from bench.published.survey import count_classes

    from overcast.accuracy.confusion import plain

    found = count_classes(patches, labels, job.progress)
    names = patches[0].labels(labels).legend.names
    return {
        "patches": len(patches),
        "shares": {n: plain(s) for n, s in zip(names, found.shares, strict=True)},
        "patches with so many classes": found.patches_with.tolist(),
        "unknown pixels": found.unknown,
    }
