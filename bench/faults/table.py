"""What came of the parts, as tables, and the page that they are written into."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.faults.kills import Finding

DOC = "docs/reliability.md"
_ROOT = Path(__file__).parents[2]
_HEADS = {
    "same": "right in the end",
    "whole": "said to be there, and whole",
    "refused": "refused in one line",
    "another": "another valid file",
    "fault": "faults",
}
_COUNTED = {
    "kills": ("command", "file events"),
    "random": ("command", "kills"),
    "disks": ("command", "disks"),
    "files": ("format", "damaged files"),
    "pairs": ("command", "pairs"),
    "requests": ("requests", "sent"),
}


def write_table(part: str, findings: Sequence[Finding]) -> str:
    """A Markdown table: commands or formats, and how many ended in which way."""
    counts: dict[str, Counter[str]] = {}
    for finding in findings:
        counts.setdefault(finding.job, Counter())[finding.word] += 1
    total = sum(counts.values(), Counter[str]())
    words = [word for word in _HEADS if total[word] or word == "fault"]
    first, number = _COUNTED[part]
    lines = [
        f"| {first} | {number} | " + " | ".join(_HEADS[word] for word in words) + " |",
        "|---|" + "---:|" * (len(words) + 1),
    ]
    lines += [_row(name, count, words) for name, count in counts.items()]
    lines.append(_row("**all**", total, words))
    return "\n".join(lines)


def _row(name: str, count: Counter[str], words: Sequence[str]) -> str:
    numbers = [count.total(), *(count[word] for word in words)]
    return f"| {name} | " + " | ".join(str(n) for n in numbers) + " |"


def write_report(part: str, findings: Sequence[Finding], words: str) -> None:
    """Write the table of a part between its marks of the page."""
    path = _ROOT / DOC
    text = path.read_text(encoding="utf-8")
    start, end = f"<!-- {part} -->", f"<!-- /{part} -->"
    if start not in text or end not in text:
        raise ValueError(f"{DOC}: no {start} and {end} to write between")
    table = write_table(part, findings)
    section = f"{start}\n`python -m bench.faults {words}`:\n\n{table}\n{end}"
    pattern = re.escape(start) + ".*?" + re.escape(end)
    path.write_text(
        re.sub(pattern, lambda _: section, text, flags=re.DOTALL), encoding="utf-8"
    )
