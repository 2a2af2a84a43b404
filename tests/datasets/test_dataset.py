"""Patches and splits, whatever the dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overcast.datasets import dfc2020
from overcast.datasets.dataset import Dataset, Layout, Patch
from overcast.datasets.miniature import utm_grid, write_raster
from overcast.geo.legend import load_legend

NOWHERE = Layout(root=Path("nowhere"), images={}, labels={})


def made(**splits: list[Patch]) -> Dataset:
    return Dataset(
        name="made up",
        licence="none",
        citation="nobody",
        url="nowhere",
        legend=load_legend("simplified-igbp"),
        splits=splits,
    )


def test_a_scene_is_in_one_split_only() -> None:
    patches = [Patch(str(n), scene, "", NOWHERE) for n, scene in enumerate("aab")]
    made(train=patches[:2], test=patches[2:])
    with pytest.raises(ValueError, match="scene a is in train and in test"):
        made(train=patches[:1], test=patches[1:])


def test_an_empty_split_is_refused_when_it_is_asked_for() -> None:
    dataset = made(train=[Patch("1", "a", "", NOWHERE)], test=[])
    assert len(dataset.split("train")) == 1
    with pytest.raises(
        ValueError, match=r"no patches of split 'test'; found train \(1"
    ):
        dataset.split("test")


def test_parts_of_two_places_are_refused(tmp_path: Path) -> None:
    dfc2020.fake(tmp_path, public=True)
    patch = dfc2020.open(tmp_path).split("Mumbai")[0]
    far = utm_grid((128, 128), 10, zone=1)
    values = np.full((2, 128, 128), -9, np.float32)
    write_raster(patch.path("s1"), values, crs=str(far.crs), transform=far.affine)
    with pytest.raises(ValueError, match="s1: no overlap"):
        patch.stack()


def test_parts_of_two_sizes_without_a_place_are_refused(tmp_path: Path) -> None:
    dfc2020.fake(tmp_path)
    patch = dfc2020.open(tmp_path).split("test")[0]
    write_raster(patch.path("s1"), np.full((2, 64, 64), -9, np.float32))
    with pytest.raises(ValueError, match=r"64 x 64 pixels.*128 x 128.*one size"):
        patch.stack()
