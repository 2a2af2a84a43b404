"""Land cover under clouds on M3M-CR: pairs of PlanetScope images, and Sentinel-1.

``m3m-cr`` is `bench.published.under_clouds` on it. The paper's own figure is 3.16
points of mIoU above its best competitor; its encoders are MiT-B4 from ImageNet's weights.
``network: {model: {name: cloudseg, encoder: mit_b4}}`` among the settings has that
encoder, from random weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from bench.published.benchmark import Benchmark
from bench.published.under_clouds import Case, under_clouds

from overcast.datasets import m3m_cr
from overcast.geo.tiling import Tiling

CASE = Case(
    title="Under clouds on M3M-CR",
    open=m3m_cr.open,
    stack=lambda patch: patch.stack("fine"),
    optical="planet",
    sar="s1",
    tiling=Tiling(160, 80),  # windows of 160 pixels every 80, as the paper tests
    deviations=(
        "Encoders start from random weights, and teacher and student are one network: "
        "see overcast.recipes.cloudseg and overcast.models.cloudseg for what differs.",
        "Steps, learning rates and the units that networks see are those in the settings "
        "and ours, not the paper's.",
        "Labels of 10 m are put on the grid of 3 m by the nearest pixel; classes outside "
        "the six are unknown, where the paper's code has a seventh label outside its head.",
    ),
)
BENCHMARKS: Mapping[str, Benchmark] = {"m3m-cr": partial(under_clouds, CASE)}
