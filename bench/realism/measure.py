"""Measure simulated worlds the way the real images were measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, label, uniform_filter
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from overcast.geo.tiling import Window
from overcast.worlds.measured import CLASSES, statistics
from overcast.worlds.optical import see_optical
from overcast.worlds.radar import see_radar
from overcast.worlds.region import WorldRegion, draw_region
from overcast.worlds.terrain import shape_terrain
from overcast.worlds.world import World, WorldView

SIZE = 512
_PER_CLASS = 12
"""Sites of a class in a world."""
_POINTS_PER_CLASS = 100
_LEAST_REGION = 60
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sites:
    """Single places of many worlds, as field references are.

    `value` ``[N, 12]`` holds ten reflectances and VV and VH in dB, the latter averaged
    over 50 m for the seasonal means that were measured; `away` is `value` minus the
    measured mean of the class in the world's season.
    """

    land_class: NDArray[np.uint8]
    world: NDArray[np.int64]
    value: Floats
    away: Floats


def view_of(
    seed: int, region: WorldRegion | None = None, size: int = SIZE
) -> WorldView:
    """All of a world, of another region's habits if one is given."""
    region = region or draw_region(seed)
    world = World(seed, size, region, shape_terrain(seed, size, region))
    return WorldView.of(world, Window(0, 0, size, size))


def summer(seed: int) -> WorldRegion:
    """The region of a world, in summer."""
    return replace(draw_region(seed), season="summer")


def sites_of(seeds: Sequence[int], in_summer: bool = False) -> Sites:
    """Random places of every class, all of it within 25 m."""
    classes, worlds, values, away = [], [], [], []
    for seed in seeds:
        region = summer(seed) if in_summer else draw_region(seed)
        view = view_of(seed, region)
        image, truth = _averaged(view), view.land.truth[view.inner]
        rng = np.random.default_rng(seed)
        for c in CLASSES:
            pure = binary_erosion(truth == c, np.ones((5, 5)))
            rows, columns = np.nonzero(pure)
            if not len(rows):
                continue
            at = rng.choice(len(rows), _PER_CLASS)
            found = image[:, rows[at], columns[at]].T
            classes.append(np.full(len(at), c, np.uint8))
            worlds.append(np.full(len(at), seed))
            values.append(found)
            away.append(found - statistics(c, region.season).mean)
    return Sites(*(np.concatenate(part) for part in (classes, worlds, values, away)))


def _averaged(view: WorldView) -> Floats:
    optical = see_optical(view) / 1e4
    power = 10 ** (see_radar(view).astype(np.float64) / 10)
    radar = 10 * np.log10([uniform_filter(band, 5) for band in power])
    return np.concatenate([optical, radar])


@dataclass(frozen=True)
class ClassFit:
    """How a class of the worlds compares with the measured one, per band ``[12]``.

    `away` is the difference of means in between-site standard deviations, `ratio` the
    spread between sites over the measured one, `correlation` the mean
    absolute difference of the band correlations.
    """

    n: int
    away: Floats
    ratio: Floats
    correlation: float
    ndvi: float


def fit_of(sites: Sites, c: int) -> ClassFit:
    """Compare one class."""
    here = sites.land_class == c
    of = statistics(c)
    value, away = sites.value[here], sites.away[here]
    wanted = (of.factor @ of.factor.T)[:10, :10]
    ndvi = (value[:, 6] - value[:, 2]) / (value[:, 6] + value[:, 2])
    return ClassFit(
        n=int(here.sum()),
        away=away.mean(0) / of.plain_std,
        ratio=away.std(0) / of.std,
        correlation=float(np.abs(np.corrcoef(value[:, :10].T) - wanted).mean()),
        ndvi=float(ndvi.mean()),
    )


@dataclass(frozen=True)
class Texture:
    """Inside patches: medians over regions of some class.

    `spread` ``[10]`` in reflectance; `lags` ``[3]`` the autocorrelation of B04; `looks`
    and `looks_lags` those of speckle in VV.
    """

    regions: int
    spread: Floats
    lags: Floats
    looks: float
    looks_lags: Floats


