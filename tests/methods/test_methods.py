"""Every method fits on a stack, leaves no pickle, and loads as a predictor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from overcast.discover import find, names
from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling, Window
from overcast.methods import sampling
from overcast.methods.arrays import load_arrays
from overcast.methods.features import feature_names, halo_of, pixel_features
from overcast.methods.forest import as_arrays, as_trees
from overcast.methods.kmeans import name_clusters
from overcast.methods.sampling import sample_pixels, sample_seen
from overcast.methods.weak import Weak, cell_counts
from overcast.progress import quiet
from tests.rasters import backscatter, utm

LEGEND = load_legend("simplified-igbp")
SETTINGS: dict[str, dict[str, Any]] = {
    "forest": {"trees": 10, "samples": 2000},
    "kmeans": {"starts": 2, "clusters": 4, "samples": 2000},
    "network": {"window": 16, "batch": 4},
    "weak": {"clusters": (8, 12), "samples": 2000, "dimensions": 5},
}
SHAPE = (96, 80)


def stack(shape: tuple[int, int] = SHAPE) -> Stack:
    """Water left, forest right, a corner not seen by the optical sensor."""
    grid, random = utm(shape), np.random.default_rng(0)
    forest = np.arange(shape[1]) >= shape[1] // 2
    level = np.where(forest, 0.3, 0.03)[None, None].astype(np.float32)
    noise = random.normal(0, 0.01, (10, *shape))
    optical = (level + noise).clip(0.001).astype(np.float32)
    optical[:, :10, :10] = np.nan
    radar = backscatter(shape) + np.where(forest, 0, -6).astype(np.float32)
    classes = np.where(forest, 0, 9)[None].repeat(shape[0], 0).astype(np.uint8)
    classes[-4:] = UNKNOWN
    return Stack(
        grid=grid,
        images={
            "s1": ImageArray(Image.of(radar, grid, SENTINEL_1)),
            "s2": ImageArray(Image.of(optical, grid, SENTINEL_2)),
        },
        labels=LabelArray(Labels(values=classes, grid=grid, legend=LEGEND)),
    )


def made(name: str) -> Any:
    settings = SETTINGS[name]
    if name == "network":
        from overcast.train.loop import Schedule

        settings = {
            **settings,
            "schedule": Schedule(steps=60, warmup=5, peak_rate=1e-2),
        }
    return find("methods", name)(**settings)


@pytest.mark.parametrize("name", names("methods"))
def test_learns_and_loads(name: str, tmp_path: Path) -> None:
    whole, method = stack(), made(name)
    method.fit([whole], tmp_path, 0, quiet)
    assert whole.labels is not None
    assert {p.suffix for p in tmp_path.iterdir()} <= {".safetensors", ".jsonl"}
    predictor = method.load(tmp_path, LEGEND, whole.sensors)
    (window,) = Tiling(100).windows(SHAPE)
    found = predictor.predict(whole.read(window))
    assert found.shape == (10, *SHAPE)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-4)
    truth = whole.labels.read(whole.grid).values
    known = truth != UNKNOWN
    assert (found.argmax(0) == truth)[known].mean() > 0.95


@pytest.mark.parametrize("name", names("methods"))
def test_learns_from_several_scenes(name: str, tmp_path: Path) -> None:
    """Water is in one scene, forest in the other; a third has no labels."""
    whole = stack()
    assert whole.labels is not None
    known = whole.labels.read(whole.grid)
    halves = []
    for side in (known.values == 0, known.values == 9):
        part = replace(known, values=np.where(side, known.values, np.uint8(UNKNOWN)))
        halves.append(replace(whole, labels=LabelArray(part)))
    stacks = [*halves, replace(whole, labels=None)]
    method = made(name)
    method.fit(stacks, tmp_path, 0, quiet)
    predictor = method.load(tmp_path, LEGEND, whole.sensors)
    found = predictor.predict(whole.read(Window(0, 0, *SHAPE))).argmax(0)
    truth = known.values
    assert (found == truth)[truth != UNKNOWN].mean() > 0.9


@pytest.mark.parametrize("name", names("methods"))
def test_scenes_that_differ_are_refused(name: str, tmp_path: Path) -> None:
    whole = stack()
    other = replace(whole, images={"s2": whole.images["s2"]})
    with pytest.raises(ValueError, match="same images"):
        made(name).fit([whole, other], tmp_path, 0, quiet)


@pytest.mark.parametrize("name", names("methods"))
def test_same_seed_same_files(name: str, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        made(name).fit([stack()], tmp_path / folder, 3, quiet)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize("name", names("methods"))
def test_nothing_to_learn_from_is_said(name: str, tmp_path: Path) -> None:
    whole = stack()
    without = Stack(grid=whole.grid, images=whole.images)
    with pytest.raises(ValueError, match="labels"):
        made(name).fit([without], tmp_path, 0, quiet)
    nothing = Labels(
        values=np.full(SHAPE, UNKNOWN, np.uint8), grid=whole.grid, legend=LEGEND
    )
    unknown = Stack(grid=whole.grid, images=whole.images, labels=LabelArray(nothing))
    with pytest.raises(ValueError, match="known label"):
        made(name).fit([unknown], tmp_path, 0, quiet)


@pytest.mark.parametrize("name", names("methods"))
def test_an_unfinished_run_is_no_run(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        made(name).load(tmp_path, LEGEND, stack().sensors)


def test_rebuilt_trees_vote_as_scikit_learn_does() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(500, 5)).astype(np.float32)
    x[random.random(x.shape) < 0.1] = np.nan
    y = (np.nan_to_num(x[:, 0]) > 0).astype(int) + 2 * (np.nan_to_num(x[:, 1]) > 1)
    forest = RandomForestClassifier(12, random_state=0).fit(x, y)
    trees = as_trees(as_arrays(forest), 5)
    votes = sum(tree.predict(x) for tree in trees) / len(trees)
    np.testing.assert_allclose(
        votes.reshape(500, -1), forest.predict_proba(x), atol=1e-12
    )


@pytest.mark.parametrize("seen", [("s1", "s2"), ("s1",)])
def test_features_depend_on_their_halo_alone(seen: tuple[str, ...]) -> None:
    whole = stack()
    whole = replace(whole, images={name: whole.images[name] for name in seen})
    halo = halo_of(whole.sensors)
    chip = whole.read(Window(0, 0, *SHAPE))
    part = whole.read(Window(20, 10, 50, 60))
    everything = pixel_features(chip, whole.sensors)
    inside = pixel_features(part, whole.sensors)
    assert len(everything) == len(feature_names(whole.sensors))
    np.testing.assert_allclose(
        inside[:, halo:-halo, halo:-halo],
        everything[:, 20 + halo : 70 - halo, 10 + halo : 70 - halo],
        rtol=2e-3,
        atol=2e-3,
    )


def test_filtered_backscatter_has_less_speckle_and_keeps_the_edge() -> None:
    whole = stack()
    features = pixel_features(whole.read(Window(0, 0, *SHAPE)), whole.sensors)
    names_ = feature_names(whole.sensors)
    raw, smooth = (features[names_.index(n)] for n in ("s1.VH", "s1.VH filtered"))
    water, forest = np.s_[30:60, 5:30], np.s_[30:60, 50:75]
    assert smooth[water].std() < raw[water].std() / 3
    step = smooth[30:60, 40].mean() - smooth[30:60, 39].mean()
    assert step > 0.7 * (smooth[forest].mean() - smooth[water].mean())


def test_sar_alone_is_averaged_over_boxes_of_several_sizes() -> None:
    whole = stack()
    alone = replace(whole, images={"s1": whole.images["s1"]})
    features = pixel_features(alone.read(Window(0, 0, *SHAPE)), alone.sensors)
    names_ = feature_names(alone.sensors)
    assert len(features) == len(names_) == 8
    water = np.s_[40:50, 10:20]
    spread = [features[names_.index(n)][water].std() for n in names_ if ".VH" in n]
    assert spread == sorted(spread, reverse=True)


def test_what_a_sensor_did_not_see_is_nan_and_nothing_else() -> None:
    whole = stack()
    features = pixel_features(whole.read(Window(0, 0, *SHAPE)), whole.sensors)
    for name, layer in zip(feature_names(whole.sensors), features, strict=True):
        assert np.isnan(layer[:10, :10]).all() == name.startswith("s2"), name
        assert np.isfinite(layer[12:, 12:]).all(), name


@pytest.mark.parametrize("balanced", [True, False])
def test_sampling_draws_what_it_says(balanced: bool) -> None:
    whole = stack((300, 300))
    assert whole.labels is not None
    sample = sample_pixels(
        [whole],
        lambda chip: chip.images["s1"].values,
        4000,
        halo=0,
        seed=1,
        balanced=balanced,
        progress=quiet,
    )
    assert 3600 < len(sample.classes) < 4400
    assert set(sample.classes) == {0, 9}
    assert sample.features.shape == (len(sample.classes), 2)


def test_few_labels_of_a_large_stack_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for room in (sampling, cell_counts):
        monkeypatch.setattr(room, "_MOST_WINDOWS", 1)
    whole = stack((512, 768))
    classes = np.full((512, 768), UNKNOWN, np.uint8)
    classes[300:303, 600:605] = 3
    labels = LabelArray(Labels(values=classes, grid=whole.grid, legend=LEGEND))
    for seed in range(4):
        sample = sample_pixels(
            [replace(whole, labels=labels)],
            lambda chip: chip.images["s1"].values,
            1000,
            halo=0,
            seed=seed,
            balanced=False,
            progress=quiet,
        )
        assert sample.classes.tolist() == [3] * 15
    method = Weak(clusters=(4,), samples=1000)
    method.fit([replace(whole, labels=labels)], tmp_path, 1, quiet)
    predictor = method.load(tmp_path, LEGEND, whole.sensors)
    found = predictor.predict(whole.read(Window(296, 596, 16, 16)))
    assert (found.argmax(0) == 3).all()


def test_a_forest_learns_from_a_handful_of_points(tmp_path: Path) -> None:
    whole = stack((64, 64))
    classes = np.full((64, 64), UNKNOWN, np.uint8)
    classes[20:60:8, 4:60:8] = np.where(np.arange(4, 60, 8) < 32, 0, 9)
    labels = LabelArray(Labels(values=classes, grid=whole.grid, legend=LEGEND))
    method = find("methods", "forest")()
    method.fit([replace(whole, labels=labels)], tmp_path, 0, quiet)
    predictor = method.load(tmp_path, LEGEND, whole.sensors)
    found = predictor.predict(whole.read(Window(12, 0, 48, 64))).argmax(0)
    assert (found[:, :28] == 0).all()
    assert (found[:, 36:] == 9).all()


def test_all_pixels_are_drawn_from_labelled_or_not() -> None:
    whole = stack((64, 64))
    found = sample_seen(
        [replace(whole, labels=None), whole],
        lambda chip: chip.images["s2"].values,
        5000,
        halo=0,
        seed=0,
        progress=quiet,
    )
    assert 4500 < len(found) < 5500


def test_clusters_are_of_the_whole_scene(tmp_path: Path) -> None:
    whole = stack((96, 96))
    classes = np.full((96, 96), UNKNOWN, np.uint8)
    classes[:20, 60:] = 3
    classes[20:40, 60:] = 4
    labels = LabelArray(Labels(values=classes, grid=whole.grid, legend=LEGEND))
    Weak(clusters=(8,)).fit([replace(whole, labels=labels)], tmp_path, 0, quiet)
    kept = load_arrays(tmp_path / "weak.safetensors")["mean"]
    everything = pixel_features(whole.read(Window(0, 0, 96, 96)), whole.sensors)
    np.testing.assert_allclose(kept, np.nanmean(everything, (1, 2)), 1e-3, 1e-3)


def test_rare_classes_give_all_they_have() -> None:
    grid = utm(SHAPE)
    classes = np.zeros(SHAPE, np.uint8)
    classes[:5, :5] = 3
    labels = LabelArray(Labels(values=classes, grid=grid, legend=LEGEND))
    whole = Stack(grid=grid, images=stack().images, labels=labels)
    sample = sample_pixels(
        [whole],
        lambda chip: chip.images["s1"].values,
        1000,
        halo=0,
        seed=1,
        balanced=True,
        progress=quiet,
    )
    assert (sample.classes == 3).sum() == 25
    assert 400 < (sample.classes == 0).sum() < 600


def test_clusters_are_named_one_to_one_as_far_as_classes_go() -> None:
    clusters = np.repeat([0, 1, 2], [60, 40, 30])
    classes = np.repeat(np.uint8([4, 4, 1, 4]), [60, 25, 15, 30])
    # Cluster 1 is mostly class 4, but giving it class 1 makes more pixels agree.
    assert name_clusters(clusters, classes, 5).tolist() == [4, 1, 4]


@pytest.mark.parametrize("name", names("methods"))
def test_only_classes_with_labels_are_mapped(name: str, tmp_path: Path) -> None:
    whole, method = stack(), made(name)
    method.fit([whole], tmp_path, 0, quiet)
    predictor = method.load(tmp_path, LEGEND, whole.sensors)
    odd = replace(
        whole.read(Window(0, 0, *SHAPE)),
        images={
            n: Image.of(-3 * source.read(whole.grid).values, whole.grid, source.sensor)
            for n, source in whole.images.items()
        },
    )
    for chip in (whole.read(Window(0, 0, *SHAPE)), odd):
        assert set(np.unique(predictor.predict(chip).argmax(0))) <= {0, 9}
    if name == "network":
        assert (predictor.predict(odd)[1:9] == 0).all()


@pytest.mark.parametrize("name", ["forest", "weak"])
def test_savanna_is_mapped_by_other_methods(name: str, tmp_path: Path) -> None:
    whole, savanna = stack(), LEGEND.names.index("Savanna")
    assert whole.labels is not None
    values = whole.labels.read(whole.grid).values
    values[values == 0] = savanna
    labels = LabelArray(Labels(values=values, grid=whole.grid, legend=LEGEND))
    method = made(name)
    method.fit([replace(whole, labels=labels)], tmp_path, 0, quiet)
    chip = whole.read(Window(0, 0, *SHAPE))
    classes = method.load(tmp_path, LEGEND, whole.sensors).predict(chip).argmax(0)
    assert (classes == savanna).any() == (name == "forest")
