"""The layout that SEN12MS and DFC2020 share.

``<season>/<part>_<scene>/<season>_<part>_<scene>_p<number>.tif`` with parts ``s1``
(VV, VH in dB), ``s2`` (13 bands of L1C, reflectance x 10,000), ``lc`` (MODIS land
cover, IGBP codes in band 1) and, in DFC2020, ``dfc``. Pixels are 10 m.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from overcast.datasets.dataset import PART, Layout, Part, Patch, left_out
from overcast.datasets.rasters import crossed, open_bands, open_classes
from overcast.geo.bands import (
    SENTINEL_1,
    SENTINEL_2_ENCODING,
    SENTINEL_2_L1C,
    Encoding,
)
from overcast.geo.legend import Crosswalk, load_crosswalk
from overcast.geo.stack import ImageSource, LabelSource

LEGEND = "simplified-igbp"
PIXEL_M = 10.0
Key = tuple[str, str]
"""Scene and number of a patch, as in the names of its files."""
_NO_ECHO = Encoding(nodata=0.0)
"""dB; NaN is unknown anyway, and 0 dB in both channels at once is taken for fill."""
_UNUSED = 0
"""Code that neither scheme has: not known."""


def layout(root: Path, labels: Mapping[str, str]) -> Layout:
    """Layout with two sensors, and `labels` by name (``coarse``, ``fine``) to part."""
    openers: dict[str, Callable[[Path], LabelSource]] = {
        "lc": _open_coarse,
        "dfc": _open_fine,
    }
    return Layout(
        root=root,
        images={"s1": Part("s1", _open_s1), "s2": Part("s2", _open_s2)},
        labels={name: Part(word, openers[word]) for name, word in labels.items()},
    )


def _open_s1(path: Path) -> ImageSource:
    return open_bands(path, SENTINEL_1, _NO_ECHO, PIXEL_M)


def _open_s2(path: Path) -> ImageSource:
    return open_bands(path, SENTINEL_2_L1C, SENTINEL_2_ENCODING, PIXEL_M)


def _open_coarse(path: Path) -> LabelSource:
    walk = _igbp()
    return crossed(open_classes(path, walk.source, _UNUSED, PIXEL_M), walk)


def _open_fine(path: Path) -> LabelSource:
    return open_classes(path, _igbp().target, _UNUSED, PIXEL_M)


@cache
def _igbp() -> Crosswalk:
    return load_crosswalk("igbp", LEGEND)


@dataclass(frozen=True, slots=True)
class Release:
    """How a dataset is published: its parts, and the archives of every season.

    `archives` gives the name of a season's archives, ``{part}`` standing for the part.
    """

    parts: tuple[str, ...]
    archives: Mapping[str, str]

    def archives_of(self, season: str, parts: Sequence[str]) -> str:
        """Names of the archives of some parts of a season."""
        names = [self.archives[season].format(part=part) for part in parts]
        return ", ".join(dict.fromkeys(names))


def seasons_in(root: Path, releases: Sequence[Release]) -> tuple[Release, list[str]]:
    """Return the first release that `root` holds a season of, and those seasons.

    Raises
    ------
    ValueError
        If the folder is missing, or holds no season of any release.
    """
    together: dict[str, list[str]] = {}
    for release in releases:
        for season in release.archives:
            archives = release.archives_of(season, release.parts)
            together.setdefault(archives, []).append(season)
    advice = "; or ".join(
        f"{', '.join(seasons)} from {archives}"
        for archives, seasons in together.items()
    )
    if not root.is_dir():
        what = "a file" if root.exists() else "no such folder"
        raise ValueError(f"{root}: {what}; give the folder that holds {advice}")
    for release in releases:
        if seasons := [s for s in release.archives if (root / s).is_dir()]:
            return release, seasons
    for child in sorted(p for p in root.iterdir() if p.is_dir()):
        if any((child / s).is_dir() for r in releases for s in r.archives):
            raise ValueError(f"{root}: one folder too high; give {child}")
    raise ValueError(f"{root}: holds {_shown(os.listdir(root))}; unpack there {advice}")


def find_patches(
    where: Layout, release: Release, seasons: Sequence[str]
) -> tuple[list[Patch], list[str]]:
    """Every patch that all parts have, and a note for those that some part lacks.

    Raises
    ------
    ValueError
        If a scene lacks a whole part, or a folder holds no patches.
    """
    patches, notes = list[Patch](), list[str]()
    for season in seasons:
        for scene in _scenes(where.root / season, release, season):
            common, lone = _keys(where.root / season, scene, release.parts)
            patches += [
                _patch(where, season, scene, key)
                for key in sorted(common, key=_natural)
            ]
            numbers = {f"p{number}" for _, number in lone}
            where_it_is = f"{where.root / season}, scene {scene}"
            notes += left_out(where_it_is, numbers, release.parts)
    return patches, notes


def _patch(where: Layout, season: str, scene: str, key: Key) -> Patch:
    named, number = key
    file = f"{season}_{PART}_{named}_p{number}.tif"
    return Patch(
        name=f"{season}_{named}_p{number}",
        scene=f"{season}/{scene}",
        files=f"{season}/{PART}_{scene}/{file}",
        layout=where,
    )


def _keys(folder: Path, scene: str, parts: Sequence[str]) -> tuple[set[Key], set[Key]]:
    """Patches that all parts of a scene have, and those that only some have."""
    keys = [_keys_in(folder / f"{p}_{scene}", f"{folder.name}_{p}_") for p in parts]
    common = set.intersection(*keys)
    return common, set.union(*keys) - common


def _scenes(folder: Path, release: Release, season: str) -> Iterator[str]:
    """Scenes of a season, all of whose parts are there."""
    names = [entry.name for entry in os.scandir(folder) if entry.is_dir()]
    scenes: dict[str, set[str]] = {}
    for name in names:
        part, _, scene = name.partition("_")
        if part in release.parts and scene:
            scenes.setdefault(scene, set()).add(part)
    if not scenes:
        raise ValueError(
            f"{folder}: holds {_shown(os.listdir(folder))}; expected folders such as "
            f"{release.parts[0]}_<scene>; unpack "
            f"{release.archives_of(season, release.parts)} here"
        )
    for scene in sorted(scenes, key=lambda s: _natural((s, ""))):
        if missing := [p for p in release.parts if p not in scenes[scene]]:
            raise ValueError(
                f"{folder}: scene {scene} has {', '.join(sorted(scenes[scene]))} but no "
                f"{', '.join(missing)}; unpack {release.archives_of(season, missing)}"
            )
        yield scene


def _keys_in(folder: Path, head: str) -> set[Key]:
    """Scene and number, as the names of a folder's files say them."""
    # The contest's folder dfc_validation holds files that call the scene 0.
    pattern = re.compile(rf"{re.escape(head)}(\w+)_p(\d+)\.tif")
    names = [entry.name for entry in os.scandir(folder)]
    matches = [match for name in names if (match := pattern.fullmatch(name))]
    if not matches:
        raise ValueError(
            f"{folder}: holds {_shown(names)}; expected files such as "
            f"{head}<scene>_p<number>.tif; unpack the archive so that its GeoTIFFs lie "
            "in this folder itself"
        )
    return {(match[1], match[2]) for match in matches}


def _natural(key: Key) -> tuple[tuple[int, str], ...]:
    return tuple((int(t), "") if t.isdigit() else (-1, t) for t in key)


def _shown(names: Sequence[str]) -> str:
    shown = sorted(names)[:5]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return (", ".join(shown) or "nothing") + more
