import numpy as np
import pytest

from overcast.worlds.measured import BANDS, CLASSES, CROP, URBAN, WETLAND, statistics
from overcast.worlds.spectra import ASPHALT, draw_spectra


@pytest.mark.parametrize("land_class", CLASSES)
def test_factor_gives_a_correlation_matrix(land_class: int) -> None:
    factor = statistics(land_class).factor
    assert np.diag(factor @ factor.T) == pytest.approx(np.ones(12))


def test_crop_row_is_the_measured_one() -> None:
    crop = statistics(CROP)
    assert crop.n == 2281
    assert crop.mean[BANDS.index("B08")] == pytest.approx(0.3622)
    assert crop.mean[10:].tolist() == [-9.65, -16.83]


@pytest.mark.parametrize("land_class", [c for c in CLASSES if c != URBAN])
def test_patches_have_the_measured_mean_and_spread(land_class: int) -> None:
    worlds = np.concatenate(
        [
            draw_spectra(
                seed,
                np.full(200, land_class, np.uint8),
                np.full(200, ASPHALT, np.uint8),
            )
            for seed in range(20)
        ]
    )
    of = statistics(land_class)
    away = np.abs(worlds.mean(0) - of.mean) / of.plain_std
    assert away.max() < (1.0 if land_class == WETLAND else 0.4)
    if land_class != WETLAND:  # n 6: no spread to hold to
        ratio = worlds.std(0) / of.std
        assert ratio.min() > 1 / 1.5
        assert ratio.max() < 1.5


def test_bands_correlate_as_measured() -> None:
    crops = draw_spectra(
        0, np.full(4000, CROP, np.uint8), np.full(4000, ASPHALT, np.uint8)
    )
    wanted = statistics(CROP).factor @ statistics(CROP).factor.T
    assert np.abs(np.corrcoef(crops.T) - wanted)[:10, :10].mean() < 0.15
