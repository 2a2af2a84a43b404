"""How ways of mapping rank on worlds and on real tiles, and why.

Worlds are worth something for choosing a method if methods rank there as they do on
land. For plain and real worlds and for the tiles of ``bench.real`` this measures the
labels themselves, forests, LightGBM with a guided filter where it is installed, and
`weak` with and without place; the share of the largest class, how often neighbours
differ, and a forest with true labels of every second block of 64 pixels, tested on the
other blocks: what spectra tell.

    python -m bench.realism.ranking --names real plain 282D --seeds 1 2 3
    python -m bench.realism.ranking --report         # docs/land.md

Results go to bench/results/ranking/, one file for a name and seed. What is there is not
measured again; delete it where code changed. The tiles are read at ../shared/tiles.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from bench.real.arms import ARMS, Case, measure
from bench.real.sources import labels_of
from bench.real.tiles import TILES, Tile, read_tile
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from overcast.accuracy.confusion import Confusion, scores
from overcast.geo.arrays import ImageArray
from overcast.geo.raster import UNKNOWN, Labels
from overcast.geo.tiling import Window
from overcast.methods.features import pixel_features
from overcast.worlds.nature import Nature
from overcast.worlds.scene import SceneSpec, simulate

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "bench" / "results" / "ranking"
NATURES = ("plain", "real", "use", "drift", "uneven", "calm", "products")
_BLOCK = 64
_SAMPLES = 3000
_OF_PRODUCTS = ("modis", "corine", "worldcover")
_ARMS = (
    "labels",
    "plain forest",
    "LightGBM, guided filter",
    "weak, without place",
    "weak",
)
_FACTS = (
    "largest share",
    "neighbours differ",
    "forest, true labels of other blocks",
)
SOURCES = {
    "world": ("majority-100", "majority-300", *_OF_PRODUCTS),
    "282D": ("majority-100", "majority-300"),
    "433D": ("majority-100", "majority-300"),
    "gewata": ("majority-300", "majority-900", "majority-1500"),
}
"""Label sources of worlds and tiles."""


def arms() -> list[str]:
    """Ways of mapping that can be measured here."""
    has_boosting = find_spec("lightgbm") is not None
    return [a for a in _ARMS if has_boosting or not a.startswith("LightGBM")]


def world_tile(nature: str, seed: int, size: int) -> tuple[Tile, dict[str, Labels]]:
    """Return a world as a tile, and the labels that products give of it."""
    scene = simulate(
        seed, size, wanted=SceneSpec(labels=_OF_PRODUCTS, nature=Nature.of(nature))
    )
    images = {name: ImageArray(image) for name, image in scene.images.items()}
    tile = Tile(f"{nature} {seed}", images, scene.truth, (100, 300))
    return tile, dict(scene.labels)


def facts_of(tile: Tile, seed: int) -> dict[str, float]:
    """Largest share, how often neighbours differ, and what spectra tell."""
    truth = tile.truth.values
    known = truth != UNKNOWN
    counts = np.bincount(truth[known])
    pairs = ((truth[1:], truth[:-1]), (truth[:, 1:], truth[:, :-1]))
    differ = [(a != b)[(a != UNKNOWN) & (b != UNKNOWN)].mean() for a, b in pairs]
    return {
        "largest share": float(counts.max() / counts.sum()),
        "neighbours differ": float(np.mean(differ)),
        "forest, true labels of other blocks": spectral(tile, seed),
    }


def spectral(tile: Tile, seed: int) -> float:
    """Mean IoU of a forest with true labels of one half of the blocks on the other."""
    case = Case(tile, tile.truth, seed)
    chip = case.stack.read(Window(0, 0, *case.stack.shape))
    features = pixel_features(chip, case.stack.sensors, True)
    pixels = features.reshape(len(features), -1).T
    truth = tile.truth.values
    learned = _half(truth.shape) & (truth != UNKNOWN)
    tested = ~_half(truth.shape) & (truth != UNKNOWN)
    random = np.random.default_rng(seed)
    drawn = random.permutation(np.flatnonzero(learned.ravel()))[:_SAMPLES]
    forest = RandomForestClassifier(100, max_depth=10, random_state=seed)
    forest.fit(pixels[drawn], truth.ravel()[drawn])
    mapped = forest.predict(pixels[tested.ravel()]).astype(np.uint8)
    legend = tile.truth.legend
    counted = Confusion.of(truth[tested], mapped, len(legend))
    return float(scores(counted, legend)["mean_iou"])


def _half(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    rows, columns = np.indices(shape) // _BLOCK
    return (rows + columns) % 2 == 0


def measured(name: str, seed: int, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Facts of a tile or world, then scores of each of its label sources."""
    given: dict[str, Labels] = {}
    if name in TILES:
        tile = read_tile(name)
    else:
        tile, given = world_tile(name, seed, size)
    yield "facts", facts_of(tile, seed)
    for source in SOURCES.get(name, SOURCES["world"]):
        labels = given.get(source) or labels_of(tile, source, seed)
        case = Case(tile, labels, seed)
        wanted = [arm for arm in ARMS if arm in arms()]
        yield source, dict(measure(case, wanted, drawn=None))


