"""From a place and a time to files on one grid: survey, read, write, and say so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from overcast import __version__
from overcast.acquire.asset import Reader
from overcast.acquire.data_folder import MANIFEST, classes_of, optical_in, radar_in
from overcast.acquire.jobs import NamedJob, jobs_of, years_of
from overcast.acquire.reading import SIDE, Written, carry_out, clean
from overcast.acquire.survey import SENTINEL_1, SENTINEL_2, Request, Survey, make_survey
from overcast.output import Output, finish_left, forget, write_whole
from overcast.progress import Progress

_SURVEY = "survey.json"
_BYTES = {SENTINEL_2: 11.25, SENTINEL_1: 8.0}
"""Bytes of a pixel of 10 m as it is stored, uncompressed: of Sentinel-2 four bands of 10 m,
six of 20 m and scene classes; of Sentinel-1 two floats."""
_PROCESS_BYTES, _WINDOW_BYTES, _ROW_BYTES = 290e6, 450, 512 * 10 * 2
"""Memory of the process itself, of a pixel of a window, and of a column of the rows that
are written at once: what `bench/acquiring.py` measured."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The files in a folder after a fetch.

    Attributes
    ----------
    folder
        Where they are.
    manifest
        What was read, from where.
    notes
        What was noticed about them.
    said
        What is to be said of the folder: that a process was stopped there. It is no
        part of what a map is made of.
    """

    folder: Path
    manifest: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, Path]:
        """Paths by name of file."""
        return {name: self.folder / name for name in self.manifest["files"]}

    @property
    def clearest(self) -> dict[str, str]:
        """The clearest day as `overcast.scene` takes it: s2, its mask, the nearest s1."""
        about = self.manifest["files"]
        days = {name: about[name] for name in optical_in(about)}
        radar = radar_in(about)
        if not days:
            return {"s1": str(self.folder / radar[0])} if radar else {}
        best = max(days, key=lambda name: (days[name]["clear"], name))
        scene = {"s2": best, "mask": classes_of(best)}
        day = date.fromisoformat(days[best]["date"])
        if radar:
            scene["s1"] = min(
                radar,
                key=lambda n: (abs(date.fromisoformat(about[n]["date"]) - day), n),
            )
        return {key: str(self.folder / name) for key, name in scene.items()}


@dataclass(frozen=True, slots=True)
class ReadingCost:
    """The cost of reading: bytes at most, seconds if known, memory in bytes."""

    bytes: float
    seconds: float | None
    memory: float


@dataclass(slots=True)
class _Steps:
    """Progress in windows and bytes."""

    progress: Progress
    readers: Mapping[str, Reader]
    total: int
    before: int = 0

    def tell(self, done: int) -> None:
        read = sum(reader.traffic.bytes for reader in self.readers.values())
        self.progress("fetch", self.before + done, self.total, f"{read / 1e6:.1f} MB")


def readers_of(request: Request) -> dict[str, Reader]:
    """A reader for every source."""
    return {source.name: Reader(source) for source in request.catalogues}


def key_of(request: Request) -> str:
    """Return what tells two requests apart: sources are part of it, secrets are not."""
    grid = request.area.grid
    facts = {
        "outline": request.area.outline.wkt,
        "grid": [str(grid.crs), list(grid.affine)[:6], list(grid.shape)],
        "period": [str(request.period.first), str(request.period.last)],
        "months": request.period.months,
        "sources": [asdict(source) for source in request.catalogues],
        "products": request.products,
        "count": request.count,
        "clear": request.clear,
        "skip": request.skip,
    }
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def estimate(request: Request, survey: Survey) -> ReadingCost:
    """Estimate the bytes to read at most, the time at the survey's rate, and memory."""
    h, w = request.area.grid.shape
    pixels = h * w * (abs(request.area.grid.resolution.x) / 10) ** 2
    total = 0.0
    for product, takes in survey.takes.items():
        total += _BYTES.get(product, 1.0) * pixels * len(takes)
    seconds = total / survey.rate if survey.rate > 0 else None
    window = min(h, SIDE) * min(w, SIDE)
    memory = _PROCESS_BYTES + window * _WINDOW_BYTES + w * _ROW_BYTES
    return ReadingCost(total, seconds, memory)


def survey_only(request: Request, progress: Progress) -> Survey:
    """Say what would be read, without reading it."""
    return make_survey(request, readers_of(request), progress)


