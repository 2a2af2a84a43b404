from dataclasses import replace

import numpy as np
import pytest

from overcast.worlds.measured import (
    BANDS,
    CLASSES,
    CROP,
    FOREST,
    URBAN,
    WATER,
    WETLAND,
    statistics,
)
from overcast.worlds.region import draw_region
from overcast.worlds.spectra import SLOTS, draw_spectra


@pytest.fixture(scope="module")
def summers() -> np.ndarray:
    """Spectra of 20 worlds, ``[20, 10, SLOTS, 12]``, summer and without moisture."""
    tables = []
    for seed in range(20):
        region = replace(draw_region(seed), season="summer", moisture_db=0.0)
        tables.append(draw_spectra(seed, region).reshape(10, SLOTS, 12)[:, ::16])
    return np.stack(tables)


@pytest.mark.parametrize("season", ["summer", "spring", "autumn", "winter"])
@pytest.mark.parametrize("land_class", CLASSES)
def test_factor_gives_a_correlation_matrix(land_class: int, season: str) -> None:
    factor = statistics(land_class, season).factor
    assert np.diag(factor @ factor.T) == pytest.approx(np.ones(12))


def test_rows_are_the_measured_ones() -> None:
    crop = statistics(CROP)
    assert crop.n == 2281
    assert crop.mean[BANDS.index("B08")] == pytest.approx(0.3622)
    assert crop.mean[10:].tolist() == [-9.65, -16.83]


def test_winter_is_browner_and_weak_seasons_stay_as_summer() -> None:
    winter, summer = statistics(FOREST, "winter"), statistics(FOREST)
    b08 = BANDS.index("B08")
    # Pooled points: .1768 in winter (n 65), .3233 in summer.
    assert winter.mean[b08] - summer.mean[b08] == pytest.approx(0.1768 - 0.3233)
    assert winter.n == 65
    assert np.array_equal(statistics(WATER, "winter").mean, statistics(WATER).mean)


@pytest.mark.parametrize("land_class", [c for c in CLASSES if c != URBAN])
def test_patches_have_the_measured_mean_and_spread(
    land_class: int, summers: np.ndarray
) -> None:
    drawn = summers[:, land_class].reshape(-1, 12)
    of = statistics(land_class)
    away = np.abs(drawn.mean(0) - of.mean) / of.plain_std
    assert away.max() < (1.0 if land_class == WETLAND else 0.4)
    if land_class != WETLAND:  # n 6: no spread to hold to
        ratio = drawn.std(0) / of.std
        assert ratio.min() > 1 / 1.5
        assert ratio.max() < 1.5


def test_bands_correlate_as_measured(summers: np.ndarray) -> None:
    crops = summers[:, CROP].reshape(-1, 12)
    wanted = statistics(CROP).factor @ statistics(CROP).factor.T
    assert np.abs(np.corrcoef(crops.T) - wanted)[:10, :10].mean() < 0.15
