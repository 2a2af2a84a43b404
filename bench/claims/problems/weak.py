"""Labels that are too coarse, or as fine as the images and wrong."""

from collections.abc import Callable

from bench.claims.blocks import Arm, Problem, arm_of, fine

from overcast.worlds.scene import Scene, Wanted


def _kind(kind: str) -> Callable[[Scene, int], Arm]:
    """Labels of a kind for the whole area: one has them for the land to be mapped."""
    return lambda scene, seed: arm_of(scene, scene.labels[kind], "s1", "s2")


PROBLEMS = {
    "coarse": Problem("500 m labels", Wanted(("modis",)), _kind("modis"), fine),
    "corine": Problem("100 m labels", Wanted(("corine",)), _kind("corine"), fine),
    "product": Problem(
        "a wrong 10 m product", Wanted(("worldcover",)), _kind("worldcover"), fine
    ),
}