def fetched_before(request: Request, out: Path) -> Fetched | None:
    """Return what the same request left in `out`, if all of it exists.

    One that was stopped while its files moved to their places is finished first.
    """
    finish_left(out)
    path = out / MANIFEST
    if not path.is_file():
        return None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    whole = all((out / name).is_file() for name in manifest.get("files", {}))
    if manifest.get("key") != key_of(request) or not whole:
        return None
    forget(out)
    return Fetched(out, manifest, tuple(manifest["notes"]))


def fetch(request: Request, out: Path, overwrite: bool, progress: Progress) -> Fetched:
    """Read what is chosen for `request` into `out`; go on where the same one stopped.

    Raises
    ------
    ValueError
        If there is nothing to read, or `out` holds something else.
    MachineError
        If a server does not answer; what was read stays for the same command.
    """
    if (before := fetched_before(request, out)) is not None:
        return before
    output = Output.begin(out, (MANIFEST,), key_of(request), overwrite)
    if output.finished and (before := fetched_before(request, out)) is not None:
        return before
    readers = readers_of(request)
    with output:
        survey = _survey(request, readers, output, progress)
        named = jobs_of(request, survey, readers)
        names = [f"{layer.name}.tif" for one in named for layer in one.job.layers]
        output.add((*names, *_made_before(out)), overwrite)
        output.hold()
        written = _read(named, readers, output.work, progress)
        manifest = _manifest(request, survey, named, written)
        write_whole(output.work / MANIFEST, json.dumps(manifest, indent=1))
    return Fetched(out, manifest, tuple(manifest["notes"]), output.notes)


def _survey(
    request: Request, readers: Mapping[str, Reader], output: Output, progress: Progress
) -> Survey:
    """The survey of this very request, made or gone on with."""
    path = output.work / _SURVEY
    if path.exists():
        return Survey.from_json(path.read_text(encoding="utf-8"), request)
    survey = make_survey(request, readers, progress)
    write_whole(path, survey.to_json())
    return survey


def _made_before(out: Path) -> list[str]:
    """Files of an earlier fetch into the same folder, which --overwrite replaces."""
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        return [str(name) for name in manifest["files"]]
    except (OSError, ValueError, KeyError):
        return []


def _read(
    named: list[NamedJob],
    readers: Mapping[str, Reader],
    work: Path,
    progress: Progress,
) -> list[Written]:
    """Read every job that is not finished; a finished one left its counts."""
    steps = _Steps(progress, readers, sum(len(one.job.windows()) for one in named))
    written = []
    for one in named:
        name = one.job.layers[0].name
        counts = work / f"{name}.json"
        if counts.exists():
            facts = json.loads(counts.read_text(encoding="utf-8"))
            done = Written(tuple(facts["files"]), facts["pixels"], facts["holes"])
        else:
            done = carry_out(one.job, work, steps.tell)
            write_whole(counts, json.dumps(asdict(done)))
            clean(one.job, work)
        for reader in readers.values():
            reader.forget()
        steps.before += len(one.job.windows())
        steps.tell(0)
        written.append(done)
    return written


def _manifest(
    request: Request, survey: Survey, named: list[NamedJob], written: list[Written]
) -> dict[str, Any]:
    """Describe what was read, from where, under which terms, and what is missing."""
    area, notes = request.area, list(survey.notes)
    files: dict[str, Any] = {}
    for one, done in zip(named, written, strict=True):
        items = [
            {"id": p.ident, "href": p.url, "datetime": p.when.isoformat()}
            for p in one.take.pieces
        ]
        about = {"product": one.product, **one.facts, "items": items}
        if done.holes:
            share = done.holes / max(done.pixels, 1)
            notes.append(
                f"{done.files[0]}: nothing was seen of {share:.1%} of the area"
            )
        about["seen"] = round(1 - done.holes / max(done.pixels, 1), 6)
        files |= {name: about for name in done.files}
    return {
        "overcast": __version__,
        "key": key_of(request),
        "place": area.name,
        "grid": {
            "crs": str(area.grid.crs),
            "transform": list(area.grid.affine)[:6],
            "shape": list(area.grid.shape),
        },
        "from": str(request.period.first),
        "to": str(request.period.last),
        "files": files,
        "sources": sources_of(request, survey),
        "left_out": [asdict(one) for one in survey.left],
        "notes": notes,
    }


def sources_of(request: Request, survey: Survey) -> list[dict[str, str]]:
    """Sources with their licences and the lines that they ask for."""
    sources = []
    for product, takes in survey.takes.items():
        if not takes:
            continue
        source = request.source(product)
        about = source.products[product]
        line = about.attribution.replace("{years}", years_of(takes))
        sources.append(
            {
                "product": product,
                "source": source.title,
                "licence": about.licence,
                "attribution": line,
            }
        )
    return sources
