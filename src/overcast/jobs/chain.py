"""From labelled optical scenes and unlabelled optical and SAR pairs to SAR-only maps.

    optical   runs that learn from labelled scenes, and see the pairs' optical images
    pseudo    labels that these runs, from many views, give to every pair
    refit     runs of `weak` that learn from these labels, and what they say instead
    sar       a run that learns from the pairs' other images with these labels
    map       maps of every pair from these other images alone

(Liu 2025). Every part is a folder of its own, made by the job of the command that would
make it alone, so that each can be looked at, scored and used elsewhere. A part that is
there is not made twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from overcast import map_folder
from overcast.jobs.mapping import JobResult, map_elsewhere, train_only
from overcast.jobs.pseudo import make_pseudo_labels
from overcast.lock import contents, writing
from overcast.output import draft_of, finish_left, forget, remove, write_whole
from overcast.plan import Data, ImageInput, LabelInput, Plan, fingerprint
from overcast.progress import Progress
from overcast.run import Runs
from overcast.run_folder import RUN
from overcast.trees import to_tree

TARGET = "probabilities"
"""Name under which a SAR run is given the probabilities of pseudo-labels."""
_KEY = "chain-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The parts of a chain.

    Attributes
    ----------
    optical
        Labelled scenes, and how to learn from them.
    sar
        Pairs without labels, and how to learn from those of their images that the
        optical scenes lack.
    networks
        Optical runs whose probabilities are averaged; they differ in seed.
    views
        Views that pseudo-labels and maps are averages of.
    refits
        Times that `weak` learns from the pairs' optical images with the pseudo-labels,
        and labels them anew; ours. What looks alike gets one class then, whatever a
        network of another season made of it.

    Raises
    ------
    ValueError
        If there is no run, refits are negative, or a pair lacks an optical image or has
        no other.
    """

    optical: Plan
    sar: Plan
    networks: int = 1
    views: int = 24
    refits: int = 0

    def __post_init__(self) -> None:
        if self.networks < 1 or self.refits < 0:
            raise ValueError(
                "networks must be 1 or more and refits 0 or more, "
                f"got {self.networks} and {self.refits}"
            )
        for number, pair in enumerate(self.pairs):
            if pair.labels is not None:
                raise ValueError(
                    f"pair {number} has the labels {pair.labels.path}, which a chain "
                    "would not read; leave them out"
                )
            missing = self._seen - pair.images.keys()
            if missing or not self.only(pair, optical=False).images:
                raise ValueError(
                    f"pair {number} has the images {', '.join(pair.images)}; expected "
                    f"{', '.join(sorted(self._seen))}, as the optical plan has, and "
                    "one or more that it does not have"
                )

    @property
    def pairs(self) -> tuple[Data, ...]:
        """All pairs, in order."""
        return (self.sar.data, *self.sar.scenes)

    @property
    def _seen(self) -> frozenset[str]:
        return frozenset(self.optical.data.images)

    def only(self, pair: Data, *, optical: bool) -> Data:
        """A pair's optical images, or its other ones; without labels."""
        images = {n: i for n, i in pair.images.items() if (n in self._seen) == optical}
        return replace(pair, images=images, labels=None)

    @property
    def key(self) -> str:
        """Fingerprint of all that is asked for."""
        return fingerprint(to_tree(self))

    def optical_plan(self, number: int) -> Plan:
        """Plan of an optical run: the pairs' optical images are further scenes."""
        bare = tuple(self.only(pair, optical=True) for pair in self.pairs)
        scenes = (*self.optical.scenes, *bare)
        return replace(self.optical, scenes=scenes, seed=self.optical.seed + number)

    def sar_plan(self, labelled: tuple[Path, ...]) -> Plan:
        """Plan of the SAR run, from folders of pseudo-labels in the order of pairs."""
        data, *scenes = self._with_labels(labelled, optical=False)
        return replace(self.sar, data=data, scenes=tuple(scenes))

    def refit_plan(self, labelled: tuple[Path, ...]) -> Plan:
        """Plan of a run that learns from optical images with pseudo-labels."""
        data, *scenes = self._with_labels(labelled, optical=True)
        method = {"name": "weak"}
        return replace(self.optical, data=data, scenes=tuple(scenes), method=method)

    def _with_labels(
        self, labelled: tuple[Path, ...], *, optical: bool
    ) -> Iterator[Data]:
        for pair, folder in zip(self.pairs, labelled, strict=True):
            target = ImageInput(
                path=str(folder / map_folder.PROBABILITIES),
                sensor="class-probabilities",
                target=True,
            )
            labels = LabelInput(
                path=str(folder / map_folder.MAP),
                legend=str(folder / map_folder.LEGEND),
            )
            bare = self.only(pair, optical=optical)
            images = {**bare.images, TARGET: target}
            yield replace(bare, images=images, labels=labels, grid=target.path)


