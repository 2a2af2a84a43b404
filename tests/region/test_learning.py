"""What a region teaches does not depend on who counts, nor in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from overcast.geo.label_cells import CellNumbers
from overcast.geo.tiling import Window
from overcast.inputs import open_inputs
from overcast.methods.forest import Forest
from overcast.methods.kmeans import KMeans
from overcast.methods.network import Network
from overcast.methods.over import Chosen, in_turn, takes_over
from overcast.methods.sampling import sample_over, sample_seen
from overcast.methods.weak import Weak
from overcast.methods.weak.cell_counts import Counting, Tally, count_cells
from overcast.progress import quiet
from overcast.region.census import ENOUGH, Census, choose_windows, take_census
from overcast.region.engine import InTurn
from overcast.region.events import Events
from overcast.region.ground import open_ground
from overcast.region.learning import learn_region
from overcast.region.strata import strata_of
from tests.region.conftest import Small


def backwards(do: Callable[[Any], Any], items: Sequence[Any], stage: str) -> list[Any]:
    """Work on items in the opposite order."""
    return [do(item) for item in reversed(items)][::-1]


def census_of(cells: np.ndarray, stacks: int = 1) -> Census:
    count = len(cells)
    windows = [
        (i * stacks // count, Window(256 * i, 0, 256, 256)) for i in range(count)
    ]
    return Census(tuple(windows), cells.astype(float), cells.astype(float) * 100)


def test_a_class_that_two_windows_of_five_thousand_name_is_chosen() -> None:
    cells = np.zeros((5000, 3))
    cells[:, 0] = 20
    cells[::9, 1] = 3
    cells[[1234, 4321], 2] = 2
    chosen = choose_windows(census_of(cells), 0, in_turn)
    rows = {window.y // 256 for _, window in chosen.windows}
    assert {1234, 4321} <= rows
    assert len(rows) <= 64 + 3 * 64
    shown = cells[sorted(rows)].sum(0)
    # Of the others there are as many cells as are enough, or 64 windows of them.
    assert shown[0] >= ENOUGH
    assert shown[1] >= 64 * 3
    np.testing.assert_allclose(chosen.shown, 100 * shown)
    np.testing.assert_allclose(chosen.totals, 100 * cells.sum(0))
    assert list(chosen.windows) == sorted(chosen.windows)


def test_every_stratum_has_its_own_windows_of_a_class() -> None:
    cells = np.full((400, 2), 9.0)
    chosen = choose_windows(census_of(cells, stacks=2), 0, in_turn)
    for stratum in (0, 1):
        own = [w for index, w in chosen.windows if index == stratum]
        assert len(own) * 9 >= ENOUGH


def test_polygons_are_strata_of_their_own(small: Small, tmp_path: Path) -> None:
    (zone,) = open_ground(small.region).zones
    h, w = zone.stack.shape
    windows = [
        (0, Window(y, x, 64, 64))
        for y in range(0, h - 63, 64)
        for x in range(0, w - 63, 64)
    ]
    grid = zone.stack.grid
    west, east = grid[:, : w // 2].boundingbox, grid[: h // 2, w // 2 :].boundingbox
    shapes = [shapely.box(*box.bbox) for box in (west, east)]
    path = tmp_path / "regions.gpkg"
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(shapes),
        field_data=[np.array(["alps", "alps"], object)],
        fields=["eco"],
        crs=str(grid.crs),
        geometry_type="Polygon",
    )
    each = strata_of(str(path), None, [zone.stack], windows)
    left = np.array([window.x + 32 < w // 2 for _, window in windows])
    upper = np.array([window.y + 32 < h // 2 for _, window in windows])
    expected = np.where(left, 0, np.where(upper, 1, -1))
    np.testing.assert_array_equal(each, expected)
    named = strata_of(str(path), "eco", [zone.stack], windows)
    np.testing.assert_array_equal(named, np.where(expected < 0, -1, 0))
    assert not strata_of("none", None, [zone.stack], windows).any()
    cells = np.zeros((len(windows), 1))
    cells[:, 0] = np.where(each == 1, 2, 200)
    census = Census(tuple(windows), cells, cells)
    rows = choose_windows(census, 0, in_turn, each).windows
    assert {w for k, w in enumerate(windows) if each[k] == 1} <= set(rows)


def test_strata_of_a_method_that_chooses_windows_are_refused(
    small: Small, tmp_path: Path
) -> None:
    cut = replace(small.region.cut, strata="none")
    plan = replace(small.region.plan, method={"name": "network"})
    region = replace(small.region, plan=plan, cut=cut)
    ground = open_ground(region)
    with pytest.raises(ValueError, match="network chooses windows itself"):
        learn_region(region, ground, tmp_path / "run", InTurn(), Events())


def test_a_census_counts_labels_by_window(small: Small) -> None:
    ground = open_ground(small.region)
    (zone,) = ground.zones
    census = take_census([zone.stack], [zone.outline], in_turn)
    assert zone.stack.labels is not None
    assert [index for index, _ in census.windows] == [0] * len(census.windows)
    for (_, window), counted in zip(census.windows, census.pixels, strict=True):
        values = zone.stack.labels.read(zone.stack.grid[window.slices]).values
        exact = np.bincount(values[values != 255], minlength=len(counted))
        assert abs(counted - exact).max() <= 0.05 * 256 * 256
    # A cell of 463 m has about 46 x 46 pixels of 10 m.
    ratio = census.pixels.sum() / census.cells.sum()
    assert ratio == pytest.approx(46.3**2, rel=0.05)


@pytest.fixture(scope="module")
def chosen(small: Small) -> Chosen:
    windows = [Window(y, x, 128, 128) for y in (0, 128) for x in (0, 128)]
    some = np.ones(10)
    return Chosen(tuple((0, window) for window in windows), some, some)


def test_pixels_drawn_do_not_depend_on_the_order_of_work(
    small: Small, chosen: Chosen
) -> None:
    stack = open_inputs(small.region.plan.data).stack

    def features(chip: Any) -> np.ndarray:
        return np.asarray(chip.images["s1"].values)

    def draw(over: Chosen) -> np.ndarray:
        return sample_seen(
            [stack], features, 500, halo=2, seed=3, progress=quiet, over=over
        )

    one = draw(chosen)
    assert 400 < len(one) < 600
    np.testing.assert_array_equal(one, draw(replace(chosen, each=backwards)))
    first = replace(chosen, windows=chosen.windows[:1])
    chances = np.array([500 / 256**2, 0.0])
    bare = replace(stack, labels=None)
    alone = sample_over([bare], features, chances, halo=2, seed=3, over=first)
    np.testing.assert_array_equal(alone.features, one[: len(alone.features)])


def counting(prior: str = "") -> Counting:
    def clusters(chip: Any) -> list[np.ndarray]:
        value = np.nan_to_num(chip.images["s1"].values[0]).ravel()
        return [np.clip(value + 20, 0, 9).astype(np.intp)]

    return Counting(clusters, [10], 4, 0.5, prior, 0)


def test_counts_of_windows_merge_to_the_counts_of_all(
    small: Small, chosen: Chosen
) -> None:
    stack = open_inputs(small.region.plan.data).stack
    (whole,) = count_cells([stack], counting(), quiet, chosen)
    (merged,) = count_cells([stack], counting(), quiet, replace(chosen, each=backwards))
    np.testing.assert_array_equal(merged.labels, whole.labels)
    np.testing.assert_array_equal(merged.weight, whole.weight)
    np.testing.assert_array_equal(merged.shares.toarray(), whole.shares.toarray())


def test_a_class_weighs_as_it_does_in_all_of_the_ground(small: Small) -> None:
    stack = open_inputs(small.region.plan.data).stack
    assert stack.labels is not None
    tally = Tally(
        stack.labels.legend, CellNumbers([stack], 4), replace(counting(), balance=0)
    )
    tally.add(0, stack.read(Window(0, 0, 256, 256)), (slice(None), slice(None)))
    (plain,) = tally.cells("labels")
    shares = plain.weight @ plain.labels
    there = np.where(shares > 0, np.arange(1.0, len(shares) + 1), 0)
    (weighted,) = tally.cells("labels", there)
    found = weighted.weight @ weighted.labels
    np.testing.assert_allclose(found / found.sum(), there / there.sum(), atol=0.03)


def test_which_methods_take_chosen_windows() -> None:
    assert takes_over(Weak())
    assert takes_over(Forest())
    assert takes_over(KMeans())
    assert not takes_over(Network())


@pytest.mark.parametrize(
    ("method", "file"),
    [
        ({"name": "forest", "trees": 5, "samples": 500}, "forest.safetensors"),
        ({"name": "kmeans", "starts": 1, "samples": 500}, "kmeans.safetensors"),
    ],
)
def test_what_is_learned_is_the_same_whatever_the_tiles(
    small: Small, tmp_path: Path, method: dict[str, Any], file: str
) -> None:
    region = replace(small.region, plan=replace(small.region.plan, method=method))
    made = []
    for tiles in (64, 128):
        cut = replace(region, cut=replace(region.cut, tiles=tiles))
        run = tmp_path / str(tiles)
        learn_region(cut, open_ground(cut), run, InTurn(), Events())
        made.append((run / file).read_bytes())
    assert made[0] == made[1]
