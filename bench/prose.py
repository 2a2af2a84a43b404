"""Check that pages are plain English: short sentences, and none of the words to avoid.

    python bench/prose.py                 # the pages that a test holds to the rules
    python bench/prose.py docs/weak.md    # any page
    python bench/prose.py --all           # every page, as a count

Rules are in bench/prose.toml. Code, tables, headings and links are left out.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_RULES = Path(__file__).with_suffix(".toml")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.)\s+|^:\s+")
_END = re.compile(r"(?<=[.!?:;])\s+(?=[A-Z`*(\"\d])")
_WORD = re.compile(r"[\w'%./-]*\w[\w'%./-]*")


@dataclass(frozen=True, slots=True)
class Fault:
    """A sentence that breaks a rule, and how."""

    page: str
    sentence: str
    rule: str


def rules() -> dict[str, Any]:
    """What bench/prose.toml says."""
    return tomllib.loads(_RULES.read_text(encoding="utf-8"))


def sentences(text: str) -> Iterator[str]:
    """Sentences of a page of Markdown; items of lists and parts at colons are some."""
    text = _FENCE.sub("", text)
    for paragraph in _paragraphs(text):
        plain = _LINK.sub(r"\1", paragraph).replace("**", "")
        plain = re.sub(r"`[^`]*`", "CODE", plain)
        for sentence in _END.split(" ".join(plain.split())):
            if len(_WORD.findall(sentence)) > 2:
                yield sentence


def _paragraphs(text: str) -> Iterator[str]:
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        skipped = line.startswith(("    ", "|", "#", "<", "!["))
        begins = bool(_ITEM.match(line))
        if skipped or begins or not line.strip():
            if lines:
                yield " ".join(lines)
            lines = []
        if line.strip() and not skipped:
            lines.append(_ITEM.sub("", line))


def faults_of(page: str, text: str, given: dict[str, Any]) -> list[Fault]:
    """Everything in a page that breaks a rule."""
    faults, lengths = [], []
    for sentence in sentences(text):
        words = len(_WORD.findall(sentence))
        lengths.append(words)
        if words > given["longest_sentence"]:
            faults.append(Fault(page, sentence, f"{words} words"))
        for pattern, instead in given["instead"].items():
            if match := re.search(pattern, sentence, re.IGNORECASE):
                faults.append(Fault(page, sentence, f"{match[0]!r}: {instead}"))
    mean = sum(lengths) / max(len(lengths), 1)
    if mean > given["mean_sentence"]:
        faults.append(Fault(page, "the whole page", f"{mean:.1f} words on average"))
    return faults


def main() -> None:
    given = rules()
    wanted = sys.argv[1:] or given["pages"]
    every = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))
    pages = every if wanted == ["--all"] else wanted
    count = 0
    for page in pages:
        text = (ROOT / page).read_text(encoding="utf-8")
        faults = faults_of(page, text, given)
        count += len(faults)
        if wanted == ["--all"]:
            print(f"{len(faults):4} {page}")
            continue
        for fault in faults:
            print(f"{fault.page}: {fault.rule}\n    {fault.sentence}")
    print(f"{count} faults in {len(pages)} pages")
    sys.exit(count > 0 and wanted != ["--all"])


if __name__ == "__main__":
    main()