def make_chain(
    chain: Chain, out: Path, overwrite: bool, progress: Progress
) -> JobResult:
    """Carry out a chain in the folder `out`, going on where it was stopped.

    Raises
    ------
    ValueError
        If `out` holds something else and `overwrite` is not set, or an input is
        refused.
    """
    out = out.resolve()
    with writing(out) as notes:
        _begin(out, chain.key, overwrite)
        made = _carry_out(chain, out, progress)
    return replace(made, notes=(*notes, *made.notes))


def _carry_out(chain: Chain, out: Path, progress: Progress) -> JobResult:
    notes: dict[str, None] = {}

    def train(plan: Plan, folder: Path) -> None:
        if not _is_there(folder, RUN):
            notes.update(dict.fromkeys(train_only(plan, folder, False, progress).notes))

    def label(runs: Runs, suffix: str) -> tuple[Path, ...]:
        folders, more = _label(chain, runs, out, suffix, progress)
        notes.update(dict.fromkeys(more))
        return folders

    optical = [out / f"optical-{n}" for n in range(chain.networks)]
    for number, folder in enumerate(optical):
        train(chain.optical_plan(number), folder)
    labelled = label(Runs(tuple(optical), views=chain.views), "")
    for number in range(chain.refits):
        folder = out / f"refit-{number}"
        train(chain.refit_plan(labelled), folder)
        labelled = label(Runs((folder,), views=chain.views), f"-refit-{number}")
    train(chain.sar_plan(labelled), out / "sar")
    radar, maps = Runs((out / "sar",), views=chain.views), []
    for number, (pair, folder) in enumerate(zip(chain.pairs, labelled, strict=True)):
        maps.append(out / f"map-{number}")
        if not _is_there(maps[-1], map_folder.MAP):
            data = chain.only(pair, optical=False)
            data = replace(data, grid=str(folder / map_folder.PROBABILITIES))
            made = map_elsewhere(radar, data, maps[-1], None, False, progress)
            notes.update(dict.fromkeys(made.notes))
    return JobResult(
        {
            "optical": [str(folder / RUN) for folder in optical],
            "pseudo": [str(folder) for folder in labelled],
            "sar": str(out / "sar" / RUN),
            "maps": [str(folder / map_folder.MAP) for folder in maps],
        },
        tuple(notes),
    )


def _label(
    chain: Chain, runs: Runs, out: Path, suffix: str, progress: Progress
) -> tuple[tuple[Path, ...], list[str]]:
    """Folders of what runs make of the pairs' optical images, in the order of pairs.

    Also what was noticed on the way.
    """
    notes: list[str] = []
    labelled = tuple(out / f"pseudo-{n}{suffix}" for n in range(len(chain.pairs)))
    for pair, folder in zip(chain.pairs, labelled, strict=True):
        if not _is_there(folder, map_folder.MAP):
            data = chain.only(pair, optical=True)
            made = make_pseudo_labels(runs, data, folder, None, False, progress)
            notes += made.notes
    return labelled, notes


def _is_there(folder: Path, name: str) -> bool:
    """Return whether a part exists; files that were about to move are moved first."""
    finish_left(folder)
    forget(folder)
    return (folder / name).exists()


def _begin(out: Path, key: str, overwrite: bool) -> None:
    """Claim the folder for this chain; what another one left goes if told so."""
    marker = out / _KEY
    draft_of(marker).unlink(missing_ok=True)
    mine = marker.exists() and marker.read_text(encoding="utf-8") == key
    if mine and not overwrite:
        return
    if contents(out):
        if not (overwrite and marker.exists()):
            raise ValueError(
                f"{out}: holds something else; give another --out, or --overwrite to "
                "replace an earlier chain"
            )
        for path in contents(out):
            if path != marker:
                remove(path)
    write_whole(marker, key)
