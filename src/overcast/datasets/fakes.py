"""Made-up scenes in the layout of `rois`, for tests and for trying things out.

Land is the class whose smooth random field is highest; bands and backscatter are the
measured means of its class with texture and speckle; the coarse map is the majority of
500 m cells, some of mixed wood and grass called Savanna, as MODIS does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from overcast.datasets.miniature import patchwork, write_raster
from overcast.datasets.rois import LEGEND, PIXEL_M
from overcast.geo.legend import load_crosswalk
from overcast.worlds.measured import (
    BARREN,
    CLASSES,
    CROP,
    FOREST,
    GRASS,
    SAVANNA,
    SHRUB,
    SNOW,
    SPECKLE_LOOKS,
    URBAN,
    WATER,
    WETLAND,
    statistics,
)

SIDE = 128
_STRIDE = SIDE // 2  # real patches overlap by half as well
_CELL_PX = 50
_SURE = 0.4
"""A cell of wood, shrub and grass with no larger majority than this is Savanna."""
_HAZE = {"B02": 0.07, "B03": 0.04, "B04": 0.02}
"""Light scattered by the air, which L1C holds."""
_LCCS = {  # land cover, land use, surface hydrology of MCD12Q1
    FOREST: (14, 10, 10),
    SHRUB: (41, 40, 40),
    SAVANNA: (21, 20, 20),
    GRASS: (31, 30, 30),
    WETLAND: (31, 30, 50),
    CROP: (31, 36, 30),
    URBAN: (31, 9, 30),
    SNOW: (2, 2, 2),
    BARREN: (1, 1, 1),
    WATER: (3, 3, 3),
}
_SEASONS = {
    "spring": "spring",
    "fall": "autumn",
    "autumn": "autumn",
    "winter": "winter",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Miniature:
    """The parts of a scene to write.

    Attributes
    ----------
    season, scene, numbers, parts
        As in the paths of files.
    named
        The scene as file names call it; None: as the folder does.
    damaged
        Number of the patch that has NaN in S1, or none.
    placed
        False: files have EPSG:4326 and no geotransform, as the contest's do.
    s1
        Data type of S1 files.
    """

    season: str
    scene: str
    numbers: tuple[int, ...]
    parts: tuple[str, ...]
    named: str | None = None
    damaged: int | None = None
    placed: bool = True
    s1: str = "float32"


def write_scene(root: Path, scene: Miniature, seed: int) -> None:
    """Write the patches of a scene, `SIDE` pixels square and overlapping by half."""
    key = crc32(f"{scene.season}/{scene.scene}".encode())
    rng = np.random.default_rng([seed, key])
    width = SIDE + _STRIDE * (len(scene.numbers) - 1)
    bands = _bands(rng, scene, patchwork(rng, (SIDE, width), CLASSES))
    zone, east, north = rng.integers((1, 40, 100), (60, 60, 800))
    corner = Affine(PIXEL_M, 0, east * 1e4 + 2.5, 0, -PIXEL_M, north * 1e4 + 7.5)
    for index, number in enumerate(scene.numbers):
        left = index * _STRIDE
        for part in scene.parts:
            values = bands[part][:, :, left : left + SIDE].copy()
            if part == "s1" and number == scene.damaged:
                values[:, 20:90, 30:70] = np.nan
            named = scene.named or scene.scene
            file = f"{scene.season}_{part}_{named}_p{number}.tif"
            place = {"crs": "EPSG:4326", "transform": Affine.identity()}
            if scene.placed:
                transform = corner @ Affine.translation(left, 0)
                place = {"crs": f"EPSG:{32600 + zone}", "transform": transform}
            write_raster(
                root / scene.season / f"{part}_{scene.scene}" / file, values, **place
            )


def _bands(
    rng: np.random.Generator, scene: Miniature, land: NDArray[np.uint8]
) -> dict[str, NDArray[Any]]:
    """Bands of every part ``[C, H, W]``, as stored."""
    season = _SEASONS.get(scene.season.rpartition("_")[2], "summer")
    of = {k: statistics(k, season) for k in CLASSES}
    mean, texture = (np.zeros((10, n)) for n in (12, 10))
    for k in CLASSES:
        mean[k], texture[k] = of[k].mean, of[k].texture
    optical = mean[land, :10] + texture[land] * rng.normal(size=(*land.shape, 10))
    speckle = rng.gamma(SPECKLE_LOOKS, 1 / SPECKLE_LOOKS, (2, *land.shape))
    backscatter = np.moveaxis(mean[land, 10:], -1, 0) + 10 * np.log10(speckle)
    return {
        "s1": backscatter.astype(scene.s1),
        "s2": _thirteen(np.moveaxis(optical, -1, 0)),
        "lc": _coarse(rng, land),
        "dfc": (land + 1).astype(np.uint8)[None],
    }


def _thirteen(surface: NDArray[np.float64]) -> NDArray[np.uint16]:
    """L1C as stored, from ten surface bands: B01, B09 and B10 made up beside them."""
    b02, b03, b04, b05, b06, b07, b08, b8a, b11, b12 = surface
    hazy = [b02 + _HAZE["B02"], b03 + _HAZE["B03"], b04 + _HAZE["B04"]]
    air = [b02 * 0.5 + 0.11, b8a * 0.3, np.full_like(b02, 0.0015)]
    order = [air[0], *hazy, b05, b06, b07, b08, b8a, air[1], air[2], b11, b12]
    return (np.stack(order) * 1e4).round().clip(1, 65535).astype(np.uint16)


def _coarse(rng: np.random.Generator, land: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """IGBP and the three LCCS layers of 500 m cells, ``[4, H, W]``."""
    starts = -rng.integers(0, _CELL_PX, 2)
    rows, columns = (
        (np.arange(n) - s) // _CELL_PX for n, s in zip(land.shape, starts, strict=True)
    )
    walk = load_crosswalk("igbp", LEGEND)
    lccs = np.array([_LCCS[k] for k in range(10)])
    out = np.zeros((4, *land.shape), np.uint16)
    for row in np.unique(rows):
        for column in np.unique(columns):
            cell = np.ix_(rows == row, columns == column)
            k = _majority(np.bincount(land[cell].ravel(), minlength=10))
            igbp = rng.choice(np.flatnonzero(walk.weights[:, k] == 1))
            out[(slice(None), *cell)] = np.array(
                [walk.source.codes[igbp], *lccs[k]], np.uint16
            )[:, None, None]
    return out


def _majority(counts: NDArray[np.int64]) -> int:
    best = int(counts.argmax())
    mixed = best in (FOREST, SHRUB, GRASS) and counts[best] < _SURE * counts.sum()
    return SAVANNA if mixed else best