def page(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Text of docs/land.md from results by ``NAME_SEED``."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for key, found in sorted(results.items()):
        by_name.setdefault(key.rpartition("_")[0], []).append(found)
    order = [n for n in (*TILES, *NATURES) if n in by_name]
    lines = [_HEAD, "", "## What the land is like", ""]
    lines += _row(["place", "scenes", *_FACTS]) + _row(["---"] * (2 + len(_FACTS)))
    for name in order:
        facts = [one["facts"] for one in by_name[name]]
        cells = [_mean([f[k] for f in facts]) for k in _FACTS]
        lines += _row([_place(name), str(len(facts)), *cells])
    lines += ["", "## How ways of mapping rank", ""]
    lines += [
        "Mean IoU, with its spread over scenes; in brackets the overall accuracy."
    ]
    lines += [""]
    shown = arms()
    lines += _row(["place", "labels from", *shown])
    lines += _row(["---"] * (2 + len(shown)))
    for name in order:
        for source in SOURCES.get(name, SOURCES["world"]):
            of = [one[source] for one in by_name[name] if source in one]
            if of:
                lines += _row([_place(name), source, *(_cell(of, a) for a in shown)])
    return "\n".join(lines) + "\n"


_HEAD = """# Worlds and land

Written by `python -m bench.realism.ranking --report`; don't edit. Worlds come from
`overcast simulate`; *plain* is its default, *real* is `--land real`, and the other names
are single traits of it. Tiles are read at ../shared/tiles; their README has the sources.

A world is useful for choosing a method if methods rank on it as they do on land. The last
column of the first table is the mean IoU of a forest with true labels. It learned from one
half of the blocks of 64 pixels and was tested on the other: how far a spectrum tells the
class."""


def _place(name: str) -> str:
    return f"tile {name}" if name in TILES else f"{name} worlds"


def _row(cells: list[str]) -> list[str]:
    return [f"| {' | '.join(cells)} |"]


def _mean(values: list[float]) -> str:
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def _cell(of: list[Mapping[str, Mapping[str, float]]], arm: str) -> str:
    values = [one[arm] for one in of if arm in one]
    if not values:
        return ""
    right = np.mean([v["overall_accuracy"] for v in values])
    return f"{_mean([v['mean_iou'] for v in values])} ({right:.3f})"


def main() -> None:
    given = _arguments()
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in given.names:
        for seed in given.seeds[: 1 if name in TILES else None]:
            path = RESULTS / f"{name}_{seed}.json"
            done = json.loads(path.read_text()) if path.is_file() else {}
            if len(done) > len(SOURCES.get(name, SOURCES["world"])):
                continue
            for source, found in measured(name, seed, given.size):
                done[source] = found
                path.write_text(json.dumps(done, indent=1) + "\n")
                print(name, seed, source, found, file=sys.stderr, flush=True)
    if given.report:
        results = {p.stem: json.loads(p.read_text()) for p in RESULTS.glob("*.json")}
        (ROOT / "docs" / "land.md").write_text(page(results), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--names", nargs="*", default=[], help="natures and tiles")
    parser.add_argument("--seeds", nargs="*", type=int, default=[1])
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--report", action="store_true", help="write docs/land.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
