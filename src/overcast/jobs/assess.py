"""Score class maps in files, as `overcast assess` does, and draw samples for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np

from overcast import __version__
from overcast.accuracy.area import estimates
from overcast.accuracy.bootstrap import FEWEST, block_side, intervals
from overcast.accuracy.confusion import Confusion, scores
from overcast.accuracy.design import Design, count_classes, draw_of
from overcast.accuracy.independence import are_fine, remark
from overcast.accuracy.reference import Reference, ReferenceFile, ReferencePoints
from overcast.accuracy.sample_form import (
    is_form,
    read_sample,
    write_form,
    write_form_of,
)
from overcast.documents import Document
from overcast.errors import writing
from overcast.geo.dataset import open_raster
from overcast.geo.extent import areas_ha
from overcast.geo.label_file import LabelFile, open_labels
from overcast.geo.layers import file_of
from overcast.geo.legend import Legend, legend_to_csv, load_legend
from overcast.geo.location import FilePath, Location
from overcast.geo.overlay import PixelsUnder, under, within
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource
from overcast.map_folder import maps_of
from overcast.output import refuse_to_replace, write_whole
from overcast.output_file import begin_file
from overcast.plan import read_plan
from overcast.product.rasters import written_legend
from overcast.progress import Progress, quiet
from overcast.run_folder import RunFolder
from overcast.sources import legend_of, open_translated


def assess_files(
    mapped: Path,
    reference: ReferenceFile,
    *,
    legend: str | None = None,
    out: Path | None = None,
    overwrite: bool = False,
    progress: Progress = quiet,
) -> Document:
    """Scores of a class map in a file against a reference, also written to `out`.

    Points that `overcast sample` made, filled, give ``estimates`` for the whole map,
    with intervals from the sampling design; any other reference ``intervals`` of the
    agreement where it is, from a bootstrap of blocks. ``notes`` says what the
    reader must know, such as that the reference is the training labels. The legend of
    a map that overcast made is in the file.

    Raises
    ------
    ValueError
        If a file is refused, the legend is not known, nowhere both are known, or `out`
        exists.
    """
    if out is not None:
        refuse_to_replace(out, overwrite, (mapped, reference.path))
    paths = maps_of(mapped)
    classes = load_legend(legend) if legend else written_legend(paths[0])
    sources = [open_labels(path, classes) for path in paths]
    truth = reference.open(classes, *(source.grid for source in sources))
    names = str(mapped), str(reference.path)
    if len(sources) == 1:
        result = judge(sources[0], truth, names, progress)
    elif isinstance(truth, ReferencePoints):
        result = judge_points(sources, truth, names)
    else:
        truths = [reference.open(classes, source.grid) for source in sources]
        pairs = zip(sources, truths, strict=True)
        blocks = [b for source, one in pairs for b in one.against(source, progress)]
        result = _judged(blocks, classes, names, truth.notes)
    # Notes of the reference come last.
    at = len(result["notes"]) - len(truth.notes)
    result["notes"][at:at] = _on_labels(sources[0], paths[0], truth, reference.path)
    if out is not None:
        text = json.dumps(result, indent=2, ensure_ascii=False)
        with writing(out):
            write_whole(out, text + "\n")
    return result


def judge(
    source: LabelSource,
    truth: Reference,
    names: tuple[str, str] = ("map", "reference"),
    progress: Progress = quiet,
) -> Document:
    """Scores of a class map against a reference, as `assess_files` has them.

    `names` are what messages call the two.

    Raises
    ------
    ValueError
        If nowhere both are known, or a sample contradicts itself.
    """
    blocks = list(truth.against(source, progress))
    if isinstance(truth, ReferencePoints):
        return _pointwise(
            blocks, (source,), (truth, under((source,), truth.points)), names
        )
    return _judged(blocks, source.legend, names, truth.notes)


def judge_points(
    sources: Sequence[LabelSource], truth: ReferencePoints, names: tuple[str, str]
) -> Document:
    """Scores of a map of several rasters against points, as `judge` has them.

    Raises
    ------
    ValueError
        If nowhere both are known, or a sample contradicts itself.
    """
    below, legend = under(sources, truth.points), sources[0].legend
    sides = np.array([block_side(source.grid) for source in sources])[below.source]
    places = np.stack([below.source, below.rows // sides, below.columns // sides], 1)
    _, block = np.unique(places, axis=0, return_inverse=True)
    pairs = [block.ravel() == number for number in range(int(block.max()) + 1)]
    blocks = [
        Confusion.of(truth.classes[here], below.classes[here], len(legend))
        for here in pairs
    ]
    return _pointwise(blocks, sources, (truth, below), names)


def _pointwise(
    blocks: Sequence[Confusion],
    sources: Sequence[LabelSource],
    points: tuple[ReferencePoints, PixelsUnder],
    names: tuple[str, str],
) -> Document:
    """Scores of a map against points, and what their sampling design tells."""
    truth, below = points
    notes = [*_on_places(sources, truth, below), *truth.notes]
    design = partial(_estimates, sources, truth, below)
    return _judged(blocks, sources[0].legend, names, notes, design)


def _judged(
    blocks: Sequence[Confusion],
    legend: Legend,
    names: tuple[str, str],
    notes: Sequence[str],
    estimated: Callable[[], Document] = dict,
) -> Document:
    """Scores of a map, and estimates, or else intervals from its blocks."""
    total = sum(blocks, Confusion.none(len(legend)))
    if total.counts.sum() == 0:
        raise ValueError(
            f"{names[0]} and {names[1]} have no pixel in common; do they overlap?"
        )
    result = {**estimated(), **scores(total, legend)}
    sampled = "estimates" in result
    result["intervals"] = None if sampled else intervals(blocks, legend)
    return {**result, "notes": [*_on_intervals(result), *notes]}


def draw_sample(
    mapped: Path,
    out: Path,
    design: Design,
    *,
    legend: str | None = None,
    overwrite: bool = False,
    progress: Progress = quiet,
    say: Callable[[str], object] = str,
) -> Document:
    """Draw a stratified sample of a class map into a GeoPackage or CSV to be filled.

    The strata are the map's classes. What was drawn depends on map and design alone.
    Returns what `overcast sample` prints; `say` is told that a command was killed here.

    Raises
    ------
    ValueError
        If the map is refused, `out` exists or is neither, or the design is impossible.
    """
    if out.suffix.lower() not in (".gpkg", ".csv"):
        raise ValueError(f"{out}: expected a name that ends in .gpkg or .csv")
    facts = ("sample", asdict(design), legend)
    with begin_file(out, facts, overwrite, inputs=maps_of(mapped)) as output:
        for note in output.notes:
            say(note)
        drawn = _draw(mapped, output.work / out.name, design, legend, progress)
    return {**drawn, "sample": str(out)}


def _draw(
    mapped: Path, out: Path, design: Design, legend: str | None, progress: Progress
) -> Document:
    """Draw a sample into a file that is not there; what is said of it."""
    paths = maps_of(mapped)
    classes = load_legend(legend) if legend else written_legend(paths[0])
    sources = [open_labels(path, classes) for path in paths]
    counts = [count_classes(source, progress) for source in sources]
    pixels = np.stack(counts).sum(0)
    if (design.size or 0) > pixels.sum():
        raise ValueError(
            f"--size {design.size}: {mapped} has {pixels.sum()} pixels with a class; give "
            "fewer points"
        )
    sizes = design.sizes(pixels, classes)
    drawn, which = draw_of(sources, pixels, sizes, design.seed, progress)
    about = {name: str(value) for name, value in asdict(design).items()}
    about |= {"map": mapped.name, "legend": legend_to_csv(classes)}
    about |= {"overcast": __version__}
    if len(sources) == 1:
        write_form(out, sources[0], drawn, pixels, about)
    else:
        write_form_of(out, sources, (drawn, which), pixels, about)
    strata = {
        name: {"pixels": int(count), "points": int(taken)}
        for name, count, taken in zip(classes.names, pixels, sizes, strict=True)
        if count
    }
    return {"sample": str(out), "points": int(sizes.sum()), "strata": strata}


def _estimates(
    sources: Sequence[LabelSource], truth: ReferencePoints, below: PixelsUnder
) -> Document:
    """Estimates for the whole map, from points of a sampling design."""
    if not is_form(truth.points):
        return {}
    legend = sources[0].legend
    sample = read_sample(truth.points, below.classes, truth.classes, legend)
    whole = sample.pixels.sum(keepdims=True)
    # Pixels of all zones of UTM are as large, on average over a zone.
    ha = [areas_ha(whole, source.grid)[0] for source in sources]
    return {"estimates": estimates(sample, legend, float(np.mean(ha)))}


def _on_places(
    sources: Sequence[LabelSource], truth: ReferencePoints, below: PixelsUnder
) -> Iterator[str]:
    """Points that lie where the map says nothing."""
    known = truth.classes != UNKNOWN
    off = known.copy()
    for number, source in enumerate(sources):
        inside = within(below.rows, below.columns, source.grid)
        off &= ~(inside & (below.source == number))
    bare = known & (below.classes == UNKNOWN) & ~off
    if off.any():
        yield (
            f"{off.sum()} of {known.sum()} points lie outside of the map, and don't count"
        )
    if bare.any():
        yield (
            f"{bare.sum()} of {known.sum()} points lie where the map has no class; "
            + ("they count as wrong" if is_form(truth.points) else "they don't count")
        )


def _on_intervals(result: Document) -> Iterator[str]:
    if "estimates" in result:
        yield (
            "estimates are for the whole map; the scores beside them count points, and "
            "are biased towards classes that were sampled more densely"
        )
    elif result["intervals"] is None:
        yield f"no intervals: the reference lies in fewer than {FEWEST} blocks"


def _on_labels(
    source: LabelFile, mapped: Path, truth: Reference, reference: FilePath
) -> Iterator[str]:
    """Say how the labels that the map learned from relate to the reference."""
    tags = open_raster(source.path).tags()
    plan = RunFolder.beside(mapped).plan
    if "OVERCAST_VERSION" not in tags:
        return
    if not plan.is_file():
        named = reference.name in tags.get("OVERCAST_INPUTS", "").split(", ")
        yield (
            f"the map was made from a file of the name {reference.name}; if that is "
            "the reference, these scores say how well the map copies it"
            if named
            else "there is no run/ beside the map, so whether the reference overlaps "
            "the labels that it was learned from was not checked"
        )
        return
    given = read_plan(plan)
    for data in (given.data, *given.scenes):
        for entry in data.every_labels:
            path = file_of(Location.of(entry.path))
            if not path.exists():
                yield f"{path}, which the map was learned from, is gone: not checked"
                continue
            labels = open_translated(entry, source.grid, legend_of(data))
            confusion = sum(truth.against(labels), Confusion.none(len(labels.legend)))
            if text := remark(confusion, are_fine(labels.grid, source.grid)):
                yield text
