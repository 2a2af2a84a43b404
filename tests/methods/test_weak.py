from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from overcast.accuracy.confusion import compare, scores
from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.bands import SENTINEL_1
from overcast.geo.label_cells import CellNumbers
from overcast.geo.legend import load_legend
from overcast.geo.probabilities import probability_sensor
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.methods.forest import Forest
from overcast.methods.weak import Weak
from overcast.methods.weak.cell_counts import Counting, count_cells
from overcast.progress import quiet
from overcast.worlds.scene import SceneSpec, WorldScene, simulate
from tests.rasters import backscatter, utm

LEGEND = load_legend("simplified-igbp")


@pytest.fixture(scope="module")
def scene() -> WorldScene:
    return simulate(2, 384, wanted=SceneSpec(("modis", "worldcover")))


def stack_of(scene: WorldScene, labels: Labels) -> Stack:
    images = {name: ImageArray(image) for name, image in scene.images.items()}
    return Stack(grid=scene.grid, images=images, labels=LabelArray(labels))


def mapped(scene: WorldScene, stack: Stack, method: object, folder: Path) -> Labels:
    folder.mkdir(exist_ok=True)
    method.fit([stack], folder, 0, quiet)  # type: ignore[attr-defined]
    predictor = method.load(folder, scene.truth.legend, stack.sensors)  # type: ignore[attr-defined]
    found = predictor.predict(stack.read(Window(0, 0, *stack.shape)))
    return Labels(
        values=found.argmax(0).astype(np.uint8),
        grid=scene.grid,
        legend=scene.truth.legend,
    )


def iou(scene: WorldScene, labels: Labels) -> float:
    confusion = compare(LabelArray(labels), LabelArray(scene.truth), scene.grid)
    return float(scores(confusion, scene.truth.legend)["mean_iou"])


def test_beats_coarse_labels_and_a_forest(scene: WorldScene, tmp_path: Path) -> None:
    stack = stack_of(scene, scene.coarse)
    found = mapped(scene, stack, Weak(clusters=(128, 256)), tmp_path / "a")
    forest = mapped(scene, stack, Forest(trees=30), tmp_path / "b")
    assert iou(scene, found) > iou(scene, scene.coarse) + 0.1
    assert iou(scene, found) > iou(scene, forest)
    savanna = scene.truth.legend.names.index("Savanna")
    assert (scene.coarse.values == savanna).any()
    assert not (found.values == savanna).any()


def test_improves_labels_as_fine_as_the_image(
    scene: WorldScene, tmp_path: Path
) -> None:
    product = scene.labels["worldcover"]
    method = Weak(clusters=(128, 256))
    found = mapped(scene, stack_of(scene, product), method, tmp_path)
    assert iou(scene, found) > iou(scene, product)


@pytest.mark.parametrize("gone", ["s1", "s2"])
def test_maps_without_a_sensor_that_it_learned_with(
    scene: WorldScene, tmp_path: Path, gone: str
) -> None:
    """What the other one sees is worth more than knowing the largest class."""
    stack, method = stack_of(scene, scene.coarse), Weak(clusters=(128, 256))
    method.fit([stack], tmp_path, 0, quiet)
    predictor = method.load(tmp_path, scene.truth.legend, stack.sensors)
    chip = stack.read(Window(0, 0, *stack.shape))
    image = chip.images[gone]
    nothing = Image.of(np.full_like(image.values, np.nan), image.grid, image.sensor)
    left = replace(chip, images={**chip.images, gone: nothing})
    found = predictor.predict(left)
    np.testing.assert_allclose(found.sum(0), 1, rtol=1e-5)
    right = (found.argmax(0) == scene.truth.values).mean()
    largest = np.bincount(scene.truth.values.ravel()).max() / scene.truth.values.size
    assert right > largest + 0.15


def test_nothing_known_is_refused(scene: WorldScene, tmp_path: Path) -> None:
    nothing = Labels(
        values=np.full_like(scene.coarse.values, UNKNOWN),
        grid=scene.coarse.grid,
        legend=scene.coarse.legend,
    )
    with pytest.raises(ValueError, match="known"):
        Weak().fit([stack_of(scene, nothing)], tmp_path, 0, quiet)


def test_cells_are_label_pixels_or_squares_of_them(scene: WorldScene) -> None:
    coarse, fine = (
        stack_of(scene, labels) for labels in (scene.coarse, scene.labels["worldcover"])
    )
    assert CellNumbers([coarse], 8).together == [1]
    grid, numbers = scene.grid, CellNumbers([coarse, fine, fine], 8)
    assert numbers.together == [1, 8, 8]
    whole = numbers.of(1, grid)
    assert np.array_equal(np.unique(whole, return_counts=True)[1], np.full(48**2, 64))
    # A window alone gives the same cells the same numbers.
    part = numbers.of(1, grid[96:160, 200:280])
    assert np.array_equal(part, whole[96:160, 200:280])
    # No two stacks share a number.
    first, third = numbers.of(0, grid), numbers.of(2, grid)
    assert not np.intersect1d(whole, third).size
    assert not np.intersect1d(whole, first[first >= 0]).size


def labels_on(values: np.ndarray, pixel: int) -> Stack:
    """Labels with pixels of so many image pixels; the image itself is of no matter."""
    grid = utm((values.shape[0] * pixel, values.shape[1] * pixel))
    coarse = grid.zoom_out(pixel)
    labels = Labels(values=values.astype(np.uint8), grid=coarse, legend=LEGEND)
    image = Image.of(backscatter(tuple(grid.shape)), grid, SENTINEL_1)
    return Stack(grid=grid, images={"s1": ImageArray(image)}, labels=LabelArray(labels))


