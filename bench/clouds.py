"""Draw docs/pictures/clouds.jpg: places, the clouds drawn over them, and their masks.

python -m bench.clouds
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from bench.realism.pictures import Picture, row, save, sheet

from overcast.augment.clouds import Sky, add_clouds
from overcast.geo.bands import SENTINEL_2
from overcast.train.batch import Batch
from overcast.worlds.scene import SceneSpec, simulate

_TRUE_COLOUR = [2, 1, 0]
_COLOURS = np.array(
    [(235, 235, 225), (150, 190, 230), (255, 255, 255), (70, 70, 90)], np.uint8
)
"""Clear, thin, thick, shadow."""
_DRAWS = ((0.2, 0.2, 0.0), (0.5, 0.5, 0.0), (0.8, 0.8, 0.0), (0.8, 0.9, 1.0))
"""Least and largest cover, and the chance of cirrus."""


def main() -> None:
    target = Path(__file__).parents[1] / "docs" / "pictures" / "clouds.jpg"
    save(sheet([_row(world) for world in (3, 5, 12)]), target)


def _row(world: int) -> Picture:
    """The place, and pairs of an image and its mask."""
    image = simulate(world, 256, wanted=SceneSpec(())).images["s2"]
    batch = Batch(
        images={"s2": torch.from_numpy(SENTINEL_2.to_network(image.values))[None]},
        valid={"s2": torch.from_numpy(image.valid)[None]},
    )
    torch.manual_seed(world)
    pictures = [_true_colour(batch)]
    for least, most, cirrus in _DRAWS:
        seen, mask = add_clouds(
            batch, "s2", Sky.over(SENTINEL_2), (least, most), cirrus
        )
        pictures += [_true_colour(seen), _COLOURS[mask[0].numpy()]]
    return row(pictures)


def _true_colour(batch: Batch) -> Picture:
    high = np.array([SENTINEL_2.bands[b].high for b in _TRUE_COLOUR])[:, None, None]
    shown = batch.images["s2"][0, _TRUE_COLOUR].numpy() * high / 0.35
    return np.asarray(255 * np.moveaxis(shown.clip(0, 1) ** 0.7, 0, -1), np.uint8)


if __name__ == "__main__":
    main()
