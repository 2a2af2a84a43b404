"""Measure a problem on simulated worlds, and write docs/results.md from all measured.

    python -m bench.claims coarse --base plain-forest --methods forest
    python -m bench.claims coarse --base network --methods plain-forest forest
    python -m bench.claims all --base network --report

Worlds 0 to 99 are for development, and the default; ``--report`` takes those from 100
on, which nobody looks at while tuning. Development results are printed; reported ones
are kept in bench/claims/measured/ and go into docs/results.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from bench.claims.blocks import Problem
from bench.claims.problems import PROBLEMS
from bench.claims.scoring import METHODS, score, score_map
from bench.claims.tables import page

from overcast.worlds.scene import simulate

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).parent / "measured"
FIRST_REPORTED, LAST_REPORTED = 100, 199


def main() -> None:
    given = _arguments()
    names = list(PROBLEMS) if given.problem == "all" else [given.problem]
    results = []
    for name in names:
        result = measure(PROBLEMS[name], given)
        results.append(result)
        print(page([result]).split("\n\n", 2)[2], flush=True)
        if given.report:
            KEPT.mkdir(parents=True, exist_ok=True)
            text = json.dumps(result, indent=1) + "\n"
            (KEPT / f"{name}-{given.base}.json").write_text(text, encoding="utf-8")
    if given.report:
        kept = [json.loads(p.read_text("utf-8")) for p in sorted(KEPT.glob("*.json"))]
        (ROOT / "docs" / "results.md").write_text(page(kept), encoding="utf-8")


def measure(problem: Problem, given: argparse.Namespace) -> dict[str, Any]:
    """All arms of a problem on all worlds with all seeds."""
    arms: dict[str, list[dict[str, Any]]] = {}
    known = {**METHODS, **problem.methods}
    base = known[given.base]
    for world in given.worlds:
        scene = simulate(world, given.size, wanted=problem.wanted)
        for seed in given.seeds:
            naive, oracle = (
                made(scene, seed) for made in (problem.naive, problem.oracle)
            )
            for name, made in problem.maps.items():
                classes = made(scene)
                sure = np.ones(classes.shape, np.float32)
                found = score_map(scene, classes, sure, problem.groups)
                arms.setdefault(name, []).append(asdict(found))
            runs = {"naive": (naive, base)}
            more = naive if problem.given is None else problem.given(scene, seed)
            for name in given.methods:
                own = problem.arms.get(name)
                runs[name] = (more if own is None else own(scene, seed), known[name])
            runs["oracle"] = (oracle, base)
            for name, (arm, method) in runs.items():
                found = score(scene, arm, method, seed, problem.groups)
                arms.setdefault(name, []).append(asdict(found))
                print(
                    f"{problem.title}, world {world}, seed {seed}, {name}: "
                    f"mIoU {found.mean_iou:.3f} in {found.seconds:.0f} s",
                    file=sys.stderr,
                    flush=True,
                )
    return {
        "title": problem.title,
        "base": given.base,
        "command": " ".join(["python -m bench.claims", *sys.argv[1:]]),
        "worlds": given.worlds,
        "seeds": given.seeds,
        "size": given.size,
        "made": datetime.now(UTC).date().isoformat(),
        "arms": arms,
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
    parser.add_argument("--report", action="store_true", help="worlds from 100 on")
    given = parser.parse_args()
    names = list(PROBLEMS) if given.problem == "all" else [given.problem]
    for name in names:
        known = {**METHODS, **PROBLEMS[name].methods}
        unknown = {given.base, *given.methods} - known.keys()
        if unknown:
            parser.error(f"{name}: no {', '.join(unknown)}; known: {', '.join(known)}")
    first = FIRST_REPORTED if given.report else 0
    given.worlds = given.worlds or [first, first + 1, first + 2]
    low, high = (first, LAST_REPORTED) if given.report else (0, FIRST_REPORTED - 1)
    if not all(low <= world <= high for world in given.worlds):
        parser.error(f"worlds must lie from {low} to {high}; --report takes 100 to 199")
    return given


if __name__ == "__main__":
    main()
