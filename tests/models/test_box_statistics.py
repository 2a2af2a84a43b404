"""Means and spreads in wide boxes, against slow ones of every pixel's own box."""

from __future__ import annotations

import numpy as np
import torch

from overcast.models.box_statistics import reach, with_looks


def image(h: int = 31, w: int = 30) -> torch.Tensor:
    """Two bands, of which a block was not seen."""
    values = torch.rand(1, 2, h, w, dtype=torch.float64)
    seen = torch.ones(1, 1, h, w, dtype=torch.float64)
    seen[..., 4:20, 5:25] = 0
    return torch.cat([values * seen, seen], 1)


def test_they_are_of_the_observed_pixels_of_boxes_of_3_9_and_27() -> None:
    given = image()
    found = with_looks(given, 3)[0].numpy()
    assert len(found) == 2 * (1 + 2 * 3) + 1
    values, seen = given[0, :2].numpy(), given[0, 2].numpy() > 0
    compared = 0
    for number, radius in enumerate((1, 4, 13)):
        mean, spread = (
            found[2 + 4 * number + 2 * k : 4 + 4 * number + 2 * k] for k in (0, 1)
        )
        for y, x in ((3, 4), (14, 15), (17, 13), (26, 25)):
            if not (radius <= y < 31 - radius and radius <= x < 30 - radius):
                continue
            box = slice(y - radius, y + radius + 1), slice(x - radius, x + radius + 1)
            inside = values[:, *box][:, seen[box]]
            if inside.size:
                compared += 1
                np.testing.assert_allclose(mean[:, y, x], inside.mean(1), atol=1e-12)
                wanted = np.sqrt(inside.var(1) + 1e-4)
                np.testing.assert_allclose(spread[:, y, x], wanted, atol=1e-12)
    assert compared == 6


def test_what_lies_outside_does_not_count() -> None:
    flat = torch.full((1, 2, 40, 12), 0.7, dtype=torch.float64)
    flat[:, -1] = 1
    found = with_looks(flat, 3)
    torch.testing.assert_close(found[0, 1:6:2], flat[0, :1].expand(3, -1, -1))
    assert found[0, 2:7:2].amax() < 0.0101


def test_a_box_that_saw_nothing_is_0_and_validity_stays_last() -> None:
    given = image()
    found = with_looks(given, 1)
    assert found[0, 2:4, 10, 10].eq(0).all()
    assert torch.equal(found[:, -1:], given[:, -1:])
    assert torch.equal(with_looks(given, 0), given)


def test_context_is_what_reach_says() -> None:
    given = torch.ones(1, 2, 41, 41)
    given[:, 0] = torch.rand(41, 41)
    other = given.clone()
    other[..., 0, 20, 20] += 1
    apart = (with_looks(given, 3) - with_looks(other, 3)).abs().amax((0, 1)) > 0
    rows = apart.any(1).nonzero()[:, 0]
    assert (rows.min(), rows.max()) == (20 - reach(3), 20 + reach(3))
