"""From the files that a plan names to a stack, with all that was noticed on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from odc.geo.geobox import GeoBox

from overcast.extent import on_coverage, on_extent, on_labels
from overcast.geo.coverage import common_grid
from overcast.geo.dataset import read_grid, stamp
from overcast.geo.location import Location
from overcast.geo.series import middle
from overcast.geo.stack import Stack
from overcast.input_images import OpenedImages, open_images
from overcast.labels.spectra import contradictions
from overcast.plan import Data, fingerprint
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
    opened = open_images(data)
    notes, others = list(opened.notes), dict(opened.extents.values())
    labels = open_sources(data, _grid(data, opened, others))
    if labels is not None:
        notes += labels.notes
        # Of several sources, one may lack a part of the scene where another has labels.
        if not labels.others:
            others |= {str(one.path): one.grid for one in labels.files}
    notes += opened.hidden
    grid = _grid(data, opened, others)
    notes += _on_extent(data, opened, others, grid)
    if labels is not None:
        notes += _on_label_files(labels, grid)
    stack = Stack(
        grid=grid,
        images=opened.sources,
        labels=None if labels is None else labels.first,
        others=() if labels is None else labels.others,
        targets=opened.targets,
        moments=opened.moments,
    )
    notes += [n for one in middle(stack).apart() for n in contradictions(one)]
    files = list(opened.files)
    files += [entry.path for entry in data.every_labels]
    accuracies = () if labels is None else labels.accuracies
    return Inputs(stack, tuple(notes), _fingerprint(stack, files), accuracies)


def _grid(data: Data, opened: OpenedImages, others: dict[str, GeoBox]) -> GeoBox:
    """The grid asked for, whole; or the first optical one where all inputs overlap."""
    if data.grid is not None:
        grid = read_grid(Location.of(data.grid))
        for name, other in others.items():
            common_grid(grid, {name: other})
        return grid
    return common_grid(opened.first[1], others)


def _on_extent(
    data: Data,
    opened: OpenedImages,
    others: dict[str, GeoBox],
    grid: GeoBox,
) -> list[str]:
    """What is to be said of the part that is mapped; refused if it is a sliver."""
    said = on_coverage(grid, others)
    if data.grid is not None:
        return said
    small = data.small_overlap
    return [*on_extent(opened.first, grid, others, small=small), *said]


def _on_label_files(labels: LabelSources, grid: GeoBox) -> Iterator[str]:
    """What is to be said of rasters of labels and the part that is mapped.

    Raises
    ------
    ValueError
        If one lies elsewhere.
    """
    for one in labels.files:
        common_grid(grid, {str(one.path): one.grid})
        yield from on_labels(str(one.path), one, grid)


def _fingerprint(stack: Stack, files: Iterable[str]) -> str:
    """What the files are, without reading them: size and time of last change."""
    found: dict[str, object] = {}
    for name in files:
        found |= stamp(Location.of(name))
    return fingerprint([found, str(stack.grid.affine), list(stack.shape)])
