from pathlib import Path

import numpy as np
import pytest

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.maps.accuracy import compare, scores
from overcast.methods.counts import _Places
from overcast.methods.forest import Forest
from overcast.methods.weak import Weak
from overcast.progress import quiet
from overcast.worlds.scene import Scene, Wanted, simulate


@pytest.fixture(scope="module")
def scene() -> Scene:
    return simulate(2, 384, wanted=Wanted(("modis", "worldcover")))


def stack_of(scene: Scene, labels: Labels) -> Stack:
    images = {name: ImageArray(image) for name, image in scene.images.items()}
    return Stack(grid=scene.grid, images=images, labels=LabelArray(labels))


def mapped(scene: Scene, stack: Stack, method: object, folder: Path) -> Labels:
    folder.mkdir(exist_ok=True)
    method.fit([stack], folder, 0, quiet)  # type: ignore[attr-defined]
    predictor = method.load(folder, scene.truth.legend, stack.sensors)  # type: ignore[attr-defined]
    found = predictor.predict(stack.read(Window(0, 0, *stack.shape)))
    return Labels(
        values=found.argmax(0).astype(np.uint8),
        grid=scene.grid,
        legend=scene.truth.legend,
    )


def iou(scene: Scene, labels: Labels) -> float:
    confusion = compare(LabelArray(labels), LabelArray(scene.truth), scene.grid)
    return float(scores(confusion, scene.truth.legend)["mean_iou"])


def test_beats_coarse_labels_and_a_forest(scene: Scene, tmp_path: Path) -> None:
    stack = stack_of(scene, scene.coarse)
    found = mapped(scene, stack, Weak(clusters=(128, 256)), tmp_path / "a")
    forest = mapped(scene, stack, Forest(trees=30), tmp_path / "b")
    assert iou(scene, found) > iou(scene, scene.coarse) + 0.1
    assert iou(scene, found) > iou(scene, forest)
    savanna = scene.truth.legend.names.index("Savanna")
    assert (scene.coarse.values == savanna).any()
    assert not (found.values == savanna).any()


def test_improves_labels_as_fine_as_the_image(scene: Scene, tmp_path: Path) -> None:
    product = scene.labels["worldcover"]
    method = Weak(clusters=(128, 256))
    found = mapped(scene, stack_of(scene, product), method, tmp_path)
    assert iou(scene, found) > iou(scene, product)


def test_nothing_known_is_refused(scene: Scene, tmp_path: Path) -> None:
    nothing = Labels(
        values=np.full_like(scene.coarse.values, UNKNOWN),
        grid=scene.coarse.grid,
        legend=scene.coarse.legend,
    )
    with pytest.raises(ValueError, match="known"):
        Weak().fit([stack_of(scene, nothing)], tmp_path, 0, quiet)


def test_cells_are_label_pixels_or_squares_of_them(scene: Scene) -> None:
    coarse, fine = (
        stack_of(scene, labels) for labels in (scene.coarse, scene.labels["worldcover"])
    )
    assert _Places([coarse], 8).together == [1]
    grid, numbers = scene.grid, _Places([coarse, fine, fine], 8)
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
