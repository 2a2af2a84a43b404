"""What came of the parts, as tables, and the page that they are written into."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.faults.journal import Finding

DOC = "docs/reliability.md"
_ROOT = Path(__file__).parents[2]
_MEASURED = Path(__file__).with_name("measured.json")
_HEADS = {
    "same": "right in the end",
    "alike": "like one that was given again",
    "whole": "said to be there, and whole",
    "refused": "refused in one line",
    "another": "another valid file",
    "fault": "faults",
    "left": "sizes not tried",
}
_COUNTED = {
    "kills": ("command", "file events"),
    "random": ("command", "kills"),
    "disks": ("command", "disks"),
    "lost": ("command", "file events"),
    "files": ("format", "damaged files"),
    "pairs": ("command", "pairs"),
    "requests": ("requests", "sent"),
    "fuzz": ("reader", "files"),
}


Counts = dict[str, dict[str, int]]
"""By command or format, how many ended with which word."""


def counts_of(findings: Sequence[Finding]) -> Counts:
    """Count how commands or formats ended."""
    counts: dict[str, Counter[str]] = {}
    for finding in findings:
        counts.setdefault(finding.job, Counter())[finding.word] += 1
    return {name: dict(count) for name, count in counts.items()}


def counts_of_words(pairs: Mapping[tuple[str, str], int]) -> Counts:
    """Counts by name and word, from counts of pairs of both."""
    counts: Counts = {}
    for (name, word), count in sorted(pairs.items()):
        counts.setdefault(name, {})[word] = count
    return counts


def write_table(part: str, counts: Counts) -> str:
    """A Markdown table: commands or formats, and how many ended in which way."""
    total = sum(map(Counter, counts.values()), Counter[str]())
    words = [word for word in _HEADS if total[word] or word == "fault"]
    first, number = _COUNTED[part]
    lines = [
        f"| {first} | {number} | " + " | ".join(_HEADS[word] for word in words) + " |",
        "|---|" + "---:|" * (len(words) + 1),
    ]
    lines += [_row(name, Counter(count), words) for name, count in counts.items()]
    lines.append(_row("**all**", total, words))
    return "\n".join(lines)


def _row(name: str, count: Counter[str], words: Sequence[str]) -> str:
    numbers = [count.total() - count["left"], *(count[word] for word in words)]
    return f"| {name} | " + " | ".join(str(n) for n in numbers) + " |"


def write_counts(part: str, counts: Counts, add: bool = False) -> None:
    """Write the rows of a part anew that were measured, and keep the others.

    The counts are kept in a file beside this one, and the table on the page is made of it.
    With `add`, counts are added to those that were there.
    """
    measured = json.loads(_MEASURED.read_text(encoding="utf-8"))
    old = measured.get(part, {})
    if add:
        counts = {
            name: dict(Counter(old.get(name, {})) + Counter(own))
            for name, own in counts.items()
        }
    measured[part] = {**old, **counts}
    text = json.dumps(measured, indent=1, sort_keys=True)
    _MEASURED.write_text(text + "\n", encoding="utf-8")
    path = _ROOT / DOC
    text = path.read_text(encoding="utf-8")
    start, end = f"<!-- {part} -->", f"<!-- /{part} -->"
    if start not in text or end not in text:
        raise ValueError(f"{DOC}: no {start} and {end} to write between")
    table = write_table(part, dict(sorted(measured[part].items())))
    section = f"{start}\n`python -m bench.faults {part}`:\n\n{table}\n{end}"
    pattern = re.escape(start) + ".*?" + re.escape(end)
    path.write_text(
        re.sub(pattern, lambda _: section, text, flags=re.DOTALL), encoding="utf-8"
    )
