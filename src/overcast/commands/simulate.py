"""`overcast simulate`: a scene with known truth."""

from __future__ import annotations

from pathlib import Path

import click

from overcast.options import HELP, Command, Number, bar, show, threads, writing


@click.command(cls=Command, context_settings=HELP)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--size", type=int, default=512, show_default=True, help="Pixels of 10 m."
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
    "--cloud", type=Number(0, 1), help="Also write s2 with this share under cloud."
)
@threads
@writing
def command(
    seed: int,
    size: int,
    labels: tuple[str, ...],
    cloud: float | None,
    out: Path,
    overwrite: bool,
) -> None:
    """Write a simulated scene with known truth: s1.tif, s2.tif, labels.tif, truth.tif.

    \b
    Examples:
      overcast simulate --seed 7 --size 512 --out world/
      overcast simulate --seed 7 --labels modis --labels corine --cloud 0.6 --out world/
    """
    from overcast.worlds.files import write_world
    from overcast.worlds.scene import Wanted

    wanted = Wanted(labels, cloud)
    with bar() as progress:
        paths = write_world(
            seed, size, out, wanted, overwrite=overwrite, progress=progress
        )
    show({name: str(path) for name, path in paths.items()})
