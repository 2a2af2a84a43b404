"""From the files that a plan names to a stack, with all that was noticed on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from odc.geo.geobox import GeoBox

from overcast.extent import on_coverage, on_extent, on_labels
from overcast.geo.bands import BUILT_IN
from overcast.geo.check import (
    Checked,
    open_checked,
    open_sentinel_1,
    open_sentinel_2,
)
from overcast.geo.coverage import common_grid
from overcast.geo.dataset import read_grid, stamp
from overcast.geo.feature_notes import looked_at
from overcast.geo.image_file import ImageFile
from overcast.geo.label_file import LabelFile, open_codes, open_labels, several
from overcast.geo.layers import is_vector
from overcast.geo.legend import load_legend
from overcast.geo.location import Location, hide
from overcast.geo.masks import CLOUDED, Masked, counts_of, open_mask
from overcast.geo.overlay import (
    CLASS,
    PointLabels,
    PolygonLabels,
    open_drawn,
)
from overcast.geo.probabilities import SENSOR as PROBABILITIES
from overcast.geo.probabilities import open_probabilities
from overcast.geo.products import find_product
from overcast.geo.sensor_file import load_sensor
from overcast.geo.stack import ImageSource, Stack
from overcast.labels.spectra import contradictions
from overcast.plan import NO_MASK, Data, ImageInput, LabelInput, MaskInput, fingerprint


@dataclass(frozen=True, slots=True)
class Inputs:
    """A stack, what was noticed while opening it, and a fingerprint of its files."""

    stack: Stack
    notes: tuple[str, ...]
    fingerprint: str


def open_inputs(data: Data) -> Inputs:
    """Open every file of `data`, check it, and settle the grid.

    Raises
    ------
    ValueError
        If a file is refused (see `overcast.geo.image_file` and `overcast.geo.check`), or
        one does not overlap the others.
    """
    if not data.images:
        raise ValueError("no image given; give --s1, --s2 or --image")
    data, notes = _with_scene_classes(data)
    checked = {n: _open_image(i, data.trust) for n, i in data.images.items()}
    images = {name: c.image for name, c in checked.items()}
    notes += [note for c in checked.values() for note in c.notes]
    others = {str(image.path): image.grid for image in images.values()}
    labels = None
    if data.labels is not None:
        labels = _checked_labels(data.labels, _grid(data, images, others), data.trust)
        notes += labels.notes
        others[str(labels.path)] = labels.grid
    masks = _masks(data, images)
    notes += [_share_hidden(name, mask) for name, mask in masks.items()]
    seen: dict[str, ImageSource] = {**images, **masks}
    grid = _grid(data, images, others)
    notes += _on_extent(data, images, others, grid)
    if isinstance(labels, LabelFile):
        notes += on_labels(str(labels.path), labels, grid)
    stack = Stack(
        grid=grid,
        images=seen,
        labels=labels,
        targets=frozenset(name for name, i in data.images.items() if i.target),
    )
    notes += contradictions(stack)
    files = [image.path for image in data.images.values()]
    masks_of = (i.mask for i in data.images.values())
    files += [mask.path for mask in masks_of if mask and mask.path != NO_MASK]
    files += [] if data.labels is None else [data.labels.path]
    return Inputs(stack, tuple(notes), _fingerprint(stack, files))


def open_given_labels(
    entry: LabelInput, grid: GeoBox
) -> LabelFile | PolygonLabels | PointLabels:
    """Open a raster of labels on its own grid, or points or polygons on `grid`.

    What is in a raster is not looked at.

    Raises
    ------
    ValueError
        If the file is refused (see `overcast.geo.label_file` and
        `overcast.geo.overlay`), or what is said of it does not fit such a file.
    """
    path, legend = Location.of(entry.path), load_legend(entry.legend)
    if is_vector(path):
        if entry.nodata is not None:
            raise ValueError(f"{path}: features have no nodata; leave classes empty")
        return open_drawn(path, legend, grid, entry.column or CLASS)
    if entry.column is not None:
        raise ValueError(f"{path}: a raster has no column {entry.column}")
    return open_codes(path, legend, several(entry.nodata))


def _checked_labels(
    entry: LabelInput, grid: GeoBox, trust: bool
) -> LabelFile | PolygonLabels | PointLabels:
    """Labels with notes on what they are on `grid`; refused if they are nothing there.

    With `trust`, names in a raster that contradict the legend are passed over.
    """
    labels = open_given_labels(entry, grid)
    if isinstance(labels, LabelFile):
        return open_labels(
            labels.path, labels.legend, several(entry.nodata), grid, trust
        )
    return looked_at(labels)


def _open_image(entry: ImageInput, trust: bool) -> Checked[ImageFile]:
    path = Location.of(entry.path)
    _refuse_unread(entry)
    if entry.sensor == "sentinel-1":
        return open_sentinel_1(path, entry.units, trust)
    if entry.sensor == "sentinel-2":
        return open_sentinel_2(path, entry.offset, entry.bands, trust)
    if entry.sensor == PROBABILITIES:
        return open_probabilities(path)
    if Path(entry.sensor).is_file():
        return open_checked(path, *load_sensor(Path(entry.sensor)), trust)
    known = ", ".join(sorted([*BUILT_IN, PROBABILITIES]))
    raise ValueError(f"sensor {entry.sensor}: neither a TOML file nor one of {known}")


def _refuse_unread(entry: ImageInput) -> None:
    """Refuse what is said of an image and is not read for its sensor."""
    unread = {
        "units": entry.units != "auto" and entry.sensor != "sentinel-1",
        "offset": entry.offset is not None and entry.sensor != "sentinel-2",
        "bands": entry.bands is not None and entry.sensor != "sentinel-2",
    }
    for key, is_given in unread.items():
        if is_given:
            raise ValueError(
                f"{hide(entry.path)}: {key} is not read for the sensor "
                f"{entry.sensor}; leave it out"
            )


def _with_scene_classes(data: Data) -> tuple[Data, list[str]]:
    """The same data, products masked by the scene classes in them; what they are."""
    images, notes = dict[str, ImageInput](), list[str]()
    for name, entry in data.images.items():
        images[name] = entry
        if entry.sensor not in BUILT_IN:
            continue
        product = find_product(Location.of(entry.path))
        if product is None:
            continue
        notes += product.notes
        if product.classes is not None and entry.mask is None:
            mask = MaskInput(path=product.classes)
            images[name] = replace(entry, mask=mask)
            notes.append(
                f"{product.where.name}: its scene classes (SCL) hide clouds; "
                "--s2-mask none leaves them"
            )
    return replace(data, images=images), notes


def _masks(data: Data, images: dict[str, ImageFile]) -> dict[str, Masked]:
    """The images that have a mask, hidden by it."""
    found = {}
    for name, entry in data.images.items():
        if (given := entry.mask) is None or given.path == NO_MASK:
            continue
        codes = None if given.hidden is None else frozenset(given.hidden)
        mask = open_mask(Location.of(given.path), codes, images[name].grid)
        common_grid(images[name].grid, {given.path: mask.grid})
        found[name] = Masked(images[name], mask, CLOUDED if codes is None else codes)
    return found


def _share_hidden(name: str, masked: Masked) -> str:
    """A sentence on how much a mask hides."""
    mask = masked.mask
    assert isinstance(mask, LabelFile)
    counts = counts_of(mask, masked.grid)
    hidden = sum(counts[mask.legend.codes.index(code)] for code in masked.hidden)
    share = hidden / max(counts.sum(), 1)
    return f"{name}: {mask.path.name} hides {share:.0%} of its own pixels"


def _grid(
    data: Data, images: dict[str, ImageFile], others: dict[str, GeoBox]
) -> GeoBox:
    """The grid asked for, whole; or the first optical one where all inputs overlap."""
    if data.grid is not None:
        grid = read_grid(Location.of(data.grid))
        for name, other in others.items():
            common_grid(grid, {name: other})
        return grid
    return common_grid(_first(images).grid, others)


def _first(images: dict[str, ImageFile]) -> ImageFile:
    """The image whose grid is mapped: the first optical one, if there is one."""
    optical = [i for i in images.values() if i.sensor.kind == "optical"]
    return (optical or list(images.values()))[0]


def _on_extent(
    data: Data,
    images: dict[str, ImageFile],
    others: dict[str, GeoBox],
    grid: GeoBox,
) -> list[str]:
    """What is to be said of the part that is mapped; refused if it is a sliver."""
    said = on_coverage(grid, others)
    if data.grid is not None:
        return said
    first = _first(images)
    named = str(first.path), first.grid
    return [*on_extent(named, grid, others, small=data.small_overlap), *said]


def _fingerprint(stack: Stack, files: Iterable[str]) -> str:
    """What the files are, without reading them: size and time of last change."""
    found: dict[str, object] = {}
    for name in files:
        found |= stamp(Location.of(name))
    return fingerprint([found, str(stack.grid.affine), list(stack.shape)])
