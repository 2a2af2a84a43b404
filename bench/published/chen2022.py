"""Few labels on DFC2020 after learning without: Chen and Bruzzone 2022.

``dfc2020-ssl`` pretrains networks on unlabelled pairs of DFC2020 by the recipe contrast,
with sensors fused early, in the middle and late, and learns the fine labels of 10 to
1,000 patches: from scratch, with a linear head on the frozen network, and fine-tuned; a
random forest on the bands stands beside them. Images are the paper's: B2, B3, B4, B8,
and backscatter clipped to [-25, 0] dB.

The paper's splits are indices into an unsorted list of files, and its training and test
patches are of the same scenes. Here no scene is in both: where patches say their region,
whole regions are tested; else the contest's validation split is, of whose patches nobody
can tell the region. Nothing of a tested scene is learned from, unlabelled or not.

Chen, Bruzzone: Self-supervised SAR-optical data fusion of Sentinel-1/-2 images, IEEE
Transactions on Geoscience and Remote Sensing 60, 2022.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from bench.published.benchmark import Benchmark, Job, Result, kept
from bench.published.ssl_settings import LABELS, PRETRAINED, QUICK, Settings

from overcast.datasets import dfc2020
from overcast.datasets.dataset import Dataset, Patch

if TYPE_CHECKING:
    from overcast.geo.stack import Stack

BANDS = {"s1": ("VV", "VH"), "s2": ("B02", "B03", "B04", "B08")}
PUBLISHED = {
    "weakly supervised": (37.9, 42.9, 45.5, 48.2, 49.0),
    "middle, linear": (26.8, 41.0, 45.2, 48.7, 49.8),
    "late, linear": (30.1, 39.8, 43.4, 46.4, 47.6),
    "early, linear": (26.3, 38.7, 43.9, 47.7, 49.1),
}
"""Mean IoU of ten classes in per cent for `LABELS`, read off a figure to about 0.3."""
DEVIATIONS = (
    "Tested scenes are not learned from; the paper's training and test patches are of "
    "the same scenes.",
    "Networks, schedules and windows are those in the settings, the same number of "
    "steps for every number of labels.",
    "A linear head is the network's last convolution, learned by AdamW; the paper's is "
    "1 x 1, learned by SGD for 50 epochs.",
    "Projection heads see features standardised over the batch, crops of a window shift "
    "a copy, and negatives of past steps are remembered (contrast's own; docs say why).",
    "Random draws of patches differ from the paper's, which are not published.",
)
"""What is not as in the paper, a sentence each."""
_TESTED_REGIONS = 2
_NOWHERE = "ROIs0000_validation/validation"
"""Scene of all patches of the contest's validation split."""


@dataclass(frozen=True, slots=True)
class Row:
    """Scores of an arm with the labels of so many patches."""

    name: str
    labels: int
    scores: Mapping[str, Any]


def few_labels(job: Job) -> Result:
    """Every arm of every network, with labels of every number of patches."""
    from bench.published.ssl_page import make_page

    from overcast.schema import from_tree

    tree = {**(QUICK if job.quick else {}), **job.settings}
    settings = from_tree(Settings, tree, "settings")
    dataset = dfc2020.open(job.root)
    learn, test = divided(dataset, settings.regions, job.seed)
    bench = _Bench(job, settings, learn, test)
    made = {
        "quick": job.quick,
        "seed": job.seed,
        "settings": asdict(settings),
        "licence": dataset.licence,
        "citation": dataset.citation,
        "notes": [*dataset.notes, *bench.notes()],
        "learned": _counts(learn),
        "tested": _counts(bench.tested),
        "rows": [asdict(row) for row in bench.rows()],
        "published": {"labels": LABELS, **PUBLISHED},
        "deviations": list(DEVIATIONS),
    }
    return Result(made, make_page(made))


BENCHMARKS: Mapping[str, Benchmark] = {"dfc2020-ssl": few_labels}


def divided(
    dataset: Dataset, regions: Sequence[str], seed: int
) -> tuple[list[Patch], list[Patch]]:
    """Patches to learn from and patches to test, of different scenes.

    Raises
    ------
    ValueError
        If a region is not there, or none is left to learn from.
    """
    splits = dict(dataset.splits)
    order = np.random.default_rng((seed, 0)).permutation(sorted(splits)).tolist()
    usual = ["validation"] if "validation" in splits else order[:_TESTED_REGIONS]
    tested = set(regions or usual)
    if not tested < splits.keys():
        raise ValueError(
            f"{dataset.name}: can't test {', '.join(sorted(tested))} and learn from the "
            f"rest; there are {', '.join(splits)}"
        )
    learn = [p for name, found in splits.items() if name not in tested for p in found]
    return learn, [p for name in sorted(tested) for p in splits[name]]


