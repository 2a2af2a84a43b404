"""Measure maps of real tiles, and write docs/real.md from all that was measured.

    python -m bench.real --tiles 433D --labels majority-100 --seeds 0
    python -m bench.real --seeds 0 1 2 --report

The tiles are read at ../shared/tiles, which is not part of the project. What was measured
is kept in bench/results/real/, a file for every tile, label source and seed, and an arm
is measured once: delete the folder, or give ``--again``, where code changed. LightGBM is
an arm where it is installed. ``--report`` writes the page from the folder; a section of
which the folder has nothing stays as it is, so delete it where its code changed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from bench.real.anchors import KEPT as ANCHORS
from bench.real.arms import ARMS, PAIR_ARMS, Case, measure
from bench.real.page import page, with_sections_of
from bench.real.sources import DRAWN, labels_of, names_of
from bench.real.tiles import TILES, read_tile

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "bench" / "results" / "real"


def main() -> None:
    given = _arguments()
    arms = [arm for arm in given.arms if _can(arm)]
    KEPT.mkdir(parents=True, exist_ok=True)
    for name in given.tiles:
        tile = read_tile(name)
        for source in given.labels or names_of(tile):
            if source not in names_of(tile):
                continue
            for seed in given.seeds:
                path = KEPT / f"{name}_{source}_{seed}.json"
                measured = json.loads(path.read_text()) if path.is_file() else {}
                known = PAIR_ARMS if "+" in source else ARMS
                todo = [
                    arm
                    for arm in known
                    if (arm in arms or (known is PAIR_ARMS and _can(arm)))
                    and (given.again or arm not in measured)
                ]
                if not todo:
                    continue
                started = time.monotonic()
                first, *others = (
                    labels_of(tile, one, seed) for one in source.split("+")
                )
                case = Case(tile, first, seed, tuple(others))
                drawn = source.split("+")[-1] in DRAWN
                last = [first, *others][-1] if drawn else None
                for arm, scores in measure(case, todo, last):
                    measured[arm] = scores
                    path.write_text(json.dumps(measured, indent=1) + "\n")
                say(path.stem, measured, time.monotonic() - started)
    if given.report:
        results, anchors = (
            {p.stem: json.loads(p.read_text()) for p in sorted(folder.glob("*"))}
            for folder in (KEPT, ANCHORS)
        )
        path = ROOT / "docs" / "real.md"
        text = with_sections_of(page(results, anchors), path.read_text("utf-8"))
        path.write_text(text, encoding="utf-8")


def say(name: str, measured: dict[str, dict[str, float]], seconds: float) -> None:
    """One line on a case."""
    figures = ", ".join(
        f"{arm} {scores['mean_iou']:.3f}/{scores['overall_accuracy']:.3f}"
        for arm, scores in measured.items()
    )
    print(f"{name} ({seconds:.0f} s): {figures}", file=sys.stderr, flush=True)


def _can(arm: str) -> bool:
    return not arm.startswith("LightGBM") or find_spec("lightgbm") is not None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tiles", nargs="*", default=list(TILES), choices=TILES)
    parser.add_argument("--labels", nargs="*", help="majority-100, patches-10, …")
    parser.add_argument("--arms", nargs="*", default=list(ARMS), choices=ARMS)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--again", action="store_true", help="measure anew")
    parser.add_argument("--report", action="store_true", help="write docs/real.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