def texture_of(seeds: Sequence[int], c: int) -> Texture:
    """Texture and speckle inside patches of a class, eroded and rid of their plane."""
    spreads, lags, looks, looks_lags = [], [], [], []
    for seed in seeds:
        view = view_of(seed, summer(seed))
        optical, radar = see_optical(view) / 1e4, see_radar(view)
        patch = view.land.code[2::4, 2::4][view.inner]
        patch = np.where(view.land.truth[view.inner] == c, patch, -1)
        for inside in _regions(patch):
            flat = np.stack([_flatten(band, inside) for band in optical])
            spreads.append(flat[:, inside].std(1))
            lags.append(_lags(flat[2], inside))
            power = 10 ** (radar[0].astype(np.float64) / 10)
            looks.append(power[inside].mean() ** 2 / power[inside].var())
            looks_lags.append(_lags(power - power[inside].mean(), inside))
    if not spreads:
        nothing = np.full(10, np.nan)
        return Texture(0, nothing, nothing[:3], np.nan, nothing[:3])
    return Texture(
        len(spreads),
        np.median(spreads, 0),
        np.nanmedian(lags, 0),
        float(np.median(looks)),
        np.nanmedian(looks_lags, 0),
    )


def _regions(patch: NDArray[np.int32]) -> list[NDArray[np.bool_]]:
    """Eroded patches of some size, the largest of a world."""
    found = []
    codes, count = np.unique(patch[patch >= 0], return_counts=True)
    for code in codes[np.argsort(-count)][:8]:
        parts, _ = label(binary_erosion(patch == code, iterations=2))
        sizes = np.bincount(parts.ravel())[1:]
        if len(sizes) and sizes.max() >= _LEAST_REGION:
            found.append(parts == sizes.argmax() + 1)
    return found


def _flatten(band: Floats, inside: NDArray[np.bool_]) -> Floats:
    """Band minus the plane that fits it best inside."""
    rows, columns = np.nonzero(inside)
    plane = np.stack([np.ones(len(rows)), rows, columns], 1)
    fit, *_ = np.linalg.lstsq(plane, band[inside], rcond=None)
    out = np.zeros_like(band)
    out[inside] = band[inside] - plane @ fit
    return out


def _lags(flat: Floats, inside: NDArray[np.bool_]) -> Floats:
    """Autocorrelation at lags of 1 to 3 pixels, mean of down and right."""
    variance = (flat[inside] ** 2).mean()
    found = []
    for lag in (1, 2, 3):
        parts = []
        for a, f in ((inside, flat), (inside.T, flat.T)):
            both = a[lag:] & a[:-lag]
            parts.append((f[lag:] * f[:-lag])[both].mean() if both.any() else np.nan)
        found.append(np.mean(parts) / variance)
    return np.array(found)


def separability(sites: Sites, without: Sequence[int]) -> tuple[float, float, int]:
    """Accuracy and macro-F1 of a random forest between worlds, and points used."""
    rng = np.random.default_rng(0)
    kept = []
    for c in CLASSES:
        there = np.flatnonzero(sites.land_class == c)
        if c not in without:
            kept.append(rng.permutation(there)[:_POINTS_PER_CLASS])
    at = np.concatenate(kept)
    forest = RandomForestClassifier(300, random_state=0)
    y = sites.land_class[at]
    folds = GroupKFold(5)
    found = cross_val_predict(
        forest, sites.value[at], y, groups=sites.world[at], cv=folds
    )
    return accuracy_score(y, found), f1_score(y, found, average="macro"), len(at)


def tile_score(bands: Floats, classes: NDArray[np.uint8]) -> float:
    """Macro-F1 of a forest trained on all labels of a tile and asked for them again.

    100 trees of depth 10, as on the real tiles.
    """
    x, y = bands.reshape(len(bands), -1).T, classes.ravel()
    forest = RandomForestClassifier(100, max_depth=10, random_state=0, n_jobs=4)
    return float(f1_score(y, forest.fit(x, y).predict(x), average="macro"))


def world_tile_scores(seeds: Sequence[int], size: int = 224) -> list[float]:
    """`tile_score` of worlds as large as the tiles."""
    found = []
    for seed in seeds:
        view = view_of(seed, summer(seed), size)
        bands = np.concatenate([see_optical(view) / 1e4, see_radar(view)])
        truth = view.land.truth[view.inner]
        share = np.bincount(truth.ravel(), minlength=10) / truth.size
        rare = np.isin(truth, np.flatnonzero(share < 0.002))
        found.append(tile_score(bands[:, ~rare], truth[~rare]))
    return found
