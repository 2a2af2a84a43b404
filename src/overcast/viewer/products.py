"""The layers of what overcast wrote to a folder: a map or a change, and others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.enums import Resampling

from overcast import map_folder
from overcast.errors import reading
from overcast.geo.dataset import dataset_of, open_raster
from overcast.geo.legend import Legend
from overcast.geo.location import FilePath
from overcast.product.rasters import written_legend
from overcast.viewer.layers import (
    ClassLayer,
    ConfidenceLayer,
    Layer,
    Probabilities,
    ValueLayer,
    open_probabilities,
)

Prepare = Callable[[FilePath, Resampling], FilePath]
"""From a raster to one like it that has overviews."""
_MAINS = ((map_folder.MAP, "Map"), (map_folder.CHANGE, "Change"))
_STEPS = 254
"""Steps of a share that is stored as a byte."""


@dataclass(frozen=True, slots=True)
class Products:
    """Layers of a folder by their names in addresses, the main one first."""

    main: Path
    layers: dict[str, Layer]
    probabilities: Probabilities | None


def products_of(folder: Path, prepare: Prepare) -> Products:
    """Open what lies in a folder.

    Raises
    ------
    ValueError
        If there is neither a map nor a change, or a file can't be read or is a link to
        somewhere else.
    """
    name, title = _main_of(folder)
    main = inside(folder, name)
    classes = class_layer(title, main, prepare)
    layers: dict[str, Layer] = {"map": classes}
    if (folder / map_folder.CONFIDENCE).exists():
        path = inside(folder, map_folder.CONFIDENCE)
        layers["confidence"] = ConfidenceLayer(
            "Confidence", prepare(path, Resampling.average)
        )
    layers |= _values(folder, prepare)
    if not (folder / map_folder.PROBABILITIES).exists():
        return Products(main, layers, None)
    path = inside(folder, map_folder.PROBABILITIES)
    return Products(main, layers, open_probabilities(path, classes.legend))


def map_beside(folder: Path, title: str, prepare: Prepare) -> ClassLayer:
    """The map of another folder, or of a file, to compare with.

    Raises
    ------
    ValueError
        If there is none, or overcast did not make it.
    """
    path = folder if folder.is_file() else inside(folder, _main_of(folder)[0])
    return class_layer(title, path, prepare)


def dates_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names of the dates of a change, and the folders of their maps.

    Raises
    ------
    ValueError
        If change.json says nothing of them.
    """
    path = inside(folder, map_folder.CHANGE_RESULT)
    with reading(path):
        said = json.loads(path.read_text(encoding="utf-8"))
        yield from ((name, Path(said[name])) for name in ("before", "after"))


def class_layer(title: str, path: Path, prepare: Prepare) -> ClassLayer:
    """Open a map with the legend that it carries."""
    legend = written_legend(path)
    stored = open_raster(path).nodata
    nodata = None if stored is None else int(stored)
    return ClassLayer(
        title,
        prepare(path, Resampling.mode),
        legend,
        nodata,
        present_in(path, legend),
    )


def present_in(path: FilePath, legend: Legend) -> frozenset[int]:
    """Codes of a legend that occur in a raster."""
    dataset = dataset_of(path)
    seen = np.zeros(256, np.bool_)
    for _, window in dataset.block_windows(1):
        values = dataset.read(1, window=window)
        seen |= np.bincount(values.ravel().astype(np.uint8), minlength=256) > 0
    return frozenset(code for code in legend.codes if code < 256 and seen[code])


def inside(folder: Path, name: str) -> Path:
    """Return the file `name` of a folder, wherever links may lead.

    Raises
    ------
    ValueError
        If it is not a file, or lies outside of the folder.
    """
    try:
        root, path = folder.resolve(), (folder / name).resolve()
    except RuntimeError as error:
        raise ValueError(f"{folder / name}: the links lead in a circle") from error
    if not path.is_relative_to(root):
        raise ValueError(f"{folder / name}: leads out of {folder}; copy it there")
    try:
        regular = path.is_file()
    except OSError as error:  # such as a name that is too long
        raise ValueError(f"{folder / name}: no such file") from error
    if not regular:
        raise ValueError(f"{folder / name}: no such file")
    return path


def _main_of(folder: Path) -> tuple[str, str]:
    for name, title in _MAINS:
        if (folder / name).exists():
            return name, title
    raise ValueError(
        f"{folder}: no map.tif or change.tif there; give a folder that `overcast map`, "
        "`predict`, `change` or `demo` wrote"
    )


def _values(folder: Path, prepare: Prepare) -> dict[str, Layer]:
    """Layers of numbers: sizes of sets, suspicion of labels, probability of change."""
    layers: dict[str, Layer] = {}
    shares = (
        ("suspicion", map_folder.SUSPICIOUS, "Suspicion of labels"),
        ("change-probability", map_folder.CHANGE_PROBABILITY, "Probability of change"),
    )
    for name, file, title in shares:
        if (folder / file).exists():
            path = prepare(inside(folder, file), Resampling.average)
            layers[name] = ValueLayer(title, path, (0, _STEPS), ("0", "1"), 1 / _STEPS)
    if (folder / map_folder.SET_SIZES).exists():
        path = inside(folder, map_folder.SET_SIZES)
        most = max(2, _largest(path))
        layers["set-sizes"] = ValueLayer(
            "Classes it may be",
            prepare(path, Resampling.mode),
            (most, 1),
            (f"{most} classes", "1 class"),
            1.0,
        )
    return layers


def _largest(path: Path) -> int:
    """Largest value of a raster of bytes that is not no data."""
    dataset = dataset_of(path)
    most = 0
    for _, window in dataset.block_windows(1):
        values = dataset.read(1, window=window)
        most = max(most, int(values[values != dataset.nodata].max(initial=0)))
    return most
