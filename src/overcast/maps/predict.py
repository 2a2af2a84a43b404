"""A predictor over a whole stack, in constant memory and safe against a kill.

Chips are read ahead by one thread, predicted by one or several, joined here in order,
and finished rows are written by another. Results go into two raw files, and a journal
says how many rows of them are done; the same command started again goes on there and
gives the same bytes. Bands run along the longer side of the raster, so memory grows with
its shorter side alone, and with the number of threads.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from overcast.errors import writing
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Chip, Stack
from overcast.geo.tiling import Tiling, Window
from overcast.maps.predictor import Predictor, is_threaded
from overcast.maps.stitch import Floats, stitch, windows_from
from overcast.maps.views import Viewed
from overcast.memory import need
from overcast.progress import Progress, quiet
from overcast.threads import count, steady

_JOURNAL = "journal.json"
_AHEAD = 3
_MOST_THREADS = 8
"""Each thread holds a window and what is computed of it: memory grows with threads."""
_MANY_IMAGES, _FEWER_THREADS = 6, 4
"""A window of so many images (dates) is large: fewer are held at a time then."""
CONFIDENCE_STEPS = 256
"""Confidence is kept in steps of 1/256: finer ones are noise, and don't compress."""
PROBABILITY_STEPS = 254
"""Probabilities are kept as uint8 in steps of 1/254, since 255 is no data."""


