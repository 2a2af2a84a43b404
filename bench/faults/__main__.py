"""Kill commands, fill disks, damage files, start commands at once, and send requests.

python -m bench.faults                        # all of it: an hour of one core
python -m bench.faults kills random --only map sample --count 5
python -m bench.faults --small --seed 7       # the part that CI runs
python -m bench.faults --keep D --minutes 6   # stops then, and goes on next time
python -m bench.faults --keep D --report      # also writes into docs/reliability.md
python -m bench.faults fuzz --minutes 60      # fuzzes readers of files from elsewhere
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bench.corpus.runner import preload
from bench.faults import kills, mutations, pairs
from bench.faults.clean import share
from bench.faults.commands import JOBS, Job, small_scenes
from bench.faults.disk import can_mount, on_full_disks, sizes_left
from bench.faults.journal import Finding, OutOfTimeError, Place
from bench.faults.lost import on_lost_folders
from bench.faults.table import counts_of, counts_of_words, write_counts, write_table

import overcast

PARTS = ("kills", "random", "disks", "lost", "files", "pairs", "requests")
FUZZ = "fuzz"
"""A part that has no end of its own, so it is made only if it is named."""
_SMALL = ("sample to CSV", "publish", "generalise")
"""Commands that take little time, and have one file, several, and a raster."""
_SMALL_FORMATS = ("forest without a record", "sample as CSV", "interface of a run")
"""Formats with arrays, rows, and a tree."""
_FILES = 46
"""Damaged files of a format: 1,000 and more in all."""


def main() -> int:
    """Carry out the parts that are asked for, and print what came of them."""
    options = _options()
    if options.parts == [FUZZ]:
        return _fuzz(options)
    small_scenes()
    preload()
    share()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="faults-"))
    begun, wrong = time.monotonic(), 0
    options.end = begun + 60 * (options.minutes or float("inf"))
    print(f"seed {options.seed}", flush=True)
    try:
        for part in _possible(options.parts):
            findings = _carry_out(part, folder.resolve(), options)
            counts = counts_of(findings)
            if part == "disks":
                for name in counts:
                    own = [finding for finding in findings if finding.job == name]
                    counts[name]["left"] = sizes_left(own)
            print(write_table(part, counts), flush=True)
            wrong += sum(finding.word == "fault" for finding in findings)
            if options.report:
                write_counts(part, counts)
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{wrong} faults in {time.monotonic() - begun:.0f} s, seed {options.seed}")
    return int(wrong > 0)


def _fuzz(options: argparse.Namespace) -> int:
    """Fuzz readers, and add what came of it to what is known."""
    from bench.faults.fuzz import fuzz

    print(f"seed {options.seed}", flush=True)
    counts = fuzz(options.minutes or 60.0, options.seed)
    table = counts_of_words(counts)
    if options.report:
        write_counts("fuzz", table, add=True)
    print(write_table("fuzz", table))
    return int(any(word == "fault" for _, word in counts))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults")
    parser.add_argument(
        "parts",
        nargs="*",
        default=PARTS,
        metavar="PART",
        help=f"{', '.join(PARTS)} (all of these by default), or {FUZZ} alone",
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="commands or formats")
    parser.add_argument(
        "--but", nargs="+", metavar="NAME", default=[], help="not these"
    )
    parser.add_argument("--count", type=int, help="of moments, sizes or files, of each")
    parser.add_argument("--seed", type=int, default=0, help="of moments and damage")
    parser.add_argument("--small", action="store_true", help="what CI runs")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep what was found")
    parser.add_argument("--minutes", type=float, help="begin nothing after them")
    parser.add_argument("--report", action="store_true", help="write into the docs")
    options = parser.parse_args()
    if options.keep is not None and not _is_of_this_code(options.keep):
        parser.error(f"--keep: {options.keep} is of other code; give another folder")
    if options.parts != [FUZZ] and (unknown := set(options.parts) - {*PARTS}):
        parser.error(
            f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}, or {FUZZ} alone"
        )
    return options


def _is_of_this_code(folder: Path) -> bool:
    """Return whether what a folder keeps was found with the code as it is; mark it so.

    Other code makes other files, which would be taken for faults.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(overcast.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    mark = folder / "code"
    if not mark.exists():
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(digest.hexdigest(), encoding="utf-8")
    return mark.read_text(encoding="utf-8") == digest.hexdigest()


def _possible(parts: Sequence[str]) -> list[str]:
    if "disks" in parts and not can_mount():
        print("disks: passed over; only root can mount a small disk")
        return [part for part in parts if part != "disks"]
    return list(parts)


def _carry_out(part: str, folder: Path, options: argparse.Namespace) -> list[Finding]:
    """All that is known of a part, once all is done, or there is no time left."""
    if part == "requests":
        from bench.faults.requests import send_all

        return list(send_all(folder / "requests", folder / "cache"))
    findings = []
    for thing in _chosen(part, options):
        place = _place(part, thing, folder, options)
        if not place.done and time.monotonic() < options.end:
            _in_a_fork(part, thing, place, options)
            place = _place(part, thing, folder, options)
        for finding in place.findings:
            if finding.word == "fault":
                line = f"FAULT {finding.job}, {finding.moment}: {finding.about}"
                print(" ".join(line.split())[:600], flush=True)
        if place.done:
            findings += place.findings
        elif place.findings:
            print(f"{part}: {thing.name}: {len(place.findings)} so far", flush=True)
    return findings


def _place(
    part: str, thing: Job | mutations.Format, folder: Path, options: argparse.Namespace
) -> Place:
    # A format may be called like a command, and has a folder of its own.
    where = folder if isinstance(thing, Job) else folder / "formats"
    place = Place.of(where, (part, thing.name), options.end)
    return replace(place, cache=folder / "cache")


def _in_a_fork(
    part: str, thing: Job | mutations.Format, place: Place, options: argparse.Namespace
) -> None:
    """Disturb one command in a process of its own, which imports what that needs."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    try:
        _disturb(part, thing, place, options)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(0)


def _disturb(
    part: str, thing: Job | mutations.Format, place: Place, options: argparse.Namespace
) -> None:
    place.work.mkdir(parents=True, exist_ok=True)
    try:
        if isinstance(thing, Job):
            with thing.service(place.cache):
                list(_on_one(part, thing, place, options))
        else:
            list(_on_one(part, thing, place, options))
    except OutOfTimeError:
        return
    except RuntimeError as error:
        place.add(Finding(thing.name, "nobody disturbed it", "fault", str(error)))
    place.finish()


def _on_one(
    part: str, thing: Job | mutations.Format, place: Place, options: argparse.Namespace
) -> Iterable[Finding]:
    count, seed = options.count, options.seed
    if options.small:
        count = count or {"kills": 6, "files": 3}.get(part, 2)
    makers: dict[str, Callable[[], Iterable[Finding]]] = {
        "kills": lambda: kills.at_events(thing, place, count, seed),
        "random": lambda: kills.at_random(thing, place, count or 50, seed),
        "disks": lambda: on_full_disks(thing, place, count),
        "lost": lambda: on_lost_folders(thing, place, count, seed),
        "files": lambda: mutations.damaged(thing, place, count or _FILES, seed),
        "pairs": lambda: pairs.at_once(thing, place),
    }
    return makers[part]()


def _chosen(
    part: str, options: argparse.Namespace
) -> Sequence[Job] | Sequence[mutations.Format]:
    things: Sequence[Job] | Sequence[mutations.Format]
    things = mutations.FORMATS if part == "files" else JOBS
    names = options.only
    if options.small and names is None:
        names = _SMALL_FORMATS if part == "files" else _SMALL
    chosen = [t for t in things if names is None or t.name in names]
    return [thing for thing in chosen if thing.name not in options.but]  # type: ignore[return-value]


if __name__ == "__main__":
    sys.exit(main())
