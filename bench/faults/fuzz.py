"""Readers of files from elsewhere, fed with right files that were changed at random.

Whatever comes, a reader gives a value, or one line that names the file. What fells one is
made as small as can be by hypothesis, and kept in ``tests/fuzz``, where a test reads it
again.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import yaml
from bench.corpus.runner import preload
from bench.faults.commands import small_scenes
from bench.faults.damage import ways_of
from bench.faults.readers import Reader, readers, tried
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

KEPT = Path(__file__).parents[2] / "tests" / "fuzz"
_ROUND = 200
"""Files of a reader in turn, before the next one."""
_LONGEST_S = 20.0
"""Seconds in which a small file is read."""
ODD = (
    *("", "\x00", "\ufeff", "nan", "1e999", "-1", "null", "true", "9" * 25, "[", "}"),
    *('"', "'", "\n", "\r", ",", ":", "{}", "[]", "&a [*a]", "!!python/name:os", "# "),
    *("ß" * 9, "=1+1", "../..", "~", "<<: *x", "---", "a: " * 60, "[" * 60, "0x10"),
)
_ODD_VALUES = (
    *(None, True, -1, 0, 1, 1e300, float("nan"), float("inf"), 2**70, 0.5, "", "x"),
    *("\x00", "../x", "1", [], {}, [[]], [None], {"": None}, ["a", "a"], "e" * 300),
)


@st.composite
def texts(draw: st.DrawFn, right: bytes) -> bytes:
    """A text in which up to four places are cut, and hold something odd."""
    text = right.decode("utf-8", "replace")
    word = st.one_of(st.sampled_from(ODD), st.text(max_size=8))
    place = st.floats(0, 1, allow_nan=False)
    for start in draw(st.lists(place, min_size=1, max_size=4)):
        length = draw(st.sampled_from([0.0, 0.0, 0.01, 0.05, 0.5]))
        first = round(start * len(text))
        text = text[:first] + draw(word) + text[first + round(length * len(text)) :]
    return text.encode("utf-8", "surrogatepass")


@st.composite
def trees(draw: st.DrawFn, right: bytes, write: Callable[[Any], str]) -> bytes:
    """A tree of values in which up to three are odd, missing, or in another place."""
    tree = yaml.safe_load(right)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(tree))
        if not places:
            break
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        how = draw(st.sampled_from(["odd", "odd", "gone", "other", "more"]))
        if how == "gone":
            del holder[key]
        elif how == "other":
            other, name = places[draw(st.integers(0, len(places) - 1))]
            holder[key] = copy.deepcopy(other[name]) if name in _keys(other) else None
        elif how == "more" and isinstance(holder, dict):
            holder[draw(st.sampled_from([*ODD[:6], "kind", "name"]))] = 1
        else:
            holder[key] = copy.deepcopy(draw(st.sampled_from(_ODD_VALUES)))
    return write(tree).encode("utf-8", "surrogatepass")


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every value of a tree, as what holds it and its key or number there."""
    for key in _keys(tree):
        yield tree, key
        yield from _places(tree[key])


def _keys(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return list(tree)
    return list(range(len(tree))) if isinstance(tree, list) else []


@st.composite
def damages(draw: st.DrawFn, file: str, right: bytes) -> bytes:
    """Bytes that were flipped, cut or doubled, and arrays with odd values."""
    way = draw(st.sampled_from(ways_of(file)))
    return way(right, np.random.default_rng(draw(st.integers(0, 2**32))))


def contents(reader: Reader) -> st.SearchStrategy[bytes]:
    """What is fed to a reader."""
    kinds = [damages(reader.file, reader.right), st.binary(max_size=200)]
    if not reader.file.endswith(".safetensors"):
        kinds += [texts(reader.right)]
    if reader.file.endswith(".json"):
        kinds += [trees(reader.right, json.dumps)] * 2
    if reader.file.endswith(".yaml"):
        kinds += [trees(reader.right, yaml.safe_dump)] * 2
    return st.one_of(kinds)


def fuzz(minutes: float, seed: int) -> Counter[tuple[str, str]]:
    """Feed all readers in turn; counts of what was read, refused, and fell."""
    small_scenes()
    preload()
    counts: Counter[tuple[str, str]] = Counter()
    end = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as cache:
        known, turn = readers(Path(cache)), 0
        while time.monotonic() < end:
            for name, reader in known.items():
                if time.monotonic() < end:
                    feed(name, reader, seed + turn, counts)
            turn += 1
    return counts


def feed(
    name: str,
    reader: Reader,
    seed: int,
    counts: Counter[tuple[str, str]],
    files: int = _ROUND,
) -> None:
    """Feed a reader with some files, and keep the smallest that fells it."""
    last = b""

    @hypothesis.seed(seed)
    @settings(
        max_examples=files,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(content=contents(reader))
    def each(content: bytes) -> None:
        nonlocal last
        last = content
        begun = time.monotonic()
        line = tried(reader, content)
        assert time.monotonic() - begun < _LONGEST_S, "it takes too long"
        counts[name, "same" if line is None else "refused"] += 1

    try:
        each()
    except Exception as error:
        counts[name, "fault"] += 1
        path = keep(name, last)
        words = " ".join(str(error).split())[:300]
        print(f"FAULT {name}: {words} ({path}, seed {seed})", flush=True)


def keep(name: str, content: bytes) -> Path:
    """Keep what fells a reader, for a test."""
    folder = folder_of(name)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(content).hexdigest()[:12]
    path.write_bytes(content)
    return path


def kept(name: str) -> list[Path]:
    """What once fell a reader."""
    folder = folder_of(name)
    return sorted(folder.glob("*")) if folder.is_dir() else []


def folder_of(name: str) -> Path:
    """Where that is kept."""
    return KEPT / re.sub(r"\W+", "-", name)
