from zlib import crc32

import numpy as np
import pytest
from pyproj import Transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score

from overcast.worlds.cells import (
    MODIS_M,
    SINUSOIDAL,
    LabelGridCells,
    count_classes,
    shares_of,
)
from overcast.worlds.measured import CLASSES, SAVANNA, SNOW, statistics
from overcast.worlds.scene import SceneSpec, WorldScene, simulate

GOLDEN = {"truth": 240697631, "s2": 2894760247, "s1": 2159110567, "modis": 3493710255}
"""Checksums of world 3, 64 by 64 pixels."""


@pytest.fixture(scope="module")
def scene() -> WorldScene:
    return simulate(7, 384)


@pytest.fixture(scope="module")
def small() -> WorldScene:
    return simulate(3, 64)


def test_other_seed_other_world(small: WorldScene) -> None:
    other = simulate(4, 64)
    assert (other.truth.values != small.truth.values).mean() > 0.2
    assert other.grid != small.grid


@pytest.mark.parametrize("size", [65, 100])
def test_any_size(size: int) -> None:
    world = simulate(1, size, wanted=SceneSpec((), cloud=0.5))
    for image in world.images.values():
        assert image.values.shape[1:] == (size, size)
        assert image.valid.all()
    assert world.truth.values.shape == (size, size)


def test_no_pixel_is_unknown_and_no_class_is_impossible(scene: WorldScene) -> None:
    assert scene.truth.valid.all()
    assert not {SAVANNA, SNOW} & set(np.unique(scene.truth.values))


def test_every_class_has_its_share(scene: WorldScene) -> None:
    share = np.bincount(scene.truth.values.ravel(), minlength=10) / 384**2
    assert share[list(CLASSES)].min() > 0.03
    assert share.max() < 0.45


def _labels_of_pixels(scene: WorldScene) -> np.ndarray:
    """The coarse class of every pixel, through its own coordinates."""
    h, w = scene.grid.shape
    x, y = scene.grid.affine @ np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
    coarse = scene.coarse.grid
    there = Transformer.from_crs(
        str(scene.grid.crs), coarse.crs.to_wkt(), always_xy=True
    )
    column, row = ~coarse.affine @ there.transform(x, y)
    return scene.coarse.values[np.floor(row).astype(int), np.floor(column).astype(int)]


def test_coarse_labels_cover_the_scene_and_are_poor(scene: WorldScene) -> None:
    labels, truth = _labels_of_pixels(scene), scene.truth.values
    assert (labels != 255).all()
    recall = [(labels[truth == c] == c).mean() for c in np.unique(truth)]
    assert 0.25 < np.mean(recall) < 0.60


def test_most_whole_cells_hold_the_majority(scene: WorldScene) -> None:
    cells = LabelGridCells.covering(scene.grid, SINUSOIDAL, MODIS_M)
    assert cells.grid == scene.coarse.grid
    index = cells.of(range(384), range(384))
    count = np.zeros(scene.coarse.values.size * 10, int)
    pairs, often = count_classes(scene.truth.values, index)
    count[pairs] = often
    shares = shares_of(count.reshape(-1, 10))
    whole = count.reshape(-1, 10).sum(1) > 0.99 * MODIS_M**2 / 100
    given = scene.coarse.values.ravel()[whole]
    right = (given == shares[whole].argmax(1)).mean()
    assert whole.sum() > 30
    assert 0.45 <= right <= 0.80


def test_class_means_are_within_one_deviation_of_the_measured(
    scene: WorldScene,
) -> None:
    values = np.concatenate([scene.images[name].values for name in ("s2", "s1")])
    for c in CLASSES:
        of = statistics(c)
        mean = values[:, scene.truth.values == c].mean(1)
        away = np.abs(mean - of.mean) / of.plain_std
        # Within one world, so world effect and mixed borders are in it.
        assert np.median(away) < 1.0, scene.truth.legend.names[c]
        assert away.max() < 2.0, scene.truth.legend.names[c]


def test_classes_overlap_as_real_ones_do(scene: WorldScene) -> None:
    bands = np.concatenate([image.values for image in scene.images.values()])
    x, y = bands.reshape(12, -1).T, scene.truth.values.ravel()
    known = np.random.default_rng(0).random(len(y)) < 0.3
    forest = RandomForestClassifier(20, min_samples_leaf=3, random_state=0)
    forest.fit(x[known][::2], y[known][::2])
    ask = np.flatnonzero(~known)[::5]
    score = f1_score(y[ask], forest.predict(x[ask]), average="macro")
    assert 0.68 < score < 0.92


@pytest.mark.parametrize(("seed", "size"), [(1, 63), (-1, 64)])
def test_bad_arguments_are_refused(seed: int, size: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        simulate(seed, size)


def test_unknown_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="modis, corine"):
        SceneSpec(("landsat",))


def test_golden_values(small: WorldScene) -> None:
    """Change these when worlds are meant to change, and say so in the changelog."""
    parts = {
        "truth": small.truth.values,
        "s2": np.rint(small.images["s2"].values * 1e4).astype(np.uint16),
        "s1": np.rint(small.images["s1"].values * 100).astype(np.int16),
        "modis": small.coarse.values,
    }
    found = {name: crc32(values.tobytes()) for name, values in parts.items()}
    assert found == GOLDEN
