"""What came of the cases, by kind, and where the docs say it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.corpus.case import Case, Verdict

DOC = "docs/wrong-maps.md"
START, END = "<!-- corpus -->", "<!-- /corpus -->"
_WORDS = ("right", "noted", "refused", "another", "fault")
_HEADS = ("right", "right, with a note", "refused", "another file", "faults")
_ROOT = Path(__file__).parents[2]

Results = Sequence[tuple[Case, Verdict]]


def write_table(results: Results) -> str:
    """A Markdown table: kinds, cases, and how many ended in which way."""
    counts: dict[str, Counter[str]] = {}
    for case, verdict in results:
        counts.setdefault(case.kind, Counter())[verdict.word] += 1
    lines = [
        "| inputs | cases | " + " | ".join(_HEADS) + " |",
        "|---|" + "---:|" * (len(_HEADS) + 1),
    ]
    lines += [_row(kind, count) for kind, count in sorted(counts.items())]
    lines.append(_row("**all**", sum(counts.values(), Counter())))
    return "\n".join(lines)


def _row(kind: str, count: Counter[str]) -> str:
    numbers = [count.total(), *(count[word] for word in _WORDS)]
    return f"| {kind} | " + " | ".join(str(n or "") for n in numbers) + " |"


def write_report(results: Results, seed: int) -> None:
    """Write the table between the marks of the page."""
    path = _ROOT / DOC
    text = path.read_text(encoding="utf-8")
    if START not in text or END not in text:
        raise ValueError(f"{DOC}: no {START} and {END} to write between")
    faults = sum(verdict.word == "fault" for _, verdict in results)
    section = (
        f"{START}\n{len(results)} inputs, {faults} faults; "
        f"`python -m bench.corpus --seed {seed} --report`:\n\n"
        f"{write_table(results)}\n{END}"
    )
    pattern = re.escape(START) + ".*?" + re.escape(END)
    path.write_text(
        re.sub(pattern, lambda _: section, text, flags=re.DOTALL), encoding="utf-8"
    )
