"""The page of all recipes and their settings, docs/recipes.md, from their docstrings.

    python bench/recipes.py

What each recipe is for is written here, by hand; settings, defaults and what they do are
those of the code.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

from overcast.discover import find, names
from overcast.geo.bands import Sensor
from overcast.train.loop import Schedule

PAGE = Path(__file__).parents[1] / "docs" / "recipes.md"
HEAD = """# Recipes and their settings

A recipe is a way to train a network. Choose one with `--method network` and
`--set recipe='{name: NAME}'`, or in a plan. This page is written by `python
bench/recipes.py`; don't edit it.

**Try `weak` first.** It is the default method, it needs no network, and it made better maps
than every recipe here but where the table says otherwise.

| recipe | use it for | what was measured |
|---|---|---|
"""
USES: Mapping[str, tuple[str, str]] = {
    "supervised": (
        "labels that are right and many, where you want a network",
        "[few labels](few-labels.md#other-methods): `weak` was above it",
    ),
    "coarse": (
        "labels of large cells, with a network",
        "[coarse labels](lab/weak.md): `weak` was above it",
    ),
    "noisy": (
        "SAR networks that learn from pseudo-labels, soft ones too",
        "[SAR only](lab/sar-only.md): cross-entropy, its default, was the best loss",
    ),
    "dacs": (
        "comparisons, with labels of other scenes",
        "[SAR only](sar-only.md#measured): above `supervised` in one world of three, below "
        "`weak` in all",
    ),
    "cloudseg": (
        "land under cloud, where no older clear image is at hand",
        "[under clouds](clouds.md#measured): above `supervised`, and above `weak` under "
        "cloud; with an older image `weak` is the one to take",
    ),
    "dllr": (
        "maps from one sensor of two that were learned from",
        "[few labels](lab/few-labels.md): not above the labels alone with both sensors",
    ),
    "mean_teacher": (
        "comparisons",
        "[few labels](lab/few-labels.md): below the labels alone",
    ),
    "fixmatch": (
        "comparisons",
        "[few labels](lab/few-labels.md): as good as the labels alone",
    ),
    "cross_pseudo": (
        "comparisons",
        "[few labels](lab/few-labels.md): below the labels alone",
    ),
    "contrast": (
        "`overcast pretrain`: an encoder from images alone",
        "[pretraining](pretraining.md#is-it-worth-it): hardly worth it",
    ),
}
"""What a recipe is for, and where its figures are."""
_FILLED = "`configure` fills it in"
"""Says of a field that nobody sets it."""
_FIELD = re.compile(r"^(\w+(?:, \w+)*)\s*$")


def page() -> str:
    """The whole page as Markdown."""
    known = names("recipes")
    missing = set(known) ^ USES.keys()
    if missing:
        raise ValueError(f"say in USES what for: {', '.join(sorted(missing))}")
    rows = [f"| [`{n}`](#{n}) | {USES[n][0]} | {USES[n][1]} |" for n in USES]
    parts = [part for name in USES for part in _section(name)]
    tail = ["## The schedule", "", "`--set schedule='{steps: 2000}'`.", ""]
    return "\n".join([HEAD + "\n".join(rows), "", *parts, *tail, *_table(Schedule), ""])


def _section(name: str) -> Iterator[str]:
    kind = find("recipes", name)
    yield f"## {name}"
    yield ""
    yield _first(inspect.getmodule(kind))
    yield ""
    yield from _table(kind)
    yield ""
    for field, part in _parts(kind):
        yield f"`{field}` of `{name}` has settings of its own:"
        yield ""
        yield from _table(part)
        yield ""


def _table(kind: Any) -> Iterator[str]:
    """A row for every setting, or for several that are described together."""
    said = described(kind)
    rows: dict[str, tuple[list[str], list[str]]] = {}
    for field in dataclasses.fields(kind):
        if field.name in said and _FILLED not in said[field.name]:
            named, defaults = rows.setdefault(said[field.name], ([], []))
            named.append(f"`{field.name}`")
            defaults.append(_default(field))
    yield "| setting | default | what it is |"
    yield "|---|---|---|"
    for text, (named, defaults) in rows.items():
        yield f"| {', '.join(named)} | {', '.join(defaults)} | {text} |"


def described(kind: Any) -> dict[str, str]:
    """What the numpydoc section Attributes says of every field."""
    lines = inspect.cleandoc(kind.__doc__ or "").splitlines()
    if "Attributes" not in lines:
        return {}
    said: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines[lines.index("Attributes") + 2 :]:
        if match := _FIELD.match(line):
            current = []
            said |= dict.fromkeys(match[1].split(", "), current)
        else:
            current.append(line.strip())
    return {name: _plain(" ".join(text)) for name, text in said.items()}


def _plain(text: str) -> str:
    """Reference markup as Markdown has it, and words that make sense on this page."""
    text = re.sub(r"``([^`]*)``", r"`\1`", text)
    text = text.replace("`configure` makes None", "none is")
    text = text.replace("see above", "see [the reference](reference/recipes.md)")
    return text.replace("|", "\\|").strip()


def _default(field: Any) -> str:
    if field.default is not dataclasses.MISSING:
        value = field.default
    elif field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    else:
        return "must be given"
    if dataclasses.is_dataclass(value):
        return "see below"
    return "none" if value in (None, "") or value == {} else f"`{value}`"


def _parts(kind: Any) -> Iterator[tuple[str, Any]]:
    """Fields that are settings of their own."""
    for name, hint in get_type_hints(kind).items():
        for part in (hint, *get_args(hint)):
            own = part is not Sensor and dataclasses.is_dataclass(part)
            if own:
                yield name, part


def _first(module: Any) -> str:
    """The first sentence of a module."""
    return _plain(inspect.cleandoc(module.__doc__ or "").split("\n\n")[0])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
