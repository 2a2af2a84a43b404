"""Stacks by their source of labels, and what kind of source each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from overcast.geo.label_cells import count_pieces
from overcast.geo.stack import Stack, agree, label_names
from overcast.label_quality.kind import are_drawn
from overcast.methods.weak.proportions import Cells


def by_source(stacks: Sequence[Stack]) -> list[list[Stack]]:
    """Stacks of the first source of labels of every scene, of the second, and so on.

    Sources of one scene are stacks with the same images. Scenes without labels join the
    first.
    """
    often: dict[int, int] = {}
    out: list[list[Stack]] = [[]]
    for stack in stacks:
        if stack.labels is None:
            out[0].append(stack)
            continue
        number = often.get(id(stack.images), 0)
        often[id(stack.images)] = number + 1
        out += [[]] if number == len(out) else []
        out[number].append(stack)
    return out


def refuse_one_cell(stacks: Sequence[Stack], counted: list[list[Cells]]) -> None:
    if sum(len(cells[0].labels) for cells in counted) == 1:
        raise ValueError(
            f"{label_names(stacks)}: one label cell holds all of the scene, which "
            "tells no classes apart; give a larger scene, labels of smaller cells, or "
            "set a smaller cell"
        )


def as_drawn(stacks: Sequence[Stack], cells: list[Cells]) -> list[Cells]:
    """Cells of drawn labels; each polygon is one decision, however large."""
    pieces = sum(count_pieces(stack) for stack in stacks)
    return [replace(one, decisions=float(pieces)) for one in cells]


def all_drawn(stacks: Sequence[Stack]) -> bool:
    first = agree(stacks)
    assert first.labels is not None
    return are_drawn(first.labels, first.grid)