def drawn(patches: Sequence[Patch], count: int, seed: int) -> list[Patch]:
    """So many patches at random; more of them hold the fewer ones."""
    order = np.random.default_rng((seed, 1)).permutation(len(patches))
    return [patches[place] for place in order[:count]]


def _counts(patches: Sequence[Patch]) -> dict[str, int]:
    scenes = [patch.scene for patch in patches]
    return {scene: scenes.count(scene) for scene in dict.fromkeys(scenes)}


@dataclass(frozen=True, slots=True)
class _Bench:
    """All arms on one division of the data."""

    job: Job
    settings: Settings
    learn: Sequence[Patch]
    test: Sequence[Patch]

    @property
    def tested(self) -> Sequence[Patch]:
        """Patches that are scored."""
        from bench.published.patches import some

        return some(self.test, self.settings.test)

    @property
    def counts(self) -> list[int]:
        """Numbers of labelled patches that there are."""
        return [n for n in self.settings.labels if n <= len(self.learn)]

    def notes(self) -> list[str]:
        """What could not be done as asked, and what can't be known."""
        there = len(self.learn)
        left = ", ".join(str(n) for n in self.settings.labels if n > there)
        if not self.counts:
            raise ValueError(
                f"there are {there} patches to learn from; set labels lower than {left}"
            )
        found = [f"only {there} patches to learn from: {left} left out"] if left else []
        if any(patch.scene == _NOWHERE for patch in self.test):
            found.append(
                "the contest's patches don't say their region: whether its validation "
                "and test splits share one can't be checked"
            )
        return found

    def rows(self) -> list[Row]:
        """Scores of everything, made now or remembered."""
        found = []
        for arm, own in self.settings.arms.items():
            if "name" in own:
                found += [self._row(arm, dict(own), n) for n in self.counts]
                continue
            for network in self.settings.networks:
                method = self.settings.method_of(network, arm)
                if method.get("start") == PRETRAINED:
                    method["start"] = str(self._pretrained(network))
                name = f"{network}, {arm}"
                found += [self._row(name, method, n) for n in self.counts]
        return found

    def _row(self, name: str, method: Mapping[str, Any], count: int) -> Row:
        folder = self.job.folder / "arms" / f"{name}, {count} labels"

        def make() -> dict[str, Any]:
            from bench.published.patches import TEN, assess, whole

            from overcast.accuracy.confusion import scores
            from overcast.plan import choose

            chosen = choose("methods", method)
            labelled = drawn(self.learn, count, self.job.seed)
            stacks = [stack_of(patch, "fine") for patch in labelled]
            folder.mkdir(parents=True, exist_ok=True)
            chosen.fit(stacks, folder, self.job.seed, self.job.progress)
            predictor = chosen.load(folder, TEN, stacks[0].sensors)

            def read(patch: Patch) -> Any:
                stack = stack_of(patch, "fine")
                return stack.read(whole(stack))

            return scores(assess(predictor, self.tested, read, self.job.progress), TEN)

        return Row(name, count, kept(folder.with_name(f"{folder.name}.json"), make))

    def _pretrained(self, network: str) -> Path:
        """Folder of a network that was pretrained, now or before."""
        from overcast.plan import Data, Plan, choose, write_plan

        folder = self.job.folder / "arms" / f"{network}, pretrained"
        method = self.settings.pretraining_of(network)

        def make() -> dict[str, Any]:
            unlabelled = drawn(self.learn, self.settings.unlabelled, self.job.seed)
            stacks = [self._unlabelled(patch) for patch in unlabelled]
            folder.mkdir(parents=True, exist_ok=True)
            write_plan(Plan(data=Data(images={}), method=method), folder / "plan.yaml")
            choose("methods", method).pretrain(
                stacks, folder, self.job.seed, self.job.progress
            )
            return {"patches": len(stacks)}

        kept(folder.with_name(f"{folder.name}.json"), make)
        return folder

    def _unlabelled(self, patch: Patch) -> Stack:
        """A patch without labels, with superpixels that are computed once."""
        from overcast.train.felzenszwalb import with_superpixels

        kept_in = self.job.folder / "arms" / "superpixels" / patch.name
        return with_superpixels(stack_of(patch, None), kept_in)


def stack_of(patch: Patch, labels: str | None) -> Stack:
    """A patch with the paper's bands and ranges, and labels by name or none."""
    from bench.published.patches import SENSORS, Clipped

    stack = patch.stack(labels)
    images = {
        name: Clipped(stack.images[name], SENSORS[name].select(bands))
        for name, bands in BANDS.items()
    }
    return replace(stack, images=images)
