"""From the files that a plan names to a stack, with all that was noticed on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from odc.geo.geobox import GeoBox

from overcast.extent import on_coverage, on_extent, on_labels, on_seen
from overcast.geo.coverage import common_grid
from overcast.geo.dataset import stamp
from overcast.geo.location import Location
from overcast.geo.moved import Moved
from overcast.geo.place import doubts
from overcast.geo.series import middle
from overcast.geo.stack import Stack, name_of
from overcast.in_memory import InMemory
from overcast.input_images import Opened, open_images
from overcast.label_quality.registration import base_of, beside_labels, misplaced
from overcast.label_quality.spectra import contradictions
from overcast.plan import Data, fingerprint
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


def settle(opened: Opened, data: Data, memory: InMemory = _FILES_ONLY) -> Inputs:
    """Open the labels of `data`, and settle which grid is mapped.

    Raises
    ------
    ValueError
        If the labels are refused, or an input does not overlap the others.
    """
    others = dict(opened.extents.values())
    notes = list(opened.notes)
    labels = open_sources(data, _grid(opened, others), memory)
    if labels is not None:
        notes += labels.notes
        # Of several sources, one may lack a part of the scene where another has labels.
        if not labels.others:
            others |= {one.what: one.grid for one in labels.rasters}
    grid = _grid(opened, others)
    notes += _on_extent(opened, others, grid, small=data.small_overlap)
    for image in opened.single:
        notes += on_seen(name_of(image), image, grid)
    if labels is not None:
        notes += _on_rasters(labels, grid)
    stack = Stack(
        grid=grid,
        images=opened.sources,
        labels=None if labels is None else labels.first,
        others=() if labels is None else labels.others,
        targets=opened.targets,
        moments=opened.moments,
    )
    stack, moves = _registered(stack, move=data.register)
    notes += moves
    notes += [n for one in middle(stack).apart() for n in contradictions(one)]
    files = [*opened.files, *(entry.path for entry in data.every_labels)]
    accuracies = () if labels is None else labels.accuracies
    return Inputs(stack, tuple(notes), _fingerprint(stack, files, memory), accuracies)


def _registered(stack: Stack, *, move: bool) -> tuple[Stack, list[str]]:
    """Move images that lie beside the first optical one, or say that they do."""
    looked = stack if move else middle(stack)
    shifts, base = misplaced(looked), name_of(looked.images[base_of(looked)])
    does = "it is moved there" if move else "--register moves it there"
    notes = [
        f"{name_of(looked.images[name])}: lies {shift.words(stack.grid)} of {base}; {does}"
        for name, shift in shifts.items()
    ]
    if (shift := beside_labels(looked)) is not None:
        assert stack.labels is not None
        notes.append(
            f"{base}: lies {shift.words(stack.grid)} of the labels "
            f"({name_of(stack.labels)}); move the file that is wrong"
        )
    if not move:
        return stack, notes
    moved = {
        name: Moved(source, round(shifts[name].down), round(shifts[name].right))
        if name in shifts
        else source
        for name, source in stack.images.items()
    }
    return replace(stack, images=moved), notes


def _grid(opened: Opened, others: Mapping[str, GeoBox]) -> GeoBox:
    """The grid asked for, whole; or the first optical one where all inputs overlap."""
    if opened.grid is not None:
        for name, other in others.items():
            common_grid(opened.grid, {name: other})
        return opened.grid
    return common_grid(opened.first[1], others)


def _on_extent(
    opened: Opened, others: Mapping[str, GeoBox], grid: GeoBox, *, small: bool
) -> list[str]:
    """Return notes on the part that is mapped; refuse it if it is a sliver."""
    said = on_coverage(grid, others)
    for name, own in opened.extents.values():
        said += doubts(name, own)
    if opened.grid is not None:
        return said
    return [*on_extent(opened.first, grid, others, small=small), *said]


def _on_rasters(labels: LabelSources, grid: GeoBox) -> Iterator[str]:
    """Return notes on rasters of labels and the part that is mapped.

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
    """Return what the files are, without reading them: size and time of last change."""
    stamps: dict[str, object] = {}
    for name in files:
        if name not in memory.arrays:
            stamps |= stamp(Location.of(name))
    return fingerprint([stamps, str(stack.grid.affine), list(stack.shape)])
