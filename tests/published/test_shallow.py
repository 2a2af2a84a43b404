from __future__ import annotations

from pathlib import Path

import numpy as np
from bench.published.patches import NINE, classify, draw_pixels, read_chip, whole
from bench.published.shallow import cluster, grow_forest

from overcast.datasets.dataset import Dataset
from overcast.progress import quiet


def test_every_pixel_goes_to_its_nearest_centre(local: Dataset) -> None:
    patches = local.split("test")
    stack = draw_pixels(patches, "S1+S2", 3_000, 0, quiet)
    found = cluster(stack, 8, 0, quiet)
    chip = read_chip(patches[0], "S1+S2", None)
    scaled = np.concatenate(
        [i.sensor.to_network(i.values) for i in chip.images.values()]
    )
    arrays = found.arrays  # type: ignore[attr-defined]
    centres, names = arrays["centres"] * 1e-3, arrays["classes"].astype(int)
    square = ((scaled.reshape(12, -1).T[:, None] - centres) ** 2).sum(-1)
    nearest = names[square.argmin(1)].reshape(128, 128)
    agree = classify(found, chip).values == nearest
    assert agree.mean() > 0.999


def test_clusters_have_different_names(world: Dataset) -> None:
    stack = draw_pixels(world.split("train"), "S2 only", 3_000, 0, quiet)
    chip = stack.read(whole(stack))
    assert chip.labels is not None
    classes = np.unique(chip.labels.values[chip.labels.valid])
    found = cluster(stack, len(classes), 0, quiet)
    names = found.arrays["classes"]  # type: ignore[attr-defined]
    assert len(np.unique(names)) >= len(classes) - 1


def test_the_forest_is_the_papers(local: Dataset, tmp_path: Path) -> None:
    patches = local.split("test")
    stack = draw_pixels(patches, "S2 only", 4_000, 0, quiet)
    found = grow_forest(stack, 5, tmp_path / "forest", 0, quiet)
    assert len(found.trees) == 5  # type: ignore[attr-defined]
    assert max(tree.max_depth for tree in found.trees) == 10  # type: ignore[attr-defined]
    assert found.legend == NINE
    chip = stack.read(whole(stack))
    assert chip.labels is not None
    known = chip.labels.valid
    right = classify(found, chip).values[known] == chip.labels.values[known]
    assert right.mean() > 0.6  # of the labels that it was grown on
