"""Views of a batch as other sensors would resolve it.

A network that learned from sharp images stumbles over blurred ones, and over objects
that cover more or fewer pixels than it is used to. Draws come from torch's default
generator on the CPU and are made for every sample on its own, as in
`overcast.augment.views`. Only what was observed counts in an interpolation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor

from overcast.train.batch import Batch, join

Range = tuple[float, float]


def align_resolution(
    batch: Batch,
    probability: float = 0.2,
    down: Range = (0.1, 0.35),
    up: Range = (1.0, 3.0),
) -> Batch:
    """Show some samples as a coarser sensor would: resolution alignment augmentation.

    Liu 2025 (RAA): a sample is scaled down by U(*down*), then up to U(*up*) times its
    size, and cropped to what it was. Images are interpolated with triangles as wide as
    the coarser pixel; labels and validity go by the nearest pixel, once, and so stay
    as fine as they were. A crop first and scaling after, as it is done here, gives the
    same and computes only what is kept.

    Parameters
    ----------
    batch
        What is seen.
    probability
        Chance of a sample to be shown so, 0 to 1.
    down
        Pixels of the coarser sensor per pixel, above 0 and up to 1.
    up
        Enlargement of what is seen, 1 or more.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """
    if not (0 <= probability <= 1 and 0 < down[0] <= down[1] <= 1 <= up[0] <= up[1]):
        raise ValueError(
            f"got probability={probability}, down={down}, up={up}; expected 0 <= "
            "probability <= 1 and 0 < down[0] <= down[1] <= 1 <= up[0] <= up[1]"
        )
    samples = len(next(iter(batch.valid.values())))
    shown = []
    for number, draw in enumerate(torch.rand(samples, 5).tolist()):
        sample = batch.map(lambda t, at=number: t[at : at + 1])  # type: ignore[misc]
        if draw[0] < probability:
            scales = (_between(down, draw[1]), _between(up, draw[2]))
            sample = _coarser(sample, scales, (draw[3], draw[4]))
        shown.append(sample)
    return join(shown)


def blur(
    batch: Batch, probability: float = 0.5, sigma_px: Range = (0.15, 1.15)
) -> Batch:
    """Smooth every sample, by chance, with a Gaussian of U(*sigma_px*) pixels.

    `probability` is the chance, the numbers are those of DACS (Tranheden 2021).
    """
    reach = ceil(3 * sigma_px[1])
    away = torch.arange(-reach, reach + 1)
    kernels = []
    for chance, draw in torch.rand(len(next(iter(batch.valid.values()))), 2).tolist():
        # So narrow a kernel that it is one at its centre leaves a sample as it was.
        sigma = _between(sigma_px, draw) if chance < probability else 1e-2
        kernel = torch.exp(-0.5 * (away / sigma) ** 2)
        kernels.append(kernel / kernel.sum())
    kernel = torch.stack(kernels)
    images = {
        name: _smooth(image, batch.valid[name][:, None], kernel.to(image))
        for name, image in batch.images.items()
    }
    return replace(batch, images=images)


def _between(ends: Range, share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * share


def _coarser(sample: Batch, scales: Range, place: Range) -> Batch:
    """One sample, a part of it enlarged to the whole after it lost its detail."""
    down, up = scales
    size = sample.extent
    part = [max(1, round(n / up)) for n in size]
    coarse = [max(1, round(n * down)) for n in part]
    top, left = (round(s * (n - p)) for s, n, p in zip(place, size, part, strict=True))
    cut = sample.map(lambda t: t[..., top : top + part[0], left : left + part[1]])

    def enlarge(flags: Tensor) -> Tensor:
        resized = F.interpolate(flags[:, None].float(), size, mode="nearest-exact")
        return resized[:, 0].to(flags.dtype)

    images = {
        name: _mean_of_seen(
            image, cut.valid[name][:, None], lambda t: _resized(t, coarse, size)
        )
        for name, image in cut.images.items()
    }
    return Batch(
        images=images,
        valid={name: enlarge(valid) for name, valid in cut.valid.items()},
        labels=None if cut.labels is None else enlarge(cut.labels),
    )


def _resized(values: Tensor, *sizes: Sequence[int]) -> Tensor:
    for size in sizes:
        values = F.interpolate(values, tuple(size), mode="bilinear", antialias=True)
    return values


def _smooth(image: Tensor, seen: Tensor, kernel: Tensor) -> Tensor:
    """Convolve every sample with its own kernel ``[B, n]``, along both axes."""
    samples = len(image)
    reach = kernel.shape[1] // 2

    def convolve(values: Tensor) -> Tensor:
        count = values.shape[1]
        weight = kernel.repeat_interleave(count, 0)[:, None]
        flat = values.reshape(1, samples * count, *values.shape[2:])
        flat = F.conv2d(
            flat, weight[..., None], padding=(reach, 0), groups=flat.shape[1]
        )
        flat = F.conv2d(
            flat, weight[:, :, None], padding=(0, reach), groups=flat.shape[1]
        )
        return flat.view_as(values)

    return _mean_of_seen(image, seen, convolve)


def _mean_of_seen(
    image: Tensor, seen: Tensor, average: Callable[[Tensor], Tensor]
) -> Tensor:
    """`average` of what was observed alone; zero where nothing was near."""
    total = average(torch.where(seen, image, 0))
    weight = average(seen.to(image.dtype))
    return torch.where(weight > 0, total / torch.where(weight > 0, weight, 1), 0)
