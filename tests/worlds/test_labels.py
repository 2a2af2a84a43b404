import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from overcast.geo.raster import UNKNOWN
from overcast.worlds.scene import FINE_LABELS, SceneSpec, WorldScene, simulate


@pytest.fixture(scope="module")
def scene() -> WorldScene:
    return simulate(6, 384, wanted=SceneSpec((*FINE_LABELS, "modis")))


def test_fine_labels_don_t_depend_on_windows(scene: WorldScene) -> None:
    from overcast.geo.tiling import Window
    from overcast.worlds.world import WorldView, make_world

    world = make_world(6, 384)
    view = WorldView.of(world, Window(200, 240, 77, 90))
    for kind, make in FINE_LABELS.items():
        whole = scene.labels[kind].values
        assert np.array_equal(make(view), whole[200:277, 240:330]), kind


def test_a_product_is_wrong_along_borders_and_in_blobs(scene: WorldScene) -> None:
    product, truth = scene.labels["worldcover"].values, scene.truth.values
    wrong = product != truth
    assert 0.2 < wrong.mean() < 0.45
    border = np.zeros(product.shape, bool)
    border[:-1] |= product[:-1] != product[1:]
    border[:, :-1] |= product[:, :-1] != product[:, 1:]
    near = distance_transform_edt(~border) <= 2
    assert wrong[near].mean() > 1.5 * wrong[~near].mean()
    # Errors hang together: a wrong pixel's neighbour is wrong more often than not.
    assert (wrong[:, 1:] & wrong[:, :-1]).sum() / wrong[:, 1:].sum() > 0.6


@pytest.mark.parametrize(
    ("kind", "low", "high"), [("points", 5e-4, 2e-3), ("polygons", 1e-3, 0.02)]
)
def test_samples_are_few_and_true(
    scene: WorldScene, kind: str, low: float, high: float
) -> None:
    values = scene.labels[kind].values
    known = values != UNKNOWN
    assert low < known.mean() < high
    assert np.array_equal(values[known], scene.truth.values[known])
    assert len(np.unique(values[known])) >= 5


def test_an_old_map_was_right_once(scene: WorldScene) -> None:
    old = scene.labels["outdated"].values
    assert 0.80 < (old == scene.truth.values).mean() < 0.98


def test_pseudo_labels_are_better_than_chance_and_far_from_true(
    scene: WorldScene,
) -> None:
    pseudo = scene.labels["pseudo"].values
    agreement = (pseudo == scene.truth.values).mean()
    assert 0.3 < agreement < 0.85
