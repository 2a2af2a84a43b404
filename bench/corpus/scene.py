"""A small scene with known truth in a folder of its own, and what is made from it."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from bench.corpus.runner import Command, Words, run
from numpy.typing import NDArray
from rasterio.transform import Affine, from_origin
from rasterio.warp import Resampling, reproject

N, PIXEL, CRS, EAST, NORTH = 96, 10.0, "EPSG:32632", 600_000.0, 5_300_000.0
PLACE = from_origin(EAST, NORTH, PIXEL, PIXEL)
BLOCK = 12
BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
CLASSES = ("Water", "Forest", "Crops", "Town")
COLOURS = ("0000ff", "006600", "ffcc66", "cc0000")
LEGEND = "code,name,colour\n" + "".join(
    f"{code},{name},{colour}\n"
    for code, (name, colour) in enumerate(zip(CLASSES, COLOURS, strict=True), 1)
)
_SPECTRA = np.array(
    [
        [300, 280, 200, 150, 120, 110, 90, 80, 40, 30],
        [200, 350, 220, 600, 1800, 2200, 2400, 2500, 1100, 500],
        [600, 900, 1000, 1500, 2300, 2600, 2800, 3000, 2400, 1600],
        [1300, 1500, 1700, 1800, 1900, 2000, 2100, 2200, 2400, 2200],
    ],
    float,
)
_BACKSCATTER = np.array([[-21, -28], [-9, -15], [-11, -18], [-4, -12]], float)

QUICK = ("--set", "clusters=[128]")
"""A third of the time of the default, and enough for this scene."""

Array = NDArray[Any]


def measured(seed: int = 0) -> tuple[Array, Array, Array]:
    """Codes 1 to 4 in blocks, Sentinel-2 as stored, and Sentinel-1 in dB."""
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 4, (N // BLOCK, N // BLOCK))
    index = blocks.repeat(BLOCK, 0).repeat(BLOCK, 1)
    s2 = _SPECTRA[index].transpose(2, 0, 1) * random.normal(1, 0.08, (10, N, N))
    s1 = _BACKSCATTER[index].transpose(2, 0, 1) + random.normal(0, 1, (2, N, N))
    return (
        (index + 1).astype(np.uint8),
        s2.clip(1).astype(np.uint16),
        s1.astype(np.float32),
    )


def map_of(
    s2: object = "s2.tif",
    s1: object = None,
    labels: object = "labels.tif",
    legend: object = "legend.csv",
    more: Words = (),
) -> Words:
    """Words of `overcast map`, without the images that are None."""
    images = [("--s2", s2), ("--s1", s1), ("--labels", labels), ("--legend", legend)]
    named = [word for pair in images if pair[1] is not None for word in pair]
    said = " ".join(map(str, more))
    fast = () if "clusters" in said or "--method" in said else QUICK
    return ("map", *named, "--out", "o", *fast, *more)


def predict_of(
    run: object, s2: object = None, s1: object = None, more: Words = ()
) -> Words:
    """Words of `overcast predict`, to be judged as a map in ``o``."""
    images = [("--s2", s2), ("--s1", s1)]
    named = [word for pair in images if pair[1] is not None for word in pair]
    return ("predict", run, *named, "--out", "o", *more)


MADE: dict[str, Words] = {
    "weak": map_of(s1="s1.tif"),
    "weak-s2": map_of(),
    "weak-s1": map_of(s2=None, s1="s1.tif"),
    "forest": map_of(s1="s1.tif", more=("--method", "forest", "--set", "trees=6")),
    "kmeans": map_of(s1="s1.tif", more=("--method", "kmeans", "--set", "clusters=8")),
    "network": map_of(
        s1="s1.tif",
        more=(
            *("--method", "network", "--set", "window=32", "--set", "batch=2"),
            *("--set", "schedule={steps: 3}"),
        ),
    ),
    "sample": (
        "sample",
        "o/map.tif",
        "--size",
        120,
        "--minimum",
        20,
        "--out",
        "s.gpkg",
    ),
    "sample-csv": (
        "sample",
        "o/map.tif",
        "--size",
        120,
        "--minimum",
        20,
        "--out",
        "s.csv",
    ),
    "probabilities": (
        "predict",
        "o/run",
        "--s2",
        "s2.tif",
        "--s1",
        "s1.tif",
        "--probabilities",
        "--out",
        "p",
    ),
}
"""What cases start from, made once by a command; the last three from ``weak``."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The scene's arrays and a folder with its files, to be made bad or odd.

    Attributes
    ----------
    folder
        Where the case runs; s2.tif, s1.tif, labels.tif and legend.csv are in it.
    cache
        Where what `MADE` names is kept.
    random
        Of this case, from the seed.
    """

    folder: Path
    cache: Path
    random: np.random.Generator
    truth: Array = field(repr=False)
    s2: Array = field(repr=False)
    s1: Array = field(repr=False)

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def save(
        self, name: str, values: Array, names: Sequence[str] = (), **profile: Any
    ) -> Path:
        """Write ``[C, H, W]`` or ``[H, W]`` as a raster on the scene's grid."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save_raster(path, values, names, **profile)
        return path

    def save_s2(self, values: Array | None = None, **profile: Any) -> Path:
        """Write s2.tif with its band names and a nodata tag of 0."""
        profile = {"nodata": 0, "names": BANDS, **profile}
        return self.save("s2.tif", self.s2 if values is None else values, **profile)

    def save_s1(self, values: Array | None = None, **profile: Any) -> Path:
        """Write s1.tif with its band names and a nodata tag of NaN."""
        profile = {"nodata": float("nan"), "names": ("VV", "VH"), **profile}
        return self.save("s1.tif", self.s1 if values is None else values, **profile)

    def save_labels(self, values: Array | None = None, **profile: Any) -> Path:
        """Write labels.tif with a nodata tag of 255."""
        profile = {"nodata": 255, **profile}
        values = self.truth if values is None else values
        return self.save("labels.tif", values, **profile)

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a text in UTF-8, or bytes."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def take(self, made: str, name: str = "o") -> Path:
        """Copy what `MADE` names into the folder as `name`."""
        source = make(made, self.cache)
        target = self.folder / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
        return target

    def mapped(self, name: str = "o/map.tif") -> Array:
        """A map's codes on the scene's grid, nearest; 255 where there are none."""
        out = np.full((N, N), 255, np.uint8)
        with rasterio.open(self.folder / name) as data:
            if (data.crs, data.transform, data.shape) == (
                rasterio.CRS.from_string(CRS),
                PLACE,
                (N, N),
            ):
                return np.asarray(data.read(1))
            reproject(
                rasterio.band(data, 1),
                out,
                dst_transform=PLACE,
                dst_crs=CRS,
                dst_nodata=255,
                resampling=Resampling.nearest,
            )
        return out


