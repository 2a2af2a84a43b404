"""Kill commands, fill disks, damage files, start commands at once, and send requests.

python -m bench.faults                        # all of it: hours
python -m bench.faults kills random --only map sample --count 5
python -m bench.faults --small --seed 7       # the part that CI runs
python -m bench.faults disks --report         # writes into docs/reliability.md
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from bench.corpus.runner import preload
from bench.faults import kills, mutations, pairs
from bench.faults.commands import JOBS
from bench.faults.disk import can_mount, on_full_disks
from bench.faults.kills import Finding
from bench.faults.lost import on_lost_folders
from bench.faults.table import counts_of, write_report, write_table

PARTS = ("kills", "random", "disks", "lost", "files", "pairs", "requests")
_SMALL = ("sample to CSV", "publish", "generalise")
"""Commands that take little time, and have one file, several, and a raster."""


def main() -> int:
    """Carry out the parts that are asked for, and print what came of them."""
    options = _options()
    preload()
    small_disks = "disks" in options.parts and can_mount()
    work = Path(tempfile.mkdtemp(prefix="faults-")).resolve()
    begun, wrong = time.monotonic(), 0
    print(f"seed {options.seed}", flush=True)
    try:
        for part in options.parts:
            if part == "disks" and not small_disks:
                print("disks: passed over; only root can mount a small disk")
                continue
            findings = list(_shown(_carry_out(part, work, options)))
            print(write_table(part, counts_of(findings)), flush=True)
            wrong += sum(finding.word == "fault" for finding in findings)
            if options.report:
                write_report(part, findings)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{wrong} faults in {time.monotonic() - begun:.0f} s, seed {options.seed}")
    return int(wrong > 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults")
    parser.add_argument(
        "parts", nargs="*", default=PARTS, metavar="PART", help=", ".join(PARTS)
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="commands or formats")
    parser.add_argument(
        "--but", nargs="+", metavar="NAME", default=[], help="not these"
    )
    parser.add_argument("--count", type=int, help="of moments, sizes or files, of each")
    parser.add_argument("--seed", type=int, default=0, help="of moments and damage")
    parser.add_argument("--small", action="store_true", help="what CI runs")
    parser.add_argument("--report", action="store_true", help="write into the docs")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return options


def _carry_out(part: str, work: Path, options: argparse.Namespace) -> Iterable[Finding]:
    if part == "requests":
        from bench.faults.requests import send_all

        yield from send_all(work / "requests", work / "cache")
        return
    for thing in _chosen(part, options):
        folder = work / part
        try:
            yield from _on_one(part, thing, (folder, work / "cache"), options)
        except RuntimeError as error:
            yield Finding(thing.name, "nobody disturbed it", "fault", str(error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _on_one(
    part: str, thing: object, places: tuple[Path, Path], options: argparse.Namespace
) -> Iterable[Finding]:
    count, seed = options.count, options.seed
    if options.small:
        count = count or {"kills": 6, "files": 3}.get(part, 2)
    makers: dict[str, Callable[[], Iterable[Finding]]] = {
        "kills": lambda: kills.at_events(thing, *places, count, seed),
        "random": lambda: kills.at_random(thing, *places, count or 50, seed),
        "disks": lambda: on_full_disks(thing, *places, count),
        "lost": lambda: on_lost_folders(thing, *places, count, seed),
        "files": lambda: mutations.damaged(thing, *places, count or 50, seed),
        "pairs": lambda: pairs.at_once(thing, *places),
    }
    return makers[part]()


def _chosen(part: str, options: argparse.Namespace) -> Sequence[object]:
    things: Sequence[object] = mutations.FORMATS if part == "files" else JOBS
    names = options.only
    if options.small and names is None and part != "files":
        names = _SMALL
    if names is not None:
        things = [thing for thing in things if thing.name in names]
    return [thing for thing in things if thing.name not in options.but]


def _shown(findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        if finding.word == "fault":
            line = f"FAULT {finding.job}, {finding.moment}: {finding.about}"
            print(" ".join(line.split())[:600], flush=True)
        yield finding


if __name__ == "__main__":
    sys.exit(main())
