"""What `--set`, `--method` and their like say."""

from __future__ import annotations

from typing import Any

from bench.corpus.case import add, refused, right
from bench.corpus.runner import Words
from bench.corpus.scene import QUICK

_SETTINGS: tuple[tuple[Words, tuple[Any, ...]], ...] = (
    (("--set", "model={name: unet"), (refused("--set"),)),
    (("--set", "recipe=5"), (refused("recipe", "--set"),)),
    (("--set", "clusters"), (refused("--set"),)),
    (("--set", "=3"), (refused("--set", "key"),)),
    (("--set", "clusters=a: b: c"), (refused("--set"),)),
    (
        ("--set", "clusters=[64]", "--set", "clusters=[32]"),
        (refused("--set", "clusters"),),
    ),
    (("--set", "clusters=" + "[" * 2000), (refused("--set"),)),
    (("--set", "clusters=" + "[" * 2000 + "]" * 2000), (refused("--set", "clusters"),)),
    (("--set", "clusters=&a [*a]"), (refused("--set", "clusters"),)),
    (("--set", "clusters=!!python/object/apply:os.getcwd []"), (refused("--set"),)),
    (("--set", "clusters=1000000"), (refused("clusters", "--set"),)),
    (("--set", "trees=5"), (refused("trees", "--set"),)),
    (("--set", "cell=-1"), (refused("cell", "--set"),)),
    (("--set", "balance=2"), (refused("balance", "--set"),)),
    (("--set", "balance=.nan"), (refused("balance", "--set"),)),
    (("--set", "name=forest"), (refused("name", "--set"),)),
    (("--set", "cell=2 # two"), (right(), refused("cell"))),
    (("--set", "cell="), (right(), refused("cell", "--set"))),
    (("--set", "cell=two"), (refused("cell", "--set"),)),
    (("--set", "radius=1e300"), (refused("radius", "--set"),)),
    (("--set", "samples=2024-01-01"), (refused("samples", "--set"),)),
    (("--method", "forest", "--set", "trees=&a [*a]"), (refused("trees", "--set"),)),
    (("--method", "forest", "--set", "trees=0"), (refused("trees", "--set"),)),
    (("--method", "forest", "--set", "trees=-3"), (refused("trees", "--set"),)),
    (("--method", "forest", "--set", "trees=2.5"), (refused("trees", "--set"),)),
    (("--method", "forest", "--set", "trees=true"), (refused("trees", "--set"),)),
    (("--method", "forest", "--set", "depth=0"), (refused("depth", "--set"),)),
    (("--method", "forest", "--set", "leaf=0"), (refused("leaf", "--set"),)),
    (("--method", "forest", "--set", "leaf=-5"), (refused("leaf", "--set"),)),
    (("--method", "forest", "--set", "samples=0"), (refused("samples", "--set"),)),
    (("--method", "forest", "--set", "samples=1"), (refused("samples", "--set"),)),
    (("--method", "forest", "--set", "samples=99"), (refused("samples", "--set"),)),
    (("--method", "forest", "--set", "samples=100"), (right(), refused("samples"))),
    (("--method", "kmeans", "--set", "samples=2"), (refused("samples", "--set"),)),
    (("--method", "kmeans", "--set", "clusters=1"), (refused("clusters", "--set"),)),
    (("--set", "samples=1"), (refused("samples", "--set"),)),
    (("--set", "clusters=[1]"), (refused("clusters", "--set"),)),
    (("--set", "power=0"), (refused("power", "--set"),)),
    (("--set", "wrong=1"), (refused("wrong", "--set"),)),
    (("--set", "smoothness=1000000"), (refused("smoothness", "--set"),)),
    (("--set", "cell=4096"), (refused("cell", "--set"),)),
    (
        ("--method", "network", "--set", "recipe={name: mean_teacher, decay: 1}"),
        (refused("decay"),),
    ),
    (
        ("--method", "network", "--set", "recipe={name: dacs, alignment: -1}"),
        (refused("alignment"),),
    ),
    (
        ("--method", "network", "--set", "recipe={name: contrast, most: -1}"),
        (refused("most"),),
    ),
    (
        ("--method", "forest", "--set", "balanced=maybe"),
        (refused("balanced", "--set"),),
    ),
    (("--method", "kmeans", "--set", "clusters=0"), (refused("clusters", "--set"),)),
    (("--method", "kmeans", "--set", "clusters=-1"), (refused("clusters", "--set"),)),
    (("--method", "kmeans", "--set", "starts=0"), (refused("starts", "--set"),)),
    (
        ("--method", "kmeans", "--set", "iterations=0"),
        (refused("iterations", "--set"),),
    ),
    (
        ("--method", "kmeans", "--set", "iterations=-2"),
        (refused("iterations", "--set"),),
    ),
    (("--method", "svm"), (refused("svm", "--method"),)),
    (("--method", ""), (refused("--method", "methods"),)),
    (("--method", "__init__"), (refused("__init__", "--method"),)),
    (("--seed", "-1"), (refused("--seed", "seed"),)),
    (("--seed", "99999999999999999999"), (refused("--seed", "seed"),)),
    (("--seed", "1.5"), (refused("--seed"),)),
    (("--frozen",), (refused("--frozen"),)),
    (("--start", "gone"), (refused("--start", "gone"),)),
)
for words, ends in _SETTINGS:
    shown = " ".join(map(str, words))
    shown = shown if len(shown) < 80 else f"{shown[:60]} ... ({len(shown)} letters)"
    fast = (
        ()
        if "clusters" in shown or "--" in shown[5:] or "--set" not in shown
        else QUICK
    )
    everything = ("map", "--s2", "s2.tif", "--labels", "labels.tif")
    everything += ("--legend", "legend.csv", "--out", "o", *fast, *words)
    add("settings", shown, lambda s, words=everything: words, *ends)
