"""The layers of an output folder: its map, and what the map was made from.

Products are read from the folder alone. Images and labels are where the plan
says; one that has gone, or can't be read any more, is said and left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling

from overcast import map_folder, run_folder
from overcast.geo.dataset import open_raster, read_grid
from overcast.geo.image_file import ImageFile
from overcast.geo.legend import Legend
from overcast.geo.location import FilePath, Location
from overcast.geo.raster import UNKNOWN
from overcast.geo.tiling import pieces
from overcast.geo.times import seen_of
from overcast.inputs import open_inputs
from overcast.plan import NO_MASK, Data, ImageInput, LabelInput, MaskInput, read_plan
from overcast.product.rasters import write_classes, written_legend
from overcast.progress import Progress, quiet
from overcast.sources import open_given_labels
from overcast.viewer.layers import (
    ClassLayer,
    ConfidenceLayer,
    Layer,
    Probabilities,
    open_picture,
    open_probabilities,
)
from overcast.viewer.tiles import with_overviews

Prepare = Callable[[FilePath, Resampling], FilePath]
"""From a raster to one like it that has overviews."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The layers of a folder, from the top down."""

    folder: Path
    grid: GeoBox
    layers: Mapping[str, Layer]
    """By a name that is safe in an address: map, confidence, labels, image-1, ..."""
    probabilities: Probabilities | None
    notes: tuple[str, ...]
    """What is missing and why, a sentence each."""


@contextmanager
def open_scene(folder: Path, progress: Progress = quiet) -> Iterator[Scene]:
    """Open what `folder` has to show; overviews that files lack are kept until exit.

    Raises
    ------
    ValueError
        If there is no map in the folder, or a product of it can't be read or is a
        link to somewhere else.
    """
    with TemporaryDirectory(prefix="overcast-view-") as scratch:

        def prepare(path: FilePath, resampling: Resampling) -> FilePath:
            return with_overviews(path, Path(scratch), resampling, progress)

        layers, probabilities = _products(folder, prepare)
        grid = read_grid(folder / map_folder.MAP)
        notes: list[str] = []
        data = _data(folder, notes)
        if data is not None and data.labels is not None:
            with _noting(notes, "labels"):
                burnt = Path(scratch) / "labels.tif"
                legend = _burn(data.labels, grid, burnt)
                layers["labels"] = ClassLayer(
                    "Labels", prepare(burnt, Resampling.mode), legend, UNKNOWN
                )
        if data is not None:
            layers |= _images(data.images, prepare, notes)
        yield Scene(folder, grid, layers, probabilities, tuple(notes))


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


def _products(
    folder: Path, prepare: Prepare
) -> tuple[dict[str, Layer], Probabilities | None]:
    """Layers of the files that a map consists of, and its probabilities if written."""
    if not (folder / map_folder.MAP).exists():
        raise ValueError(
            f"{folder}: no map.tif there; give a folder that `overcast map`, "
            "`predict` or `demo` wrote"
        )
    path = inside(folder, map_folder.MAP)
    legend = written_legend(path)
    nodata = open_raster(path).nodata
    layers: dict[str, Layer] = {
        "map": ClassLayer(
            "Map",
            prepare(path, Resampling.mode),
            legend,
            None if nodata is None else int(nodata),
        )
    }
    if (folder / map_folder.CONFIDENCE).exists():
        path = inside(folder, map_folder.CONFIDENCE)
        layers["confidence"] = ConfidenceLayer(
            "Confidence", prepare(path, Resampling.average)
        )
    if not (folder / map_folder.PROBABILITIES).exists():
        return layers, None
    path = inside(folder, map_folder.PROBABILITIES)
    return layers, open_probabilities(path, legend)


def _data(folder: Path, notes: list[str]) -> Data | None:
    """Return what the plan here says was read; None, and why, where there is no plan.

    `overcast map` leaves the plan in its run, `overcast predict` beside the map.
    """
    for name in ("run/plan.yaml", run_folder.PLAN):
        if (folder / name).exists():
            with _noting(notes, "imagery"):
                return read_plan(inside(folder, name)).data
            return None
    notes.append("no run/plan.yaml or plan.yaml here, so the imagery is not known")
    return None


def _burn(labels: LabelInput, grid: GeoBox, path: Path) -> Legend:
    """Write labels as a raster on the grid of the map; their legend.

    A raster may be that of a continent, and features are none.
    """
    source = open_given_labels(labels, grid)
    legend = source.legend
    rows = (
        (spans[0].start, legend.to_codes(source.read(grid[spans]).values))
        for spans in pieces(grid)
    )
    write_classes(rows, grid, legend, path, {})
    return legend


def _images(
    images: Mapping[str, ImageInput], prepare: Prepare, notes: list[str]
) -> dict[str, Layer]:
    """Layers of the images that can still be read, optical ones first."""
    layers: list[Layer] = []
    dated = any(entry.dates for entry in images.values())
    alone = ((n, e, one) for n, e in images.items() for one in e.observations)
    for name, entry, one in alone:
        with _noting(notes, name):
            where = Location.of(one.path)
            path = prepare(where, Resampling.average)
            single = dataclasses.replace(
                entry,
                path=Location.of(path).text,
                target=False,
                mask=MaskInput(path=NO_MASK),
                dates=(),
            )
            inputs = open_inputs(Data(images={name: single}, trust=True))
            image = inputs.stack.images[name]
            assert isinstance(image, ImageFile)
            word = "Optical" if image.sensor.kind == "optical" else "SAR"
            day = (one.day or seen_of(where).day) if entry.dates else None
            title = f"{word} {name}" + (f" {day.isoformat()}" if day else "")
            layers.append(open_picture(title, image))
    layers.sort(key=lambda layer: (layer.kind, layer.title if dated else ""))
    return {f"image-{number}": layer for number, layer in enumerate(layers, 1)}


@contextmanager
def _noting(notes: list[str], what: str) -> Iterator[None]:
    """Turn a refusal into a note, so that the rest is still shown."""
    try:
        yield
    except (ValueError, OSError) as error:
        notes.append(f"{what} not shown: {error}")
