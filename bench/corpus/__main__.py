"""Try overcast with bad and odd inputs.

python -m bench.corpus
python -m bench.corpus --only paths --keep
python -m bench.corpus --report     # writes the table into docs/wrong-maps.md
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from bench.corpus.case import Case, Verdict
from bench.corpus.catalogue import carry_out, catalogue, open_titles
from bench.corpus.runner import preload
from bench.corpus.table import DOC, write_report, write_table


def main() -> int:
    """Carry out cases, and print what came of them."""
    options = _options()
    cases = _chosen(catalogue(), options)
    if options.list:
        print(*(f"{case.title}" for case in cases), sep="\n")
        return 0
    preload()
    work = Path(tempfile.mkdtemp(prefix="corpus-")).resolve()
    begun = time.monotonic()
    try:
        results = list(_shown(_carried_out(cases, work, options), len(cases)))
    finally:
        if options.keep:
            print(f"folders are in {work}", file=sys.stderr)
        else:
            shutil.rmtree(work, ignore_errors=True)
    text = write_table(results)
    print(text)
    print(f"\n{len(cases)} cases in {time.monotonic() - begun:.0f} s, ", end="")
    print(f"seed {options.seed}")
    for case, verdict in results:
        if verdict.word == "fault":
            print(f"FAULT {case.title}: {verdict.about}")
    if options.report:
        write_report(results, options.seed)
        print(f"written into {DOC}")
    return int(any(verdict.word == "fault" for _, verdict in results))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.corpus")
    parser.add_argument("--seed", type=int, default=0, help="of mutants")
    parser.add_argument(
        "--only", nargs="+", metavar="TEXT", help="titles that hold one of these"
    )
    parser.add_argument("--count", type=int, help="as many, drawn with the seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--but-open", action="store_true", help="not those of open.txt")
    parser.add_argument("--report", action="store_true", help=f"write into {DOC}")
    parser.add_argument("--fresh", action="store_true", help="start Python each time")
    parser.add_argument("--keep", action="store_true", help="keep folders of cases")
    parser.add_argument("--list", action="store_true", help="only name the cases")
    return parser.parse_args()


def _chosen(cases: list[Case], options: argparse.Namespace) -> list[Case]:
    if options.only:
        texts = options.only
        cases = [case for case in cases if any(text in case.title for text in texts)]
    if options.but_open:
        known = open_titles()
        cases = [case for case in cases if case.title not in known]
    if options.count is not None:
        cases = drawn(cases, options.count, options.seed)
    return cases


def drawn(cases: list[Case], count: int, seed: int) -> list[Case]:
    """Some of the cases, drawn with a seed."""
    import random

    return random.Random(seed).sample(cases, min(count, len(cases)))


def _carried_out(
    cases: list[Case], work: Path, options: argparse.Namespace
) -> Iterable[tuple[Case, Verdict]]:
    """Verdicts as cases end; each in a process of its own, which a bad file may end."""
    waiting, running = list(reversed(cases)), dict[int, Case]()
    while waiting or running:
        while waiting and len(running) < options.jobs:
            case = waiting.pop()
            pid = os.fork()
            if pid == 0:
                _be(case, work, options)
            running[pid] = case
        pid, status = os.wait()
        case = running.pop(pid)
        yield case, _verdict_of(work / f"{pid}.json", status)


def _be(case: Case, work: Path, options: argparse.Namespace) -> NoReturn:
    """Carry out a case, leave the verdict in a file, and end."""
    try:
        verdict, outcome = carry_out(
            case, work, options.seed, options.fresh, options.keep
        )
        if options.keep and outcome is not None:
            print(outcome.err[-2000:], outcome.out[-1000:], sep="\n", file=sys.stderr)
        text = json.dumps([verdict.word, verdict.about])
        (work / f"{os.getpid()}.json").write_text(text)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    sys.stderr.flush()
    os._exit(0)


def _verdict_of(path: Path, status: int) -> Verdict:
    if not path.exists():
        return Verdict("fault", f"the case itself failed, wait status {status}")
    verdict = Verdict(*json.loads(path.read_text()))
    path.unlink()
    return verdict


def _shown(
    results: Iterable[tuple[Case, Verdict]], count: int
) -> Iterator[tuple[Case, Verdict]]:
    for number, (case, verdict) in enumerate(results, 1):
        line = f"{number}/{count} {verdict.word:8} {case.title}"
        about = f": {verdict.about}" if verdict.about else ""
        print(line + about, file=sys.stderr, flush=True)
        yield case, verdict


if __name__ == "__main__":
    sys.exit(main())
