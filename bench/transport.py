"""How long assigning the pixels of a batch to classes by optimal transport takes.

    python bench/transport.py

Eight problems of 64 x 64 pixels and 8 classes, costs -log p of random logits, float32,
on one thread: median of eleven calls, after one to warm up, and the largest difference
from the same problem in float64, repeated until it stands still, in units of a pixel's
mass. Bar: at most 50 ms on 4 cores.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import torch

from overcast.train.sinkhorn import Transport

BATCH, SIDE, CLASSES, CALLS = 8, 64, 8, 11
WAYS = {
    "dllr": Transport(epsilon=1.0, class_penalty=0.1),
    "balanced": Transport(epsilon=1.0),
    "balanced, epsilon 0.3": Transport(epsilon=0.3),
}


def main() -> None:
    torch.set_num_threads(1)
    draw = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(BATCH, CLASSES, SIDE**2, generator=draw)
    cost = -logits.log_softmax(1)
    pixels = torch.full((BATCH, SIDE**2), 1 / SIDE**2)
    classes = torch.rand(BATCH, CLASSES, generator=draw) + 0.1
    classes = classes / classes.sum(1, keepdim=True)
    print(f"{BATCH} x {SIDE} x {SIDE} x {CLASSES}, one thread")
    for name, way in WAYS.items():
        times = []
        for _ in range(CALLS + 1):
            start = time.perf_counter()
            plan = way.plan(cost, pixels, classes)
            times.append(1000 * (time.perf_counter() - start))
        still = replace(way, iterations=20_000, tolerance=1e-13)
        exact = still.plan(cost.double(), pixels.double(), classes.double())
        gap = (plan - exact).abs().max().item() * SIDE**2
        print(f"{name}: {statistics.median(times[1:]):.1f} ms, off by {gap:.1e}")


if __name__ == "__main__":
    main()
