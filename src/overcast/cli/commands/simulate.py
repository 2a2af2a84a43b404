"""`overcast simulate`: a scene with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

import click

from overcast import lock
from overcast.cli.option_types import Number
from overcast.cli.options import HELP, Command, threads, writing
from overcast.cli.showing import bar, note, show


class SceneOptions(TypedDict):
    """Values of the options that say what of a world is made."""

    labels: tuple[str, ...]
    cloud: float | None
    dates: int


@click.command(cls=Command, context_settings=HELP)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--size", type=int, default=512, show_default=True, help="Pixels a side, of 10 m."
)
@click.option(
    "--labels",
    multiple=True,
    default=("modis",),
    show_default=True,
    help="Kind of imperfect labels, repeatable: modis (500 m), corine (100 m), "
    "worldcover (10 m), points, polygons, outdated, pseudo.",
)
@click.option(
    "--cloud", type=Number(0, 1), help="Also write s2 with this share of cloud."
)
@click.option(
    "--land",
    default="plain",
    show_default=True,
    help="Traits of the land: plain, real, or some of use, drift, uneven, calm, "
    "products with commas between them.",
)
@click.option(
    "--dates",
    type=int,
    default=1,
    show_default=True,
    help="Number of days of a year on which the land is seen.",
)
@threads
@writing
def command(
    seed: int,
    size: int,
    out: Path,
    overwrite: bool,
    land: str,
    **parts: Unpack[SceneOptions],
) -> None:
    """Write a simulated scene with known truth.

    Writes s1.tif, s2.tif, labels.tif and truth.tif.

    \b
    Examples:
      overcast simulate --seed 7 --size 512 --out world/
      overcast simulate --seed 7 --labels modis --labels corine --cloud 0.6 --out world/
      overcast simulate --seed 7 --land real --labels corine --out world/
      overcast simulate --seed 7 --dates 6 --cloud 0.4 --out world/

    \b
    Traits of the land, each like real land in one way:
      use       some patches look like another class: coffee under trees, fallow, parks
      drift     spectra drift across the scene, with soil, phenology and moisture
      uneven    one class covers .45 to .88 of the land
      calm      patches are large, and few thin things break them
      products  labels of products are as right as their validations say
    """
    from overcast.worlds.files import write_world
    from overcast.worlds.nature import Nature
    from overcast.worlds.scene import SceneSpec

    wanted = SceneSpec(nature=Nature.of(land), **parts)
    left = lock.left(out)
    with bar() as progress:
        paths = write_world(
            seed, size, out, wanted, overwrite=overwrite, progress=progress
        )
    for line in left:
        note(line)
    show({name: str(path) for name, path in paths.items()})
