"""Measure a problem on simulated worlds, and write docs/lab/results.md from all measured.

    python -m bench.claims coarse --base plain-forest --methods forest
    python -m bench.claims coarse --base network --methods plain-forest forest
    python -m bench.claims all --base network --report
    python -m bench.claims coarse --base network --methods weak --report --add

Worlds 0 to 99 are for development, and the default; ``--report`` takes those from 100
on, which nobody looks at while tuning. Development results are printed; reported ones
are kept in bench/claims/measured/ as PROBLEM-BASE, or as ``--name`` says, and go into
docs/lab/results.md. With ``--add``, only the methods named are measured, and join what was
measured of other arms before. ``--processes 4`` measures four runs at a time; what is
measured is the same, but for the seconds.
"""

from __future__ import annotations

import argparse
import json
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.claims.measuring import Arms, Asked, measure
from bench.claims.problems import PROBLEMS
from bench.claims.scoring import METHODS
from bench.claims.tables import page

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).parent / "measured"
FIRST_REPORTED, LAST_REPORTED = 100, 199


def main() -> None:
    given = _arguments()
    names = list(PROBLEMS) if given.problem == "all" else [given.problem]
    results = []
    for name in names:
        path = KEPT / f"{given.name or f'{name}-{given.base}'}.json"
        before = kept_arms(path, given) if given.add else {}
        asked = Asked(
            problem=name,
            base=given.base,
            methods=given.methods,
            size=given.size,
            before=before.keys() - set(given.methods),
        )
        arms = measure(asked, given.worlds, given.seeds, given.processes)
        # Read again: others may have added to it in the meantime.
        arms = {**(kept_arms(path, given) if given.add else {}), **arms}
        result = result_of(name, arms, given)
        results.append(result)
        print(page([result]).split("\n\n", 2)[2], flush=True)
        if given.report:
            KEPT.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if given.report:
        kept = [json.loads(p.read_text("utf-8")) for p in sorted(KEPT.glob("*.json"))]
        (ROOT / "docs" / "lab" / "results.md").write_text(page(kept), encoding="utf-8")


def kept_arms(path: Path, given: argparse.Namespace) -> Arms:
    """Arms that were measured in the same way before.

    Raises
    ------
    ValueError
        If what was measured is of other worlds, seeds or size.
    """
    if not path.exists():
        return {}
    kept = json.loads(path.read_text("utf-8"))
    for name in ("worlds", "seeds", "size"):
        if kept[name] != getattr(given, name):
            raise ValueError(
                f"{path.name} has {name} {kept[name]}, not {getattr(given, name)}; "
                "give the same, or leave out --add to measure all anew"
            )
    arms: Arms = kept["arms"]
    return arms


def result_of(name: str, arms: Arms, given: argparse.Namespace) -> dict[str, Any]:
    """What is kept: arms in the problem's own order, and what measures all of them."""
    problem = PROBLEMS[name]
    learned = [*METHODS, *problem.methods]
    order = [*problem.maps, "naive", *learned, "oracle", "ceiling"]
    said: dict[str, list[Any]] = {
        "base": [given.base],
        "methods": [method for method in learned if method in arms],
        "worlds": given.worlds,
        "seeds": given.seeds,
        "size": [given.size],
        "name": [given.name] if given.name else [],
        "report": [],
    }
    words = ["python", "-m", "bench.claims", name]
    for option, values in said.items():
        if values or option == "report":
            words += [f"--{option}", *map(str, values)]
    return {
        "title": problem.title,
        "base": given.base,
        "command": shlex.join(words),
        "worlds": given.worlds,
        "seeds": given.seeds,
        "size": given.size,
        "made": datetime.now(UTC).date().isoformat(),
        "arms": {arm: arms[arm] for arm in order if arm in arms},
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("problem", choices=[*PROBLEMS, "all"])
    parser.add_argument("--base", default="plain-forest")
    parser.add_argument("--methods", nargs="*", default=[])
    parser.add_argument("--worlds", type=int, nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--size", type=int, default=768)
    parser.add_argument(
        "--processes", type=int, default=1, help="runs side by side, sharing the cores"
    )
    parser.add_argument("--report", action="store_true", help="worlds from 100 on")
    parser.add_argument("--name", help="keep it beside, and not as PROBLEM-BASE")
    parser.add_argument(
        "--add", action="store_true", help="keep what was reported of other arms"
    )
    given = parser.parse_args()
    names = list(PROBLEMS) if given.problem == "all" else [given.problem]
    for name in names:
        known = {**METHODS, **PROBLEMS[name].methods}
        unknown = {given.base, *given.methods} - known.keys()
        if unknown:
            parser.error(f"{name}: no {', '.join(unknown)}; known: {', '.join(known)}")
    if given.name and (given.problem == "all" or not given.report):
        parser.error("--name is for one problem and --report")
    if given.add and not given.report:
        parser.error("--add is for --report: nothing else is kept")
    first = FIRST_REPORTED if given.report else 0
    given.worlds = given.worlds or [first, first + 1, first + 2]
    low, high = (first, LAST_REPORTED) if given.report else (0, FIRST_REPORTED - 1)
    if not all(low <= world <= high for world in given.worlds):
        parser.error(f"worlds must lie from {low} to {high}; --report takes 100 to 199")
    return given


if __name__ == "__main__":
    main()
