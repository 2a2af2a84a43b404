"""The layers of an output folder: its map, and what the map was made from.

Products are read from the folder alone. Images and labels are where the plan
says; one that has gone, or can't be read any more, is said and left out.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling

from overcast import map_folder
from overcast.geo.dataset import read_grid
from overcast.geo.image_file import ImageFile
from overcast.geo.legend import Legend
from overcast.geo.location import FilePath, Location
from overcast.geo.raster import UNKNOWN
from overcast.geo.tiling import pieces
from overcast.geo.times import seen_of
from overcast.inputs import open_inputs
from overcast.plan import NO_MASK, Data, ImageInput, LabelInput, MaskInput, read_plan
from overcast.product.rasters import write_classes
from overcast.progress import Progress, quiet
from overcast.run_folder import plan_of_map
from overcast.sources import open_given_labels
from overcast.viewer.layers import ClassLayer, Layer, Probabilities, open_picture
from overcast.viewer.products import (
    Prepare,
    dates_of,
    inside,
    map_beside,
    present_in,
    products_of,
)
from overcast.viewer.tiles import with_overviews


@dataclass(frozen=True, slots=True)
class ViewedFolder:
    """The layers of a folder, from the top down."""

    folder: Path
    grid: GeoBox
    layers: Mapping[str, Layer]
    """By a name that is safe in an address: map, confidence, labels, image-1, ..."""
    probabilities: Probabilities | None
    notes: tuple[str, ...]
    """What is missing and why, a sentence each."""
    start: tuple[str, str] | None = None
    """Layers that are left and right at first, where that is not plain."""
    base: str | None = None
    """Address of tiles that the reader's browser loads, with {z}, {x} and {y}."""


@contextmanager
def open_scene(
    folder: Path,
    progress: Progress = quiet,
    *,
    other: Path | None = None,
    base: str | None = None,
) -> Iterator[ViewedFolder]:
    """Open what `folder` has to show; overviews that files lack are kept until exit.

    `other` is the folder of a map to compare with, `base` an address of tiles.

    Raises
    ------
    ValueError
        If there is no map in a folder, or a product of it can't be read or is a link
        to somewhere else.
    """
    _check_base(base)
    with TemporaryDirectory(prefix="overcast-view-") as scratch:

        def prepare(path: FilePath, resampling: Resampling) -> FilePath:
            return with_overviews(path, Path(scratch), resampling, progress)

        products = products_of(folder, prepare)
        layers, grid = products.layers, read_grid(products.main)
        notes: list[str] = []
        start = _compared(folder, other, layers, prepare, notes)
        data = _data(folder, notes)
        if data is not None and data.labels is not None:
            with _noting(notes, "labels"):
                burnt = Path(scratch) / map_folder.LABELS
                legend = _burn(data.labels, grid, burnt)
                shown, present = (
                    prepare(burnt, Resampling.mode),
                    present_in(burnt, legend),
                )
                layers["labels"] = ClassLayer("Labels", shown, legend, UNKNOWN, present)
        if data is not None:
            layers |= _images(data.images, prepare, notes)
        yield ViewedFolder(
            folder, grid, layers, products.probabilities, tuple(notes), start, base
        )


def _compared(
    folder: Path,
    other: Path | None,
    layers: dict[str, Layer],
    prepare: Prepare,
    notes: list[str],
) -> tuple[str, str] | None:
    """Add the map to compare with, or the two maps of a change; what shows at first."""
    if other is not None:
        first, second = folder.resolve().name, other.resolve().name
        main = layers["map"]
        assert isinstance(main, ClassLayer)
        layers["map"] = dataclasses.replace(main, title=f"{main.title} {first}")
        layers["map-2"] = map_beside(other, f"Map {second}", prepare)
        return "map", "map-2"
    if not (folder / map_folder.CHANGE_RESULT).exists():
        return None
    with _noting(notes, "maps before and after"):
        for name, path in dates_of(folder):
            layers[f"map-{name}"] = map_beside(path, f"Map {name}", prepare)
        return "map-before", "map"
    return None


def _check_base(base: str | None) -> None:
    if base is None:
        return
    address = urlsplit(base)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError(f"--base {base}: expected https://...")
    if not all(part in base for part in ("{z}", "{x}", "{y}")):
        raise ValueError(f"--base {base}: expected {{z}}, {{x}} and {{y}} in it")
    if re.search(r"[\s;,'\"]", base):
        raise ValueError(f"--base {base}: a blank, comma, semicolon or quote in it")


def _data(folder: Path, notes: list[str]) -> Data | None:
    """Return what the plan here says was read; None, and why, where there is no plan.

    `overcast map` leaves the plan in its run, `overcast predict` beside the map.
    """
    if (plan := plan_of_map(folder)) is not None:
        with _noting(notes, "imagery"):
            return read_plan(inside(folder, str(plan.relative_to(folder)))).data
        return None
    if not (folder / map_folder.CHANGE_RESULT).exists():
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
