"""SEN12MS: Sentinel-1, Sentinel-2 and 500 m MODIS land cover of places all over the world.

180,662 patches of 256 x 256 pixels, cut with a stride of 128, in four seasons. The
hold-out scenes are those of the authors' repository; the rest is for training. One
patch (ROIs1868_summer_146_p202) has NaN in S1, which is unknown here like any other.
"""

from __future__ import annotations

from pathlib import Path

from overcast.datasets.dataset import Dataset, Patch
from overcast.datasets.fakes import Miniature, write_scene
from overcast.datasets.rois import (
    LEGEND,
    Release,
    find_patches,
    layout,
    seasons_in,
)
from overcast.geo.legend import load_legend

HOLDOUT_SCENES = {
    "ROIs1158_spring": (63, 146, 97, 124, 15, 17),
    "ROIs1868_summer": (43, 131, 19, 104, 72, 15, 79),
    "ROIs1970_fall": (120, 39, 144, 35, 61, 47, 30, 141),
    "ROIs2017_winter": (64, 146, 32, 107, 135),
}
"""Official hold-out scenes of every season."""
SIZES = {"train": 162_556, "holdout": 18_106}
"""Patches of the whole release."""
RELEASE = Release(
    ("s1", "s2", "lc"), {s: f"{s}_{{part}}.tar.gz" for s in HOLDOUT_SCENES}
)


def open(root: Path) -> Dataset:
    """List the patches below `root`, which holds ``ROIs1158_spring`` and so on.

    Splits are ``train`` and ``holdout``; labels are ``coarse``. Any of the seasons and
    scenes may be missing, and a note then says how many patches there are.

    Raises
    ------
    ValueError
        If the folder is missing or laid out otherwise, saying how it should be.
    """
    root = Path(root)
    release, seasons = seasons_in(root, [RELEASE])
    patches, notes = find_patches(layout(root, {"coarse": "lc"}), release, seasons)
    held = {f"{s}/{n}" for s, scenes in HOLDOUT_SCENES.items() for n in scenes}
    splits: dict[str, list[Patch]] = {"train": [], "holdout": []}
    for patch in patches:
        splits["holdout" if patch.scene in held else "train"].append(patch)
    for name, size in SIZES.items():
        if len(splits[name]) != size:
            notes.append(
                f"{root}: {len(splits[name]):,} patches of {name}, of {size:,} in the "
                "whole release"
            )
    return Dataset(
        name="SEN12MS",
        licence="CC BY 4.0 (as stated by the publisher; check before use)",
        citation=(
            "Schmitt, Hughes, Qiu, Zhu: SEN12MS - a curated dataset of georeferenced "
            "multi-spectral Sentinel-1/2 imagery for deep learning and data fusion, "
            "ISPRS Annals IV-2/W7, 153-160, 2019, "
            "doi 10.5194/isprs-annals-IV-2-W7-153-2019"
        ),
        url="https://mediatum.ub.tum.de/1474000",
        legend=load_legend(LEGEND),
        splits=splits,
        notes=tuple(notes),
    )


_FAKE_SCENES = {
    "ROIs1158_spring": (1, 63),
    "ROIs1868_summer": (146, 43),
    "ROIs1970_fall": (1, 120),
    "ROIs2017_winter": (1, 64),
}
_DAMAGED = "ROIs1868_summer", 146, 202


def fake(root: Path, seed: int = 0) -> None:
    """Write eight scenes of two overlapping patches of 128 x 128 pixels each.

    A training and a hold-out scene a season, in UTM; part of the S1 of
    ROIs1868_summer_146_p202 is NaN. The same `seed` writes the same values.
    """
    for season, scenes in _FAKE_SCENES.items():
        for scene in scenes:
            damaged = (season, scene) == _DAMAGED[:2]
            first = _DAMAGED[2] if damaged else 30
            write_scene(
                Path(root),
                Miniature(
                    season=season,
                    scene=str(scene),
                    numbers=(first, first + 1),
                    parts=RELEASE.parts,
                    damaged=first if damaged else None,
                ),
                seed,
            )
