"""Land cover under drawn clouds on WHU-OPT-SAR, whose images are clear.

``whu-opt-sar-clouds`` is `bench.published.under_clouds` on it: one sky lies over every
scene, drawn as those of the simulated worlds are, with a mean cover of .3 to .7.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from bench.published.benchmark import Benchmark
from bench.published.under_clouds import Case, under_clouds

from overcast.datasets import whu_opt_sar
from overcast.datasets.dataset import Patch
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling

_CLEAR, _CLOUD = "clear", "cloud"


def clouded(patch: Patch) -> Stack:
    """A scene under its sky, with the clear image and the clouds as targets."""
    from bench.published.cloudy import Cloudy

    stack = patch.stack("fine")
    clear = stack.images["optical"]
    # Python's own hash of a text changes from run to run.
    cloudy = Cloudy(clear, key=zlib.crc32(f"{patch.name}, sky".encode()))
    more = {"optical": cloudy, _CLEAR: clear, _CLOUD: cloudy.mask}
    return replace(
        stack,
        images={**stack.images, **more},
        targets=stack.targets | {_CLEAR, _CLOUD},
    )


CASE = Case(
    title="Under drawn clouds on WHU-OPT-SAR",
    open=whu_opt_sar.open,
    stack=clouded,
    optical="optical",
    sar="sar",
    clear=_CLEAR,
    cloud=_CLOUD,
    tiling=Tiling(1024, 256),
    deviations=(
        "Clouds are drawn, grey and without haze, over images that are clear: a pair is of "
        "one moment, and what the network learns to take away is what was drawn.",
        "Encoders start from random weights, and teacher and student are one network: "
        "see overcast.recipes.cloudseg and overcast.models.cloudseg for what differs.",
        "The paper's own clouds over these scenes, with which it is 5.56 points of mIoU "
        "above its best competitor, were never published.",
    ),
)
BENCHMARKS: Mapping[str, Benchmark] = {
    "whu-opt-sar-clouds": partial(under_clouds, CASE)
}
