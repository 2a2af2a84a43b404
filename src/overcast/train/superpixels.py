"""Superpixels: small regions of pixels that lie together and look alike.

SLIC (Achanta 2012), batched and on the device. Centres start on a square lattice of
pitch S; then, a few times over, every pixel joins the best of the nine centres around
it by

    mean over channels of (x - x_c)^2  +  m^2 |place - place_c|^2 / S^2

and every centre moves to the mean of its pixels. Channels are scaled to unit variance,
image by image, so m (`compactness`) has no unit. Pieces cut off from their centre keep
its number, as nothing here needs a region to be in one piece.
"""

from __future__ import annotations

import torch
from torch import Tensor

NOWHERE = -1
"""Number of pixels that belong to no region of a batch."""

_AROUND = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]


@torch.no_grad()
def superpixels(
    image: Tensor,
    valid: Tensor,
    pitch: int = 6,
    compactness: float = 1.0,
    rounds: int = 4,
) -> Tensor:
    """Number of the superpixel of every pixel.

    Parameters
    ----------
    image
        ``[B, C, H, W]``; where not valid anything, and the place alone decides.
    valid
        bool ``[B, H, W]``.
    pitch
        Distance between centres in pixels, and so about the side of a superpixel.
    compactness
        m above: how much a distance of one pitch counts.
    rounds
        Times that pixels are assigned; 1 or more.

    Returns
    -------
    Tensor
        int64 ``[B, H, W]``, from 0 to the number of centres of an image.

    Raises
    ------
    ValueError
        If pitch or rounds are not positive.
    """
    if min(pitch, rounds) < 1:
        raise ValueError(
            f"pitch and rounds must be 1 or more, got pitch={pitch}, rounds={rounds}"
        )
    height, width = image.shape[2:]
    rows, columns = -(-height // pitch), -(-width // pitch)
    y = torch.arange(height, device=image.device)[:, None].expand(height, width)
    x = torch.arange(width, device=image.device)[None].expand(height, width)
    cell = (y // pitch, x // pitch)
    ids = (cell[0] * columns + cell[1]).expand(len(image), -1, -1)
    place = torch.stack([y, x]).to(image.dtype) * (compactness / pitch)
    values = _scaled(image, valid)
    values = torch.cat([values, place.expand(len(image), -1, -1, -1)], 1)
    for _ in range(rounds):
        centres = _centres(values, ids, rows * columns)
        ids = _nearest(values, centres, cell, (rows, columns))
    return ids


def region_mean(values: Tensor, ids: Tensor, where: Tensor) -> Tensor:
    """Mean of `values` over the pixels of each pixel's region, of those `where`.

    Parameters
    ----------
    values
        ``[B, C, H, W]``; anything, NaN included, where not `where`.
    ids
        int64 ``[B, H, W]``, regions of each image.
    where
        bool ``[B, H, W]``.

    Returns
    -------
    Tensor
        ``[B, C, H, W]``; zero in regions without such a pixel.
    """
    count = int(ids.max()) + 1
    weight = where.to(values.dtype)[:, None]
    masked = torch.where(where[:, None], values, 0)
    total = _sums(torch.cat([masked, weight], 1), ids, count)
    mean = total[:, :-1] / total[:, -1:].clamp(min=1)
    return _of_pixels(mean, ids)


def numbered(ids: Tensor, where: Tensor) -> Tensor:
    """Number the regions of a whole batch from 0, without gaps.

    Parameters
    ----------
    ids
        int64 ``[B, H, W]``, 0 or more: equal numbers in one image are one region.
    where
        bool ``[B, H, W]``, pixels that belong to a region.

    Returns
    -------
    Tensor
        int64 ``[B, H, W]``; `NOWHERE` where not `where`.

    Examples
    --------
    >>> ids = torch.tensor([[[7, 7, 9]], [[7, 3, 3]]])
    >>> numbered(ids, ids != 9).tolist()
    [[[0, 0, -1]], [[2, 1, 1]]]
    """
    sample = torch.arange(len(ids), device=ids.device)[:, None, None]
    keys = sample * (ids.max() + 1) + ids
    numbers = torch.full_like(ids, NOWHERE)
    numbers[where] = torch.unique(keys[where], return_inverse=True)[1]
    return numbers


def region_means(values: Tensor, ids: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Mean of `values` over each region of a batch, and its number of pixels.

    Parameters
    ----------
    values
        ``[B, C, H, W]``; anything, NaN included, where no region is.
    ids
        int64 ``[B, H, W]``, as of `numbered`.
    count
        Number of regions, R.

    Returns
    -------
    tuple[Tensor, Tensor]
        ``[R, C]``, zero for regions without a pixel, and int64 ``[R]``.
    """
    inside = ids >= 0
    selected = values.movedim(1, -1)[inside]
    total = selected.new_zeros(count, values.shape[1]).index_add(
        0, ids[inside], selected
    )
    pixels = ids[inside].bincount(minlength=count)
    return total / pixels.clamp(min=1)[:, None], pixels


def one_of_each(ids: Tensor, count: int) -> Tensor:
    """Leave one pixel of every region, drawn at random; the others are `NOWHERE`.

    Parameters
    ----------
    ids
        int64 ``[B, H, W]``, as of `numbered`.
    count
        Number of regions.
    """
    inside = ids >= 0
    order = torch.randperm(ids.numel()).to(ids.device).view_as(ids)
    highest = order.new_full((max(count, 1),), -1)
    highest.scatter_reduce_(0, ids[inside], order[inside], "amax")
    chosen = inside & (order == highest[ids.clamp(min=0)])
    return torch.where(chosen, ids, NOWHERE)


def _scaled(image: Tensor, valid: Tensor) -> Tensor:
    """Channels of zero mean and unit variance over C, image by image; 0 if unseen."""
    inside = valid[:, None]
    count = inside.sum((2, 3), keepdim=True).clamp(min=1)
    masked = torch.where(inside, image, 0)
    centred = torch.where(inside, masked - masked.sum((2, 3), keepdim=True) / count, 0)
    variance = centred.square().sum((2, 3), keepdim=True) / count
    return centred / (variance.clamp(min=1e-12) * image.shape[1]).sqrt()


def _centres(values: Tensor, ids: Tensor, count: int) -> Tensor:
    """Mean of each region ``[B, C, count]``; far from everything if it is empty."""
    ones = torch.ones_like(values[:, :1])
    total = _sums(torch.cat([values, ones], 1), ids, count)
    return torch.where(total[:, -1:] > 0, total[:, :-1] / total[:, -1:], 1e6)


def _nearest(
    values: Tensor,
    centres: Tensor,
    cell: tuple[Tensor, Tensor],
    lattice: tuple[int, int],
) -> Tensor:
    """Number of the best of the nine centres around each pixel ``[B, H, W]``."""
    rows, columns = lattice
    best = torch.full_like(values[:, 0], torch.inf)
    chosen = torch.zeros_like(best, dtype=torch.int64)
    for down, across in _AROUND:
        row = (cell[0] + down).clamp(0, rows - 1)
        column = (cell[1] + across).clamp(0, columns - 1)
        number = (row * columns + column).expand(len(values), -1, -1)
        distance = (values - _of_pixels(centres, number)).square().sum(1)
        closer = distance < best
        best = torch.where(closer, distance, best)
        chosen = torch.where(closer, number, chosen)
    return chosen


def _sums(values: Tensor, ids: Tensor, count: int) -> Tensor:
    """Sum of `values` over each region: ``[B, C, count]``."""
    index = ids.flatten(1)[:, None].expand(-1, values.shape[1], -1)
    sums = values.new_zeros(*values.shape[:2], count)
    return sums.scatter_add_(2, index, values.flatten(2))


def _of_pixels(regions: Tensor, ids: Tensor) -> Tensor:
    """Return the value of each pixel's region: ``[B, C, H, W]`` of ``[B, C, count]``."""
    index = ids.flatten(1)[:, None].expand(-1, regions.shape[1], -1)
    return regions.gather(2, index).view(*index.shape[:2], *ids.shape[1:])
