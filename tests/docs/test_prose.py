"""Pages are plain English, by the rules of bench/prose.toml."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.prose import (
    ROOT,
    faults_of,
    faults_of_messages,
    messages,
    pages,
    rules,
    sentences,
)

GIVEN = rules()


@pytest.mark.parametrize("page", pages(GIVEN))
def test_a_page_keeps_the_rules(page: str) -> None:
    faults = faults_of(page, (ROOT / page).read_text(encoding="utf-8"), GIVEN)
    assert not [f"{f.rule}: {f.sentence}" for f in faults]


def test_all_that_the_program_says_keeps_the_rules() -> None:
    assert [
        f"{f.page}: {f.rule}: {f.sentence}" for f in faults_of_messages(GIVEN)
    ] == []


def test_messages_are_all_texts_but_docstrings(tmp_path: Path) -> None:
    path = tmp_path / "commands" / "one.py"
    path.parent.mkdir()
    path.write_text(
        '"""A docstring of a module."""\n'
        "def command(x):\n"
        '    """Do all of this.\n\n    \\b\n    Example:\n    """\n'
        "    option('--name', help='Help of ' 'an option.')\n"
        "    yield f'{x} is a note'\n"
        "    raise ValueError(f'{x}: is wrong, ' + 'mend it')\n"
    )
    assert sorted(messages(path)) == [
        "Do all of this.\n\n",
        "Help of an option.",
        "NAME is a note",
        "NAME: is wrong, mend it",
    ]


def test_sentences_leave_code_tables_and_links_out() -> None:
    text = (
        "# A heading of some words\n\nFirst one [of two](x.md)\ngoes on. Then `a b c d` is"
        " code.\n\n    indented code is left out\n\n| a | table of words |\n\n"
        "- an item of words\n- and one more item\n"
    )
    assert list(sentences(text)) == [
        "First one of two goes on.",
        "Then CODE is code.",
        "an item of words",
        "and one more item",
    ]


def test_long_sentences_and_words_to_avoid_are_faults() -> None:
    long = "word " * 36 + "end."
    (fault,) = faults_of("a.md", long, {**GIVEN, "mean_sentence": 99})
    assert fault.rule == "37 words"
    (fault,) = faults_of("a.md", "This is very good indeed.", GIVEN)
    assert fault.rule.startswith("'very'")
    assert not faults_of("a.md", "Short sentences are good. They are read once.", GIVEN)
