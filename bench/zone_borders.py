"""How often classes change where two zones of UTM meet, and elsewhere.

    python bench/zone_borders.py --folder borders/

A simulated world is moved onto a border of zones, several times, with the border at another
part of it each time. Its images lie in the western zone, and those of the eastern zone are
warped from them. Pairs of places lie 10 m apart from west to east: on both sides of the
border, each in its own zone, and elsewhere in one zone. Prints JSON; takes about 200 CPU
seconds. With `--folder`, the same command goes on there.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.warp import Resampling, reproject

sys.path.insert(0, str(Path(__file__).parents[1]))
from bench.regions import region_of, world_in

from overcast.region.description import Cut, Region
from overcast.region.engine import InTurn
from overcast.region.events import Events
from overcast.region.job import RegionOutput, map_region
from overcast.threads import keep_memory, use

WEST, EAST, BORDER, LATITUDE = "EPSG:32632", "EPSG:32633", 12.0, 48.0
SIDE, TILE, APART_M = 1024, 512, 10.0
_METRE = 1 / (111_320 * np.cos(np.radians(LATITUDE)))
"""Degrees of longitude."""
Places = NDArray[np.float64]


def moved(world: Path, out: Path, share: float) -> Path:
    """The files of a world with the border of zones at a share of its width.

    Files that are there stay: new ones would be mapped anew.
    """
    if (out / "labels.tif").exists():
        return out
    out.mkdir(parents=True, exist_ok=True)
    move = Transformer.from_crs("EPSG:4326", WEST, always_xy=True)
    east, north = move.transform(BORDER, LATITUDE)
    left = round((east - share * SIDE * 10) / 10) * 10.0
    top = round((north + SIDE * 5) / 10) * 10.0
    place = rasterio.Affine(10, 0, left, 0, -10, top)
    with rasterio.open(world / "s2.tif") as image:
        shape, own, crs = image.shape, image.transform, image.crs
    with rasterio.open(world / "labels.tif") as source:
        codes = np.full(shape, source.nodata, source.dtypes[0])
        reproject(
            rasterio.band(source, 1),
            codes,
            dst_transform=own,
            dst_crs=crs,
            dst_nodata=source.nodata,
            resampling=Resampling.nearest,
        )
        kinds = {"dtype": source.dtypes[0], "nodata": source.nodata, "count": 1}
    for name in ("s1.tif", "s2.tif"):
        with rasterio.open(world / name) as source:
            profile = source.profile | {"transform": place, "crs": WEST}
            with rasterio.open(out / name, "w", **profile) as target:
                target.write(source.read())
                target.descriptions = source.descriptions
                target.scales, target.offsets = source.scales, source.offsets
                target.update_tags(**source.tags())
    with rasterio.open(out / "labels.tif", "w", **{**profile, **kinds}) as target:
        target.write(codes, 1)
    return out


def pairs(out: Path) -> dict[str, tuple[int, int]]:
    """Pairs of places in which both are mapped, and those whose classes differ."""
    metres = np.arange(-SIDE * 5 + 200, SIDE * 5 - 200, 10.0)
    rows = LATITUDE + metres / 111_200
    counts = {"across": np.zeros(2, int), "west": np.zeros(2, int)}
    counts["east"] = np.zeros(2, int)
    half = APART_M / 2
    across = [_classes(out, zone, rows, x) for zone, x in ((32, -half), (33, half))]
    counts["across"] += _changes(*across)
    for step in np.arange(60, SIDE * 10, 110.0):
        for name, zone, sign in (("west", 32, -1), ("east", 33, 1)):
            two = [_classes(out, zone, rows, sign * step + d) for d in (-half, half)]
            counts[name] += _changes(*two)
    return {name: (int(known), int(other)) for name, (known, other) in counts.items()}


def _classes(out: Path, zone: int, rows: Places, metres: float) -> NDArray[np.uint8]:
    """Classes at places so many metres east of the border; 255 where there are none."""
    crs = {32: WEST, 33: EAST}[zone]
    move = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x, y = move.transform(np.full(len(rows), BORDER + metres * _METRE), rows)
    with rasterio.open(out / f"map-326{zone}.vrt") as dataset:
        values = dataset.sample(list(zip(x, y, strict=True)))
        return np.array([value[0] for value in values], np.uint8)


def _changes(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.int_]:
    known = (one != 255) & (other != 255)
    return np.array([known.sum(), (known & (one != other)).sum()])


def measure(folder: Path, shares: tuple[float, ...]) -> dict[str, Any]:
    """Rates of change at borders at several parts of a world, and elsewhere."""
    use(1)
    keep_memory()
    world_in(folder / "w", 5, SIDE)
    total = {name: np.zeros(2, int) for name in ("across", "west", "east")}
    for share in shares:
        own = moved(folder / "w", folder / f"at{share:g}", share)
        region = Region(region_of(own).plan, Cut(tiles=TILE, crs="utm"))
        map_region(region, RegionOutput(own / "out"), InTurn(), Events())
        for name, counted in pairs(own / "out").items():
            total[name] += counted
    rate = {name: changed / known for name, (known, changed) in total.items()}
    elsewhere = (total["west"] + total["east"])[1] / (total["west"] + total["east"])[0]
    known = int(total["across"][0])
    return {
        "pairs across the border": known,
        "classes change": {name: round(float(r), 4) for name, r in rate.items()},
        "elsewhere": round(float(elsewhere), 4),
        "across over elsewhere": round(float(rate["across"] / elsewhere), 3),
        "standard error": round(float(np.sqrt((1 - elsewhere) / elsewhere / known)), 3),
    }


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.3, 0.5, 0.7])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = given.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        print(json.dumps(measure(folder, tuple(given.shares)), indent=2))


if __name__ == "__main__":
    main()