@dataclass(frozen=True, slots=True)
class RawMap:
    """Class indices (uint8) and confidence (float32) row by row in two plain files.

    A third one, if it was asked for, has probabilities uint8 of all K classes: every
    row is followed by the same row of the next class.
    """

    classes: Path
    confidence: Path
    shape: tuple[int, int]
    probabilities: Path | None = None
    count: int = 0

    def rows(self, start: int, stop: int) -> tuple[NDArray[np.uint8], Floats]:
        """Class indices and confidence ``[stop - start, W]`` of some rows."""
        width = self.shape[1]
        size, first = (stop - start) * width, start * width
        codes = np.fromfile(self.classes, np.uint8, size, offset=first)
        sure = np.fromfile(self.confidence, np.float32, size, offset=4 * first)
        return codes.reshape(-1, width), sure.reshape(-1, width)

    def probability_rows(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Probabilities ``[K, stop - start, W]`` in steps of 1/254; 255 is no data.

        Raises
        ------
        ValueError
            If they were not kept.
        """
        if self.probabilities is None:
            raise ValueError("probabilities were not kept; predict with keep=True")
        row = self.count * self.shape[1]
        steps = np.fromfile(
            self.probabilities, np.uint8, (stop - start) * row, offset=start * row
        )
        return steps.reshape(-1, self.count, self.shape[1]).transpose(1, 0, 2)

    @property
    def sizes(self) -> dict[Path, int]:
        """Every file, and its bytes a pixel."""
        files = {self.classes: 1, self.confidence: 4}
        if self.probabilities is not None:
            files[self.probabilities] = self.count
        return files


def probabilities(
    predictor: Predictor, stack: Stack, tiling: Tiling, first: int = 0
) -> Iterator[tuple[Window, Floats]]:
    """Blended class probabilities ``[K, h, w]`` of bands across the shorter side.

    Bands follow each other down the longer side, from row (or column) `first` on.
    A pixel that no sensor saw has probability 0 of every class.
    """
    shape = stack.shape
    turned = shape[1] > shape[0]
    across = shape[::-1] if turned else shape

    def values() -> Iterator[tuple[Window, Floats | None]]:
        windows = list(windows_from(tiling, across, first))
        places = [_turn(w) for w in windows] if turned else windows
        chips = _chips(stack, places)
        many = len(stack.images) >= _MANY_IMAGES
        most = _FEWER_THREADS if many else _MOST_THREADS
        for window, part in zip(
            windows, _predicted(predictor, chips, most), strict=True
        ):
            if part is not None and turned:
                yield window, np.ascontiguousarray(part.transpose(0, 2, 1))
            else:
                yield window, part

    classes = len(predictor.legend)
    _refuse_large(predictor, stack, tiling)
    with steady():
        for start, band in stitch(values(), tiling, across, classes, first):
            window = Window(start, 0, band.shape[1], band.shape[2])
            yield (_turn(window), band.transpose(0, 2, 1)) if turned else (window, band)


def predict(
    predictor: Predictor,
    stack: Stack,
    tiling: Tiling,
    folder: Path,
    key: str = "",
    progress: Progress = quiet,
    *,
    keep: bool = False,
) -> RawMap:
    """Class and confidence of every pixel of a stack, into raw files in `folder`.

    The class is the most probable one, the confidence its probability; a pixel that
    no sensor saw is unknown, with confidence NaN. A journal left by an earlier attempt
    with the same `key` is gone on from; without a key, everything is made anew. With
    `keep`, the probabilities of all classes are kept too.
    """
    raw = RawMap(
        folder / "classes.raw",
        folder / "confidence.raw",
        stack.shape,
        folder / "probabilities.raw" if keep else None,
        len(predictor.legend) if keep else 0,
    )
    length = max(stack.shape)
    first = _begin(raw, folder / _JOURNAL, key)
    if first >= length:
        return raw
    with _Writer(raw, folder / _JOURNAL, key) as writer:
        for window, band in probabilities(predictor, stack, tiling, first):
            writer.put(window, band)
            done = (
                window.x + window.w if _is_turned(stack.shape) else window.y + window.h
            )
            progress("mapping", done, length)
    return raw


def _refuse_large(predictor: Predictor, stack: Stack, tiling: Tiling) -> None:
    """Refuse windows that can't be in memory: one, and its probabilities twice.

    With views, the largest of them as well: what it sees, and what is said of that.
    """
    rows, columns = (min(tiling.size, int(n)) for n in stack.shape)
    bands = sum(len(sensor.bands) for sensor in stack.sensors.values())
    values = float(bands + 2 * len(predictor.legend))
    what, advice = f"windows of {tiling.size} pixels", ""
    if (views := _views_of(predictor)) > 1:
        scale = _largest_scale(predictor)
        values += scale**2 * (bands + len(predictor.legend))
        what, advice = f"{what} in {views} views", ", or fewer --views"
    need(
        4.0 * rows * columns * values,
        what,
        f"give a smaller windows.size in the plan{advice}",
    )


def _views_of(predictor: Predictor) -> int:
    """Return in how many ways a window is looked at, at most."""
    own = len(predictor.views) if isinstance(predictor, Viewed) else 1
    return max([own, *map(_views_of, getattr(predictor, "parts", ()))])


def _largest_scale(predictor: Predictor) -> float:
    """Return how many pixels a view has along a side for one of a window, at most."""
    own = max(v.scale for v in predictor.views) if isinstance(predictor, Viewed) else 1
    return max([own, *map(_largest_scale, getattr(predictor, "parts", ()))])


def _is_turned(shape: tuple[int, int]) -> bool:
    return shape[1] > shape[0]


def _turn(window: Window) -> Window:
    return Window(window.x, window.y, window.w, window.h)


def _chips(stack: Stack, windows: list[Window]) -> Iterator[Chip | None]:
    """Chips of windows in order, a few read ahead; None where no sensor saw a pixel."""

    def read(window: Window) -> Chip | None:
        chip = stack.read(window)
        return chip if any(i.valid.any() for i in chip.images.values()) else None

    ahead = 1 if len(stack.images) >= _MANY_IMAGES else _AHEAD
    with ThreadPoolExecutor(1, "overcast-read") as reader:
        waiting: deque[Future[Chip | None]] = deque()
        todo = iter(windows)
        try:
            for _ in windows:
                while len(waiting) < ahead and (nearest := next(todo, None)):
                    waiting.append(reader.submit(read, nearest))
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _predicted(
    predictor: Predictor, chips: Iterator[Chip | None], most: int
) -> Iterator[Floats | None]:
    """Probabilities of chips in their order, by as many threads as there may be."""

    def predict_one(chip: Chip | None) -> Floats | None:
        return None if chip is None else predict_chip(predictor, chip)

    threads = min(count(), most) if is_threaded(predictor) else 1
    if threads == 1:
        yield from map(predict_one, chips)
        return
    with ThreadPoolExecutor(threads, "overcast-predict") as pool:
        waiting: deque[Future[Floats | None]] = deque()
        try:
            for chip in chips:
                waiting.append(pool.submit(predict_one, chip))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def predict_chip(predictor: Predictor, chip: Chip) -> Floats:
    probabilities = predictor.predict(chip)
    expected = (len(predictor.legend), *chip.grid.shape)
    if probabilities.shape != expected:
        raise ValueError(
            f"{type(predictor).__name__} gave {probabilities.shape}, not {expected}"
        )
    seen = np.logical_or.reduce([image.valid for image in chip.images.values()])
    return np.where(seen, probabilities, np.float32(0))


def _begin(raw: RawMap, journal: Path, key: str) -> int:
    """Rows that an earlier attempt with this key finished; else files made anew."""
    facts = _facts(raw, key)
    if journal.is_file():
        state = json.loads(journal.read_text(encoding="utf-8"))
        done = int(state.pop("done"))
        if key and state == facts:
            return done
    # The journal goes first: it must never promise rows that the files have lost.
    journal.unlink(missing_ok=True)
    for path, size in raw.sizes.items():
        with writing(path), path.open("wb") as file:
            file.truncate(raw.shape[0] * raw.shape[1] * size)
    return 0


def _facts(raw: RawMap, key: str) -> dict[str, Any]:
    """What a journal must say for its files to be gone on with."""
    return {"key": key, "shape": list(raw.shape), "kept": raw.count}


class _Writer:
    """Writes bands in its own thread, one at a time, and keeps the journal."""

    def __init__(self, raw: RawMap, journal: Path, key: str) -> None:
        self.raw, self.journal, self.key = raw, journal, key
        self.thread = ThreadPoolExecutor(1, "overcast-write")
        self.pending: Future[None] | None = None

    def __enter__(self) -> _Writer:
        self.files = [path.open("r+b", buffering=0) for path in self.raw.sizes]
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._wait()
        finally:
            self.thread.shutdown()
            for file in self.files:
                file.close()

    def put(self, window: Window, band: Floats) -> None:
        """Hand over a band; waits until the one before it is written."""
        self._wait()
        self.pending = self.thread.submit(self._write, window, band)

    def _wait(self) -> None:
        if self.pending is not None:
            pending, self.pending = self.pending, None
            pending.result()

    def _write(self, window: Window, band: Floats) -> None:
        parts: list[NDArray[Any]] = [p[None] for p in decide(band)]
        if self.raw.probabilities is not None:
            parts.append(in_steps(band))
        for file, part in zip(self.files, parts, strict=True):
            with writing(file.name):
                _place(file, part, window, self.raw.shape[1])
                os.fsync(file.fileno())
        turned = _is_turned(self.raw.shape)
        done = window.x + window.w if turned else window.y + window.h
        facts = _facts(self.raw, self.key) | {"done": done}
        scratch = self.journal.with_suffix(".tmp")
        with writing(self.journal):
            scratch.write_text(json.dumps(facts), encoding="utf-8")
            scratch.replace(self.journal)


def _place(file: BinaryIO, part: NDArray[Any], window: Window, width: int) -> None:
    """Write values ``[K, h, w]`` of a window where every row has K lines of `width`."""
    count, size = len(part), part.itemsize
    lines = np.ascontiguousarray(part.transpose(1, 0, 2)).reshape(-1, window.w)
    first = window.y * count
    if window.w == width:
        os.pwrite(file.fileno(), lines.tobytes(), first * width * size)
        return
    for line, values in enumerate(lines, first):
        os.pwrite(file.fileno(), values.tobytes(), (line * width + window.x) * size)


def decide(band: Floats) -> tuple[NDArray[np.uint8], Floats]:
    """Most probable class, and its probability in steps of 1/256."""
    best = band.argmax(0)
    top = np.take_along_axis(band, best[None], 0)[0]
    known = top > 0
    sure = np.minimum(np.round(top * CONFIDENCE_STEPS) / CONFIDENCE_STEPS, 1).astype(
        np.float32
    )
    return (
        np.where(known, best, UNKNOWN).astype(np.uint8),
        np.where(known, sure, np.float32(np.nan)),
    )


def in_steps(band: Floats) -> NDArray[np.uint8]:
    """Probabilities in steps of 1/254; `UNKNOWN` where no sensor saw the pixel."""
    steps = np.rint(np.clip(band, 0, 1) * np.float32(PROBABILITY_STEPS))
    return np.where(band.max(0) > 0, steps, UNKNOWN).astype(np.uint8)
