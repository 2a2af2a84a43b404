"""Images to learn from without labels, as every semi-supervised recipe starts with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from overcast.learn.augment import dihedral
from overcast.learn.batch import Batch
from overcast.models.segmenter import Segmenter


def unlabelled_images(model: Segmenter, batches: Mapping[str, Batch]) -> Batch:
    """What `model` sees of stream ``unlabelled``, turned and mirrored at random.

    Labels that the stream may have are left out, as are targets.
    """
    images = batches["unlabelled"].only(model.bands)
    return dihedral(replace(images, labels=None))
