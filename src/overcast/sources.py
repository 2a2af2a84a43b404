"""Several sources of labels of one scene: opened, translated, and who wins over whom.

Every source keeps its own grid. Classes become those of the map's legend, by a crosswalk
that the plan names, a built-in one, or their names. Drawn labels
(`overcast.label_quality.kind`) are right unless their accuracy is said: as fine as they
are, they hide other labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from odc.geo.geobox import GeoBox

from overcast.accuracy.confusion import translation
from overcast.accuracy.independence import are_fine
from overcast.geo.coded_labels import CodedLabels
from overcast.geo.feature_notes import looked_at
from overcast.geo.label_array import (
    LabelDataArray,
    codes_of_dataarray,
    labels_from_dataarray,
)
from overcast.geo.label_file import LabelFile, open_codes, open_labels, several
from overcast.geo.layers import is_vector
from overcast.geo.legend import Legend
from overcast.geo.location import Location
from overcast.geo.overlay import CLASS, PointLabels, PolygonLabels, open_drawn
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource, name_of
from overcast.geo.translated import LabelsUnder, Table, Translated, read_crosswalk
from overcast.in_memory import InMemory
from overcast.label_quality.kind import are_drawn
from overcast.label_quality.support import support
from overcast.plan import Data, LabelInput

Opened = LabelFile | LabelDataArray | PolygonLabels | PointLabels
_FILES_ONLY = InMemory()


@dataclass(frozen=True, slots=True)
class LabelSources:
    """Labels of a scene in the legend of the map, and what was noticed.

    Attributes
    ----------
    first
        The source that stands for all where one is shown: the first that is a map of
        everything, or the first.
    others
        The others, in their order.
    rasters
        Rasters among them, by themselves; that of the first source first.
    accuracies
        What is said of how right each is, the first one first.
    notes
        What is to be said.
    """

    first: LabelSource
    others: tuple[LabelSource, ...]
    rasters: tuple[CodedLabels, ...]
    accuracies: tuple[str | None, ...]
    notes: tuple[str, ...]


def open_sources(
    data: Data, grid: GeoBox, memory: InMemory = _FILES_ONLY
) -> LabelSources | None:
    """Open every source of labels of `data` on the grid of its images; None if none is.

    Raises
    ------
    ValueError
        If a source is refused, or can't be translated to the legend of the map.
    """
    if not data.every_labels:
        return None
    opened = [_checked(entry, grid, data.trust, memory) for entry in data.every_labels]
    rasters = tuple(one for one in opened if isinstance(one, CodedLabels))
    notes = [note for one in opened for note in one.notes]
    legend = legend_of(data, memory)
    sources: list[LabelSource] = []
    for entry, one in zip(data.every_labels, opened, strict=True):
        sources.append(translated(entry, one, legend))
        notes += _untranslated(one, sources[-1], grid)
    if len(sources) == 1:
        said = (data.every_labels[0].accuracy,)
        return LabelSources(sources[0], (), rasters, said, tuple(notes))
    drawn = [are_drawn(source, grid) for source in sources]
    wins = [
        source
        for source, entry, is_drawn in zip(
            sources, data.every_labels, drawn, strict=True
        )
        if is_drawn and entry.accuracy is None
    ]
    shown = [
        source
        if not wins or source in wins or not are_fine(source.grid, grid)
        else LabelsUnder(source, tuple(wins))
        for source in sources
    ]
    first = drawn.index(False) if False in drawn else 0
    notes.append(_said_of(data, drawn, first))
    order = sorted(range(len(shown)), key=lambda k: k != first)
    ordered = [opened[k] for k in order]
    return LabelSources(
        shown[first],
        tuple(shown[k] for k in order[1:]),
        tuple(one for one in ordered if isinstance(one, CodedLabels)),
        tuple(data.every_labels[k].accuracy for k in order),
        tuple(notes),
    )


def legend_of(data: Data, memory: InMemory = _FILES_ONLY) -> Legend:
    """Legend of the map that labels make: the one said, else that of the first."""
    assert data.labels is not None
    return memory.legend(data.legend or data.labels.legend)


def open_given_labels(
    entry: LabelInput, grid: GeoBox, memory: InMemory = _FILES_ONLY
) -> Opened:
    """Open a raster of labels on its own grid, or points or polygons on `grid`.

    What is in a raster is not looked at.

    Raises
    ------
    ValueError
        If the file is refused (see `overcast.geo.label_file` and
        `overcast.geo.overlay`), or what is said of it does not fit such a file.
    """
    legend = memory.legend(entry.legend)
    if entry.path in memory.arrays:
        array = memory.arrays[entry.path]
        return codes_of_dataarray(array, legend, several(entry.nodata))
    path = Location.of(entry.path)
    if is_vector(path):
        if entry.nodata is not None:
            raise ValueError(f"{path}: features have no nodata; leave classes empty")
        return open_drawn(path, legend, grid, entry.column or CLASS)
    if entry.column is not None:
        raise ValueError(f"{path}: a raster has no column {entry.column}")
    return open_codes(path, legend, several(entry.nodata))


def open_translated(entry: LabelInput, grid: GeoBox, legend: Legend) -> LabelSource:
    """Open labels as `open_given_labels`, in the legend of a map."""
    return translated(entry, open_given_labels(entry, grid), legend)


def translated(entry: LabelInput, source: Opened, legend: Legend) -> LabelSource:
    """Labels in the legend of the map.

    Raises
    ------
    ValueError
        If nothing translates a class of theirs.
    """
    if entry.crosswalk is not None:
        table = read_crosswalk(Path(entry.crosswalk), source.legend, legend)
    elif source.legend.same_as(legend):
        return source
    else:
        table = _known_table(source, legend)
    if isinstance(source, CodedLabels):
        return Translated(source, table, legend)
    return replace(source, classes=table[source.classes], legend=legend)


def _known_table(source: Opened, legend: Legend) -> Table:
    """Return what a built-in crosswalk says, or names that both legends have."""
    try:
        to_map = translation(source.legend, legend)
    except ValueError as error:
        raise ValueError(
            f"{name_of(source)}: no translation from its legend {source.legend.name} to "
            f"{legend.name}, that of the map; give one as "
            "FILE|crosswalk=TABLE.csv (columns source,target), or another --legend"
        ) from error
    table = np.full(256, UNKNOWN, np.uint8)
    positions = np.arange(len(source.legend), dtype=np.uint8)
    table[: len(positions)] = to_map(positions)
    return table


def _checked(entry: LabelInput, grid: GeoBox, trust: bool, memory: InMemory) -> Opened:
    """Labels with notes on what they are on `grid`; refused if they are nothing there.

    With `trust`, names in a raster that contradict the legend are passed over.
    """
    labels, nodata = open_given_labels(entry, grid, memory), several(entry.nodata)
    if isinstance(labels, LabelDataArray):
        array = memory.arrays[entry.path]
        return labels_from_dataarray(array, labels.legend, nodata, grid, trust)
    if isinstance(labels, LabelFile):
        return open_labels(labels.path, labels.legend, nodata, grid, trust)
    return looked_at(labels)


def _untranslated(source: Opened, shown: LabelSource, grid: GeoBox) -> Iterator[str]:
    """Say which classes of a source have no counterpart, of those that are on `grid`."""
    if not isinstance(source, CodedLabels) or not isinstance(shown, Translated):
        return
    cells = support(source, grid)
    lost = [k for k, n in enumerate(cells) if n and shown.table[k] == UNKNOWN]
    if lost:
        share = cells[lost].sum() / cells.sum()
        names = ", ".join(source.legend.names[k] for k in lost)
        yield (
            f"{source.short}: {share:.0%} of its labels here are of classes that no "
            f"one class of {shown.legend.name} stands for, and count as not known: {names}"
        )


def _said_of(data: Data, drawn: Sequence[bool], first: int) -> str:
    """Say what the sources are taken for."""
    parts = []
    for entry, is_drawn in zip(data.every_labels, drawn, strict=True):
        kind = "drawn" if is_drawn else "a map"
        if entry.accuracy is not None:
            kind += f", accuracy {Path(entry.accuracy).name}"
        parts.append(f"{Location.of(entry.path).name} ({kind})")
    text = f"labels from {len(parts)} sources: {', '.join(parts)}"
    if any(drawn) and not all(drawn):
        text += "; where drawn labels are, they win over a map"
    if len(parts) > 1:
        shown = Location.of(data.every_labels[first].path).name
        text += f"; where one source is shown or scored, it is {shown}"
    return text
