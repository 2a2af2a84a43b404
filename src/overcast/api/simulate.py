"""Simulated scenes with known truth, to try things on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xarray import DataArray

from overcast.api.scene import Scene, scene
from overcast.api.showing import Shown, showing
from overcast.geo.xarrays import image_to_dataarray, labels_to_dataarray
from overcast.worlds import scene as worlds


@dataclass(frozen=True, eq=False)
class SimulatedWorld:
    """A simulated place.

    Attributes
    ----------
    scene
        Sentinel-1 and Sentinel-2 of it.
    truth
        True class codes ``[y, x]``.
    labels
        Imperfect class codes by kind, on grids of their own.
    images
        The images of the scene by name, and ``s2_cloudy`` where clouds were asked for.
    """

    scene: Scene
    truth: DataArray
    labels: Mapping[str, DataArray]
    images: Mapping[str, DataArray]


def simulate(
    seed: int = 0,
    size: int = 512,
    *,
    labels: Sequence[str] = ("modis",),
    cloud: float | None = None,
    progress: Shown = None,
) -> SimulatedWorld:
    """Simulate a scene of `size` by `size` pixels of 10 m.

    Parameters
    ----------
    seed
        What all depends on.
    size
        Pixels along a side, 64 or more.
    labels
        Kinds of imperfect labels: modis (500 m), corine (100 m), worldcover (10 m),
        points, polygons, outdated, pseudo.
    cloud
        Share of the scene under cloud in ``images["s2_cloudy"]``; none by default.
    progress
        Whether, or by what, progress is shown.

    Raises
    ------
    ValueError
        If a kind of labels is unknown, or `seed` or `size` is out of range.
    """
    wanted = worlds.SceneSpec(tuple(labels), cloud)
    with showing(progress) as shown:
        made = worlds.simulate(seed, size, shown, wanted)
    images = {name: image_to_dataarray(i, name) for name, i in made.images.items()}
    return SimulatedWorld(
        scene=scene(s1=images["s1"], s2=images["s2"]),
        truth=labels_to_dataarray(made.truth, "truth"),
        labels={k: labels_to_dataarray(one, k) for k, one in made.labels.items()},
        images=images,
    )
