"""The page of recipes is what the code says, and no setting goes without a word."""

from __future__ import annotations

import dataclasses

import pytest
from bench.recipes import PAGE, USES, described, page

from overcast.discover import find, names


def test_the_page_is_what_the_code_says() -> None:
    said = PAGE.read_text(encoding="utf-8")
    assert said == page(), "python bench/recipes.py writes it again"


@pytest.mark.parametrize("name", names("recipes"))
def test_every_setting_is_described_and_shown_with_its_default(name: str) -> None:
    kind = find("recipes", name)
    said = described(kind)
    fields = {field.name for field in dataclasses.fields(kind)}
    assert fields == said.keys()
    assert all(said.values())
    assert name in USES


def test_defaults_are_those_of_the_code() -> None:
    lines = page().splitlines()
    (decay,) = [x for x in lines if x.startswith("| `peak_rate`")]
    assert "| none |" in decay
    (loss,) = [x for x in lines if x.startswith("| `cross_entropy`, `generalised`")]
    assert "| `1.0`, `0.0`, `0.0`, `0.0` |" in loss
    assert not [x for x in lines if x.startswith("| `radar` | none")], "nobody sets it"
