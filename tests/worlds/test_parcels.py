import numpy as np
import pytest

from overcast.worlds.measured import PARCEL_LN_HA
from overcast.worlds.noise import centres_of
from overcast.worlds.parcels import cut_parcels, nearest_cells


def test_areas_are_log_normal_as_measured() -> None:
    at = centres_of(range(900))
    parcels = cut_parcels(5, PARCEL_LN_HA, at, at, 2)
    _, pixels = np.unique(parcels.parcel, return_counts=True)
    hectares = pixels * 25 / 1e4
    inside = np.log(hectares[hectares > 0.02])
    assert np.exp(np.median(inside)) == pytest.approx(1.9, rel=0.25)
    assert inside.std() == pytest.approx(1.3, abs=0.3)


def test_a_parcel_lies_in_one_block() -> None:
    at = centres_of(range(150))
    parcels = cut_parcels(3, PARCEL_LN_HA, at, at, 2)
    pairs = np.stack([parcels.parcel.ravel(), parcels.block.ravel()])
    assert len(np.unique(pairs, axis=1).T) == len(np.unique(parcels.parcel))


def test_border_distance_is_small_where_parcels_meet() -> None:
    at = centres_of(range(200))
    parcels = cut_parcels(4, PARCEL_LN_HA, at, at, 2)
    meet = parcels.parcel[:, 1:] != parcels.parcel[:, :-1]
    assert (parcels.border_m[:, 1:][meet] <= 5.0).mean() > 0.99
    assert parcels.border_m.max() > 50


def test_a_window_of_parcels_is_part_of_the_land() -> None:
    rows, columns = centres_of(range(-40, 60)), centres_of(range(700, 800))
    whole = cut_parcels(6, 0.5, rows, columns, 4)
    part = cut_parcels(6, 0.5, rows[30:50], columns[10:25], 4)
    assert np.array_equal(part.parcel, whole.parcel[120:200, 40:100])
    assert np.array_equal(part.border_m, whole.border_m[120:200, 40:100])


def test_cells_are_those_of_the_nearest_point() -> None:
    at = np.arange(60, dtype=np.float32)
    cells = nearest_cells(8, 20.0, at[:, None], at[None])
    points = np.unique(np.stack([cells.y.ravel(), cells.x.ravel()]), axis=1)
    away = (at[:, None, None] - points[0]) ** 2 + (at[None, :, None] - points[1]) ** 2
    nearest = points[:, away.argmin(-1)]
    assert np.array_equal(nearest[0], cells.y)
    assert np.array_equal(nearest[1], cells.x)
    second = (at[:, None] - cells.next_y) ** 2 + (at - cells.next_x) ** 2
    assert (second >= away.min(-1)).all()
