"""What another sensor's classifier says, for SAR alone."""

from bench.claims.blocks import Problem, arm_of, true_of

from overcast.worlds.scene import Wanted

PROBLEMS = {
    "pseudo": Problem(
        "optical pseudo-labels on SAR",
        Wanted(("pseudo",)),
        lambda scene, seed: arm_of(scene, scene.labels["pseudo"], "s1"),
        lambda scene, seed: arm_of(scene, true_of(scene), "s1"),
    ),
}
