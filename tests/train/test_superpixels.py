"""Superpixels follow edges, lie together, and ignore what was not seen."""

from __future__ import annotations

import pytest
import torch

from overcast.train.superpixels import (
    NOWHERE,
    numbered,
    one_of_each,
    region_mean,
    region_means,
    superpixels,
)


def seen(*shape: int) -> torch.Tensor:
    return torch.ones(shape, dtype=torch.bool)


def test_a_flat_image_gives_the_lattice() -> None:
    ids = superpixels(torch.zeros(1, 3, 9, 12), seen(1, 9, 12), pitch=3)
    row, column = torch.arange(9)[:, None] // 3, torch.arange(12) // 3
    assert torch.equal(ids[0], row * 4 + column)


def test_they_do_not_cross_an_edge() -> None:
    image = torch.zeros(2, 1, 24, 24)
    image[0, :, :, 10:] = 1
    image[1, :, 7:] = 1
    image += 0.02 * torch.randn(image.shape)
    ids = superpixels(image, seen(2, 24, 24), pitch=6, compactness=0.5)
    for one, numbers in zip(image[:, 0], ids, strict=True):
        for number in numbers.unique():
            inside = one[numbers == number]
            assert inside.max() - inside.min() < 0.5


def test_they_lie_together_and_images_stay_apart() -> None:
    image = torch.randn(2, 2, 20, 26)
    ids = superpixels(image, seen(2, 20, 26), pitch=5)
    alone = superpixels(image[1:], seen(1, 20, 26), pitch=5)
    assert torch.equal(ids[1:], alone)
    for number in ids[0].unique():
        y, x = torch.where(ids[0] == number)
        assert max(y.max() - y.min(), x.max() - x.min()) < 3 * 5


def test_what_was_not_seen_changes_nothing() -> None:
    image, valid = torch.randn(1, 2, 12, 12), torch.rand(1, 12, 12) > 0.3
    other = torch.where(valid[:, None], image, torch.nan)
    assert torch.equal(superpixels(image, valid), superpixels(other, valid))


def test_sizes_are_checked() -> None:
    with pytest.raises(ValueError, match="pitch and rounds must be 1 or more"):
        superpixels(torch.zeros(1, 1, 4, 4), seen(1, 4, 4), pitch=0)


def test_region_mean_is_that_of_the_pixels_asked_for() -> None:
    values = torch.randn(2, 3, 5, 6)
    ids = torch.randint(4, (2, 5, 6))
    where = torch.rand(2, 5, 6) > 0.3
    where[0] &= ids[0] != 2
    values = torch.where(where[:, None], values, torch.nan)
    found = region_mean(values, ids, where)
    assert not found[0][:, ids[0] == 2].any()
    for b in range(2):
        for number in ids[b][where[b]].unique():
            inside = ids[b] == number
            mean = values[b][:, inside & where[b]].mean(1, keepdim=True)
            torch.testing.assert_close(
                found[b][:, inside], mean.expand(-1, int(inside.sum()))
            )


def test_numbers_of_a_batch_have_no_gaps_and_tell_images_apart() -> None:
    ids = torch.randint(9, (3, 6, 5)) * 100
    where = torch.rand(3, 6, 5) > 0.4
    found = numbered(ids, where)
    assert torch.equal(found == NOWHERE, ~where)
    assert found[where].unique().tolist() == list(range(int(found.max()) + 1))
    pixels = [(b, i) for b in range(3) for i in range(30) if where[b].flatten()[i]]
    for b, i in pixels[:20]:
        for c, j in pixels:
            alike = b == c and ids[b].flatten()[i] == ids[c].flatten()[j]
            assert (found[b].flatten()[i] == found[c].flatten()[j]) == alike


def test_means_of_a_batch_are_those_of_its_regions() -> None:
    values = torch.randn(2, 3, 5, 6)
    where = torch.rand(2, 5, 6) > 0.3
    ids = numbered(torch.randint(4, (2, 5, 6)), where)
    values = torch.where(where[:, None], values, torch.nan)
    count = int(ids.max()) + 2
    means, pixels = region_means(values, ids, count)
    assert pixels.sum() == where.sum()
    assert pixels[-1] == 0
    assert not means[-1].any()
    for number in range(count - 1):
        inside = values.movedim(1, -1)[ids == number]
        assert pixels[number] == len(inside)
        torch.testing.assert_close(means[number], inside.mean(0))


def test_one_pixel_of_each_region_is_left() -> None:
    ids = numbered(torch.randint(5, (2, 8, 8)), torch.rand(2, 8, 8) > 0.2)
    count, places = int(ids.max()) + 1, set()
    for _ in range(30):
        found = one_of_each(ids, count)
        left = found >= 0
        assert torch.equal(found[left], ids[left])
        assert found[left].sort().values.tolist() == list(range(count))
        places |= set(left.flatten().nonzero()[:, 0].tolist())
    assert len(places) > 2 * count
    assert not (one_of_each(torch.full_like(ids, NOWHERE), 0) >= 0).any()
