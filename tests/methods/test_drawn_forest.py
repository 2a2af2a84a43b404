from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.methods.arrays import load_arrays, save_arrays
from overcast.methods.features import halo_of, pixel_features
from overcast.methods.weak import Weak
from overcast.methods.weak.drawn_forest import Beside, Drawn, _mean_share, drawn_pixels
from overcast.progress import quiet
from overcast.worlds.scene import WorldScene, simulate

PLACES = ((4, 4), (40, 90), (80, 20), (100, 100), (60, 60))
SIDE = 10


@pytest.fixture(scope="module")
def scene() -> WorldScene:
    return simulate(3, 128)


def drawn_stack(scene: WorldScene) -> Stack:
    """Labels in five squares."""
    where = np.zeros(scene.truth.values.shape, np.bool_)
    for row, column in PLACES:
        where[row : row + SIDE, column : column + SIDE] = True
    values = np.where(where, scene.truth.values, UNKNOWN).astype(np.uint8)
    return Stack(
        grid=scene.grid,
        images={name: ImageArray(image) for name, image in scene.images.items()},
        labels=LabelArray(replace(scene.truth, values=values)),
    )


def chances(sure: float, right: int = 200, classes: int = 2) -> np.ndarray:
    """Probabilities ``[K, N]`` that give class 0 so much."""
    own = np.full((classes, right), (1 - sure) / (classes - 1))
    own[0] = sure
    return own


@pytest.mark.parametrize(("clusters", "forest", "low", "high"), [
    (0.95, 0.3, 0.0, 0.1),
    (0.3, 0.95, 0.9, 1.0),
    (0.6, 0.6, 0.49, 0.51),
])  # fmt: skip
def test_many_pieces_decide_the_share(
    clusters: float, forest: float, low: float, high: float
) -> None:
    both = np.stack([chances(clusters), chances(forest)])
    classes = np.zeros(200, np.int64)
    share = _mean_share(both, classes, np.arange(200), 1.7)
    assert low <= share <= high


def test_a_piece_is_one_decision_however_large() -> None:
    both = np.stack([chances(0.7), chances(0.5)])
    classes = np.zeros(200, np.int64)
    of_one = _mean_share(both, classes, np.zeros(200, np.int64), 1.0)
    of_many = _mean_share(both, classes, np.arange(200), 1.0)
    assert of_many < 0.1
    assert 0.4 < of_one < 0.5
    # One piece of 200 pixels says what one of 2 does.
    few = _mean_share(both[..., :2], classes[:2], np.zeros(2, np.int64), 1.0)
    assert of_one == pytest.approx(few)


def test_pieces_are_pixels_that_touch(scene: WorldScene) -> None:
    stack = drawn_stack(scene)
    drawn = drawn_pixels(
        [stack],
        lambda chip: pixel_features(chip, stack.sensors, True),
        halo_of(stack.sensors),
        0,
        quiet,
    )
    assert np.bincount(drawn.pieces).tolist() == [SIDE**2] * len(PLACES)
    row, column = PLACES[0]
    truth = scene.truth.values[row : row + SIDE, column : column + SIDE]
    own = drawn.classes[drawn.pieces == 0]
    assert np.bincount(own, minlength=9).tolist() == (
        np.bincount(truth.ravel(), minlength=9).tolist()
    )


def test_one_class_or_two_pieces_grow_no_forest() -> None:
    features, pieces = np.zeros((4, 2), np.float32), np.arange(4)
    assert Drawn(features, np.array([0, 1, 0, 1]), pieces).tells
    assert not Drawn(features, np.zeros(4, np.int64), pieces).tells
    assert not Drawn(features, np.array([0, 1, 0, 1]), pieces // 2).tells


def test_a_forest_counts_beside_clusters_of_drawn_labels(
    scene: WorldScene, tmp_path: Path
) -> None:
    stack, legend = drawn_stack(scene), scene.truth.legend
    method = Weak(clusters=(32, 64))
    method.fit([stack], tmp_path, 0, quiet)
    predictor = method.load(tmp_path, legend, stack.sensors)
    beside = predictor.beside
    assert beside is not None
    assert 0 < beside.share < 1
    chip = stack.read(Window(0, 0, *stack.shape))
    both = predictor.predict(chip)
    alone = replace(predictor, beside=None).predict(chip)
    forest = replace(predictor, beside=replace(beside, share=1.0)).predict(chip)
    assert abs(both - alone).max() > 0.05
    assert abs(both - forest).max() > 0.05
    np.testing.assert_allclose(both.sum(0), 1, atol=1e-4)
    # A pixel that was partly seen keeps what clusters say of it.
    pixels = pixel_features(chip, stack.sensors, True).reshape(-1, 128 * 128).T[:4]
    pixels[:2, 0] = np.nan
    said = np.full((4, len(legend)), 1 / len(legend), np.float32)
    mixed = beside.mixed(pixels, said)
    assert (mixed[:2] == said[:2]).all()
    assert (mixed[2:] != said[2:]).any()


def test_labels_everywhere_and_the_switch_grow_no_forest(
    scene: WorldScene, tmp_path: Path
) -> None:
    drawn = drawn_stack(scene)
    everywhere = replace(drawn, labels=LabelArray(scene.coarse))
    for name, stack, method in (
        ("map", everywhere, Weak(clusters=(16,))),
        ("off", drawn, Weak(clusters=(16,), forest=False)),
    ):
        folder = tmp_path / name
        folder.mkdir()
        method.fit([stack], folder, 0, quiet)
        loaded = method.load(folder, scene.truth.legend, stack.sensors)
        assert loaded.beside is None


def test_refuses_trees_that_are_none(scene: WorldScene, tmp_path: Path) -> None:
    stack, legend = drawn_stack(scene), scene.truth.legend
    method = Weak(clusters=(16,))
    method.fit([stack], tmp_path, 0, quiet)
    (path,) = tmp_path.glob("*.safetensors")
    arrays = load_arrays(path)
    for name, values in (
        ("trees.share", np.array([2], np.float32)),
        ("trees.nodes.left_child", np.zeros(3, np.int64)),
    ):
        save_arrays({**arrays, name: values}, path)
        with pytest.raises(ValueError, match="train the run again"):
            method.load(tmp_path, legend, stack.sensors)
    assert Beside.of({}, 5, 3) is None
