"""How much false change two maps show, and how much the joint way leaves of it.

    python bench/change.py [--first 100] [--worlds 2]

A world is seen on two days (`SceneSpec(dates=2)`: other light, other stages of
crops, other speckle). On the second day whole patches are replaced by pieces of the same
scene where another class is: 1, 5 or 20 % of the land changes, and which is known. Each
day is mapped by a forest of its own, learned from the same 1000 points (their classes of
that day); false change is the share of unchanged land that is called changed, missed
change the share of changed land that is not. `classes` is change by the probabilities of
both maps alone, `joint` by the images too. `areas` is how often the interval of 95 % of
the changed area holds the truth, in 200 samples of 1000 points drawn of the change map
(strata are its classes, with 20 points each or more); `gains` the same of the gain and loss
of every class.
Bar: the joint way at least halves false change; intervals hold in 93 to 97 %.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier

from overcast.accuracy.area import StratifiedSample
from overcast.accuracy.calibration import HeldOut, fit_temperature, scale
from overcast.accuracy.change import ChangeLegend
from overcast.accuracy.design import allocate
from overcast.geo.legend import Legend
from overcast.maps.change_model import ChangeModel, PixelPairs, estimate_change_model
from overcast.maps.pairs import groups_of
from overcast.worlds.scene import SceneSpec, WorldScene, simulate

SIDE, POINTS, SAMPLES, LEAST_POINTS = 256, 1000, 200, 20
SHARES = (0.01, 0.05, 0.2)
LEAST = (0.5, 0.3, 0.1)
"""Probabilities from which a pixel counts as changed: --probability."""
Classes = NDArray[np.uint8]
Values = NDArray[np.float32]


def days(scene: WorldScene) -> list[Values]:
    """Bands ``[C, H, W]`` of either day, optical and radar, a little smoothed."""
    names = sorted(name for name in scene.images if name.startswith("s2_"))
    radar = sorted(name for name in scene.images if name.startswith("s1_"))
    return [
        np.concatenate(
            [
                ndimage.uniform_filter(scene.images[s2].values, (0, 3, 3)),
                ndimage.uniform_filter(scene.images[s1].values, (0, 5, 5)),
            ]
        )
        for s2, s1 in zip(names, radar, strict=True)
    ]


def plant(
    truth: Classes, image: Values, share: float, seed: int
) -> tuple[Classes, Values]:
    """Replace discs by pieces of other places, until `share` of the classes changed."""
    random = np.random.default_rng(seed)
    side = truth.shape[0]
    after, seen = truth.copy(), image.copy()
    rows, columns = np.mgrid[:side, :side]
    while (after != truth).mean() < share:
        radius = random.integers(4, 16)
        y, x, dy, dx = random.integers(0, side, 4)
        disc = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
        there = np.roll(truth, (dy, dx), (0, 1))
        values, counts = np.unique(there[disc], return_counts=True)
        new = values[counts.argmax()]
        changed = disc & (there == new) & (truth != new) & (after == truth)
        after[changed] = new
        seen[:, changed] = np.roll(image, (dy, dx), (1, 2))[:, changed]
    return after, seen


def probabilities(
    image: Values, classes: Classes, places: NDArray[np.int64], seed: int
) -> Values:
    """Class probabilities ``[H * W, 10]`` of a forest learned from points."""
    pixels = image.reshape(len(image), -1).T
    forest = RandomForestClassifier(
        200, min_samples_leaf=2, max_features="sqrt", oob_score=True, random_state=seed
    )
    known = classes.ravel()[places]
    forest.fit(pixels[places], known)
    whole = np.zeros((len(pixels), 10), np.float32)
    whole[:, forest.classes_] = forest.predict_proba(pixels)
    left_out = np.zeros((10, len(places)))
    left_out[forest.classes_] = np.nan_to_num(forest.oob_decision_function_).T
    temperature = fit_temperature(HeldOut.of(left_out, known))
    return scale(whole.T, temperature).T


def pairs(before: Values, after: Values, first: Values, second: Values) -> PixelPairs:
    """Pixels with their probabilities and bands of both days."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    images = [np.ascontiguousarray(i.reshape(len(i), -1).T) for i in (first, second)]
    groups = groups_of(rows.ravel(), columns.ravel())
    return PixelPairs(before, after, (images[0], images[1]), groups)


