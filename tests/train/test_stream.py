"""Streams: pure in the step, true to the pixels, fair to classes, sparing of reads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from overcast.geo.arrays import ImageArray, LabelArray
from overcast.geo.bands import Band, Sensor
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window
from overcast.geo.warp import aligned
from overcast.train import stream as stream_module
from overcast.train.batch import IGNORE, Batch
from overcast.train.blocks import units
from overcast.train.blocks.regions import Regions
from overcast.train.stream import Crops, Stream, ahead, crops_of

SCALE = 1000
SENSOR = Sensor("place", "optical", tuple(Band(n, "px", 0, SCALE) for n in "yx"))
LEGEND = Legend(
    "three", tuple(LandClass(k, f"class {k}", f"{k}0{k}0{k}0") for k in range(3))
)
LARGE = 1 << 30


def grid_of(height: int, width: int) -> GeoBox:
    return GeoBox((height, width), Affine(10, 0, 5e5, 0, -10, 5e6), "EPSG:32633")


def places(height: int, width: int, seen: NDArray[np.bool_] | None = None) -> Image:
    """An image whose values are its own rows and columns."""
    values = np.indices((height, width)).astype(np.float32)
    if seen is not None:
        values[:, ~seen] = np.nan
    return Image.of(values, grid_of(height, width), SENSOR)


@dataclass
class Counted:
    """A source with blocks that remembers what was read of it."""

    image: Image
    blocks: tuple[int, int] = (1, 1)
    windows: list[Window] = field(default_factory=list)
    sensor: Sensor = SENSOR
    failures: int = 0

    @property
    def grid(self) -> GeoBox:
        return self.image.grid

    def read(self, grid: GeoBox) -> Image:
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is gone")
        offset = aligned(self.grid, grid)
        assert offset is not None
        self.windows.append(Window(*offset, *grid.shape))
        return ImageArray(self.image).read(grid)


def stack_of(image: Image, classes: NDArray[np.uint8] | None = None) -> Stack:
    labels = None
    if classes is not None:
        labels = LabelArray(Labels(values=classes, grid=image.grid, legend=LEGEND))
    return Stack(grid=image.grid, images={"p": ImageArray(image)}, labels=labels)


def corners(batch: Batch) -> NDArray[np.int64]:
    """Row and column of the first pixel of every window ``[B, 2]``."""
    first = batch.images["p"][:, :, 0, 0].numpy()
    return np.asarray(np.rint(first * SCALE), np.int64)


def same(a: Batch, b: Batch) -> bool:
    assert (a.labels is None) == (b.labels is None)
    pairs = [(a.images["p"], b.images["p"]), (a.valid["p"], b.valid["p"])]
    if a.labels is not None and b.labels is not None:
        pairs.append((a.labels, b.labels))
    return all(torch.equal(x, y) for x, y in pairs)


@pytest.fixture
def small_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regions of 64 pixels, so few bytes that most of them are forgotten at once."""
    monkeypatch.setattr(units, "_UNIT_PX", 32)
    monkeypatch.setattr(stream_module, "_MEMORY", 240_000)
    monkeypatch.setattr(stream_module, "_WINDOWS", 8)


def world() -> Stack:
    """300 x 260 pixels, partly unseen and unknown; class 2 is a spot of 12 x 12."""
    random = np.random.default_rng(0)
    seen = np.ones((300, 260), np.bool_)
    seen[:70, :150] = False
    classes = random.integers(0, 2, seen.shape, dtype=np.uint8)
    classes[200:] = UNKNOWN
    classes[150:162, 30:42] = 2
    return stack_of(places(300, 260, seen), classes)


@pytest.mark.usefixtures("small_regions")
class TestPurity:
    def test_a_step_is_the_same_whatever_came_before(self) -> None:
        steps = list(range(30))
        used = Crops(world(), 16, 4, 3, 0.5)
        forward = [used(step) for step in steps]
        for step in np.random.default_rng(0).permutation(steps):
            assert same(used(int(step)), forward[step])
        for step in (0, 17, 29):
            assert same(Crops(world(), 16, 4, 3, 0.5)(step), forward[step])

    def test_a_step_is_the_same_from_several_threads(self) -> None:
        alone = [Crops(world(), 16, 4, 3)(step) for step in range(16)]
        shared = Crops(world(), 16, 4, 3)
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(shared, range(16)))
        assert all(map(same, alone, together))

    def test_seed_and_step_make_a_difference(self) -> None:
        crops, other = (Crops(world(), 16, 4, seed) for seed in (0, 1))
        found = [crops(0), crops(1), crops(900), other(0)]
        assert not any(same(a, b) for i, a in enumerate(found) for b in found[:i])

    def test_global_random_state_is_left_alone(self) -> None:
        before = np.random.get_state()[1].copy(), torch.get_rng_state()  # type: ignore[index]
        Crops(world(), 16, 4)(0)
        assert (np.random.get_state()[1] == before[0]).all()  # type: ignore[index]
        assert torch.equal(torch.get_rng_state(), before[1])


