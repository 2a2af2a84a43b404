"""A class map without patches below a minimum mapping unit.

A patch that is too small goes to one of its neighbours: to the class that its own pixels
take for most probable, where the map's probabilities are known, weighed by how much of the
border that class has and how sure it is there. So a small patch of reed in a lake shore
joins the marsh and not the longer shore of the forest. The smallest patches go first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy import ndimage

from overcast import __version__, map_folder
from overcast.errors import writing
from overcast.geo.dataset import open_raster
from overcast.geo.extent import areas_ha
from overcast.geo.image_file import ImageFile
from overcast.geo.label_file import open_labels
from overcast.geo.legend import Legend
from overcast.geo.probabilities import open_probabilities
from overcast.geo.raster import UNKNOWN
from overcast.geo.tiling import pieces
from overcast.memory import need
from overcast.product.rasters import write_classes, written_legend
from overcast.product.style import class_style, write_style
from overcast.product.vector import write_polygons
from overcast.progress import Progress, quiet

Classes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_MOST_ROUNDS = 100
_LEAST = 1e-3
"""Probability below which a class is not ruled out."""


@dataclass(frozen=True, slots=True)
class _Patches:
    """Connected pixels of one class.

    Attributes
    ----------
    number
        int32 ``[H, W]``, from 1 on; 0 where there is no class.
    sizes
        Pixels ``[P + 1]``.
    """

    number: NDArray[np.int32]
    sizes: NDArray[np.int64]


def generalise(
    classes: Classes,
    size: int,
    count: int,
    probabilities: Floats | None = None,
    confidence: Floats | None = None,
) -> Classes:
    """Give patches of fewer than `size` pixels to the neighbour that suits them best.

    Parameters
    ----------
    classes
        Class positions ``[H, W]`` of `count` classes, 255 where unknown.
    probabilities
        ``[K, H, W]`` of every class, or none.
    confidence
        ``[H, W]`` of the mapped class, or none.

    Returns
    -------
    NDArray[np.uint8]
        ``[H, W]``, unknown where it was. A patch below `size` is left only where there
        is no data, or nothing as large, all around it.
    """
    out = classes.copy()
    sure = np.ones(classes.shape, np.float32) if confidence is None else confidence
    sure = np.clip(np.nan_to_num(sure, nan=_LEAST), _LEAST, 1)
    steps = [2**n for n in range(1, math.ceil(math.log2(size)))] if size > 1 else []
    for step in [*steps, *([size] if size > 1 else [])]:
        for _ in range(_MOST_ROUNDS):
            if not _merge(out, step, count, probabilities, sure):
                break
    return out


def _merge(
    out: Classes, size: int, count: int, probabilities: Floats | None, sure: Floats
) -> bool:
    """Reclassify all small patches that have a larger neighbour; whether there were any."""
    patches = _patches(out, count)
    small = np.flatnonzero((patches.sizes < size) & (patches.sizes > 0))
    small = small[small > 0]
    if not len(small):
        return False
    place = np.full(len(patches.sizes), -1, np.int64)
    place[small] = np.arange(len(small))
    score = _borders(out, patches, place, (count, len(small), size), sure)
    mine: NDArray[np.bool_] = np.asarray(score.any(1), np.bool_)
    if not mine.any():
        return False
    if probabilities is not None:
        score *= _belief(patches.number, place, len(small), probabilities)
    new = score.argmax(1).astype(np.uint8)
    index = place[patches.number]
    changed = (index >= 0) & mine[index]
    out[changed] = new[index[changed]]
    return True


def _patches(classes: Classes, count: int) -> _Patches:
    number, last = np.zeros(classes.shape, np.int32), 0
    for k in range(count):
        mask = classes == k
        if mask.any():
            own, patches = ndimage.label(mask)
            number[mask] = own[mask] + last
            last += patches
    sizes = np.bincount(number.ravel(), minlength=last + 1)
    sizes[0] = 0
    return _Patches(number, sizes)


def _borders(
    classes: Classes,
    patches: _Patches,
    place: NDArray[np.int64],
    shape: tuple[int, int, int],
    sure: Floats,
) -> NDArray[np.float64]:
    """Border of every small patch with every class ``[S, K]``, the surer the more.

    Only neighbours count that are large, or, where a patch has none, larger than itself.
    """
    count, small, size = shape
    large, larger = (np.zeros(small * count) for _ in range(2))
    for a, b in _sides(classes.shape):
        for here, beyond in ((a, b), (b, a)):
            mine, other = patches.number[here], patches.number[beyond]
            touching = (mine != other) & (other > 0) & (place[mine] >= 0)
            mine, other = mine[touching], other[touching]
            index = place[mine] * count + classes[beyond][touching]
            weight = sure[beyond][touching]
            is_large = patches.sizes[other] >= size
            large += np.bincount(index[is_large], weight[is_large], len(large))
            bigger = patches.sizes[other] > patches.sizes[mine]
            bigger |= (patches.sizes[other] == patches.sizes[mine]) & (other < mine)
            larger += np.bincount(index[bigger], weight[bigger], len(larger))
    beside, otherwise = large.reshape(small, count), larger.reshape(small, count)
    return np.where(beside.any(1, keepdims=True), beside, otherwise)


def _sides(shape: tuple[int, ...]) -> list[tuple[Any, Any]]:
    """Index of pixels and of their neighbours, to the right and below."""
    return [
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
    ]


def _belief(
    number: NDArray[np.int32],
    place: NDArray[np.int64],
    small: int,
    probabilities: Floats,
) -> NDArray[np.float64]:
    """Mean probability ``[S, K]`` that a small patch's own pixels give every class."""
    index = place[number]
    inside = index >= 0
    which = index[inside]
    sizes = np.bincount(which, minlength=small)
    means = [
        np.bincount(which, np.nan_to_num(band[inside]), small) / sizes
        for band in probabilities
    ]
    return np.maximum(np.stack(means, 1), _LEAST)


