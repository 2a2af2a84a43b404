import numpy as np
import pytest

from overcast.worlds.parcels import draw_parcels


def test_areas_are_log_normal_as_measured() -> None:
    parcels = draw_parcels(np.random.default_rng(2), (1600, 1600), 5.0)
    hectares = np.bincount(parcels.parcel.ravel()) * 25 / 1e4
    inside = np.log(hectares[hectares > 0.02])
    assert np.exp(np.median(inside)) == pytest.approx(1.9, rel=0.25)
    assert inside.std() == pytest.approx(1.3, abs=0.3)


def test_parcels_are_numbered_without_gaps_and_lie_in_one_block() -> None:
    parcels = draw_parcels(np.random.default_rng(3), (400, 480), 5.0)
    used = np.unique(parcels.parcel)
    assert used.tolist() == list(range(parcels.count))
    low = np.full(parcels.count, 1 << 30)
    high = np.zeros(parcels.count, np.int64)
    np.minimum.at(low, parcels.parcel, parcels.block)
    np.maximum.at(high, parcels.parcel, parcels.block)
    assert np.array_equal(low, high)


def test_border_distance_is_small_where_parcels_meet() -> None:
    parcels = draw_parcels(np.random.default_rng(4), (400, 400), 5.0)
    meet = parcels.parcel[:, 1:] != parcels.parcel[:, :-1]
    assert (parcels.border_m[:, 1:][meet] <= 5.0).mean() > 0.99