@pytest.mark.usefixtures("small_regions")
class TestWindows:
    def test_pixels_and_labels_of_a_window_belong_together(self) -> None:
        classes = (np.add.outer(np.arange(200), 2 * np.arange(150)) % 3).astype(
            np.uint8
        )
        crops = Crops(stack_of(places(200, 150), classes), 24, 8)
        for step in range(10):
            batch = crops(step)
            rows, columns = torch.round(batch.images["p"] * SCALE).long().unbind(1)
            assert batch.labels is not None
            assert torch.equal(batch.labels, (rows + 2 * columns) % 3)
            assert (rows.diff(dim=1) == 1).all()
            assert (columns.diff(dim=2) == 1).all()

    def test_every_pixel_is_drawn_and_none_much_more_often(self) -> None:
        crops = Crops(stack_of(places(160, 200)), 8, 40)
        drawn = np.zeros((160, 200))
        for step in range(250):
            for y, x in corners(crops(step)):
                drawn[y : y + 8, x : x + 8] += 1
        inner = drawn[16:-16, 20:-20].reshape(4, 32, 5, 32).mean((1, 3))
        assert drawn.min() > 0
        assert inner.max() < 1.8 * inner.min()

    def test_a_window_never_is_without_anything_to_learn(self) -> None:
        seen = np.zeros((300, 300), np.bool_)
        seen[290, 7] = seen[100, 100] = True
        classes = np.full(seen.shape, UNKNOWN, np.uint8)
        classes[290, 7] = 1
        unlabelled, labelled = (
            Crops(stack_of(places(300, 300, seen), c), 16, 4) for c in (None, classes)
        )
        for step in range(10):
            assert unlabelled(step).valid["p"].any(2).any(1).all()
            labels = labelled(step).labels
            assert labels is not None
            assert ((labels != IGNORE).sum((1, 2)) == 1).all()

    def test_the_drawn_pixel_lies_anywhere_in_its_window_alike_often(self) -> None:
        classes = np.full((200, 200), UNKNOWN, np.uint8)
        classes[100, 90] = 1
        crops = Crops(stack_of(places(200, 200), classes), 16, 16, 0, 0.0, LARGE)
        first = np.concatenate([corners(crops(step)) for step in range(60)])
        for inside in ((100, 90) - first).T:
            often = np.bincount(inside, minlength=16)
            assert len(often) == 16
            assert often.sum() == 960
            assert 30 < often.min() <= 60 <= often.max() < 90

    def test_a_corner_that_was_seen_is_not_drawn_as_often_as_a_half(self) -> None:
        seen = np.zeros((256, 256), np.bool_)
        seen[:, :128] = True
        seen[250, 250] = True
        crops = Crops(stack_of(places(256, 256, seen)), 16, 16)
        columns = np.concatenate([last_columns(crops(s)) for s in range(60)])
        assert (columns > 200).mean() < 0.01

    @pytest.mark.parametrize(
        ("size", "shape"), [(64, (40, 64)), (500, (40, 90)), (40, (40, 40))]
    )
    def test_a_window_shrinks_to_the_grid(
        self, size: int, shape: tuple[int, int]
    ) -> None:
        batch = Crops(stack_of(places(40, 90)), size, 3)(5)
        assert tuple(batch.valid["p"].shape) == (3, *shape)