def pair_of(
    model: ChangeModel, pixels: PixelPairs, probable: Values
) -> tuple[Classes, Classes]:
    """Classes before and after ``[N]``, as the map of change has them."""
    old = model.joint.persistent(pixels.first, pixels.second)
    new = old.copy()
    called = probable >= LEAST[0]
    part = pixels.part(called)
    old[called], new[called] = model.joint.transition(part.first, part.second)
    return old, new


def scored(changed: NDArray[np.bool_], true: NDArray[np.bool_]) -> tuple[float, float]:
    """False and missed change."""
    return float(changed[~true].mean()), float((~changed)[true].mean())


def held(
    land: Legend, old: tuple[Classes, Classes], true: tuple[Classes, Classes], seed: int
) -> tuple[list[bool], list[bool]]:
    """Whether intervals of all change, and of gains and losses, hold the truth.

    Sample by sample, drawn and estimated as `overcast sample` and `overcast change` do:
    the strata are the classes of the map of change.
    """
    size = len(land)
    together = np.bincount(old[0].astype(int) * size + old[1], minlength=size**2)
    legend = ChangeLegend.of(land, together.reshape(size, size))
    mapped = legend.positions[old]
    names = land.names
    moves = np.unique(np.stack(true)[:, true[0] != true[1]], axis=1).T
    every = legend.naming(f"{names[a]} to {names[b]}" for a, b in moves)
    reference = every.positions[true]
    pixels = np.bincount(mapped, minlength=len(legend.legend))
    sizes = allocate(pixels, POINTS, minimum=LEAST_POINTS)
    groups = list(every.groups())
    members = np.array([m for *_, m in groups])
    shares = np.array([m[reference].mean() for m in members])
    whole, sides = [], []
    for sample in range(SAMPLES):
        random = np.random.default_rng([seed, sample])
        place = np.concatenate(
            [
                random.choice(np.flatnonzero(mapped == k), n, replace=False)
                for k, n in enumerate(sizes)
            ]
        )
        drawn = StratifiedSample.of(
            mapped[place], mapped[place], reference[place], pixels, len(every.legend)
        )
        low, high = drawn.areas_of(members).interval
        inside = (low <= shares) & (shares <= high)
        whole.append(bool(inside[0]))
        sides += inside[1:][shares[1:] > 0].tolist()
    return whole, sides


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--worlds", type=int, default=2)
    parser.add_argument("--share", type=float, choices=SHARES, help="one of them alone")
    given = parser.parse_args()
    rows: dict[tuple[float, str], list[tuple[float, float]]] = defaultdict(list)
    hits: dict[float, tuple[list[bool], list[bool]]] = defaultdict(lambda: ([], []))
    guessed: dict[float, list[float]] = defaultdict(list)
    for world in range(given.first, given.first + given.worlds):
        scene = simulate(world, SIDE, wanted=SceneSpec((), dates=2))
        first, second = days(scene)
        truth = scene.truth.values
        places = np.random.default_rng(world).choice(truth.size, POINTS, replace=False)
        before = probabilities(first, truth, places, 0)
        for share in SHARES if given.share is None else [given.share]:
            now, seen = plant(truth, second, share, world)
            after = probabilities(seen, now, places, 1)
            true = (now != truth).ravel()
            apart = before.argmax(1) != after.argmax(1)
            pixels = pairs(before, after, first, seen)
            model = estimate_change_model(pixels.part(np.arange(len(true)) % 3 == 0))
            probable = model.changed(pixels)
            classes = model.joint.changed(before, after)
            rows[share, "two maps"].append(scored(apart, true))
            rows[share, f"classes {LEAST[0]}"].append(scored(classes >= LEAST[0], true))
            for least in LEAST:
                called = probable >= least
                rows[share, f"joint {least}"].append(scored(called, true))
            old = pair_of(model, pixels, probable)
            both = held(scene.truth.legend, old, (truth.ravel(), now.ravel()), world)
            for column, more in zip(hits[share], both, strict=True):
                column.extend(more)
            guessed[share].append(float(probable.mean()))
    print(f"{'change':>7} {'way':12}{'false':>8}{'missed':>8}{'expected':>9}", end="")
    print(f"{'areas':>8}{'gains':>8}")
    for (share, way), values in rows.items():
        false, missed = 100 * np.mean(values, 0)
        print(f"{share:7.0%} {way:12}{false:7.1f}%{missed:7.1f}%", end="")
        more = f"{np.mean(guessed[share]):9.1%}"
        more += "".join(f"{np.mean(column):8.1%}" for column in hits[share])
        print(more if way == f"joint {LEAST[0]}" else "")


if __name__ == "__main__":
    main()
