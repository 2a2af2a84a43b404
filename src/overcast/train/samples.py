"""What recipes draw from their streams: images of the network's own, with labels or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from overcast.augment.views import dihedral, drop_sensor, jitter
from overcast.models.segmenter import Segmenter
from overcast.train.batch import Batch


def labelled_images(
    model: Segmenter, batches: Mapping[str, Batch], *, augment: bool, drop: float
) -> tuple[Batch, Tensor]:
    """Return what `model` sees of stream ``labelled``, and the labels ``[B, H, W]``.

    With `augment`, samples are turned, mirrored and jittered; each loses one of its
    sensors with the chance `drop`. Targets are left out.

    Raises
    ------
    ValueError
        If the stream gives no labels.
    """
    batch = batches["labelled"].only(model.bands)
    if augment:
        batch = jitter(dihedral(batch))
    batch = drop_sensor(batch, drop)
    if batch.labels is None:
        raise ValueError("stream 'labelled' gave a batch without labels")
    return batch, batch.labels


def unlabelled_images(model: Segmenter, batches: Mapping[str, Batch]) -> Batch:
    """Return what `model` sees of stream ``unlabelled``, turned and mirrored at random.

    Labels that the stream may have are left out, as are targets.
    """
    images = batches["unlabelled"].only(model.bands)
    return dihedral(replace(images, labels=None))