def save_raster(
    path: Path, values: Array, names: Sequence[str] = (), **profile: Any
) -> None:
    """Write a raster; without other words on the scene's grid, as GeoTIFF."""
    bands = values[None] if values.ndim == 2 else values
    place = {"driver": "GTiff", "crs": CRS, "transform": PLACE, **profile}
    with rasterio.open(
        path,
        "w",
        count=len(bands),
        height=bands.shape[1],
        width=bands.shape[2],
        dtype=bands.dtype,
        **place,
    ) as data:
        data.write(bands)
        if names:
            data.descriptions = tuple(names)


def shifted(columns: float, rows: float = 0) -> Affine:
    """The scene's place, moved east and south by pixels."""
    return from_origin(EAST + PIXEL * columns, NORTH - PIXEL * rows, PIXEL, PIXEL)


def new_scene(folder: Path, cache: Path, seed: Sequence[int] = (0,)) -> Scene:
    """A scene with its files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    truth, s2, s1 = measured()
    random = np.random.default_rng(list(seed))
    scene = Scene(folder, cache, random, truth, s2, s1)
    scene.save_s2()
    scene.save_s1()
    scene.save_labels()
    scene.write("legend.csv", LEGEND)
    return scene


def make(name: str, cache: Path) -> Path:
    """What `MADE` names, made once; several processes may ask at a time."""
    cache.mkdir(parents=True, exist_ok=True)
    words = MADE[name]
    folder = cache / name
    result = folder / str(words[words.index("--out") + 1])
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            scene = new_scene(folder, cache)
            if words[0] != "map":
                scene.take("weak", "o")
            outcome = run(Command(words), folder)
            if outcome.code != 0:
                raise RuntimeError(f"{name} of the clean scene: {outcome.err}")
            if name.startswith("sample"):
                _fill(result, scene)
            (folder / "done").touch()
    return result


def _fill(path: Path, scene: Scene) -> None:
    """Fill a drawn form with the truth, by the names of classes."""
    if path.suffix == ".csv":
        _fill_csv(path, scene)
        return
    from pyogrio.raw import read, write

    meta, _, geometry, values = read(path)
    import shapely

    points = shapely.from_wkb(geometry)
    names = true_names(scene, shapely.get_x(points), shapely.get_y(points))
    columns = list(meta["fields"])
    values[columns.index("reference")] = np.array(names, object)
    path.unlink()
    write(
        path,
        geometry,
        values,
        columns,
        crs=meta["crs"],
        geometry_type="Point",
        driver="GPKG",
    )


def true_names(scene: Scene, east: Array, north: Array) -> list[str]:
    """Names of the true classes at places of the scene's CRS; one of twelve is wrong.

    So the sample is not taken for the labels that the map was learned from.
    """
    rows = ((NORTH - north) / PIXEL).astype(int)
    columns = ((east - EAST) / PIXEL).astype(int)
    codes = scene.truth[rows, columns].astype(int)
    codes[::12] = codes[::12] % len(CLASSES) + 1
    return [CLASSES[code - 1] for code in codes]


def _fill_csv(path: Path, scene: Scene) -> None:
    import csv

    from pyproj import Transformer

    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    to_scene = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)
    places = np.array([[float(row["lon"]), float(row["lat"])] for row in rows]).T
    names = true_names(scene, *map(np.asarray, to_scene.transform(*places)))
    for row, name in zip(rows, names, strict=True):
        row["reference"] = name
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
