"""What mapping costs beyond the network itself.

    python bench/overhead.py

Times `predict` with a trained network, reading GeoTIFFs and writing raw rows included,
over the bare forward passes on the same windows held in memory, best of three, taken in
turns. Bar: at most 1.15.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from overcast.geo.check import open_sentinel_1, open_sentinel_2
from overcast.geo.legend import load_legend
from overcast.geo.stack import Stack
from overcast.geo.tiling import Tiling
from overcast.maps.predict import predict
from overcast.methods.network import TrainedNetwork
from overcast.models.fcn import FCN
from overcast.train.batch import Batch
from overcast.worlds.files import write_world

SIZE, TILING, ROUNDS = 768, Tiling(256, 32), 3


def seconds(work: Callable[[], object]) -> float:
    """Time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_world(0, SIZE, folder)
        s1, s2 = open_sentinel_1(paths["s1"]).image, open_sentinel_2(paths["s2"]).image
        stack = Stack(grid=s2.grid, images={"s1": s1, "s2": s2})
        model = FCN({"s1": 2, "s2": 10}, 10, width=64).eval()
        legend = load_legend("simplified-igbp")
        network = TrainedNetwork(model, legend, stack.sensors, torch.device("cpu"))
        windows = list(TILING.windows(stack.shape))
        batches = [Batch.of([stack.read(window)]) for window in windows]

        @torch.inference_mode()
        def forward() -> None:
            for batch in batches:
                model(batch)

        forward()
        rounds = [
            (
                seconds(
                    lambda key=str(i): predict(network, stack, TILING, folder, key)
                ),
                seconds(forward),
            )
            for i in range(ROUNDS)
        ]
    mapped, bare = (min(times) for times in zip(*rounds, strict=True))
    print(f"map of {SIZE} x {SIZE}: {mapped:.2f} s; forward alone: {bare:.2f} s")
    print(f"ratio {mapped / bare:.2f} (bar 1.15)")


if __name__ == "__main__":
    main()
