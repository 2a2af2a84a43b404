"""What an encoder has learned from images alone, in pictures.

    python bench/pretraining.py --world 0 --size 320 --steps 300

Writes two pictures. features.png: the scene in true colour, its superpixels, the features
of fresh and of learned weights (their first three principal components as red, green and
blue, of both sensors and of SAR alone), and the true classes. neighbours.png: superpixels
in true colour, each before the five whose mean features are nearest to its own, framed in
the colour of the class that most of its pixels are of.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pictures

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.claims.blocks import arm_of

from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.methods.network import Network
from overcast.models.segmenter import Segmenter
from overcast.plan import choose
from overcast.progress import quiet
from overcast.run_folder import ENCODER
from overcast.train.batch import Batch
from overcast.train.checkpoint import load_weights
from overcast.train.felzenszwalb import NUMBERS, with_superpixels
from overcast.train.superpixels import numbered, region_means
from overcast.worlds.scene import SceneSpec, WorldScene, simulate

Picture = NDArray[np.uint8]
_RGB = (2, 1, 0)
_BRIGHTEST = 0.25
_GAP, _SIDE = 4, 40
_QUERIES, _NEAREST = 8, 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--world", type=int, default=0)
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/pretraining"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    scene = simulate(given.world, given.size, wanted=SceneSpec(()))
    stack = with_superpixels(
        replace(arm_of(scene, scene.truth, "s1", "s2").learn[0], labels=None)
    )
    fresh, learned = networks(stack, given.steps)
    whole = Batch.of([stack.read(Window(0, 0, *stack.shape))])
    ids = _numbers(whole)
    given.out.mkdir(parents=True, exist_ok=True)
    colour, classes = true_colour(scene), class_colours(scene)
    shown = [encoded(fresh, whole), encoded(learned, whole)]
    alone = encoded(learned, whole, "s1")
    panels = [
        colour,
        outlined(colour, ids),
        classes,
        *(false_colour(features) for features in (*shown, alone)),
    ]
    save(grid(panels, 3), given.out / "features.png")
    rows = neighbours(shown[1], ids, colour, classes)
    save(grid(rows, 1 + _NEAREST), given.out / "neighbours.png")


def networks(stack: Stack, steps: int) -> tuple[Segmenter, Segmenter]:
    """A network as it begins, and after learning from the images."""
    settings = {"schedule": {"steps": steps}, "recipe": {"name": "contrast"}}
    network = choose("methods", {"name": "network", "window": 48, **settings})
    assert isinstance(network, Network)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        network.pretrain([stack], Path(folder), 0, quiet)
        bands = {name: len(sensor.bands) for name, sensor in stack.sensors.items()}
        for path in (None, Path(folder) / ENCODER):
            torch.manual_seed(0)
            model = choose("models", network.model, bands, 1)
            if path is not None:
                load_weights(model, path)
            found.append(model.eval())
    return found[0], found[1]


@torch.no_grad()
def encoded(model: Segmenter, whole: Batch, *sensors: str) -> torch.Tensor:
    """Features ``[C, H, W]`` of a scene, as `sensors` alone see it or all of them."""
    return model.encode(whole.only(sensors or model.bands))[0]


def false_colour(features: torch.Tensor) -> Picture:
    """First three principal components, each stretched from its 2nd to 98th percentile."""
    pixels = features.flatten(1).numpy().T.astype(np.float64)
    centred = pixels - pixels.mean(0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    components = centred @ vectors[:, :-4:-1]
    low, high = np.percentile(components, (2, 98), axis=0)
    return _bytes((components - low) / (high - low)).reshape(*features.shape[1:], 3)


def true_colour(scene: WorldScene) -> Picture:
    values = scene.images["s2"].values[list(_RGB)] / _BRIGHTEST
    return _bytes(np.moveaxis(values, 0, -1) ** 0.7)


def class_colours(scene: WorldScene) -> Picture:
    colours = np.array([c.rgb for c in scene.truth.legend.classes], np.uint8)
    return colours[scene.truth.values]


def outlined(picture: Picture, ids: NDArray[np.int64]) -> Picture:
    """The picture with borders between superpixels in yellow."""
    edge = np.zeros(ids.shape, bool)
    edge[1:] |= ids[1:] != ids[:-1]
    edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    return np.where(edge[..., None], np.uint8([255, 230, 0]), picture)


def neighbours(
    features: torch.Tensor, ids: NDArray[np.int64], colour: Picture, classes: Picture
) -> list[Picture]:
    """Superpixels by turns with those that are most alike."""
    count = int(ids.max()) + 1
    means, sizes = region_means(features[None], torch.from_numpy(ids)[None], count)
    units = torch.nn.functional.normalize(means - means.mean(0), dim=1)
    large = [int(i) for i in (sizes > 60).nonzero()[:, 0]]
    queries = np.random.default_rng(0).choice(large, _QUERIES, replace=False)
    found = []
    for query in queries:
        order = (units @ units[query]).argsort(descending=True)
        nearest = [int(i) for i in order if int(i) != query][:_NEAREST]
        found += [_thumbnail(ids == i, colour, classes) for i in (query, *nearest)]
    return found


def _thumbnail(where: NDArray[np.bool_], colour: Picture, classes: Picture) -> Picture:
    """Surroundings of a superpixel, framed in the colour of its class, twice as large."""
    rows, columns = np.nonzero(where)
    shape = np.array(where.shape)
    middle = np.array([rows.mean(), columns.mean()]).astype(int)
    top, left = np.clip(middle - _SIDE // 2, 0, shape - _SIDE)
    cut = colour[top : top + _SIDE, left : left + _SIDE].copy()
    inside = where[top : top + _SIDE, left : left + _SIDE]
    cut[~inside] = cut[~inside] // 2 + 90
    kinds, counts = np.unique(classes[where], axis=0, return_counts=True)
    framed = np.empty((_SIDE + 8, _SIDE + 8, 3), np.uint8)
    framed[:] = kinds[counts.argmax()]
    framed[4:-4, 4:-4] = cut
    return framed.repeat(2, 0).repeat(2, 1)


def grid(pictures: Sequence[Picture], columns: int) -> Picture:
    """Pictures of one size in rows, with white between them."""
    framed = [
        np.pad(p, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=255) for p in pictures
    ]
    rows = [framed[i : i + columns] for i in range(0, len(framed), columns)]
    return np.concatenate([np.concatenate(row, 1) for row in rows])[:-_GAP, :-_GAP]


def save(picture: Picture, path: Path) -> None:
    Pictures.fromarray(picture).save(path, optimize=True)
    print(path)


def _numbers(whole: Batch) -> NDArray[np.int64]:
    stored = (whole.images["superpixels"][:, 0].double() * NUMBERS).round().long()
    found: Any = numbered(stored, whole.valid["superpixels"])[0].numpy()
    return np.asarray(found, np.int64)


def _bytes(values: NDArray[Any]) -> Picture:
    return (255 * np.nan_to_num(values).clip(0, 1)).astype(np.uint8)


if __name__ == "__main__":
    main()
