"""A generalised map as polygons: small patches go first, then outlines are drawn."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from overcast.errors import writing
from overcast.product.generalise import generalise_file
from overcast.product.vector import write_polygons
from overcast.progress import Progress, quiet


def generalise_polygons(
    mapped: Path, out: Path, mmu_ha: float, smooth_m: float, progress: Progress = quiet
) -> dict[str, Any]:
    """Write a map without patches below `mmu_ha` as polygons.

    Patches are given away as `generalise_file` does it, and outlines smoothed as
    `write_polygons` does it.

    Raises
    ------
    ValueError
        If the map is refused, or `mmu_ha` is not an area of it.
    """
    with (
        writing(out),
        TemporaryDirectory(dir=out.parent, prefix=".overcast-") as scratch,
    ):
        raster = Path(scratch) / "generalised.tif"
        done = generalise_file(mapped, raster, mmu_ha, progress)
        count = write_polygons(raster, out, 0, progress, smooth_m)
    return {**done, "map": str(out), "polygons": count}
