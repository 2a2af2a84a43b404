"""How much better one arm is than the others of a kept result, run by run.

    python -m bench.claims.compare few-quick quick-dllr-scene
    python -m bench.claims.compare patches10-scratch 'distilled, fine-tuned' distilled

The result is a file of bench/claims/measured; nothing is measured anew. Differences in
mIoU are of the same world and seed, with half the width of their 95 % interval (Student's
t over the runs), and in how many runs the arm is above.
"""

from __future__ import annotations

import argparse
import json

from bench.claims.__main__ import KEPT
from bench.claims.tables import interval, over


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("result", choices=sorted(p.stem for p in KEPT.glob("*.json")))
    parser.add_argument("arm")
    parser.add_argument("others", nargs="*", help="all if none is named")
    given = parser.parse_args()
    arms = json.loads((KEPT / f"{given.result}.json").read_text("utf-8"))["arms"]
    unknown = {given.arm, *given.others} - arms.keys()
    if unknown:
        parser.error(f"no {', '.join(sorted(unknown))}; there are: {', '.join(arms)}")
    for other in given.others or [name for name in arms if name != given.arm]:
        apart = over(given.arm, other, arms)
        above = f"above in {(apart > 0).sum()} of {len(apart)} runs"
        print(f"{given.arm} over {other}: {interval(apart)}, {above}")


if __name__ == "__main__":
    main()
