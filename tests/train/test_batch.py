"""Batches: what fits together, and how chips become tensors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from odc.geo.geobox import GeoBox

from overcast.geo.bands import SENTINEL_1
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Chip
from overcast.train.batch import IGNORE, Batch
from tests.train.tiny import batch_of

LEGEND = load_legend("worldcover")


def chip(value_db: float = -12.5, size: int = 3, labelled: bool = True) -> Chip:
    grid = GeoBox.from_bbox((0, 0, 30, 30), "EPSG:32633", shape=(size, size))
    values = np.full((2, size, size), value_db, np.float32)
    values[:, 0, 0] = np.nan
    classes = np.full((size, size), 2, np.uint8)
    classes[-1, -1] = UNKNOWN
    return Chip(
        images={"s1": Image.of(values, grid, SENTINEL_1)},
        labels=Labels(values=classes, grid=grid, legend=LEGEND) if labelled else None,
        grid=grid,
    )


def test_chips_become_tensors_in_network_units() -> None:
    batch = Batch.of([chip(-12.5), chip(0.0)])
    assert batch.images["s1"].dtype == torch.float32
    assert batch.images["s1"].shape == (2, 2, 3, 3)
    assert batch.images["s1"][:, 0, 1, 1].tolist() == [0.5, 1.0]
    assert batch.valid["s1"].sum().item() == 16
    assert not batch.valid["s1"][:, 0, 0].any()
    assert batch.labels is not None
    assert batch.labels.dtype == torch.int64
    assert batch.labels[:, -1, -1].tolist() == [IGNORE, IGNORE]
    assert batch.labels[0, 0, 0].item() == 2


def test_labels_only_where_every_chip_has_them() -> None:
    assert Batch.of([chip(), chip(labelled=False)]).labels is None


def test_no_chips_and_unlike_chips_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one chip"):
        Batch.of([])
    with pytest.raises(ValueError, match="same sensors and size"):
        Batch.of([chip(size=3), chip(size=4)])


def test_parts_that_do_not_fit_are_refused() -> None:
    batch = batch_of(0)
    with pytest.raises(ValueError, match=r"images has \['s1', 's2'\], valid has"):
        replace(batch, valid={})
    with pytest.raises(ValueError, match=r"valid\['s1'\] is \(1, 8, 8\)"):
        replace(batch, valid={**batch.valid, "s1": batch.valid["s1"][:1]})
    assert batch.labels is not None
    with pytest.raises(
        ValueError, match=r"one \[B, H, W\], got .*'labels': \(4, 8, 7\)"
    ):
        replace(batch, labels=batch.labels[..., 1:])


def test_map_reaches_every_tensor() -> None:
    half = batch_of(0).map(lambda t: t[:2])
    assert half.labels is not None
    assert {len(t) for t in (*half.images.values(), *half.valid.values())} == {2}
    assert len(half.labels) == 2
    assert replace(half, labels=None).map(torch.clone).labels is None
