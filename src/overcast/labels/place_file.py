"""Labels as evidence of place, kept with a run: ``place.json`` and ``place.tif``.

``place.tif`` has the labels of the scene on their own grid, ``place.json`` how much they
count (`overcast.maps.placed.Strength`) and what is to be said of it. A run with both
maps with them, wherever its labels reach. A run that decided not to ask the labels has
``place.json`` alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overcast.geo.label_file import LabelFile, open_labels
from overcast.geo.legend import Legend
from overcast.geo.stack import LabelSource, Stack
from overcast.geo.warp import overlap
from overcast.maps.placed import Placed, Strength
from overcast.maps.predictor import Predictor
from overcast.product.rasters import write_classes

NAME, LABELS = "place.json", "place.tif"
_ROWS = 512
"""Rows of labels that are copied at once."""


@dataclass(frozen=True, slots=True)
class KeptPlace:
    """What a run folder says of place; without a strength, labels are not asked."""

    strength: Strength | None
    side: int
    notes: tuple[str, ...]


def write_place(place: KeptPlace, stack: Stack, run: Path) -> None:
    """Write it into a run's folder, ``place.json`` last."""
    labels = stack.labels
    assert labels is not None
    if place.strength is not None:
        _write_labels(labels, stack, 2 * place.side + 3, run / LABELS)
    tree: dict[str, Any] = {"side": place.side, "notes": place.notes}
    if place.strength is not None:
        tree |= {
            "wrong": [round(w, 6) for w in place.strength.wrong],
            "exponent": place.strength.exponent,
            "power": round(place.strength.power, 6),
        }
    scratch = run / f"{NAME}.tmp"
    scratch.write_text(json.dumps(tree, indent=2) + "\n", encoding="utf-8")
    scratch.replace(run / NAME)


def read_place(run: Path, legend: Legend) -> KeptPlace | None:
    """What `write_place` left in a run's folder; None if nothing.

    Raises
    ------
    ValueError
        If the file is there and is not what was written.
    """
    path = run / NAME
    if not path.is_file():
        return None
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        strength = None
        if "wrong" in tree:
            strength = Strength(
                tuple(float(w) for w in tree["wrong"]),
                float(tree["exponent"]),
                float(tree["power"]),
            )
            if len(strength.wrong) != len(legend):
                raise ValueError(f"{len(strength.wrong)} classes, not {len(legend)}")
        notes = tuple(str(note) for note in tree["notes"])
        return KeptPlace(strength, int(tree["side"]), notes)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: not what overcast wrote there ({error}); train the run again, or "
            "delete the file to map without the labels as evidence of place"
        ) from error


def placed(predictor: Predictor, run: Path) -> Predictor:
    """Return the predictor with the labels of its run, if the run has some for place."""
    place = read_place(run, predictor.legend)
    if place is None or place.strength is None:
        return predictor
    labels = open_labels(run / LABELS, predictor.legend)
    return Placed(predictor, labels, place.side, place.strength)


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


def reaches(predictor: Predictor, stack: Stack) -> bool:
    """Whether the labels that a predictor asks for place, if any, lie in a stack."""
    inner: Any = predictor
    while not isinstance(inner, Placed):
        inner = getattr(inner, "predictor", None)
        if inner is None:
            return True
    assert isinstance(inner.labels, LabelFile)
    return overlap(inner.labels.grid, stack.grid) is not None
