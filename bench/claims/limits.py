"""How much there is to be known under cloud: forests that are told what no method is.

    python -m bench.claims.limits --worlds 1 2 3

Every row is the mean IoU under cloud (thin and thick) of the testing blocks, of a random
forest that learned from the learning blocks. *Opaque* is a cloud of an opacity of .95 or
more; the last row is its share of the cloudy pixels. Boxes are means of backscatter in 3,
7, 15 and 31 pixels, Gaussian means, and spreads in 7 and 15 pixels; parcels are the
regions of one spectrum of the simulated land, whose outlines no image shows under cloud.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from bench.claims.blocks import Mask, scored
from bench.claims.problems.cloud import PROBLEMS
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.ensemble import RandomForestClassifier

from overcast.accuracy.confusion import Confusion
from overcast.geo.bands import from_db, to_db
from overcast.geo.tiling import Window
from overcast.worlds.clouds import THICK, THIN, draw_clouds
from overcast.worlds.land import FINE
from overcast.worlds.noise import centres_of
from overcast.worlds.scene import SIDE, WorldScene, simulate
from overcast.worlds.world import MARGIN, World, WorldView, make_world

Floats = NDArray[np.float32]
_SAMPLES, _OPAQUE, _LITTLE = 40_000, 0.95, np.float32(1e-6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rows", nargs="*", help="Only these, not what is told.")
    given = parser.parse_args()
    for number in given.worlds:
        found = measure(number, given.size, given.rows)
        print(json.dumps({"world": number, **found}), flush=True)


def measure(number: int, size: int, only: list[str] | None) -> dict[str, float]:
    """Mean IoU under cloud by row, and how much of it is opaque."""
    wanted = PROBLEMS["cloud"].wanted
    scene, world = simulate(number, size, wanted=wanted), make_world(number, size)
    assert scene.clouds is not None
    assert wanted.cloud is not None
    rows = features(scene, world)
    chosen = [name for name in rows if only is None or name in only]
    found = {name: learn(scene, rows[name]) for name in chosen}
    at = centres_of(range(size))
    opaque = draw_clouds(world, wanted.cloud).opacity(at, at) >= _OPAQUE
    if only is None:
        for sar in ("SAR in boxes", "SAR in true parcels and boxes"):
            told = np.where(opaque, found[sar], found["clear image, SAR in boxes"])
            found[f"thin clouds taken away, {sar}"] = told
    under = np.isin(scene.clouds, (THIN, THICK)) & scored(scene)
    scores = {name: mean_iou(scene, best, under) for name, best in found.items()}
    return {**scores, "share of it opaque": round(float(opaque[under].mean()), 2)}


def features(scene: WorldScene, world: World) -> dict[str, Floats]:
    """What the forest of each row sees ``[F, H, W]``."""
    db = scene.images["s1"].values
    power = from_db(db)
    boxes = np.stack(
        [in_db(uniform_filter(b, k)) for b in power for k in (3, 7, 15, 31)]
    )
    spread = np.stack([deviation(b, k) for b in db for k in (7, 15)])
    smooth = np.stack(
        [in_db(gaussian_filter(b, s)) for b in power for s in (1, 2, 4, 8)]
    )
    wide = np.concatenate([db, boxes, spread, smooth])
    cloudy, clear = (scene.images[n].values for n in ("s2_cloudy", "s2"))
    return {
        "cloudy image, SAR": np.concatenate([cloudy, db]),
        "cloudy image, SAR in boxes": np.concatenate([cloudy, wide]),
        "SAR": db,
        "SAR in boxes": wide,
        "SAR in true parcels and boxes": np.concatenate(
            [by_parcel(world, power), db, boxes, spread]
        ),
        "clear image, SAR in boxes": np.concatenate([clear, boxes]),
    }


def by_parcel(world: World, power: Floats) -> Floats:
    """Backscatter in dB of the whole parcel of every pixel, and log of its size."""
    codes = np.zeros(power.shape[1:], int)
    first = FINE * MARGIN + 1
    for y in range(0, len(codes), SIDE):
        for x in range(0, len(codes), SIDE):
            code = WorldView.of(world, Window(y, x, SIDE, SIDE)).land.code
            inner = slice(first, first + FINE * SIDE, FINE)
            codes[y : y + SIDE, x : x + SIDE] = code[inner, inner]
    parcel = regions(codes)
    count = np.bincount(parcel.ravel())
    means = [
        in_db((np.bincount(parcel.ravel(), b.ravel()) / count)[parcel]) for b in power
    ]
    return np.stack([*means, np.log(count[parcel])]).astype(np.float32)


def regions(codes: NDArray[np.int_]) -> NDArray[np.int_]:
    """Number of the connected region of one code that every pixel is of."""
    index = np.arange(codes.size).reshape(codes.shape)
    across, down = codes[:, 1:] == codes[:, :-1], codes[1:] == codes[:-1]
    one = np.concatenate([index[:, 1:][across], index[1:][down]])
    other = np.concatenate([index[:, :-1][across], index[:-1][down]])
    links = coo_array((np.ones(len(one)), (one, other)), shape=(codes.size,) * 2)
    return np.asarray(connected_components(links, False)[1]).reshape(codes.shape)


def learn(scene: WorldScene, seen: Floats) -> NDArray[np.uint8]:
    """Most probable class of every pixel, by a forest of the learning blocks."""
    values, truth = seen.reshape(len(seen), -1).T, scene.truth.values.ravel()
    learned = np.flatnonzero(~scored(scene).ravel())
    drawn = np.random.default_rng(0).choice(learned, _SAMPLES, replace=False)
    forest = RandomForestClassifier(
        100, max_depth=16, min_samples_leaf=5, random_state=0
    ).fit(values[drawn], truth[drawn])
    found = np.zeros(truth.shape, np.uint8)
    tested = np.flatnonzero(scored(scene).ravel())
    found[tested] = forest.predict(values[tested])
    return found.reshape(scene.truth.values.shape)


def mean_iou(scene: WorldScene, mapped: NDArray[np.uint8], where: Mask) -> float:
    """Over the classes that occur there."""
    truth = scene.truth
    counted = Confusion.of(truth.values[where], mapped[where], len(truth.legend))
    return round(counted.mean_iou, 3)


def in_db(power: Floats) -> Floats:
    return to_db((power + _LITTLE).astype(np.float32))


def deviation(values: Floats, side: int) -> Floats:
    """Standard deviation in boxes."""
    mean, square = uniform_filter(values, side), uniform_filter(values**2, side)
    return np.sqrt(np.maximum(square - mean**2, 0)).astype(np.float32)


if __name__ == "__main__":
    main()
