"""How many label cells speak for a class, whatever their size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from overcast.accuracy.independence import are_fine
from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.bands import SENTINEL_1
from overcast.geo.legend import load_legend
from overcast.geo.probabilities import probability_sensor
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Stack
from overcast.label_quality.support import (
    refuse_one_class,
    remarks,
    support,
    taught_classes,
)
from tests.rasters import backscatter, utm

LEGEND = load_legend("simplified-igbp")


@pytest.mark.parametrize("pixel", [1, 10, 50])
def test_cells_are_counted_whatever_their_size(pixel: int) -> None:
    values = np.zeros((20, 30), np.uint8)
    values[0, :5], values[1, :12], values[2, 0] = 5, 8, UNKNOWN
    grid = utm((20 * pixel, 30 * pixel))
    labels = LabelArray(Labels(values=values, grid=grid.zoom_out(pixel), legend=LEGEND))
    expected = np.zeros(len(LEGEND))
    expected[[0, 5, 8]] = 600 - 18, 5, 12
    if pixel < 50:
        np.testing.assert_array_equal(support(labels, grid), expected)
    else:
        # Looked at from further away, still close.
        np.testing.assert_allclose(support(labels, grid), expected, atol=3)


@pytest.mark.parametrize("east", [0, 5])
def test_few_fine_labels_of_a_large_grid_are_all_counted(east: float) -> None:
    grid = utm((1100, 3300))
    values = np.full((1100, 3300), UNKNOWN, np.uint8)
    values[[7, 500, 1001], [5, 2000, 3201]] = 3
    values[600:604, 40:50] = 4
    there = utm((1100, 3300), east=600_000 + east)
    labels = LabelArray(Labels(values=values, grid=there, legend=LEGEND))
    found = support(labels, grid)
    assert found[[3, 4]].tolist() == [3, 40]
    assert found.sum() == 43


def test_what_can_hardly_be_learned_is_named() -> None:
    values = np.zeros((20, 30), np.uint8)
    values[0, :5], values[1, :12] = 5, 8
    grid = utm((200, 300))
    labels = LabelArray(Labels(values=values, grid=grid.zoom_out(10), legend=LEGEND))
    image = ImageArray(Image.of(backscatter((200, 300)), grid, SENTINEL_1))
    stack = Stack(grid=grid, images={"s1": image}, labels=labels)
    thin, never = remarks(stack)
    assert thin.endswith(
        f"to learn a class reliably (fewer than 12): {LEGEND.names[5]} (5)"
    )
    assert LEGEND.names[8] not in thin + never
    assert LEGEND.names[9] in never
    assert remarks(Stack(grid=grid, images={"s1": image})) == []


def stack_with(*codes: int) -> Stack:
    """Labels of so many rows of single pixels, one class in each."""
    values = np.full((20, 30), UNKNOWN, np.uint8)
    for row, code in enumerate(codes):
        values[row] = code
    grid = utm((20, 30))
    labels = LabelArray(Labels(values=values, grid=grid, legend=LEGEND))
    image = ImageArray(Image.of(backscatter((20, 30)), grid, SENTINEL_1))
    return Stack(grid=grid, images={"s1": image}, labels=labels)


def test_what_is_nowhere_in_the_map_is_not_what_mixtures_hold() -> None:
    stack = stack_with(2, 9)  # Savanna and Water
    never, part = remarks(stack, {"name": "weak"})
    assert never.startswith("nowhere in the labels, so nowhere in the map: Wetlands")
    assert not {"Forest", "Shrubland", "Grassland"} & set(
        never.split(": ")[1].split(", ")
    )
    assert part == (
        "nowhere in the labels, and in the map only as a part of Savanna: Forest, "
        "Shrubland, Grassland"
    )
    (never,) = remarks(stack, {"name": "forest"})
    assert "Forest, Shrubland, Grassland" in never
    _, prior = remarks(stack, {"name": "weak", "prior": "prior"})
    assert "only where the prior has them: Wetlands" in prior


def test_one_class_teaches_nothing() -> None:
    with pytest.raises(ValueError, match="all labels are of one class, Urban"):
        refuse_one_class([stack_with(6, 6)])
    refuse_one_class([stack_with(6, 2)])
    refuse_one_class([stack_with(6), stack_with(2)])
    bare = replace(stack_with(6), labels=None)
    with pytest.raises(ValueError, match="one class"):
        refuse_one_class([stack_with(6), bare])


def test_class_probabilities_teach_all_classes() -> None:
    stack = stack_with(6)
    sensor = probability_sensor(LEGEND.names)
    shares = np.full((len(LEGEND), 20, 30), 0.1, np.float32)
    prior = ImageArray(Image.of(shares, stack.grid, sensor))
    known = replace(
        stack, images={**stack.images, "prior": prior}, targets=frozenset({"prior"})
    )
    refuse_one_class([known])
    assert taught_classes([known], 10) == list(range(10))
    assert taught_classes([stack_with(6, 2)], 10) == [2, 6]


def test_many_cells_in_one_place_are_enough() -> None:
    """One lake of 40 cells: nothing says that it is one."""
    values = np.zeros((20, 30), np.uint8)
    values[4:9, 4:12], values[12:] = 9, 5
    grid = utm((200, 300))
    labels = LabelArray(Labels(values=values, grid=grid.zoom_out(10), legend=LEGEND))
    image = ImageArray(Image.of(backscatter((200, 300)), grid, SENTINEL_1))
    notes = remarks(Stack(grid=grid, images={"s1": image}, labels=labels))
    assert "Water" not in " ".join(notes)
    assert len(notes) == 1


def test_pixels_of_a_resampled_map_count_as_cells() -> None:
    """One cell of 30 pixels is 900 of them, so that a class seems easy to learn."""
    coarse = np.zeros((4, 6), np.uint8)
    coarse[0, 0], coarse[2:] = 9, 5
    values = coarse.repeat(30, 0).repeat(30, 1)
    grid = utm(values.shape)
    labels = LabelArray(Labels(values=values, grid=grid, legend=LEGEND))
    assert support(labels, grid)[9] == 900
    assert are_fine(labels.grid, grid)
