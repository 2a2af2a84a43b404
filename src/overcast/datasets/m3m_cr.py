"""M3M-CR (also M3R-CR): cloudy and clear PlanetScope at 3 m, Sentinel-1 at 10 m.

780 areas of 900 m. Below ``train`` and ``test``, every kind of file has a folder per
season and area: ``S1_fall/S1_fall_1/S1_fall_1_p_457.tif`` and likewise ``landcover``
(WorldCover at 10 m), ``planet_cloudy``, ``planet_cloudfree`` (blue, green, red, near
infrared, reflectance x 10,000, 0 where nothing was seen) and ``cloudmask`` (NumPy,
True under cloud, on the pixels of ``planet_cloudy``).

Stacks lie on the 3 m grid; Sentinel-1 is interpolated onto it and labels go by the
nearest pixel. The clear image and the cloud mask are targets: learned from, and not
there when mapping. WorldCover's classes become the six of CloudSeg (Xu et al. 2024);
snow, mangroves and moss are of none of them and so not known.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overcast.datasets.dataset import PART, Dataset, Layout, Part, Patch, left_out
from overcast.datasets.miniature import patchwork, utm_grid, write_raster
from overcast.datasets.rasters import (
    crossed,
    grid_of,
    open_bands,
    open_classes,
    open_unplaced,
)
from overcast.geo.arrays import ImageArray
from overcast.geo.bands import SENTINEL_1, Band, Encoding, Sensor
from overcast.geo.legend import Crosswalk, Legend, load_legend, parse_legend
from overcast.geo.raster import Image
from overcast.geo.stack import ImageSource, LabelSource

LEGEND = parse_legend(
    "code,name,colour\n1,Forest,006400\n2,Rangeland,ffff4c\n3,Agriculture,f096ff\n"
    "4,Urban,fa0000\n5,Barren,b4b4b4\n6,Water,0064c8",
    "m3m-cr",
)
"""Codes and colours are ours: the labels come in WorldCover's."""
_SIX = {10: 1, 20: 2, 30: 2, 40: 3, 50: 4, 60: 5, 80: 6, 90: 6}
"""Code of WorldCover to ours; 70, 95 and 100 have none."""
_BANDS = ("blue", "green", "red", "nir")
PLANET = Sensor(
    "planetscope",
    "optical",
    tuple(
        Band(name, "reflectance", 0.0, high, wavelength)
        for name, high, wavelength in zip(
            _BANDS, (0.25, 0.30, 0.35, 0.60), (490, 565, 665, 865), strict=True
        )
    ),
    layouts=(_BANDS,),
)
CLOUD = Sensor("cloud-mask", "optical", (Band("cloud", "share", 0.0, 1.0),))
_PLANET_M, _SENTINEL_M = 3.0, 10.0
AREAS = 780
"""Areas of the whole release."""
_PARTS = {
    "S1": ".tif",
    "landcover": ".tif",
    "planet_cloudy": ".tif",
    "planet_cloudfree": ".tif",
    "cloudmask": ".npy",
}
_AREA = re.compile(r"planet_cloudy_([a-z]+)_(\w+)")


def open(root: Path) -> Dataset:
    """List the areas below `root`, which holds ``train`` and ``test``, or one of them.

    Stacks have ``planet`` (cloudy), ``s1`` and the targets ``clear`` and ``cloud``;
    labels are ``fine``. A scene is an area in a season.

    Raises
    ------
    ValueError
        If the folder is missing or laid out otherwise, saying how it should be.
    """
    root = Path(root)
    present = [split for split in ("train", "test") if (root / split).is_dir()]
    if not present:
        raise ValueError(
            f"{root}: no train and no test; give the folder that holds them, such as "
            "M3M-CR"
        )
    where, notes = _layout(root), list[str]()
    splits = {split: _patches(root / split, where, notes) for split in present}
    areas = {patch.scene for patches in splits.values() for patch in patches}
    if len(areas) != AREAS:
        notes.append(f"{root}: {len(areas)} areas, of {AREAS} in the whole release")
    return Dataset(
        name="M3M-CR",
        licence="academic research only, as stated by its publisher (PlanetScope data)",
        citation=(
            "Xu, Shi, Ebel, Yang, Zhu: Multimodal and multiresolution data fusion for "
            "high-resolution cloud removal: a novel baseline and benchmark, IEEE TGRS "
            "62, 1-15, 2024, doi 10.1109/TGRS.2023.3337845"
        ),
        url="https://github.com/zhu-xlab/M3R-CR",
        legend=LEGEND,
        splits=splits,
        notes=tuple(notes),
    )


def fake(root: Path, seed: int = 0) -> None:
    """Write three patches to train with and one to test, of 300 m each.

    Part of every cloudy image is cloud, and a corner of it was not seen.
    """
    rng = np.random.default_rng(seed)
    areas = [("train", "fall_1", 457), ("train", "fall_1", 9), ("train", "winter_7", 3)]
    for split, area, number in (*areas, ("test", "summer_33", 1)):
        season, _, aoi = area.partition("_")
        for part, values in _made(rng).items():
            name = f"{part}_{season}_{aoi}"
            folder = Path(root) / split / f"{part}_{season}" / name
            file = folder / f"{name}_p_{number}{_PARTS[part]}"
            if part == "cloudmask":
                folder.mkdir(parents=True, exist_ok=True)
                np.save(file, values)
                continue
            pixel_m = _PLANET_M if part.startswith("planet") else _SENTINEL_M
            grid = utm_grid(values.shape[1:], pixel_m)
            write_raster(file, values, crs=str(grid.crs), transform=grid.affine)


