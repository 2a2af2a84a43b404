"""How much the labels of a plan count as evidence of place, by what the plan says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from overcast.geo.label_cells import labels_of
from overcast.geo.stack import Stack
from overcast.label_quality.anchors import read_anchors
from overcast.label_quality.place_file import KeptPlace
from overcast.label_quality.published import stated_accuracy
from overcast.maps.predictor import Predictor
from overcast.methods.place.by_anchors import place_by_anchors
from overcast.methods.place.consistency import place_by_consistency
from overcast.methods.place.several import (
    place_of_sources,
    place_of_sources_by_anchors,
)
from overcast.methods.place.strength import place_by_accuracy
from overcast.plan import Plan
from overcast.progress import Progress, quiet


def find_place(
    predictor: Predictor,
    stack: Stack,
    plan: Plan,
    accuracies: Sequence[str | None] = (),
    progress: Progress = quiet,
) -> KeptPlace:
    """Return how the labels of a stack count for place, by what a plan says of them.

    `accuracies` is what it says of each source of labels, in the order of the stack.

    Raises
    ------
    ValueError
        If the accuracy or the anchors that it names are refused.
    """
    stated, labels = plan.place, labels_of(stack)
    if stated.anchors is not None:
        path = Path(stated.anchors)
        anchors = read_anchors(path, labels.legend, stack.grid, stated.column)
        if stack.others:
            return place_of_sources_by_anchors(predictor, stack, anchors)
        return place_by_anchors(predictor, stack, anchors, plan.seed, progress)
    if stack.others:
        return place_of_sources(predictor, stack, accuracies, plan.seed, progress)
    if (said := _said(plan, accuracies)) is not None:
        return place_by_accuracy(stack, stated_accuracy(said, labels.legend))
    return place_by_consistency(predictor, stack, plan.seed, progress)


def check_stated(
    stack: Stack, plan: Plan, accuracies: Sequence[str | None] = ()
) -> None:
    """Refuse what a plan says of its labels, if it is wrong, before anything is learned.

    Raises
    ------
    ValueError
        As `find_place` does.
    """
    if stack.labels is None:
        return
    stated, legend = plan.place, stack.labels.legend
    for said in (stated.accuracy, *accuracies):
        if said is not None:
            stated_accuracy(said, legend)
    if stated.anchors is not None:
        read_anchors(Path(stated.anchors), legend, stack.grid, stated.column)


def _said(plan: Plan, accuracies: Sequence[str | None]) -> str | None:
    """Return what a plan says of how right its only labels are."""
    if plan.place.accuracy is not None:
        return plan.place.accuracy
    return accuracies[0] if accuracies else None
