"""Score class maps in files, as `overcast assess` does, and draw samples for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from overcast import __version__, run_folder
from overcast.accuracy.area import estimates
from overcast.accuracy.bootstrap import FEWEST, intervals
from overcast.accuracy.confusion import Confusion, scores
from overcast.accuracy.design import Design, count_classes, draw
from overcast.accuracy.independence import are_fine, remark
from overcast.accuracy.reference import Reference, ReferenceFile, ReferencePoints
from overcast.accuracy.response import is_form, read_sample, write_form
from overcast.documents import Document
from overcast.errors import writing
from overcast.geo.dataset import open_raster
from overcast.geo.extent import areas_ha
from overcast.geo.label_file import LabelFile, open_labels
from overcast.geo.layers import file_of
from overcast.geo.legend import legend_to_csv, load_legend
from overcast.geo.location import FilePath, Location
from overcast.geo.overlay import classes_under, pixels_under, within
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource
from overcast.output import refuse_to_replace, write_whole
from overcast.output_file import begin_file
from overcast.plan import read_plan
from overcast.product.rasters import written_legend
from overcast.progress import Progress, quiet
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
    classes = load_legend(legend) if legend else written_legend(mapped)
    source = open_labels(mapped, classes)
    truth = reference.open(classes, source.grid)
    result = judge(source, truth, (str(mapped), str(reference.path)), progress)
    # Notes of the reference come last.
    at = len(result["notes"]) - len(truth.notes)
    result["notes"][at:at] = _on_labels(source, mapped, truth, reference.path)
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
    classes = source.legend
    blocks = list(truth.against(source, progress))
    total = sum(blocks, Confusion.none(len(classes)))
    if total.counts.sum() == 0:
        raise ValueError(
            f"{names[0]} and {names[1]} have no pixel in common; do they overlap?"
        )
    result = {**_estimates(source, truth), **scores(total, classes)}
    sampled = "estimates" in result
    result["intervals"] = None if sampled else intervals(blocks, classes)
    result["notes"] = [
        *_on_intervals(result),
        *_on_places(source, truth),
        *truth.notes,
    ]
    return result


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
    with begin_file(out, facts, overwrite, inputs=(mapped,)) as output:
        for note in output.notes:
            say(note)
        drawn = _draw(mapped, output.work / out.name, design, legend, progress)
    return {**drawn, "sample": str(out)}


def _draw(
    mapped: Path, out: Path, design: Design, legend: str | None, progress: Progress
) -> Document:
    """Draw a sample into a file that is not there; what is said of it."""
    classes = load_legend(legend) if legend else written_legend(mapped)
    source = open_labels(mapped, classes)
    pixels = count_classes(source, progress)
    if (design.size or 0) > pixels.sum():
        raise ValueError(
            f"--size {design.size}: {mapped} has {pixels.sum()} pixels with a class; give "
            "fewer points"
        )
    sizes = design.sizes(pixels, classes)
    drawn = draw(source, pixels, sizes, design.seed, progress)
    about = {name: str(value) for name, value in asdict(design).items()}
    about |= {"map": mapped.name, "legend": legend_to_csv(classes)}
    write_form(out, source, drawn, pixels, {**about, "overcast": __version__})
    strata = {
        name: {"pixels": int(count), "points": int(taken)}
        for name, count, taken in zip(classes.names, pixels, sizes, strict=True)
        if count
    }
    return {"sample": str(out), "points": int(sizes.sum()), "strata": strata}


def _estimates(source: LabelSource, truth: Reference) -> Document:
    """Estimates for the whole map, from points of a sampling design."""
    if not isinstance(truth, ReferencePoints) or not is_form(truth.points):
        return {}
    mapped_classes = classes_under(source, truth.points)
    sample = read_sample(truth.points, mapped_classes, truth.classes, source.legend)
    whole = areas_ha(sample.pixels.sum(keepdims=True), source.grid)[0]
    return {"estimates": estimates(sample, source.legend, whole)}


def _on_places(source: LabelSource, truth: Reference) -> Iterator[str]:
    """Points that lie where the map says nothing."""
    if not isinstance(truth, ReferencePoints):
        return
    known = truth.classes != UNKNOWN
    off = known & ~within(*pixels_under(source.grid, truth.points), source.grid)
    bare = known & (classes_under(source, truth.points) == UNKNOWN) & ~off
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
    plan = mapped.with_name("run") / run_folder.PLAN
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
