"""WHU-OPT-SAR: GF-1 colour and near infrared, GF-3 SAR, seven classes, 5 m, Hubei.

100 scenes of 5556 x 3704 pixels in ``optical/``, ``sar/`` and ``lbl/``, one file of the
same name each. The files have no place on the ground, so neither has a map of them:
their grid has no coordinate reference system. Optical and SAR values are eight bits
whose stretch is not stated: brightness from 0 to 1, and decibels of amplitude. Code 0
is background, of which the class is not known.

The official split is by scene: 20 of the 100 are for testing.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from overcast.datasets.dataset import PART, Dataset, Layout, Part, Patch, left_out
from overcast.datasets.miniature import patchwork, write_raster
from overcast.datasets.rasters import (
    AMPLITUDE,
    open_amplitude,
    open_bands,
    open_classes,
)
from overcast.geo.bands import Band, Encoding, Sensor
from overcast.geo.legend import load_legend
from overcast.geo.stack import ImageSource, LabelSource

TEST_SCENES = frozenset(
    {
        "NH49E001014",
        "NH49E001017",
        "NH49E002012",
        "NH49E002016",
        "NH49E003014",
        "NH49E003024",
        "NH49E004011",
        "NH49E005011",
        "NH49E005019",
        "NH49E006019",
        "NH49E007014",
        "NH49E008013",
        "NH49E009017",
        "NH49E010020",
        "NH49E011024",
        "NH49E012020",
        "NH49E013010",
        "NH50E007002",
        "NH50E011005",
        "NH50E014003",
    }
)
"""Official test scenes."""
SCENES = 100
_PIXEL_M = 5.0
_PARTS = ("optical", "sar", "lbl")
_LEGEND = load_legend("whu-opt-sar")
_BANDS = ("red", "green", "blue", "nir")
_WAVELENGTHS_NM = (660, 555, 485, 830)
GF1 = Sensor(
    "gf-1",
    "optical",
    tuple(
        Band(name, "brightness", 0.0, 1.0, wavelength)
        for name, wavelength in zip(_BANDS, _WAVELENGTHS_NM, strict=True)
    ),
    layouts=(_BANDS,),
)
GF3 = Sensor("gf-3", "sar", (AMPLITUDE,))


def open(root: Path) -> Dataset:
    """List the scenes below `root`, which holds ``optical``, ``sar`` and ``lbl``.

    Splits are ``train`` and ``test``, labels are ``fine``; a note says how many scenes
    of each there are.

    Raises
    ------
    ValueError
        If the folder is missing or laid out otherwise, saying how it should be.
    """
    root = Path(root)
    stems = {part: _names(root, part) for part in _PARTS}
    whole = set.intersection(*stems.values())
    if not whole:
        raise ValueError(
            f"{root}: no scene has all of {', '.join(_PARTS)}; expected files of one "
            "name in each, such as optical/NH49E001014.tif"
        )
    splits = {"train": sorted(whole - TEST_SCENES), "test": sorted(whole & TEST_SCENES)}
    sizes = ", ".join(f"{len(names)} {split}" for split, names in splits.items())
    notes = [
        f"{root}: {sizes} scenes, of {SCENES} in the whole release",
        "the scenes have no place on the ground, and maps of them have none either",
        *left_out(f"{root}", set.union(*stems.values()) - whole, _PARTS),
    ]
    return Dataset(
        name="WHU-OPT-SAR",
        licence="none stated by its publisher; ask the authors about anything but research",
        citation=(
            "Li et al.: MCANet: a joint semantic segmentation framework of optical and "
            "SAR images for land use classification, International Journal of Applied "
            "Earth Observation and Geoinformation 106, 102638, 2022, "
            "doi 10.1016/j.jag.2021.102638"
        ),
        url="https://github.com/AmberHen/WHU-OPT-SAR-dataset",
        legend=_LEGEND,
        splits={
            split: [_scene(name, _layout(root)) for name in names]
            for split, names in splits.items()
        },
        notes=tuple(notes),
    )


def fake(root: Path, seed: int = 0) -> None:
    """Write two scenes for training and two for testing, 96 x 160 pixels each.

    The right edge is background: black in both sensors, code 0 in the labels.
    """
    rng = np.random.default_rng(seed)
    shape, codes = (96, 160), _LEGEND.codes
    for name in ("NH49E001018", "NH49E002013", "NH49E001014", "NH50E007002"):
        land = patchwork(rng, shape, codes)
        place = np.searchsorted(codes, land)
        colours = rng.integers(30, 220, (len(codes), len(_BANDS)))
        optical = colours[place] + rng.normal(0, 6, (*shape, len(_BANDS)))
        echo = rng.integers(20, 200, len(codes))[place] * rng.gamma(4, 0.25, shape)
        files = {
            "optical": np.moveaxis(optical, -1, 0).clip(1, 255),
            "sar": echo.clip(0, 255)[None],
            "lbl": land[None],
        }
        for part, values in files.items():
            values[..., -10:] = 0
            write_raster(Path(root) / part / f"{name}.tif", values.astype(np.uint8))


def _names(root: Path, part: str) -> set[str]:
    """Names of the scenes that a folder holds."""
    folder = root / part
    if not folder.is_dir():
        raise ValueError(
            f"{folder}: no such folder; give the folder that holds "
            f"{', '.join(_PARTS)}, such as whu-opt-sar"
        )
    return {
        Path(entry.name).stem
        for entry in os.scandir(folder)
        if entry.name.endswith(".tif")
    }


def _scene(name: str, where: Layout) -> Patch:
    return Patch(name, name, f"{PART}/{name}.tif", where)


def _layout(root: Path) -> Layout:
    return Layout(
        root=root,
        images={"optical": Part("optical", _optical), "sar": Part("sar", _sar)},
        labels={"fine": Part("lbl", _fine)},
    )


def _optical(path: Path) -> ImageSource:
    return open_bands(path, GF1, Encoding(scale=1 / 255, nodata=0), _PIXEL_M)


def _sar(path: Path) -> ImageSource:
    return open_amplitude(path, GF3, _PIXEL_M)


def _fine(path: Path) -> LabelSource:
    return open_classes(path, _LEGEND, 0, _PIXEL_M)