def last_columns(batch: Batch) -> NDArray[np.int64]:
    """Greatest column that is valid in every window ``[B]``."""
    columns = torch.where(batch.valid["p"], batch.images["p"][:, 1], -1)
    greatest = columns.amax((1, 2)).numpy()
    return np.asarray(np.rint(greatest * SCALE), np.int64)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 1000),
    balance=st.floats(0, 1),
    memory=st.sampled_from([100_000, LARGE]),
    shape=st.tuples(st.integers(1, 150), st.integers(1, 150)),
)
def test_classes_are_drawn_by_their_share_to_the_power_of_one_minus_balance(
    seed: int, balance: float, memory: int, shape: tuple[int, int]
) -> None:
    random = np.random.default_rng(seed)
    classes = (random.random(shape) ** 3 * 3).astype(np.uint8)
    classes[random.random(shape) < 0.2] = UNKNOWN
    classes[0, 0] = 0
    share = np.bincount(classes[classes != UNKNOWN], minlength=3) / classes.size
    expected = np.where(share > 0, share ** (1 - balance), 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "_UNIT_PX", 16)
        regions = Regions(stack_of(places(*shape), classes), 16, balance, memory)
    chance = regions.mass / regions.mass.sum()
    drawn = np.zeros(3)
    for index, mass in enumerate(regions.mass):
        if mass > 0:
            drawn += chance[index] * regions.pixels(index) * regions.weight / mass
    assert drawn == pytest.approx(expected / expected.sum())


@given(
    length=st.integers(1, 400),
    unit=st.integers(1, 100),
    first=st.integers(0, 99),
    size=st.integers(1, 100),
)
def test_units_lie_in_equally_many_regions_and_windows_in_one(
    length: int, unit: int, first: int, size: int
) -> None:
    unit, first, size = min(unit, length), first % unit, min(size, unit, length)
    edges = units.cuts_of(length, unit, first)
    spans = [(edges[a], edges[b]) for a, b in units.spans_of(edges)]
    assert edges[0] == 0
    assert edges[-1] == length
    assert all(b - a >= unit for a, b in pairwise(edges))
    times = {sum(a <= p < b for a, b in spans) for p in range(length)}
    assert times in ({1}, {2})
    for start in range(length - size + 1):
        assert any(a <= start and start + size <= b for a, b in spans)


@pytest.mark.usefixtures("small_regions")
@pytest.mark.parametrize(("balance", "low", "high"), [(0, 0, 0.02), (1, 0.3, 0.5)])
def test_a_rare_class_is_sought_when_classes_are_balanced(
    balance: float, low: float, high: float
) -> None:
    crops = Crops(world(), 8, 16, 0, balance)
    batches = [crops(step).labels for step in range(60)]
    having = torch.cat([(b == 2).any(2).any(1) for b in batches if b is not None])
    assert low <= having.float().mean() <= high


@pytest.mark.usefixtures("small_regions")
@pytest.mark.parametrize("epsg", [32633, 32634])
def test_coarse_labels_on_a_grid_of_their_own_are_sought(epsg: int) -> None:
    image = places(240, 240)
    outline = image.grid.extent.to_crs(f"EPSG:{epsg}").boundingbox
    coarse = GeoBox.from_bbox(outline, resolution=470, tight=True)
    classes = np.zeros(coarse.shape, np.uint8)
    classes[-2, 1] = 2
    labels = LabelArray(Labels(values=classes, grid=coarse, legend=LEGEND))
    stack = Stack(grid=image.grid, images={"p": ImageArray(image)}, labels=labels)
    crops = Crops(stack, 8, 16, 0, 1.0)
    found = [(crops(step).labels == 2).any(2).any(1) for step in range(20)]  # type: ignore[union-attr]
    assert 0.4 < torch.cat(found).float().mean() < 0.7


class TestNothingToLearn:
    def test_no_known_label_is_an_error(self) -> None:
        stack = stack_of(places(30, 40), np.full((30, 40), UNKNOWN, np.uint8))
        with pytest.raises(ValueError, match=r"30 x 40.*known label"):
            Crops(stack, 8, 2)

    @pytest.mark.usefixtures("small_regions")
    def test_nothing_seen_is_an_error(self) -> None:
        stack = stack_of(places(300, 300, np.zeros((300, 300), np.bool_)))
        with pytest.raises(ValueError, match=r"300 x 300.*seen by any image \(p\); "):
            Crops(stack, 8, 2)(0)

    @pytest.mark.usefixtures("small_regions")
    def test_labels_where_nothing_was_seen_are_an_error(self) -> None:
        seen = np.tri(200, dtype=np.bool_)
        classes = np.where(seen, UNKNOWN, 1).astype(np.uint8)
        with pytest.raises(ValueError, match=r"seen .* where a label is known"):
            Crops(stack_of(places(200, 200, seen), classes), 8, 2)(0)

    @pytest.mark.parametrize(
        "wrong", [{"size": 0}, {"batch": 0}, {"seed": -1}, {"balance": 1.5}]
    )
    def test_numbers_out_of_range_are_errors(self, wrong: dict[str, int]) -> None:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Crops(**{"stack": stack_of(places(9, 9)), "size": 4, "batch": 2, **wrong})  # type: ignore[arg-type]


