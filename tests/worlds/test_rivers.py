import numpy as np
import pytest

from overcast.worlds import rivers
from overcast.worlds.noise import Fractal, centres_of
from overcast.worlds.rivers import STEP, run_rivers


@pytest.fixture(scope="module")
def relief() -> np.ndarray:
    nodes = STEP * np.arange(40.0)
    return Fractal(3, 300.0, 4.0).at(nodes, nodes)


def test_all_water_reaches_the_lowest_border_cell(relief: np.ndarray) -> None:
    order, onto = rivers._drain(relief)
    assert sorted(order) == list(range(relief.size))
    border = np.ones(relief.shape, bool)
    border[1:-1, 1:-1] = False
    outlet = np.where(border, relief, np.inf).argmin()
    rank = np.empty(relief.size, int)
    rank[order] = np.arange(relief.size)
    others = np.arange(relief.size) != outlet
    # Every cell drains to a neighbour that the flood reached before it.
    assert (rank[onto] < rank)[others].all()
    assert onto[outlet] == outlet
    steps = np.stack(np.divmod(onto, 40)) - np.stack(np.divmod(np.arange(1600), 40))
    assert np.abs(steps).max() == 1


def test_drained_area_is_all_the_land_and_grows_downstream(relief: np.ndarray) -> None:
    order, onto = rivers._drain(relief)
    inlet = rivers._inlet(relief)
    area = rivers._accumulate(order, onto, inlet)
    cell_km2 = (STEP / 100) ** 2
    assert area[order[0]] == pytest.approx(1600 * cell_km2 + 350)
    others = np.array(order[1:])
    assert (area[onto[others]] > area[others]).all()


def test_rivers_are_where_their_points_are(relief: np.ndarray) -> None:
    found = run_rivers(1, relief, 0.0)
    assert found.half_width.max() > 2  # the river that comes in from outside
    assert np.diff(found.half_width[:50]).min() >= -1e-9
    wide = found.points[found.half_width.argmax()]
    y, x = (centres_of(range(int(c) - 15, int(c) + 15)) for c in wide)
    bank = found.bank(y, x)
    assert (bank < 0).any()
    assert (bank > 0).any()
    points = found.points
    away = np.hypot(y[:, None, None] - points[:, 0], x[None, :, None] - points[:, 1])
    slow = away.min(-1) - found.half_width[away.argmin(-1)]
    near = away.min(-1) < 19
    assert bank[near] == pytest.approx(slow[near], abs=1e-3)
    assert found.distance(y, x).min() < 20
