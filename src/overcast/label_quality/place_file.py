"""Labels as evidence of place, kept with a run: ``place.json`` and ``place.tif``.

``place.tif`` has the labels of the scene on their own grid, ``place.json`` how much they
count (`overcast.maps.placed.Strength`) and what is to be said of it. A run with both
maps with them, wherever its labels reach. A run that decided not to ask the labels has
``place.json`` alone. Further sources of labels are in ``place-1.tif``, ``place-2.tif`` ...
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overcast.geo.label_file import open_labels
from overcast.geo.legend import Legend
from overcast.geo.stack import LabelSource, Stack
from overcast.geo.warp import overlap
from overcast.maps.placed import Placed, Strength
from overcast.maps.predictor import Predictor, every_part
from overcast.product.rasters import write_classes
from overcast.run_folder import RunFolder
from overcast.schema import from_tree, read_json

_ADVICE = (
    "train the run again, or delete the file to map without the labels as evidence of "
    "place"
)

_ROWS = 512
"""Rows of labels that are copied at once."""


@dataclass(frozen=True, slots=True)
class OtherPlace:
    """One more source of labels that counts for place.

    Attributes
    ----------
    index
        Which of a stack's other sources it is, from 0.
    wins
        Whether other labels say nothing where it is known.
    """

    index: int
    strength: Strength
    side: int
    wins: bool = False

    def labels_in(self, run: Path) -> Path:
        """Its labels in a run's folder."""
        return RunFolder(run).place_labels(self.index + 1)


@dataclass(frozen=True, slots=True)
class KeptPlace:
    """Place in a run folder; without a strength, labels are not asked."""

    strength: Strength | None
    side: int
    notes: tuple[str, ...]
    others: tuple[OtherPlace, ...] = ()


def write_place(place: KeptPlace, stack: Stack, run: Path) -> None:
    """Write it into a run's folder, ``place.json`` last."""
    labels = stack.labels
    assert labels is not None
    tree: dict[str, Any] = {"side": place.side, "notes": place.notes}
    if place.strength is not None:
        _write_labels(labels, stack, 2 * place.side + 3, RunFolder(run).place_labels())
        tree |= _tree(place.strength)
    for one in place.others:
        _write_labels(
            stack.others[one.index], stack, 2 * one.side + 3, one.labels_in(run)
        )
    if place.others:
        tree["others"] = [
            {
                "index": one.index,
                "wins": one.wins,
                "side": one.side,
                **_tree(one.strength),
            }
            for one in place.others
        ]
    path = RunFolder(run).place
    scratch = path.with_name(f"{path.name}.tmp")
    scratch.write_text(json.dumps(tree, indent=2) + "\n", encoding="utf-8")
    scratch.replace(path)


def _tree(strength: Strength) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "wrong": [round(w, 6) for w in strength.wrong],
        "exponent": strength.exponent,
        "power": round(strength.power, 6),
    }
    if strength.temper != 1:
        tree["temper"] = strength.temper
    if strength.named:
        tree["named"] = [[round(share, 6) for share in row] for row in strength.named]
    return tree | ({"silent": strength.silent} if any(strength.silent) else {})


@dataclass(frozen=True, slots=True)
class _Strength:
    """How much labels count, as the file has it."""

    wrong: tuple[float, ...]
    exponent: float
    power: float
    silent: tuple[bool, ...] = ()
    temper: float = 1.0
    named: tuple[tuple[float, ...], ...] = ()

    def of(self, legend: Legend) -> Strength:
        """The strength, if it is one of these classes."""
        for values in (self.wrong, self.silent or self.wrong):
            if len(values) != len(legend):
                raise ValueError(f"{len(values)} classes, expected {len(legend)}")
        return Strength(
            self.wrong,
            self.exponent,
            self.power,
            self.silent,
            self.temper,
            self.named,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Other(_Strength):
    """One more source, as the file has it."""

    index: int
    side: int
    wins: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Silent:
    """What ``place.json`` holds where labels are not asked."""

    side: int
    notes: tuple[str, ...]
    others: tuple[_Other, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked(_Strength):
    """What ``place.json`` holds where they are."""

    side: int
    notes: tuple[str, ...]
    others: tuple[_Other, ...] = ()


def read_place(run: Path, legend: Legend) -> KeptPlace | None:
    """Return what `write_place` left in a run's folder; None if nothing.

    Raises
    ------
    ValueError
        If the file is there and is not what was written.
    """
    path = RunFolder(run).place
    if not path.is_file():
        return None
    tree = read_json(path, _ADVICE)
    said: _Asked | _Silent
    if isinstance(tree, dict) and "wrong" in tree:
        said = from_tree(_Asked, tree, path, _ADVICE)
    else:
        said = from_tree(_Silent, tree, path, _ADVICE)
    try:
        strength = said.of(legend) if isinstance(said, _Asked) else None
        others = tuple(
            OtherPlace(one.index, one.of(legend), one.side, one.wins)
            for one in said.others
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}; {_ADVICE}") from error
    return KeptPlace(strength, said.side, said.notes, others)


def placed(predictor: Predictor, run: Path) -> Predictor:
    """Return the predictor with the labels of its run, if the run has some for place."""
    place = read_place(run, predictor.legend)
    if place is None:
        return predictor
    legend = predictor.legend
    sources: list[LabelSource | None] = [None]
    if place.strength is not None:
        sources = [open_labels(RunFolder(run).place_labels(), legend)]
    sources += [open_labels(one.labels_in(run), legend) for one in place.others]
    return with_place(predictor, place, sources)


def with_place(
    predictor: Predictor, place: KeptPlace, sources: Sequence[LabelSource | None]
) -> Predictor:
    """Return the predictor with labels as evidence of place.

    `sources` are the first, if it has a strength, and those of ``place.others``.
    """
    first, *others = sources
    pairs = list(zip(place.others, others, strict=True))
    wins = tuple(source for one, source in pairs if one.wins and source is not None)
    if place.strength is not None and first is not None:
        predictor = Placed(predictor, first, place.side, place.strength, wins)
    for one, source in pairs:
        if source is not None:
            above = () if one.wins else wins
            predictor = Placed(predictor, source, one.side, one.strength, above)
    return predictor


def _write_labels(labels: LabelSource, stack: Stack, margin: int, path: Path) -> None:
    """Copy the labels that a stack draws on, on their own grid."""
    spans = overlap(labels.grid, stack.grid)
    assert spans is not None
    rows, columns = (
        slice(max(span.start - margin, 0), min(span.stop + margin, length))
        for span, length in zip(spans, labels.grid.shape, strict=True)
    )
    grid, legend = labels.grid[rows, columns], labels.legend

    def codes() -> Iterator[tuple[int, NDArray[np.uint8]]]:
        height = int(grid.shape[0])
        for first in range(0, height, _ROWS):
            part = grid[first : min(first + _ROWS, height), :]
            yield first, legend.to_codes(labels.read(part).values)

    write_classes(codes(), grid, legend, path, {})


def said_elsewhere(predictor: Predictor, stack: Stack) -> tuple[str, ...]:
    """Say that the labels of a run, which it maps with, are of another place."""
    if _reaches(predictor, stack):
        return ()
    return (
        "place: the labels that the run learned from do not reach this scene; it is "
        "mapped by what pixels look like alone",
    )


def _reaches(predictor: Predictor, stack: Stack) -> bool:
    """Return whether labels that a predictor asks for place, if any, lie in a stack."""
    parts = every_part(predictor)
    asked = [part.labels for part in parts if isinstance(part, Placed)]
    if not asked:
        return True
    return any(overlap(labels.grid, stack.grid) is not None for labels in asked)