def _made(rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Values of every kind of file for one patch, 30 pixels of 10 m and 100 of 3 m."""
    land = patchwork(rng, (30, 30), load_legend("worldcover").codes, blob_px=4)
    place = np.arange(100) * 3 // 10
    fine = land[np.ix_(place, place)].astype(float)
    clear = fine * 20 + np.reshape([300, 500, 400, 2000], (4, 1, 1))
    clear += rng.normal(0, 20, clear.shape)
    cloud = patchwork(rng, (100, 100), (0, 1)) == 1
    cloudy = np.where(cloud, 6000, clear)
    clear[:, :5, :5] = cloudy[:, :5, :5] = 0
    speckle = 10 * np.log10(rng.gamma(4, 0.25, (2, 30, 30)))
    echo = np.reshape([-10, -17], (2, 1, 1)) - land / 20 + speckle
    return {
        "S1": echo.astype(np.float32),
        "landcover": land[None],
        "planet_cloudy": cloudy.astype(np.uint16),
        "planet_cloudfree": clear.astype(np.uint16),
        "cloudmask": cloud,
    }


def _patches(folder: Path, where: Layout, notes: list[str]) -> list[Patch]:
    """Patches of a split that have every kind of file."""
    patches, lacking = list[Patch](), list[str]()
    for season, area in _areas(folder):
        stems = f"{PART}_{season}/{PART}_{season}_{area}/{PART}_{season}_{area}_p_"
        numbers = {part: _numbers(folder, part, stems) for part in _PARTS}
        whole = set.intersection(*numbers.values())
        scene = f"{season}_{area}"
        lacking += [
            f"{scene}_p_{n}" for n in set.union(*numbers.values()) if n not in whole
        ]
        for number in sorted(whole, key=int):
            name = f"{scene}_p_{number}"
            files = f"{folder.name}/{stems}{number}.tif"
            patches.append(Patch(name, scene, files, where))
    if not patches:
        raise ValueError(
            f"{folder}: no patch has all of {', '.join(_PARTS)}; expected files such as "
            f"{folder.name}/S1_fall/S1_fall_1/S1_fall_1_p_457.tif"
        )
    notes += left_out(f"{folder}", lacking, _PARTS)
    return patches


def _areas(folder: Path) -> list[tuple[str, str]]:
    """Season and number of every area."""
    areas = (
        _AREA.fullmatch(inner.name)
        for outer in folder.glob("planet_cloudy_*")
        for inner in outer.iterdir()
    )
    return sorted((match[1], match[2]) for match in areas if match)


def _numbers(folder: Path, part: str, stems: str) -> set[str]:
    """Numbers of the patches of an area that have a kind of file."""
    place, head = os.path.split(folder / stems.replace(PART, part))
    pattern = re.compile(rf"{re.escape(head)}(\d+){re.escape(_PARTS[part])}")
    names = os.listdir(place) if os.path.isdir(place) else []
    return {match[1] for name in names if (match := pattern.fullmatch(name))}


def _layout(root: Path) -> Layout:
    return Layout(
        root=root,
        images={
            "planet": Part("planet_cloudy", _planet),
            "s1": Part("S1", _s1),
            "clear": Part("planet_cloudfree", _planet),
            "cloud": Part("cloudmask", _cloud),
        },
        labels={"fine": Part("landcover", _fine)},
        targets=frozenset({"clear", "cloud"}),
    )


def _planet(path: Path) -> ImageSource:
    return open_bands(path, PLANET, Encoding(scale=1e-4, nodata=0), _PLANET_M)


def _s1(path: Path) -> ImageSource:
    return open_bands(path, SENTINEL_1, Encoding(), _SENTINEL_M)


def _cloud(path: Path) -> ImageSource:
    """The mask has no place of its own: it lies on the cloudy image."""
    mask = path.with_suffix(".npy")
    cloudy = Path(*(p.replace("cloudmask", "planet_cloudy") for p in path.parts))
    grid = grid_of(cloudy, open_unplaced(cloudy), _PLANET_M)
    try:
        values = np.load(mask, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{mask}: not a readable NumPy file ({error})") from error
    if values.shape != tuple(grid.shape):
        raise ValueError(
            f"{mask}: a mask of {values.shape}, expected {tuple(grid.shape)} as its "
            "cloudy image has; unpack the published archive again, unchanged"
        )
    return ImageArray(Image.of(values[None].astype(np.float32), grid, CLOUD))


def _fine(path: Path) -> LabelSource:
    theirs = load_legend("worldcover")
    return crossed(open_classes(path, theirs, 0, _SENTINEL_M), _walk(theirs))


def _walk(theirs: Legend) -> Crosswalk:
    weights = np.zeros((len(theirs), len(LEGEND)))
    for source, target in _SIX.items():
        weights[theirs.codes.index(source), LEGEND.codes.index(target)] = 1
    return Crosswalk(theirs, LEGEND, weights)
