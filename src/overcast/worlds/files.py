"""A world as GeoTIFFs, as satellite products are commonly delivered.

Written window by window: memory depends on neither the size of the world nor how many
files are wanted of it.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast import errors, map_folder
from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Sensor
from overcast.geo.categories import write_categories
from overcast.geo.legend import Legend, load_legend
from overcast.geo.raster import UNKNOWN, Labels
from overcast.output import Output
from overcast.progress import Progress, quiet
from overcast.threads import count
from overcast.worlds.measured import CLASSES
from overcast.worlds.nature import PLAIN
from overcast.worlds.parallel import refuse_twice
from overcast.worlds.scene import (
    FINE_LABELS,
    SIDE,
    Counts,
    SceneSpec,
    WindowRenderer,
    make_windows,
)
from overcast.worlds.world import make_world

_IMAGES: dict[str, tuple[Sensor, str, float]] = {
    "s1": (SENTINEL_1, "float32", float("nan")),
    "s2": (SENTINEL_2, "uint16", 0),
    "s2_cloudy": (SENTINEL_2, "uint16", 0),
}
_CLOUD_COLOURS = {
    0: (0, 0, 0, 255),
    1: (130, 130, 170, 255),
    2: (255, 255, 255, 255),
    3: (80, 60, 0, 255),
}
WORLD = "world.json"
"""All that was drawn."""
_SCL_COLOURS = {
    3: (80, 60, 0, 255),
    5: (0, 0, 0, 255),
    9: (255, 255, 255, 255),
    10: (130, 130, 170, 255),
}
_DATED = re.compile(r"(s[12])_(\d{4}-\d{2}-\d{2})")
_FILES = {"modis": "labels"}
"""Names of files where they are not those of the parts."""


def write_world(
    seed: int,
    size: int,
    folder: Path,
    wanted: SceneSpec | None = None,
    processes: int | None = None,
    overwrite: bool = False,
    progress: Progress = quiet,
) -> dict[str, Path]:
    """Write a world of `size` by `size` pixels of 10 m into `folder`.

    s1.tif in dB, s2.tif as reflectance times 10,000, truth.tif, labels.tif with 500 m
    cells, labels_<kind>.tif for other kinds, the names of their classes in .aux.xml
    files, s2_cloudy.tif and clouds.tif where clouds are wanted, and world.json with all
    that was drawn. With several dates, s1_DATE_asc.tif and s2_DATE.tif of each, and
    s2_DATE_scl.tif where clouds are wanted. The same bytes for the same seed, size and
    wishes, however many `processes` there are. All files appear at once, at the end;
    what was killed begins anew when it is asked for again.

    Raises
    ------
    ValueError
        If one of the files exists and `overwrite` is false, `seed` or `size` is
        none, or another process writes to `folder`.
    """
    refuse_twice()
    wanted = wanted or SceneSpec()
    world = make_world(seed, size, wanted.nature)
    maker = WindowRenderer.of(world, wanted)
    files = {name: f"{_file_of(name)}.tif" for name in _parts(maker)}
    files["world"] = WORLD
    classes = [n for n in files if _stored(n) is None and not _is_mask(n)]
    beside = [
        map_folder.auxiliary_of(files[name]) for name in classes if name != "world"
    ]
    key = f"{seed} {size} {wanted}"
    output = Output.begin(folder, (*files.values(), *beside), key, overwrite)
    if not output.finished:
        with output:
            paths = {name: output.work / file for name, file in files.items()}
            _write_parts(maker, paths, processes or count(), progress)
    return {name: folder / file for name, file in files.items()}


def world_of(folder: Path) -> tuple[int, int]:
    """Seed and size of the world that was written to a folder.

    Raises
    ------
    ValueError
        If its world.json is damaged.
    """
    path = folder / WORLD
    with errors.reading(path):
        about = json.loads(path.read_text(encoding="utf-8"))
        return int(about["seed"]), int(about["size"])


def _write_parts(
    maker: WindowRenderer, paths: Mapping[str, Path], processes: int, progress: Progress
) -> None:
    world, legend = maker.world, load_legend("simplified-igbp")
    counts, shares = Counts(maker), np.zeros(len(legend), np.int64)
    with ExitStack() as stack:
        fine = [name for name in paths if name not in maker.cells and name != "world"]
        out = {
            name: stack.enter_context(_open(name, paths[name], world.grid, legend))
            for name in fine
        }
        for window, made in make_windows(maker, processes, progress):
            counts.add(made)
            if maker.inside(window):
                shares += np.bincount(made["truth"].ravel(), minlength=len(legend))
                for name, file in out.items():
                    _write(file, name, made[name], window, legend)
    for kind, labels in counts.labels(legend).items():
        write_classes(labels, paths[kind])
    _describe_world(maker, shares / shares.sum(), legend, paths["world"])


def write_classes(labels: Labels, path: Path) -> None:
    """Write class codes as uint8 with the colours of the legend, nodata 255."""
    with _open("labels", path, labels.grid, labels.legend) as out:
        out.write(labels.legend.to_codes(labels.values), 1)


def _parts(maker: WindowRenderer) -> list[str]:
    wanted = maker.wanted
    if maker.days:
        return [*_dated(maker), "truth", *wanted.labels]
    cloudy = [] if wanted.cloud is None else ["s2_cloudy", "clouds"]
    return ["s1", "s2", "truth", *wanted.labels, *cloudy]


def _dated(maker: WindowRenderer) -> Iterator[str]:
    """Names of the images of every day, as `WindowRenderer` gives them."""
    for world in maker.days:
        assert world.day is not None
        yield f"s1_{world.day.date}_asc"
        yield f"s2_{world.day.date}"
        if maker.wanted.cloud is not None:
            yield f"s2_{world.day.date}_scl"


def _file_of(name: str) -> str:
    if name in _FILES:
        return _FILES[name]
    return f"labels_{name}" if name in {*FINE_LABELS, "corine"} else name


def _write(
    out: rasterio.io.DatasetWriter,
    name: str,
    values: NDArray[Any],
    window: tuple[int, int, int, int],
    legend: Legend,
) -> None:
    y, x, h, w = window
    place = rasterio.windows.Window(x, y, w, h)
    if _stored(name) is not None:
        out.write(values, window=place)
    else:
        codes = values if _is_mask(name) else legend.to_codes(values)
        out.write(codes, 1, window=place)


@contextmanager
def _open(
    name: str, path: Path, grid: GeoBox, legend: Legend
) -> Iterator[rasterio.io.DatasetWriter]:
    """File that gets its name once it is whole, so that nothing half-written has it."""
    draft = _draft_of(path)
    draft.unlink(missing_ok=True)  # GDAL reads what it replaces, and may refuse it
    try:
        with errors.writing(path):
            with _draft(name, draft, grid, legend) as out:
                yield out
            _read_back(draft)
            draft.replace(path)
            if _stored(name) is None and not _is_mask(name):
                write_categories(path, legend)
    finally:
        draft.unlink(missing_ok=True)


def _draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _read_back(path: Path) -> None:
    """Read a file whole: closing one on a full disk raises nothing."""
    with rasterio.open(path) as dataset:
        if path.stat().st_size == 0 or not dataset.crs:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        for _, window in dataset.block_windows():
            dataset.read(window=window)


@contextmanager
def _draft(
    name: str, draft: Path, grid: GeoBox, legend: Legend
) -> Iterator[rasterio.io.DatasetWriter]:
    sensor, dtype, nodata = _stored(name) or (None, "uint8", UNKNOWN)
    with rasterio.open(
        draft,
        "w",
        driver="GTiff",
        dtype=dtype,
        count=1 if sensor is None else len(sensor.bands),
        height=grid.shape[0],
        width=grid.shape[1],
        crs=str(grid.crs),
        transform=grid.affine,
        nodata=nodata,
        tiled=True,
        blockxsize=SIDE,
        blockysize=SIDE,
        compress="deflate",
        predictor=3 if dtype == "float32" else 2,
        interleave="band",
        bigtiff="if_safer",
    ) as out:
        out.update_tags(**_date_tag(name))
        if sensor is None:
            out.write_colormap(1, _colours(name, legend))
            is_clouds = name == "clouds"
            what = (
                "SCL" if name.endswith("_scl") else "clouds" if is_clouds else "class"
            )
            out.set_band_description(1, what)
        else:
            for number, band in enumerate(sensor.bands, 1):
                out.set_band_description(number, band.name)
                out.set_band_unit(number, band.unit)
        yield out


def _stored(name: str) -> tuple[Sensor, str, float] | None:
    """Sensor, type and nodata of an image by its name; None of classes and masks."""
    if name in _IMAGES:
        return _IMAGES[name]
    dated = _DATED.match(name)
    return _IMAGES[dated[1]] if dated and not _is_mask(name) else None


def _is_mask(name: str) -> bool:
    return name == "clouds" or name.endswith("_scl")


def _date_tag(name: str) -> dict[str, str]:
    """TIFF's time of an image of a day: noon, as worlds know nothing of hours."""
    dated = _DATED.match(name)
    if dated is None:
        return {}
    return {"TIFFTAG_DATETIME": f"{dated[2].replace('-', ':')} 12:00:00"}


def _colours(name: str, legend: Legend) -> dict[int, tuple[int, int, int, int]]:
    if name == "clouds":
        return _CLOUD_COLOURS
    if name.endswith("_scl"):
        return _SCL_COLOURS
    return {c.code: (*c.rgb, 255) for c in legend.classes}


def _describe_world(
    maker: WindowRenderer,
    shares: NDArray[np.float64],
    legend: Legend,
    path: Path,
) -> None:
    named = {legend.names[c]: round(float(shares[c]), 4) for c in CLASSES}
    world, wanted = maker.world, maker.wanted
    about = {
        "seed": world.seed,
        "size": world.size,
        "labels": list(wanted.labels),
        "cloud": wanted.cloud,
        "true_shares": named,
        "region": world.region.as_dict(),
    }
    if maker.days:
        about["dates"] = [str(w.day.date) for w in maker.days if w.day is not None]
    if world.nature != PLAIN:
        about["land"] = world.nature.name
    with errors.writing(path):
        path.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
