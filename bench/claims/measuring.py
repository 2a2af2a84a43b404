"""Runs of a problem's arms, a world and a seed in one process, several side by side."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from multiprocessing import get_context
from typing import Any

import numpy as np
from bench.claims.problems import PROBLEMS
from bench.claims.scoring import METHODS, score, score_map

from overcast.worlds.scene import WorldScene, simulate

Scored = dict[str, Any]
"""Scores of an arm on a world with a seed, by name, as `Score` has them."""
Arms = dict[str, list[Scored]]
"""Scores of every arm, a run each, by world and then by seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Arms of a problem to be measured: those that it always has, and `methods`.

    Attributes
    ----------
    problem
        Name of a problem.
    base
        Method of the naive arm and of the oracle.
    methods
        Others, by name.
    size
        Side of the worlds in pixels.
    before
        Arms that are known already.
    """

    problem: str
    base: str
    methods: Sequence[str]
    size: int
    before: Collection[str] = ()


def measure(
    asked: Asked, worlds: Sequence[int], seeds: Sequence[int], processes: int = 1
) -> Arms:
    """All arms on all worlds with all seeds.

    What is measured does not depend on `processes`, but for the seconds: each of them
    has its share of the cores.
    """
    runs = [(asked, world, seed) for world in worlds for seed in seeds]
    arms: Arms = {}
    for found in _side_by_side(runs, processes):
        for name, scored in found.items():
            arms.setdefault(name, []).append(scored)
    return arms


def _side_by_side(
    runs: Sequence[tuple[Asked, int, int]], processes: int
) -> Iterator[dict[str, Scored]]:
    if processes == 1:
        yield from map(_measure, runs)
        return
    # Read by libraries as they are loaded, so it is set before there are processes.
    threads = max(1, len(os.sched_getaffinity(0)) // processes)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield from pool.map(_measure, runs)


@lru_cache(maxsize=1)
def _scene(world: int, size: int, name: str) -> WorldScene:
    """The one simulated last serves all seeds that follow."""
    problem = PROBLEMS[name]
    scene = simulate(world, size, wanted=problem.wanted)
    return scene if problem.prepare is None else problem.prepare(scene, world)


def _measure(run: tuple[Asked, int, int]) -> dict[str, Scored]:
    """Scores of all arms on one world with one seed, by name."""
    asked, world, seed = run
    problem = PROBLEMS[asked.problem]
    known = {**METHODS, **problem.methods}
    scene = _scene(world, asked.size, asked.problem)
    found = {}
    for name in [name for name in problem.maps if name not in asked.before]:
        classes = problem.maps[name](scene)
        sure = np.ones(classes.shape, np.float32)
        found[name] = asdict(score_map(scene, classes, sure, problem.groups))
    more = problem.naive if problem.given is None else problem.given
    arms = {"naive": (problem.naive, known[asked.base])}
    for name in asked.methods:
        arms[name] = (problem.arms.get(name, more), known[name])
    arms["oracle"] = (problem.oracle, known[asked.base])
    if problem.ceiling is not None:
        arms["ceiling"] = (problem.ceiling, known[asked.base])
    for name in [name for name in arms if name not in asked.before]:
        make, method = arms[name]
        made, place = make(scene, seed), name in problem.placed
        scored = score(scene, made, method, seed, problem.groups, place)
        found[name] = asdict(scored)
        print(
            f"{problem.title}, world {world}, seed {seed}, {name}: "
            f"mIoU {scored.mean_iou:.3f} in {scored.seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return found
