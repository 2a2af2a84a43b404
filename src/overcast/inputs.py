"""From the files that a plan names to a stack, with all that was noticed on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from odc.geo.geobox import GeoBox

from overcast.extent import on_coverage, on_extent, on_labels, on_seen
from overcast.geo.bands import BUILT_IN
from overcast.geo.check import (
    Checked,
    open_checked,
    open_sentinel_1,
    open_sentinel_2,
)
from overcast.geo.coverage import common_grid
from overcast.geo.dataset import read_grid, stamp
from overcast.geo.image_file import ImageFile
from overcast.geo.label_file import LabelFile
from overcast.geo.location import Location, hide
from overcast.geo.masks import CLOUDED, Masked, counts_of, open_mask
from overcast.geo.place import doubts
from overcast.geo.probabilities import SENSOR as PROBABILITIES
from overcast.geo.probabilities import open_probabilities
from overcast.geo.products import find_product
from overcast.geo.sensor_file import load_sensor
from overcast.geo.stack import ImageSource, Stack
from overcast.labels.spectra import contradictions
from overcast.plan import NO_MASK, Data, ImageInput, MaskInput, fingerprint
from overcast.sources import LabelSources, open_sources


@dataclass(frozen=True, slots=True)
class Inputs:
    """A stack, what was noticed while opening it, and a fingerprint of its files."""

    stack: Stack
    notes: tuple[str, ...]
    fingerprint: str
    accuracies: tuple[str | None, ...] = ()
    """What a plan says of how right each source of labels of the stack is, in order."""


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
    labels = open_sources(data, _grid(data, images, others))
    if labels is not None:
        notes += labels.notes
        # Of several sources, one may lack a part of the scene where another has labels.
        if not labels.others:
            others |= {str(one.path): one.grid for one in labels.files}
    masks = _masks(data, images)
    notes += [_share_hidden(name, mask) for name, mask in masks.items()]
    seen: dict[str, ImageSource] = {**images, **masks}
    grid = _grid(data, images, others)
    notes += _on_extent(data, images, others, grid)
    for image in images.values():
        notes += on_seen(str(image.path), image, grid)
    if labels is not None:
        notes += _on_label_files(labels, grid)
    stack = Stack(
        grid=grid,
        images=seen,
        labels=None if labels is None else labels.first,
        others=() if labels is None else labels.others,
        targets=frozenset(name for name, i in data.images.items() if i.target),
    )
    notes += [note for one in stack.apart() for note in contradictions(one)]
    files = [image.path for image in data.images.values()]
    masks_of = (i.mask for i in data.images.values())
    files += [mask.path for mask in masks_of if mask and mask.path != NO_MASK]
    files += [entry.path for entry in data.every_labels]
    accuracies = () if labels is None else labels.accuracies
    return Inputs(stack, tuple(notes), _fingerprint(stack, files), accuracies)


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
        return open_checked(path, *load_sensor(Path(entry.sensor)))
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
    for image in images.values():
        said += doubts(str(image.path), image.grid)
    if data.grid is not None:
        return said
    first = _first(images)
    named = str(first.path), first.grid
    return [*on_extent(named, grid, others, small=data.small_overlap), *said]


def _on_label_files(labels: LabelSources, grid: GeoBox) -> Iterator[str]:
    """What is to be said of rasters of labels and the part that is mapped.

    Raises
    ------
    ValueError
        If one lies elsewhere.
    """
    for one in labels.files:
        common_grid(grid, {str(one.path): one.grid})
        yield from doubts(str(one.path), one.grid)
        yield from on_labels(str(one.path), one, grid)


def _fingerprint(stack: Stack, files: Iterable[str]) -> str:
    """What the files are, without reading them: size and time of last change."""
    found: dict[str, object] = {}
    for name in files:
        found |= stamp(Location.of(name))
    return fingerprint([found, str(stack.grid.affine), list(stack.shape)])
