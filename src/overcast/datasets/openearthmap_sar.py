"""OpenEarthMap-SAR: aerial RGB and X-band SAR below one metre, eight classes.

5,033 images of 1024 x 1024 pixels of 0.15 to 0.5 m in Japan, France and the USA, the
data of the IEEE GRSS Data Fusion Contest 2025, track 1: ``train/rgb_images``,
``train/sar_images``, ``train/labels`` with files of the same names, and
``test/sar_images`` alone (``val`` likewise). Optical images of validation and test were
never published, and the labels for training are what networks said of the optical
images. SAR is Umbra amplitude in eight bits, as decibels here; footprints have black
edges, which are not valid. Code 0 is background, of which the class is not known.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from overcast.datasets.dataset import PART, Dataset, Layout, Part, Patch, left_out
from overcast.datasets.miniature import patchwork, utm_grid, write_raster
from overcast.datasets.rasters import (
    AMPLITUDE,
    open_amplitude,
    open_bands,
    open_classes,
)
from overcast.geo.bands import Band, Encoding, Sensor
from overcast.geo.legend import load_legend
from overcast.geo.stack import ImageSource, LabelSource

_PIXEL_M = 0.5
"""Of files that don't say where they lie; the real ones are from 0.15 m."""
_LEGEND = load_legend("openearthmap")
_RGB = ("red", "green", "blue")
AERIAL = Sensor(
    "aerial-rgb",
    "optical",
    tuple(Band(name, "brightness", 0.0, 1.0) for name in _RGB),
    layouts=(_RGB,),
)
UMBRA = Sensor("umbra-x", "sar", (AMPLITUDE,))
_PARTS = {
    "train": ("rgb_images", "sar_images", "labels"),
    "val": ("sar_images",),
    "test": ("sar_images",),
}
SIZE = 5_033
"""Images of the whole release."""


def open(root: Path) -> Dataset:
    """List the images below `root`, which holds ``train``, and ``val``, ``test`` or none.

    Stacks of ``train`` have ``rgb`` and ``sar``, labels are ``pseudo``; those of ``val``
    and ``test`` have ``sar`` and no labels. A scene is a region, as the names of files
    say it, within a split.

    Raises
    ------
    ValueError
        If the folder is missing or laid out otherwise, saying how it should be.
    """
    root = Path(root)
    splits, notes = dict[str, list[Patch]](), list[str]()
    for split, parts in _PARTS.items():
        if split == "train" or (root / split).exists():
            names, lone = _names(root / split, parts)
            where = _layout(root, parts)
            splits[split] = [_patch(split, name, where) for name in names]
            notes += left_out(f"{root / split}", lone, parts)
    if (total := sum(map(len, splits.values()))) != SIZE:
        notes.append(f"{root}: {total:,} images, of {SIZE:,} in the whole release")
    return Dataset(
        name="OpenEarthMap-SAR",
        licence=(
            "as stated with the record, by source of the images (labels non-commercial, "
            "CC BY-NC-SA 4.0, as those of OpenEarthMap); check before use"
        ),
        citation=(
            "Xia, Chen, Broni-Bediako, Wei, Song, Yokoya: OpenEarthMap-SAR: a benchmark "
            "synthetic aperture radar dataset for global high-resolution land cover "
            "mapping, 2025, arXiv 2501.10891"
        ),
        url="https://zenodo.org/records/14622048",
        legend=_LEGEND,
        splits=splits,
        notes=tuple(notes),
    )


def fake(root: Path, seed: int = 0) -> None:
    """Write four images to train with and two to test, 96 x 96 pixels of 0.5 m each.

    A wedge of the SAR images is black: it lies outside the footprint.
    """
    rng = np.random.default_rng(seed)
    codes = (0, *_LEGEND.codes)
    grid = utm_grid((96, 96), _PIXEL_M, zone=54)
    place = {"crs": str(grid.crs), "transform": grid.affine}
    rows, columns = np.indices(grid.shape)
    names = ["Tokyo_1", "Tokyo_2", "Agen_1", "Agen_12", "Portland_1", "Portland_3"]
    for name in names:
        split = "test" if name.startswith("Portland") else "train"
        land = patchwork(rng, (96, 96), codes, blob_px=6)
        colours = rng.integers(30, 220, (len(codes), 3))
        rgb = colours[land] + rng.normal(0, 8, (96, 96, 3))
        echo = rng.integers(15, 200, len(codes))[land] * rng.gamma(2, 0.5, (96, 96))
        echo[rows + columns < 40] = 0
        files = {
            "rgb_images": np.moveaxis(rgb, -1, 0).clip(1, 255),
            "sar_images": echo.clip(0, 255)[None],
            "labels": land[None],
        }
        for part in _PARTS[split]:
            file = Path(root) / split / part / f"{name}.tif"
            write_raster(file, files[part].astype(np.uint8), **place)


def _names(folder: Path, parts: tuple[str, ...]) -> tuple[list[str], set[str]]:
    """Names that all parts of a split have, and those that only some have."""
    names = []
    for part in parts:
        if not (folder / part).is_dir():
            raise ValueError(
                f"{folder / part}: no such folder; give the folder that holds "
                "train/rgb_images, train/sar_images, train/labels and test/sar_images"
            )
        files = (entry.name for entry in os.scandir(folder / part))
        names.append({Path(name).stem for name in files if name.endswith(".tif")})
    common = set.intersection(*names)
    if not common:
        raise ValueError(
            f"{folder}: no image is in all of {', '.join(parts)}; expected GeoTIFFs of "
            "one name in each"
        )
    return sorted(common), set.union(*names) - common


def _patch(split: str, name: str, where: Layout) -> Patch:
    region = name.rpartition("_")[0] or name
    return Patch(
        f"{split}/{name}", f"{split}/{region}", f"{split}/{PART}/{name}.tif", where
    )


def _layout(root: Path, parts: tuple[str, ...]) -> Layout:
    rgb = {"rgb": Part("rgb_images", _rgb)} if "rgb_images" in parts else {}
    return Layout(
        root=root,
        images={**rgb, "sar": Part("sar_images", _sar)},
        labels={"pseudo": Part("labels", _labels)} if "labels" in parts else {},
    )


def _rgb(path: Path) -> ImageSource:
    return open_bands(path, AERIAL, Encoding(scale=1 / 255, nodata=0), _PIXEL_M)


def _sar(path: Path) -> ImageSource:
    return open_amplitude(path, UMBRA, _PIXEL_M)


def _labels(path: Path) -> LabelSource:
    return open_classes(path, _LEGEND, 0, _PIXEL_M)
