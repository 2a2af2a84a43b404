"""How good the cloud-free image is: PSNR and SSIM against the scene's clear image.

    python -m bench.claims.removal cloud50 --worlds 0 1 2

Compared are the cloudy image as it is, the mean of the clear learning blocks everywhere,
the mean of its true class at every pixel (what a perfect class map alone would tell), and
the image that the method `cloudseg` makes. All in network units, where 0 to 1 is what
land usually shows, on the testing blocks.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from bench.claims.blocks import Mask, Problem, scored
from bench.claims.problems import PROBLEMS
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from overcast.geo.arrays import ImageArray
from overcast.geo.stack import Stack
from overcast.methods.cloud_free import Restored
from overcast.plan import choose
from overcast.progress import quiet
from overcast.worlds.scene import WorldScene, simulate

Floats = NDArray[np.float64]
_SIGMA, _C1, _C2 = 1.5, 0.01**2, 0.03**2
"""Of SSIM (Wang et al. 2004), for values from 0 to 1."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problem", choices=[n for n in PROBLEMS if "cloud" in n])
    parser.add_argument("--worlds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--size", type=int, default=512)
    given = parser.parse_args()
    problem = PROBLEMS[given.problem]
    for world in given.worlds:
        scene = simulate(world, given.size, wanted=problem.wanted)
        found = {"problem": given.problem, "world": world, **measure(problem, scene)}
        print(json.dumps(found), flush=True)


def measure(problem: Problem, scene: WorldScene) -> dict[str, Any]:
    """PSNR in dB and SSIM by image and group of pixels."""
    images = {
        "cloudy": _units(scene, scene.images["s2_cloudy"].values),
        "mean": means(scene, np.zeros_like(scene.truth.values)),
        "class means": means(scene, scene.truth.values),
        "cloudseg": _units(scene, restore(problem, scene)),
    }
    groups = {name: of(scene) & scored(scene) for name, of in problem.groups.items()}
    clear = _units(scene, scene.images["s2"].values)
    return {
        name: {
            group: {
                "psnr": round(psnr(image, clear, where), 2),
                "ssim": round(float(ssim(image, clear)[:, where].mean()), 3),
            }
            for group, where in groups.items()
        }
        for name, image in images.items()
    }


def restore(problem: Problem, scene: WorldScene) -> NDArray[np.float32]:
    """Reflectance ``[10, H, W]`` that `cloudseg` makes of what it maps."""
    assert problem.given is not None
    arm, legend = problem.given(scene, 0), scene.truth.legend
    method = choose("methods", problem.methods["cloudseg"])
    with tempfile.TemporaryDirectory() as folder:
        method.fit(arm.learn, Path(folder), 0, quiet)
        network = method.load(Path(folder), legend, arm.learn[0].sensors)
    images = {name: ImageArray(image) for name, image in arm.images.items()}
    stack = Stack(grid=scene.grid, images=images)
    return Restored(network, stack).read(scene.grid).values


def means(scene: WorldScene, groups: NDArray[np.uint8]) -> Floats:
    """Every pixel as the mean of its group over the learning blocks."""
    clear = _units(scene, scene.images["s2"].values)
    out = np.zeros_like(clear)
    for k in np.unique(groups):
        here = groups == k
        learned = here & ~scored(scene)
        out[:, here] = clear[:, learned if learned.any() else here].mean(1)[:, None]
    return out


def psnr(image: Floats, clear: Floats, where: Mask) -> float:
    """Peak signal-to-noise ratio in dB, of a peak of 1."""
    error = np.square(image - clear)[:, where].mean()
    return float(-10 * np.log10(error)) if error else float(np.inf)


def ssim(image: Floats, clear: Floats) -> Floats:
    """Structural similarity of every pixel and band ``[C, H, W]``."""

    def smooth(values: Floats) -> Floats:
        return np.asarray(gaussian_filter(values, (0, _SIGMA, _SIGMA)))

    a, b = smooth(image), smooth(clear)
    aa, bb = smooth(image**2) - a * a, smooth(clear**2) - b * b
    ab = smooth(image * clear) - a * b
    alike = (2 * a * b + _C1) * (2 * ab + _C2)
    return alike / ((a * a + b * b + _C1) * (aa + bb + _C2))


def _units(scene: WorldScene, values: NDArray[np.float32]) -> Floats:
    return scene.images["s2"].sensor.to_network(values).astype(np.float64)


if __name__ == "__main__":
    main()
