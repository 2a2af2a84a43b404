"""Shifts between images, and between an image and its labels, are found and undone."""

from __future__ import annotations

import numpy as np
import pytest

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.moved import Moved
from overcast.geo.raster import Image, Labels
from overcast.geo.stack import Stack
from overcast.label_quality.registration import Shift, beside_labels, misplaced
from overcast.worlds.scene import SceneSpec, WorldScene, simulate
from overcast.worlds.world import make_world

SEED, SIZE = 2, 160


@pytest.fixture(scope="module")
def scene() -> WorldScene:
    return simulate(SEED, SIZE, wanted=SceneSpec(("worldcover",)))


def moved(image: Image, down: int, right: int) -> ImageArray:
    values = np.roll(image.values, (down, right), (1, 2))
    return ImageArray(Image.of(values, image.grid, image.sensor))


def stack(
    scene: WorldScene, down: int = 0, right: int = 0, labels: bool = False
) -> Stack:
    first = moved(scene.images["s2"], down, right)
    images = {"s2": first, "s1": ImageArray(scene.images["s1"])}
    source = LabelArray(scene.labels["worldcover"]) if labels else None
    return Stack(grid=scene.grid, images=images, labels=source)


def test_the_shift_of_radar_is_that_of_the_world(scene: WorldScene) -> None:
    down, right = make_world(SEED, SIZE).region.shift
    shift = misplaced(stack(scene))["s1"]
    assert shift.apart(Shift(-down, -right)) < 0.6


def test_an_image_that_was_moved_back_is_not_misplaced(scene: WorldScene) -> None:
    whole = stack(scene)
    shift = misplaced(whole)["s1"]
    back = Moved(whole.images["s1"], round(shift.down), round(shift.right))
    assert misplaced(Stack(grid=whole.grid, images={**whole.images, "s1": back})) == {}


def test_pixels_move_and_none_is_made_up(scene: WorldScene) -> None:
    source = ImageArray(scene.images["s1"])
    read = Moved(source, 2, -3).read(scene.grid).values
    assert np.array_equal(read[:, 2:, :-3], source.image.values[:, :-2, 3:])
    assert np.isnan(read[:, :2]).all()
    assert np.isnan(read[:, :, -3:]).all()


@pytest.mark.parametrize(("down", "right"), [(2, 0), (-1, 3)])
def test_an_image_beside_fine_labels_is_noticed(
    scene: WorldScene, down: int, right: int
) -> None:
    shift = beside_labels(stack(scene, down, right, labels=True))
    assert shift is not None
    assert shift.apart(Shift(-down, -right)) < 0.7


def test_an_image_on_its_labels_is_not_doubted(scene: WorldScene) -> None:
    assert beside_labels(stack(scene, labels=True)) is None


def test_blocks_do_not_say_where_they_lie(scene: WorldScene) -> None:
    values = scene.labels["worldcover"].values
    blocks = values[5::10, 5::10].repeat(10, 0).repeat(10, 1)
    legend = scene.labels["worldcover"].legend
    labels = LabelArray(Labels(values=blocks, grid=scene.grid, legend=legend))
    beside = stack(scene, 2, 0)
    assert (
        beside_labels(Stack(grid=scene.grid, images=beside.images, labels=labels))
        is None
    )


def test_two_images_of_unlike_land_say_nothing() -> None:
    scenes = [simulate(seed, 96, wanted=SceneSpec(())) for seed in (1, 2)]
    first, other = (ImageArray(scene.images["s2"]) for scene in scenes)
    other = ImageArray(
        Image.of(other.image.values, first.grid, scenes[0].images["s2"].sensor)
    )
    assert misplaced(Stack(grid=first.grid, images={"a": first, "b": other})) == {}


def test_words_say_where_the_image_lies(scene: WorldScene) -> None:
    assert Shift(2.0, 0.2).words(scene.grid) == "about 20 m to the north"
    assert Shift(-1.0, -1.0).words(scene.grid) == "about 14 m to the south-east"
