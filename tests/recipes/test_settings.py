"""Numbers of recipes and methods are finite, and in limits that mean something."""

from __future__ import annotations

import dataclasses
from typing import Any, get_type_hints

import pytest

from overcast import discover
from overcast.augment.masking import Masking
from overcast.plan import choose
from overcast.recipes.dllr import Cross
from overcast.recipes.dllr.label_reassignment import Reassignment

NUMBERS = {int, float, int | None, float | None}
BAD = (1e300, -1e300, 10**12, -1, True, float("nan"), float("inf"))


def numbers_of(kind: Any) -> list[str]:
    hints = get_type_hints(kind)
    return [f.name for f in dataclasses.fields(kind) if hints[f.name] in NUMBERS]


SETTINGS = [
    (package, name, field)
    for package in ("methods", "recipes")
    for name in discover.names(package)
    for field in numbers_of(discover.find(package, name))
]


@pytest.mark.parametrize(("package", "name", "field"), SETTINGS)
def test_a_number_out_of_its_limits_is_refused_by_name(
    package: str, name: str, field: str
) -> None:
    for bad in BAD:
        with pytest.raises(ValueError, match=rf"\b{field}\b"):
            choose(package, {"name": name, field: bad})


@pytest.mark.parametrize("part", [Cross, Masking, Reassignment])
def test_so_are_those_of_parts_of_a_recipe(part: type) -> None:
    for field in numbers_of(part):
        for bad in (-1e300, -1, float("nan")):
            with pytest.raises(ValueError, match=rf"{field}\b"):
                part(**{field: bad})


def test_settings_with_which_nothing_can_be_learned_are_refused() -> None:
    assert len(SETTINGS) > 50
    for method, setting in (
        ("forest", {"samples": 1}),
        ("kmeans", {"samples": 99}),
        ("kmeans", {"clusters": 1}),
        ("weak", {"samples": 2}),
        ("weak", {"clusters": [1]}),
        ("weak", {"clusters": [256, 1]}),
        ("weak", {"power": 0}),
        ("weak", {"wrong": 1}),
    ):
        with pytest.raises(ValueError, match=f"{next(iter(setting))} is .*; expected"):
            choose("methods", {"name": method, **setting})
    for recipe in ("mean_teacher", "fixmatch", "dacs", "dllr"):
        with pytest.raises(ValueError, match=r"decay is 1\.0; expected 0 to"):
            choose("recipes", {"name": recipe, "decay": 1})
