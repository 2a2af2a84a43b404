"""Optical images under cloud."""

from bench.claims.blocks import Problem, arm_of, fine, true_of

from overcast.worlds.scene import Wanted

PROBLEMS = {
    "cloud": Problem(
        "60 % cloud",
        Wanted((), cloud=0.6),
        lambda scene, seed: arm_of(scene, true_of(scene), "s1", "s2_cloudy"),
        fine,
    ),
}
