"""From the files that a plan names to a stack, with all that was noticed on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from odc.geo.geobox import GeoBox

from overcast.extent import on_coverage, on_extent, on_labels, on_seen
from overcast.geo.arrays import DataArraySource, from_dataarray
from overcast.geo.bands import BUILT_IN, Encoding, Sensor
from overcast.geo.check import (
    Checked,
    open_checked,
    open_sentinel_1,
    open_sentinel_2,
)
from overcast.geo.coded_labels import CodedLabels
from overcast.geo.coverage import common_grid
from overcast.geo.dataset import stamp
from overcast.geo.image_file import ImageFile
from overcast.geo.location import Location, hide
from overcast.geo.masks import (
    CLOUDED,
    Masked,
    counts_of,
    mask_from_dataarray,
    open_mask,
)
from overcast.geo.place import doubts
from overcast.geo.probabilities import SENSOR as PROBABILITIES
from overcast.geo.probabilities import open_probabilities
from overcast.geo.products import find_product
from overcast.geo.sensor_file import load_sensor
from overcast.geo.stack import ImageSource, Stack, name_of
from overcast.in_memory import InMemory
from overcast.labels.spectra import contradictions
from overcast.plan import NO_MASK, Data, ImageInput, MaskInput, fingerprint
from overcast.sources import LabelSources, open_sources

_FILES_ONLY = InMemory()


@dataclass(frozen=True, slots=True)
class Inputs:
    """A stack, what was noticed while opening it, and a fingerprint of its files."""

    stack: Stack
    notes: tuple[str, ...]
    fingerprint: str
    accuracies: tuple[str | None, ...] = ()
    """What a plan says of how right each source of labels of the stack is, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Images that were opened, before it is settled which grid is mapped.

    Attributes
    ----------
    images
        Name to source, as it was given.
    masks
        Name to the same source, hidden by its mask, for those that have one.
    notes
        What was noticed of them.
    grid
        The grid that was asked for, to be mapped whole; or none.
    """

    images: Mapping[str, ImageSource]
    masks: Mapping[str, Masked] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    grid: GeoBox | None = None


def open_inputs(data: Data, memory: InMemory = _FILES_ONLY) -> Inputs:
    """Open every file of `data`, check it, and settle the grid.

    What lies in no file is in `memory`.

    Raises
    ------
    ValueError
        If a file is refused (see `overcast.geo.image_file` and `overcast.geo.check`), or
        one does not overlap the others.
    """
    return settle(open_images(data, memory), data, memory)


def open_images(data: Data, memory: InMemory = _FILES_ONLY) -> Opened:
    """Open the images of `data` and their masks, and check them.

    Raises
    ------
    ValueError
        If there are none, or one is refused.
    """
    if not data.images:
        raise ValueError("no image given; give --s1, --s2 or --image")
    data, notes = _with_scene_classes(data)
    checked = {n: _open_image(i, data.trust, memory) for n, i in data.images.items()}
    images = {name: c.image for name, c in checked.items()}
    notes += [note for c in checked.values() for note in c.notes]
    masks = _masks(data, images, memory)
    return Opened(
        images=images,
        masks=masks,
        notes=(*notes, *(_share_hidden(name, mask) for name, mask in masks.items())),
        grid=None if data.grid is None else memory.grid(data.grid),
    )


def settle(opened: Opened, data: Data, memory: InMemory = _FILES_ONLY) -> Inputs:
    """Open the labels of `data`, and settle which grid is mapped.

    Raises
    ------
    ValueError
        If the labels are refused, or an input does not overlap the others.
    """
    others = {name_of(image): image.grid for image in opened.images.values()}
    notes = list(opened.notes)
    labels = open_sources(data, _grid(opened, others), memory)
    if labels is not None:
        notes += labels.notes
        # Of several sources, one may lack a part of the scene where another has labels.
        if not labels.others:
            others |= {one.what: one.grid for one in labels.rasters}
    grid = _grid(opened, others)
    notes += _on_extent(opened, others, grid, small=data.small_overlap)
    for image in opened.images.values():
        notes += on_seen(name_of(image), image, grid)
    if labels is not None:
        notes += _on_rasters(labels, grid)
    stack = Stack(
        grid=grid,
        images={**opened.images, **opened.masks},
        labels=None if labels is None else labels.first,
        others=() if labels is None else labels.others,
        targets=frozenset(name for name, i in data.images.items() if i.target),
    )
    notes += [note for one in stack.apart() for note in contradictions(one)]
    files = [image.path for image in data.images.values()]
    # Those of products as well, which no plan names; a mask in memory has no file.
    masks = (masked.mask for masked in opened.masks.values())
    files += [str(mask.path) for mask in masks if hasattr(mask, "path")]
    files += [entry.path for entry in data.every_labels]
    accuracies = () if labels is None else labels.accuracies
    return Inputs(stack, tuple(notes), _fingerprint(stack, files, memory), accuracies)


def _open_image(
    entry: ImageInput, trust: bool, memory: InMemory
) -> Checked[ImageFile] | Checked[DataArraySource]:
    _refuse_unread(entry)
    if entry.path in memory.arrays:
        return _open_array(entry, trust, memory)
    path = Location.of(entry.path)
    if entry.sensor == "sentinel-1":
        return open_sentinel_1(path, entry.units, trust)
    if entry.sensor == "sentinel-2":
        return open_sentinel_2(path, entry.offset, entry.bands, trust)
    if entry.sensor == PROBABILITIES:
        return open_probabilities(path)
    return open_checked(path, *_own_sensor(entry.sensor, memory))


def _open_array(
    entry: ImageInput, trust: bool, memory: InMemory
) -> Checked[DataArraySource]:
    """Open an array as files of its sensor are opened."""
    array = memory.arrays[entry.path]
    if entry.sensor in BUILT_IN:
        return from_dataarray(
            array,
            BUILT_IN[entry.sensor],
            units=entry.units,
            offset=entry.offset,
            bands=entry.bands,
            trust=trust,
        )
    if entry.sensor == PROBABILITIES:
        raise ValueError(
            f"{hide(entry.path)}: {PROBABILITIES} are read from a file; write the array "
            "into one"
        )
    sensor, encoding = _own_sensor(entry.sensor, memory)
    return from_dataarray(array, sensor, encoding=encoding, trust=trust)


def _own_sensor(name: str, memory: InMemory) -> tuple[Sensor, Encoding]:
    """A user's sensor, and how its files are encoded: by a TOML file, or physical."""
    if name in memory.sensors:
        return memory.sensors[name], Encoding()
    if Path(name).is_file():
        return load_sensor(Path(name))
    known = ", ".join(sorted([*BUILT_IN, PROBABILITIES]))
    raise ValueError(f"sensor {name}: neither a TOML file nor one of {known}")


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


