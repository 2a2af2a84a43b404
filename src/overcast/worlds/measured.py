"""What was measured on real Sentinel-1 and Sentinel-2, and how to draw from it.

`measured.json` holds, per class, mean and spread between sites of the ten surface bands
and of VV and VH in summer, the correlation of the bands and the texture within a patch,
each with its number of points n. The joint covariance of bands and backscatter was not
measured; the published correlations of NDVI with VV and VH stand in for it: with band
scores z, correlation matrix R and u the standardised difference of B08 and B04,
``VH = r u + sqrt(1 - r²) e`` with e independent of z.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
FOREST, SHRUB, SAVANNA, GRASS, WETLAND, CROP, URBAN, SNOW, BARREN, WATER = range(10)
"""Positions in the legend simplified-igbp."""

_NAMES = {
    FOREST: "Forest",
    SHRUB: "Shrubland",
    GRASS: "Grassland",
    WETLAND: "Wetlands",
    CROP: "Croplands",
    URBAN: "Urban",
    BARREN: "Barren",
    WATER: "Water",
}
CLASSES = tuple(_NAMES)
"""Classes that occur on the ground; Savanna occurs in coarse labels only."""

SPECKLE_LOOKS = 5
"""Equivalent number of looks: median of 21 homogeneous regions, 127,710 pixels."""
SPECKLE_SIGMA_PX = 1.18
"""Smoothing of the complex looks; gives autocorrelation .70 at lag 1 (same n)."""
BLUR_SIGMA_PX = {10: 0.55, 20: 0.52}
"""Edge blur in native pixels, from edges of 10 m (n 315) and 20 m bands (n 187)."""
SHIFT_MEAN_PX, SHIFT_STD_PX = (-0.11, -0.05), (1.16, 1.73)
"""Apparent S1-S2 shift down and right, n 36 scenes."""
POLARISATION_CORRELATION = 0.13
"""Correlation of VV and VH speckle (n 21 regions)."""
RADAR_TEXTURE = {FOREST: 0.004, CROP: 0.012, URBAN: 0.134, WATER: 0.04, BARREN: 0.1}
"""Squared variation of backscatter in a patch beyond speckle (n 2 to 11 regions)."""
PARCEL_LN_HA, PARCEL_LN_STD = 0.64, 1.3
"""Log of the parcel area in hectares, western Europe (n 193 and 499 parcels)."""


@dataclass(frozen=True, slots=True)
class ClassStatistics:
    """Ten band reflectances, then VV and VH in dB: ``[12]``; texture ``[10]``.

    `std` lies between `robust_std` (1.4826 median absolute deviation) and `plain_std`,
    their geometric mean: the plain one is inflated by wrong labels and leftover cloud,
    the robust one knows no tails. `factor` F ``[12, 12]`` gives scores ``F z`` with
    the measured correlations.
    """

    n: int
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    plain_std: NDArray[np.float64]
    robust_std: NDArray[np.float64]
    factor: NDArray[np.float64]
    texture: NDArray[np.float64]


def _symmetric(upper: list[float]) -> NDArray[np.float64]:
    matrix = np.eye(len(BANDS))
    matrix[np.triu_indices(len(BANDS), 1)] = upper
    return matrix + np.triu(matrix, 1).T


def _root(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lower F with ``F F' = correlation``, which rounding left slightly indefinite."""
    values, vectors = np.linalg.eigh(correlation)
    repaired = (vectors * values.clip(1e-3)) @ vectors.T
    scale = np.sqrt(np.diag(repaired))
    return np.asarray(np.linalg.cholesky(repaired / np.outer(scale, scale)))


def _joint(bands: NDArray[np.float64], s1: dict[str, float]) -> NDArray[np.float64]:
    greenness = np.zeros(len(BANDS))
    greenness[[BANDS.index("B08"), BANDS.index("B04")]] = 1.0, -1.0
    along = bands @ greenness / np.sqrt(greenness @ bands @ greenness)
    joint = np.eye(len(BANDS) + 2)
    joint[:10, :10] = bands
    for row, r in ((10, s1["ndvi_vv"]), (11, s1["ndvi_vh"])):
        joint[row, :10] = joint[:10, row] = r * along
    joint[10, 11] = joint[11, 10] = s1["vv_vh"]
    return joint


@cache
def texture_factor() -> NDArray[np.float64]:
    """F ``[10, 10]`` of the band correlation within a crop parcel (90 region-dates)."""
    return _root(_symmetric(_load()["texture_correlation"]))


@cache
def _load() -> dict:  # type: ignore[type-arg]
    text = (files("overcast.worlds") / "measured.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@cache
def statistics(land_class: int, season: str = "summer") -> ClassStatistics:
    """Measured statistics of a class, by position in the legend.

    Those of ``spring``, ``autumn`` and ``winter`` are those of ``summer`` plus the
    difference that the same sites showed; none was measured on 30 sites or more for
    Water, Barren and Wetlands in winter, among others, and those stay as in summer.
    Shrubland texture was not measured and is that of Grassland and Forest halfway.
    """
    entries = _load()["classes"]
    entry = entries[_NAMES[land_class]]
    s1 = entry["s1"]
    # No correlation was measured for Wetlands (n 6); Grassland is its main part.
    upper = entry.get("correlation") or entries["Grassland"]["correlation"]
    texture = entry.get("texture") or np.mean(
        [entries[name]["texture"] for name in ("Grassland", "Forest")], axis=0
    )
    change = entry.get("seasons", {}).get(season, {})
    later = np.array(change.get("mean_minus_summer", [0.0] * 12))
    wider = np.array(change.get("std_over_summer", [1.0] * 12))
    robust = np.array(entry["robust_std"] + s1["robust_std"])
    plain = np.array(entry["std"] + s1["std"])
    return ClassStatistics(
        n=change.get("n", entry["n"]),
        mean=np.array(entry["mean"] + s1["mean"]) + later,
        std=np.sqrt(robust * plain) * wider,
        plain_std=plain * wider,
        robust_std=robust * wider,
        factor=_root(_joint(_symmetric(upper), s1)),
        texture=np.array(texture),
    )
