from __future__ import annotations

import numpy as np
import pytest
from bench.published.survey import compare_labels, count_classes, row_shares

from overcast.datasets.dataset import Dataset
from overcast.geo.raster import UNKNOWN


def test_counts_every_pixel_once(local: Dataset) -> None:
    patches = local.split("validation")
    found = count_classes(patches, "fine")
    assert found.pixels.sum() + found.unknown == len(patches) * 128 * 128
    assert found.shares.sum() == pytest.approx(1)
    assert found.patches_with.sum() == len(patches)


def test_counts_classes_as_a_slow_loop_does(local: Dataset) -> None:
    (patch, *_) = local.split("test")
    source = patch.labels("coarse")
    values = source.read(source.grid).values
    found = count_classes([patch], "coarse")
    for index in range(len(local.legend)):
        assert found.pixels[index] == sum(v == index for v in values.ravel().tolist())
    known = {v for v in values.ravel().tolist() if v != UNKNOWN}
    assert found.patches_with.tolist().index(1) == len(known)


def test_compares_labels_pixel_by_pixel(local: Dataset) -> None:
    patches = local.split("validation")
    found = compare_labels(patches, "coarse", "fine").counts
    slow = np.zeros_like(found)
    for patch in patches:
        coarse, fine = (patch.labels(name) for name in ("coarse", "fine"))
        pairs = zip(
            fine.read(fine.grid).values.ravel(),
            coarse.read(fine.grid).values.ravel(),
            strict=True,
        )
        for there, here in pairs:
            if UNKNOWN not in (there, here):
                slow[there, here] += 1
    assert (found == slow).all()


def test_shares_of_nothing_are_not_known() -> None:
    shares = row_shares(np.array([[2, 6], [0, 0]]))
    assert shares[0].tolist() == [0.25, 0.75]
    assert np.isnan(shares[1]).all()


def test_refuses_to_count_nothing(world: Dataset) -> None:
    with pytest.raises(ValueError, match="no patches"):
        count_classes([], "coarse")
    with pytest.raises(ValueError, match="no labels 'fine'"):
        count_classes(world.split("train"), "fine")