def _masks(
    data: Data, images: Mapping[str, ImageSource], memory: InMemory
) -> dict[str, Masked]:
    """The images that have a mask, hidden by it."""
    masks = {}
    for name, entry in data.images.items():
        if (given := entry.mask) is None or given.path == NO_MASK:
            continue
        codes = None if given.hidden is None else frozenset(given.hidden)
        grid = images[name].grid
        mask: CodedLabels
        if given.path in memory.arrays:
            mask = mask_from_dataarray(memory.arrays[given.path], codes, grid)
        else:
            mask = open_mask(Location.of(given.path), codes, grid)
        common_grid(grid, {mask.what: mask.grid})
        masks[name] = Masked(images[name], mask, CLOUDED if codes is None else codes)
    return masks


def _share_hidden(name: str, masked: Masked) -> str:
    """A sentence on how much a mask hides."""
    mask = masked.mask
    assert isinstance(mask, CodedLabels)
    counts = counts_of(mask, masked.grid)
    hidden = sum(counts[mask.legend.codes.index(code)] for code in masked.hidden)
    share = hidden / max(counts.sum(), 1)
    return f"{name}: {mask.short} hides {share:.0%} of its own pixels"


def _grid(opened: Opened, others: Mapping[str, GeoBox]) -> GeoBox:
    """The grid asked for, whole; or the first optical one where all inputs overlap."""
    if opened.grid is not None:
        for name, other in others.items():
            common_grid(opened.grid, {name: other})
        return opened.grid
    return common_grid(_first(opened.images).grid, others)


def _first(images: Mapping[str, ImageSource]) -> ImageSource:
    """The image whose grid is mapped: the first optical one, if there is one."""
    optical = [i for i in images.values() if i.sensor.kind == "optical"]
    return (optical or list(images.values()))[0]


def _on_extent(
    opened: Opened, others: Mapping[str, GeoBox], grid: GeoBox, *, small: bool
) -> list[str]:
    """What is to be said of the part that is mapped; refused if it is a sliver."""
    said = on_coverage(grid, others)
    for image in opened.images.values():
        said += doubts(name_of(image), image.grid)
    if opened.grid is not None:
        return said
    first = _first(opened.images)
    named = name_of(first), first.grid
    return [*on_extent(named, grid, others, small=small), *said]


def _on_rasters(labels: LabelSources, grid: GeoBox) -> Iterator[str]:
    """What is to be said of rasters of labels and the part that is mapped.

    Raises
    ------
    ValueError
        If one lies elsewhere.
    """
    for one in labels.rasters:
        common_grid(grid, {one.what: one.grid})
        yield from doubts(one.what, one.grid)
        yield from on_labels(one.what, one, grid)


def _fingerprint(stack: Stack, files: Iterable[str], memory: InMemory) -> str:
    """What the files are, without reading them: size and time of last change."""
    stamps: dict[str, object] = {}
    for name in files:
        if name not in memory.arrays:
            stamps |= stamp(Location.of(name))
    return fingerprint([stamps, str(stack.grid.affine), list(stack.shape)])
