"""A simulated scene: Sentinel-1, Sentinel-2, a coarse map, and the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.geo.legend import load_legend
from overcast.geo.raster import Image, Labels
from overcast.progress import Progress, quiet
from overcast.worlds import files
from overcast.worlds.labels import cell_shares, confuse, find_cells
from overcast.worlds.land import MARGIN, build_land
from overcast.worlds.noise import stream
from overcast.worlds.optical import render_optical
from overcast.worlds.radar import render_radar
from overcast.worlds.spectra import draw_spectra

_SMALLEST = 64
_CRS = "EPSG:32632"
_PIXEL_M = 10


@dataclass(frozen=True)
class Scene:
    """Everything about one simulated place.

    Attributes
    ----------
    grid
        UTM, 10 m.
    truth
        True class of every pixel.
    images
        ``s1`` (VV, VH in dB) and ``s2`` (ten bands, reflectance).
    coarse
        Imperfect classes of 500 m cells on the MODIS sinusoidal grid.
    """

    grid: GeoBox
    truth: Labels
    images: Mapping[str, Image]
    coarse: Labels


def simulate(seed: int, size: int = 512, progress: Progress = quiet) -> Scene:
    """Scene of `size` by `size` pixels of 10 m, a pure function of `seed` and `size`.

    Raises
    ------
    ValueError
        If `size` is below 64 or `seed` is negative.
    """
    if size < _SMALLEST:
        raise ValueError(f"size is {size}, expected at least {_SMALLEST} pixels")
    if seed < 0:
        raise ValueError(f"seed is {seed}, expected 0 or more")
    legend = load_legend("simplified-igbp")
    progress("simulate", 0, 4, "land")
    land = build_land(seed, size)
    core = (slice(MARGIN, MARGIN + size),) * 2
    outer = _place(seed, land.truth.shape[0])
    grid = outer[core]
    spectra = draw_spectra(seed, land.land_class, land.surface)
    progress("simulate", 1, 4, "optical")
    numbers = render_optical(seed, land.patch, land.truth, spectra, land.relief)
    progress("simulate", 2, 4, "radar")
    db = render_radar(seed, land.patch, land.truth, spectra)
    progress("simulate", 3, 4, "labels")
    cells = find_cells(outer, core)
    coarse = confuse(stream(seed, "labels"), cell_shares(land.truth, cells))
    reflectance = numbers[:, *core].astype(np.float32) * np.float32(1e-4)
    progress("simulate", 4, 4)
    return Scene(
        grid=grid,
        truth=Labels(values=land.truth[core].copy(), grid=grid, legend=legend),
        images={
            "s1": Image.of(db[:, *core].copy(), grid, SENTINEL_1),
            "s2": Image.of(reflectance, grid, SENTINEL_2),
        },
        coarse=Labels(
            values=coarse.reshape(cells.grid.shape), grid=cells.grid, legend=legend
        ),
    )


def write(scene: Scene, folder: Path, overwrite: bool = False) -> dict[str, Path]:
    """Write s1.tif, s2.tif, labels.tif (the coarse ones) and truth.tif.

    Raises
    ------
    ValueError
        If one of them exists and `overwrite` is false.
    """
    paths = {name: folder / f"{name}.tif" for name in ("s1", "s2", "labels", "truth")}
    there = [str(path) for path in paths.values() if path.exists()]
    if there and not overwrite:
        raise ValueError(
            f"{', '.join(there)} exist; choose another folder or overwrite"
        )
    folder.mkdir(parents=True, exist_ok=True)
    files.write_backscatter(scene.images["s1"], paths["s1"])
    files.write_reflectance(scene.images["s2"], paths["s2"])
    files.write_classes(scene.coarse, paths["labels"])
    files.write_classes(scene.truth, paths["truth"])
    return paths


def _place(seed: int, side: int) -> GeoBox:
    """Grid of `side` pixels somewhere in zone 32, with its corner on whole pixels."""
    rng = stream(seed, "place")
    east = int(rng.integers(32_000, 66_000)) * _PIXEL_M
    north = int(rng.integers(490_000, 560_000)) * _PIXEL_M
    return GeoBox((side, side), Affine(_PIXEL_M, 0, east, 0, -_PIXEL_M, north), _CRS)
