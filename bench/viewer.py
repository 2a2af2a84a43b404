"""Tiles of the viewer over HTTP, of a map of 10980 x 10980 pixels and what it is of.

A Sentinel-2 tile's size: a class map and its confidence, and four bands of imagery,
each once with overviews and once without, so that they are made at the start. Cold is
the first request of a tile on a new connection, whose thread opens the file; warm is
the same tile again on that connection. Tiles are at the middle and at a corner of the
map, at every zoom level from the whole scene down to the deepest. Bar: 200 ms. On a
busy machine these times grow with its load; processor time does not.
"""

from __future__ import annotations

import http.client
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rio_tiler.constants import WEB_MERCATOR_TMS

from overcast.geo.legend import legend_to_csv, load_legend
from overcast.plan import Data, ImageInput, Plan, write_plan
from overcast.viewer.scene import open_scene
from overcast.viewer.server import ViewServer
from overcast.viewer.tiles import extent

SIDE, BLOCK, BAR_MS = 10980, 512, 200
PLACE = Affine(10, 0, 399_960, 0, -10, 5_100_000)
LEGEND = load_legend("worldcover")
Blocks = Callable[[np.random.Generator, tuple[int, int]], NDArray[Any]]


def classes(random: np.random.Generator, shape: tuple[int, int]) -> NDArray[Any]:
    """Patches of 12 pixels a side, a tenth of the pixels their own."""
    cells = [-(-n // 12) for n in shape]
    patches = random.choice(LEGEND.codes, cells).repeat(12, 0).repeat(12, 1)
    patches = patches[: shape[0], : shape[1]]
    noise = random.choice(LEGEND.codes, shape)
    return np.where(random.random(shape) < 0.1, noise, patches).astype(np.uint8)[None]


def confidence(random: np.random.Generator, shape: tuple[int, int]) -> NDArray[Any]:
    """Steps of 1/256, as maps have."""
    return (random.integers(64, 257, (1, *shape)) / 256).astype(np.float32)


def reflectance(random: np.random.Generator, shape: tuple[int, int]) -> NDArray[Any]:
    """Four bands of noise."""
    return random.integers(300, 3000, (4, *shape), dtype=np.uint16)


def write(path: Path, blocks: Blocks, overviews: bool, **profile: Any) -> None:
    """Write a tiled, compressed file block by block."""
    random = np.random.default_rng(0)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=SIDE,
        height=SIDE,
        crs="EPSG:32632",
        transform=PLACE,
        tiled=True,
        blockxsize=BLOCK,
        blockysize=BLOCK,
        compress="deflate",
        bigtiff="yes",
        **profile,
    ) as dataset:
        for _, window in dataset.block_windows(1):
            shape = (window.height, window.width)
            dataset.write(blocks(random, shape), window=window)
        if profile["count"] == 4:
            dataset.descriptions = ("B02", "B03", "B04", "B08")
        dataset.update_tags(LEGEND=LEGEND.name, LEGEND_CLASSES=legend_to_csv(LEGEND))
    if overviews:
        with rasterio.open(path, "r+") as dataset:
            dataset.build_overviews([2, 4, 8, 16, 32])


def make(folder: Path, overviews: bool) -> None:
    """Write an output folder, and the image beside it."""
    (folder / "run").mkdir(parents=True)
    write(folder / "map.tif", classes, overviews, count=1, dtype="uint8", nodata=255)
    numbers = {"count": 1, "dtype": "float32", "nodata": np.nan}
    write(folder / "confidence.tif", confidence, overviews, **numbers)
    image = folder / "run" / "s2.tif"
    write(image, reflectance, overviews, count=4, dtype="uint16", nodata=0)
    data = Data(images={"s2": ImageInput(path=str(image), sensor="sentinel-2")})
    write_plan(Plan(data=data), folder / "run" / "plan.yaml")


def addresses(path: Path, name: str) -> Iterator[str]:
    """Tiles at the middle and near a corner, from the whole scene to the deepest."""
    found = extent(path)
    west, south, east, north = found.bounds
    for zoom in range(7, found.deepest + 1):
        for part in (0.5, 0.98):
            lon, lat = west + part * (east - west), north - part * (north - south)
            tile = WEB_MERCATOR_TMS.tile(lon, lat, zoom)
            yield f"/tiles/{name}/{zoom}/{tile.x}/{tile.y}.png"


@dataclass(frozen=True)
class Took:
    """Time of a tile in milliseconds: cold, warm, and the processor's share of cold."""

    cold: float
    warm: float
    processor: float


def time_tile(port: int, target: str) -> Took:
    """Ask for a tile twice on one new connection."""
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        before = time.process_time()
        cold = time_request(connection, target)
        processor = 1000 * (time.process_time() - before)
        return Took(cold, time_request(connection, target), processor)


def time_request(connection: http.client.HTTPConnection, target: str) -> float:
    """Milliseconds until the whole answer is here."""
    start = time.perf_counter()
    connection.request("GET", target)
    reply = connection.getresponse()
    assert reply.status == 200, reply.read()
    reply.read()
    return 1000 * (time.perf_counter() - start)


def report(folder: Path, overviews: bool) -> None:
    """Time opening and every tile, and print the figures."""
    kind = "with overviews" if overviews else "without overviews"
    start = time.perf_counter()
    with open_scene(folder) as scene, ViewServer(scene) as server:
        load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        print(f"{kind}: opened in {time.perf_counter() - start:.1f} s; {load}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name, layer in scene.layers.items():
            targets = addresses(layer.path, name)
            took = [time_tile(server.server_port, target) for target in targets]
            print(f"  {name}, {len(took)} tiles: {summary(took)}", flush=True)
        server.shutdown()


def summary(took: list[Took]) -> str:
    """Median and worst of each time, and whether the bar is held."""
    parts = []
    for what in ("cold", "warm", "processor"):
        times = [getattr(one, what) for one in took]
        middle = statistics.median(times)
        parts.append(f"{what} median {middle:.0f}, worst {max(times):.0f} ms")
    worst = max(max(one.cold, one.warm) for one in took)
    parts.append(f"{'within' if worst < BAR_MS else 'OVER'} {BAR_MS} ms")
    return "; ".join(parts)


def main() -> None:
    """Make both folders and time them."""
    for overviews in (True, False):
        with tempfile.TemporaryDirectory() as name:
            make(Path(name) / "out", overviews)
            report(Path(name) / "out", overviews)


if __name__ == "__main__":
    main()
