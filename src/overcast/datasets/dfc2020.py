"""DFC2020: Sentinel-1, Sentinel-2, 500 m MODIS land cover and a 10 m reference.

6,114 patches of 256 x 256 pixels in seven regions, handed out twice. The contest's
files are in ``ROIs0000_validation`` (986) and ``ROIs0000_test`` (5,128), the splits of
Schmitt 2020; their patches do not say which region they are of, and as far as could be
found have no place on the ground (EPSG:4326 without geotransform).
``DFC_Public_Dataset`` holds the same patches placed, by season and region, without the
contest's split: here every region is a split. Savanna and Snow/Ice occur in the
coarse labels only.
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

_PARTS = ("s1", "s2", "lc", "dfc")
_SPLITS = {"ROIs0000_validation": "validation", "ROIs0000_test": "test"}
CONTEST = Release(
    _PARTS,
    {
        "ROIs0000_validation": "{part}_validation.zip",
        "ROIs0000_test": "{part}_0.zip",
    },
)
PUBLIC = Release(
    _PARTS,
    {
        f"ROIs0000_{season}": "DFC_Public_Dataset.zip"
        for season in ("autumn", "spring", "summer", "winter")
    },
)
SIZES = {"validation": 986, "test": 5_128}
"""Patches of the contest's splits."""


def open(root: Path) -> Dataset:
    """List the patches below `root`, which holds ``ROIs0000_validation`` and so on.

    Splits are ``validation`` and ``test`` in the contest's layout, regions such as
    ``BlackForest`` in the public one; labels are ``coarse`` and ``fine``. A scene is a
    region where it is known, else all of a split.

    Raises
    ------
    ValueError
        If the folder is missing or laid out otherwise, saying how it should be.
    """
    root = Path(root)
    release, seasons = seasons_in(root, [CONTEST, PUBLIC])
    labels = {"coarse": "lc", "fine": "dfc"}
    patches, notes = find_patches(layout(root, labels), release, seasons)
    splits: dict[str, list[Patch]] = {}
    for patch in patches:
        season, _, region = patch.scene.partition("/")
        splits.setdefault(_SPLITS.get(season, region), []).append(patch)
    expected = SIZES if release is CONTEST else {}
    for name, size in expected.items():
        if (present := len(splits.get(name, []))) != size:
            notes.append(
                f"{root}: {present:,} patches of {name}, of {size:,} in the whole release"
            )
    return Dataset(
        name="DFC2020",
        licence="CC BY 4.0 (as stated by the publisher; check before use)",
        citation=(
            "Schmitt, Hughes, Ghamisi, Yokoya, Haensch: 2020 IEEE GRSS Data Fusion "
            "Contest, IEEE DataPort, 2019, doi 10.21227/rha7-m332"
        ),
        url="https://ieee-dataport.org/competitions/2020-ieee-grss-data-fusion-contest",
        legend=load_legend(LEGEND),
        splits=splits,
        notes=tuple(notes),
    )


def fake(root: Path, seed: int = 0, public: bool = False) -> None:
    """Write three or four overlapping patches of 128 x 128 pixels of either split.

    With `public`, two of each of two regions in the layout of DFC_Public_Dataset
    instead. The same `seed` writes the same values.
    """
    scenes = _public_scenes() if public else _contest_scenes()
    for scene in scenes:
        write_scene(Path(root), scene, seed)


def _contest_scenes() -> list[Miniature]:
    return [
        Miniature(
            season=season,
            scene=scene,
            numbers=numbers,
            parts=_PARTS,
            named="0",  # in the folder dfc_validation as well
            placed=False,
            s1="float64",
        )
        for season, scene, numbers in (
            ("ROIs0000_validation", "validation", (0, 1, 2)),
            ("ROIs0000_test", "0", (0, 1, 2, 10)),
        )
    ]


def _public_scenes() -> list[Miniature]:
    return [
        Miniature(
            season=f"ROIs0000_{season}",
            scene=region,
            numbers=(255, 741),
            parts=_PARTS,
            s1="float64",
        )
        for season, region in (("autumn", "Mumbai"), ("spring", "BlackForest"))
    ]
