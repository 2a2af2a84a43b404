"""Check that pages and messages are plain English: short sentences, no words to avoid.

    python bench/prose.py                     # all pages, and all that the program says
    python bench/prose.py docs/lab/weak.md    # any page

What the program says are the help of commands and options, errors and notes. Rules are in
bench/prose.toml. Code, tables, headings and links are left out.
"""

from __future__ import annotations

import ast
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
_FEWEST_BLANKS = 3
"""Of a text that may be a sentence; one with tags is HTML."""
_ANY_MEAN = {"mean_sentence": float("inf")}
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


def pages(given: dict[str, Any]) -> list[str]:
    """Pages that are held to the rules: all that the patterns of the rules name."""
    paths = {path for pattern in given["pages"] for path in ROOT.glob(pattern)}
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def messages(path: Path) -> Iterator[str]:
    """Texts of a module that users may read: help, errors, notes, and other sentences."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path.parent.name == "commands":
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                yield (ast.get_docstring(node) or "").split("\b")[0]
    yield from filter(_is_sentence, _texts(tree))


def _texts(node: ast.AST) -> Iterator[str]:
    """Whole texts below a node of the source, without docstrings."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        whole = _text(child) if isinstance(child, ast.expr) else ""
        yield from [whole] if whole else _texts(child)


def _is_sentence(text: str) -> bool:
    return text.count(" ") >= _FEWEST_BLANKS and "<" not in text


def _text(node: ast.expr) -> str:
    """A text of the source; what it is filled with counts as one word."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            "NAME" if isinstance(part, ast.FormattedValue) else _text(part)
            for part in node.values
        )
    if isinstance(node, ast.BinOp):
        return _text(node.left) + _text(node.right)
    return ""


def faults_of(page: str, text: str, given: dict[str, Any]) -> list[Fault]:
    """Everything in a page, or in a message, that breaks a rule."""
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


def faults_of_messages(given: dict[str, Any]) -> list[Fault]:
    """Everything that the program says and that breaks a rule for sentences."""
    return [
        fault
        for path in sorted((ROOT / "src").rglob("*.py"))
        for text in messages(path)
        for fault in faults_of(
            str(path.relative_to(ROOT)), text, {**given, **_ANY_MEAN}
        )
    ]


def main() -> None:
    given = rules()
    wanted = sys.argv[1:] or pages(given)
    faults = [
        fault
        for page in wanted
        for fault in faults_of(page, (ROOT / page).read_text(encoding="utf-8"), given)
    ]
    if not sys.argv[1:]:
        faults += faults_of_messages(given)
    for fault in faults:
        print(f"{fault.page}: {fault.rule}\n    {fault.sentence}")
    print(f"{len(faults)} faults in {len(wanted)} pages")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