class TestSeveralScenes:
    def stacks(self) -> list[Stack]:
        far = places(60, 180)
        far = replace(far, values=far.values + 1000)
        return [stack_of(places(60, 60)), stack_of(far)]

    def test_draws_from_every_scene_by_its_area(self) -> None:
        stream = crops_of(self.stacks(), 8, 10)
        far = np.concatenate([corners(stream(step))[:, 0] for step in range(30)]) > 500
        assert len(far) == 300
        assert far.mean() == pytest.approx(3 / 4, abs=0.08)

    def test_a_step_is_a_function_of_its_number(self) -> None:
        first, second = (crops_of(self.stacks(), 8, 4, 3) for _ in range(2))
        later = second(7)
        assert same(first(7), later)
        assert not same(first(6), later)

    def test_none_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no scenes"):
            crops_of([], 8, 4)


def counted_crops(
    source: Counted, size: int = 32, cut: tuple[int, int] = (0, 0)
) -> Crops:
    grid = source.grid[cut[0] :, cut[1] :]
    return Crops(Stack(grid=grid, images={"p": source}), size, 4)


class TestReading:
    def test_a_small_grid_is_read_once(self) -> None:
        source = Counted(places(500, 700), (1, 700))
        crops = counted_crops(source)
        for step in range(40):
            crops(step)
        assert {(w.x, w.w) for w in source.windows} == {(0, 700)}
        assert sum(w.h for w in source.windows) == 500

    @pytest.mark.usefixtures("small_regions")
    def test_tiles_are_read_whole(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stream_module, "_MEMORY", 410_000)
        source = Counted(places(400, 400), (48, 24))
        crops = counted_crops(source, cut=(10, 5))
        for step in range(20):
            crops(step)
        inner = [w for w in source.windows if w.y > 10 and w.x > 5]
        assert len(inner) > 3
        assert all(w.y % 48 == 0 and w.x % 24 == 0 for w in inner)
        whole = [w for w in inner if w.y + w.h < 400 and w.x + w.w < 400]
        assert all((w.h, w.w) == (96, 96) for w in whole)

    @pytest.mark.usefixtures("small_regions")
    def test_strips_are_read_in_full_width(self) -> None:
        source = Counted(places(900, 150), (1, 150))
        crops = counted_crops(source, size=16)
        for step in range(20):
            crops(step)
        assert {(w.x, w.w) for w in source.windows} == {(0, 150)}
        assert max(w.h for w in source.windows) < 100

    def test_regions_hold_to_their_memory(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(units, "_UNIT_PX", 32)
        stack = stack_of(places(600, 600))
        regions = Regions(stack, 16, 0, memory := 400_000)
        largest = 0
        for index in range(len(regions.windows)):
            largest = max(largest, regions.read(index).nbytes)
            assert regions._kept.nbytes <= memory
        assert regions.together * largest <= memory < 600 * 600 * 9
        assert regions._kept.nbytes > memory - largest

    @pytest.mark.usefixtures("small_regions")
    def test_one_new_region_serves_many_windows(self) -> None:
        source = Counted(places(400, 400))
        crops = counted_crops(source, size=16)
        assert crops._pool(0) == crops._pool(7)
        assert crops._pool(0)[1:] == crops._pool(8)[:-1]
        assert len(set(crops._pool(0))) > 1

    @pytest.mark.usefixtures("small_regions")
    def test_of_many_scenes_each_one_changes_its_regions_as_slowly(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stream_module, "_MEMORY", 10 * 400_000)
        sources = [Counted(places(600, 600)) for _ in range(10)]
        stream = crops_of(
            [Stack(grid=s.grid, images={"p": s}) for s in sources], 16, 64
        )
        for step in range(40):
            stream(step)
        # Some 256 windows of each scene, of which 8 are of one region.
        assert max(len(source.windows) for source in sources) <= 8 + 256 // 8

    def test_two_regions_stay_however_little_memory_there_is(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(units, "_UNIT_PX", 32)
        source = Counted(places(300, 300))
        stack = Stack(grid=source.grid, images={"p": source})
        regions = Regions(stack, 32, 0, 1000)
        for _ in range(5):
            for index in (0, 7):
                regions.read(index)
        assert len(source.windows) == 2

    def test_threads_share_one_reading(self) -> None:
        source = Counted(places(300, 300))
        crops = counted_crops(source)
        assert not source.windows
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(crops, range(8)))
        assert len(source.windows) == 1

    def test_a_failed_reading_is_raised_and_tried_again(self) -> None:
        source = Counted(places(60, 60), failures=1)
        crops = counted_crops(source)
        with pytest.raises(OSError, match="disk"):
            crops(0)
        assert same(crops(0), counted_crops(Counted(places(60, 60)))(0))


def number(step: int) -> Batch:
    """A batch that is its step."""
    image = torch.full((1, 1, 1, 1), float(step))
    return Batch(images={"p": image}, valid={"p": image[:, 0] >= 0})


def step_of(batch: Batch) -> int:
    return int(batch.images["p"].item())


@dataclass
class Recorded:
    """A stream that tells which steps were computed, and can be held back."""

    fail_at: int = -1
    steps: list[int] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    at_least: Callable[[int], bool] = field(init=False)

    def __post_init__(self) -> None:
        counted = threading.Condition()
        self.lock = counted

        def wait(count: int) -> bool:
            with counted:
                return counted.wait_for(lambda: len(self.steps) >= count, 5)

        self.at_least = wait

    def __call__(self, step: int) -> Batch:
        with self.lock:
            self.steps.append(step)
            self.threads.add(threading.current_thread().name)
            self.lock.notify_all()
        if step == self.fail_at:
            raise OSError(f"step {step} is gone")
        return number(step)


def in_background() -> list[str]:
    return [t.name for t in threading.enumerate() if "overcast" in t.name]


class TestAhead:
    def test_batches_are_those_of_the_stream(self) -> None:
        crops = Crops(world(), 16, 2)
        with ahead(crops, 0, 12, depth=3, threads=3) as stream:
            assert all(same(stream(step), crops(step)) for step in range(12))

    def test_steps_are_computed_once_before_they_are_asked_for(self) -> None:
        recorded = Recorded()
        with ahead(recorded, 5, 30, depth=4) as stream:
            assert recorded.at_least(5)
            assert sorted(recorded.steps) == [5, 6, 7, 8, 9]
            assert [step_of(stream(step)) for step in range(5, 30)] == [*range(5, 30)]
        assert sorted(recorded.steps) == [*range(5, 30)]
        assert all("overcast" in name for name in recorded.threads)

    def test_a_step_asked_twice_is_computed_once(self) -> None:
        recorded = Recorded()
        with ahead(recorded, 0, 3) as stream:
            assert [step_of(stream(step)) for step in (0, 0, 1, 1)] == [0, 0, 1, 1]
        assert recorded.steps.count(0) == recorded.steps.count(1) == 1

    def test_a_step_that_went_by_or_lies_after_the_last_is_computed(self) -> None:
        with ahead(number, 0, 10, depth=2) as stream:
            assert [step_of(stream(step)) for step in (4, 1, 5, 9, 12)] == [
                4,
                1,
                5,
                9,
                12,
            ]

    def test_a_jump_goes_on_from_there(self) -> None:
        recorded = Recorded()
        with ahead(recorded, 0, 100, depth=2, threads=1) as stream:
            assert step_of(stream(50)) == 50
            assert step_of(stream(51)) == 51
        assert max(recorded.steps) <= 53
        assert len(recorded.steps) <= 3 + 4

    def test_an_error_is_raised_at_its_step(self) -> None:
        with ahead(Recorded(fail_at=3), 0, 10) as stream:
            assert [step_of(stream(step)) for step in range(3)] == [0, 1, 2]
            with pytest.raises(OSError, match="step 3 is gone"):
                stream(3)
            assert step_of(stream(4)) == 4

    @pytest.mark.parametrize("how", ["end", "error"])
    def test_no_thread_is_left(self, how: str) -> None:
        recorded = Recorded()
        try:
            with ahead(recorded, 0, 1000, depth=2) as stream:
                stream(0)
                assert in_background()
                if how == "error":
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
        assert not in_background()
        assert len(recorded.steps) <= 3

    def test_a_generator_that_is_closed_ends_its_threads(self) -> None:
        def steps(stream: Stream):  # type: ignore[no-untyped-def]
            with ahead(stream, 0, 1000) as upcoming:
                for step in range(1000):
                    yield upcoming(step)

        running = steps(number)
        assert step_of(next(running)) == 0
        assert in_background()
        running.close()
        assert not in_background()

    @pytest.mark.parametrize("wrong", [{"depth": 0}, {"threads": 0}])
    def test_nothing_ahead_is_an_error(self, wrong: dict[str, int]) -> None:
        with (
            pytest.raises(ValueError, match=next(iter(wrong))),
            ahead(number, 0, 1, **wrong),
        ):
            pass