def test_cells_of_a_drawn_polygon_weigh_as_one() -> None:
    drawn = np.zeros((8, 8))
    drawn[2:4, 2:6] = 5
    places = CellNumbers([labels_on(drawn, 10)], 4)
    sizes = places.size(np.arange(64)).reshape(8, 8)
    assert (sizes[2:4, 2:6] == 8).all()
    assert (sizes[drawn == 0] == 56).all()


def test_scattered_labels_are_no_polygons() -> None:
    scattered = np.random.default_rng(0).integers(0, 5, (8, 8))
    places = CellNumbers([labels_on(scattered, 10)], 4)
    assert (places.size(np.arange(64)) == 1).all()


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_balance_gives_rare_labels_weight(balance: float) -> None:
    values = np.zeros((8, 8))
    values.flat[[3, 17, 30, 44]] = 5
    counting = Counting(lambda chip: [np.zeros(6400, np.intp)], [1], 4, balance, "", 0)
    (cells,) = count_cells([labels_on(values, 10)], counting, quiet)
    rare = cells.labels[:, 5] == 1
    expected = ((60 / 64) / (4 / 64)) ** balance
    assert cells.weight[rare][0] / cells.weight[~rare][0] == pytest.approx(expected)
    assert cells.weight.mean() == pytest.approx(1)


def test_a_prior_helps_where_labels_mislead(scene: WorldScene, tmp_path: Path) -> None:
    """All coarse labels of one class are called another: only other scenes know."""
    names = scene.truth.legend.names
    water, wetlands = names.index("Water"), names.index("Wetlands")
    coarse = scene.coarse.values
    wrong = replace(
        scene.coarse,
        values=np.where(coarse == water, wetlands, coarse).astype(np.uint8),
    )
    stack = stack_of(scene, wrong)
    known = np.eye(len(names), dtype=np.float32)[scene.truth.values]
    sensor = probability_sensor(names)
    image = Image.of(0.01 + 0.9 * np.moveaxis(known, 2, 0), scene.grid, sensor)
    told = replace(
        stack,
        images={**stack.images, "prior": ImageArray(image)},
        targets=frozenset({"prior"}),
    )
    method = Weak(clusters=(128,))
    alone = mapped(scene, stack, method, tmp_path / "a")
    with_prior = replace(method, prior="prior", trust=1.0)
    helped = mapped(scene, told, with_prior, tmp_path / "b")
    truth = scene.truth.values == water
    assert (alone.values[truth] == water).mean() < 0.1
    assert (helped.values[truth] == water).mean() > 0.6


def test_a_prior_of_other_classes_is_refused(scene: WorldScene, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="band for each of"):
        Weak(prior="s2").fit([stack_of(scene, scene.coarse)], tmp_path, 0, quiet)


def test_what_is_assumed_gives_way_to_what_labels_say() -> None:
    method = Weak(smoothness=2.0, trust=0.5)
    first = method._belief(LEGEND)
    few, some, many = (method._for(first, cells) for cells in (50, 200, 20_000))
    assert (some.smoothness, some.prior) == (2.0, 0.5)
    assert (few.smoothness, few.prior) == pytest.approx((4.0, 1.0))
    assert (many.smoothness, many.prior) == pytest.approx((0.2, 0.05))


def test_a_mixture_is_what_its_pixels_are_called() -> None:
    """Rows are true classes: a forest may be called Savanna, which is no true class."""
    belief = Weak(wrong=0.3)._belief(LEGEND)
    position = {name: k for k, name in enumerate(LEGEND.names)}
    savanna, one = position["Savanna"], 0.3 / 9
    for name, share in (("Forest", 0.35), ("Shrubland", 0.3), ("Grassland", 0.35)):
        row = belief.mistakes[position[name]]
        whole = 1 + 0.3 * share
        assert row[savanna] == pytest.approx((one + 0.3 * share) / whole)
        assert row[position[name]] == pytest.approx(0.7 / whole)
        assert row[position["Water"]] == pytest.approx(one / whole)
        assert belief.mistakes[savanna, position[name]] == pytest.approx(one)
    assert belief.mistakes[position["Water"], savanna] == pytest.approx(one)
    np.testing.assert_allclose(belief.mistakes.sum(1), 1)
    assert np.flatnonzero(~belief.possible).tolist() == [savanna]


def test_classes_that_may_be_mapped() -> None:
    labelled = np.array([name in ("Water", "Savanna") for name in LEGEND.names])
    likely = Weak()._likely(LEGEND, labelled)
    names = [name for name, may in zip(LEGEND.names, likely, strict=True) if may]
    assert names == ["Forest", "Shrubland", "Savanna", "Grassland", "Water"]
    assert Weak(prior="p")._likely(LEGEND, labelled).all()


def test_classes_without_labels_are_not_mapped(
    scene: WorldScene, tmp_path: Path
) -> None:
    few = np.isin(scene.truth.values, (0, 9))
    values = np.where(few, scene.truth.values, np.uint8(UNKNOWN))
    labels = Labels(values=values, grid=scene.grid, legend=scene.truth.legend)
    found = mapped(scene, stack_of(scene, labels), Weak(clusters=(64,)), tmp_path)
    assert set(np.unique(found.values)) == {0, 9}


def test_other_mosaics_are_classes_of_their_own() -> None:
    for name in ("igbp", "corine", "esri"):
        legend = load_legend(name)
        assert Weak()._belief(legend).possible.all(), name
    names = load_legend("igbp").names
    assert {"Savannas", "Cropland/natural vegetation mosaics"} <= set(names)