def _least_pixels(mmu_ha: float, grid: GeoBox) -> int:
    """Pixels of a grid that so many hectares are; refused if the grid has no more."""
    (pixel_ha,) = areas_ha(np.array([1]), grid)
    largest = math.prod(grid.shape) * pixel_ha
    if not 0 < mmu_ha < largest:
        raise ValueError(
            f"--mmu {mmu_ha:g}: expected more than 0 hectares, and fewer than the map's "
            f"{largest:.6g}"
        )
    return math.ceil(round(mmu_ha / pixel_ha, 6))


def generalise_file(
    mapped: Path, out: Path, mmu_ha: float, progress: Progress = quiet
) -> dict[str, Any]:
    """Write a map that overcast made without patches below `mmu_ha` hectares.

    ``probabilities.tif`` or else ``confidence.tif`` beside the map are used. The whole
    map is in memory: some 30 bytes a pixel, and 4 a class with probabilities.

    Raises
    ------
    ValueError
        If the map is refused, or `mmu_ha` is not an area of it.
    """
    legend = written_legend(mapped)
    source = open_labels(mapped, legend)
    size = _least_pixels(mmu_ha, source.grid)
    need(
        30.0 * math.prod(source.grid.shape),
        f"{mapped}",
        "cut the map (gdal_translate -projwin), and generalise its parts",
    )
    before = source.read(source.grid).values
    used, probabilities, confidence = _beside(mapped, legend, source.grid)
    progress("generalising", 0, 1)
    after = generalise(before, size, len(legend), probabilities, confidence)
    tags = {
        **{k: v for k, v in open_raster(mapped).tags().items() if k.startswith("OVER")},
        "OVERCAST_VERSION": __version__,
        "OVERCAST_MMU_HA": f"{mmu_ha:g}",
    }
    rows = (
        (part.start, legend.to_codes(after[part])) for part, _ in pieces(source.grid)
    )
    write_classes(rows, source.grid, legend, out, tags)
    write_style(out, class_style(legend))
    progress("generalising", 1, 1)
    patches = _patches(after, len(legend)).sizes[1:]
    known = int((before != UNKNOWN).sum())
    return {
        "map": str(out),
        "mmu_pixels": size,
        "used": used,
        "changed_share": round(float((before != after).sum()) / max(known, 1), 6),
        "patches_before": len(_patches(before, len(legend)).sizes) - 1,
        "patches": len(patches),
        "smaller_left": int((patches < size).sum()),
    }


def _beside(
    mapped: Path, legend: Legend, grid: Any
) -> tuple[str | None, Floats | None, Floats | None]:
    """Return the file beside a map that is used, and probabilities or confidence."""
    for name in (map_folder.PROBABILITIES, map_folder.CONFIDENCE):
        path = mapped.with_name(name)
        if not path.is_file():
            continue
        image: ImageFile = open_probabilities(path).image
        if image.grid != grid:
            raise ValueError(
                f"{path}: does not lie on the grid of {mapped.name}; move it away if it "
                "is of another map"
            )
        values = image.read(grid).values
        if len(values) == 1:
            return name, None, values[0]
        if len(values) == len(legend):
            return name, values, None
    return None, None, None


def generalise_polygons(
    mapped: Path, out: Path, mmu_ha: float, smooth_m: float, progress: Progress = quiet
) -> dict[str, Any]:
    """Write a map without patches below `mmu_ha` as polygons.

    Patches are given away as `generalise_file` does it, and outlines smoothed as
    `write_polygons` does it.

    Raises
    ------
    ValueError
        If the map is refused, or `mmu_ha` is not an area of it.
    """
    with (
        writing(out),
        TemporaryDirectory(dir=out.parent, prefix=".overcast-") as scratch,
    ):
        raster = Path(scratch) / "generalised.tif"
        done = generalise_file(mapped, raster, mmu_ha, progress)
        count = write_polygons(raster, out, 0, progress, smooth_m)
    return {**done, "map": str(out), "polygons": count}
