"""Ways to damage a file: bytes flipped, cut, doubled and zeroed, and values changed."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable

import numpy as np

Random = np.random.Generator


def _flipped(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for place in random.integers(0, len(data), int(random.choice([1, 4, 32]))):
        changed[place] ^= 1 << int(random.integers(8))
    return bytes(changed)


def _head_flipped(data: bytes, random: Random) -> bytes:
    """Flip in the first part, where headers are."""
    end = min(len(data), 512)
    return _flipped(data[:end], random) + data[end:]


def _shortened(data: bytes, random: Random) -> bytes:
    return data[: int(random.integers(0, len(data)))]


def _zeroed(data: bytes, random: Random) -> bytes:
    start = int(random.integers(0, len(data)))
    size = min(int(random.choice([4, 64, 4096])), len(data) - start)
    return data[:start] + bytes(size) + data[start + size :]


def _doubled(data: bytes, random: Random) -> bytes:
    start, end = sorted(int(n) for n in random.integers(0, len(data) + 1, 2))
    return data[:end] + data[start:end] + data[end:]


def _filled(data: bytes, random: Random) -> bytes:
    """Other text in the middle: what a merge or an editor leaves."""
    at = int(random.integers(0, len(data) + 1))
    words = [
        b"\x00",
        b"\xff\xfe",
        b"{}",
        b"[",
        b"\n\n",
        b"nan",
        b"<<<<<<< HEAD\n",
        b",,",
    ]
    return data[:at] + words[int(random.integers(len(words)))] + data[at:]


_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_ODD = (
    b"-1",
    b"0",
    b"1e400",
    b"nan",
    b"null",
    b'"x"',
    b"[]",
    b"9" * 30,
    b"true",
    b"3.5",
)


def _numbered(data: bytes, random: Random) -> bytes:
    """Put an odd value in the place of a number of a text."""
    places = list(_NUMBER.finditer(data))
    if not places:
        return _flipped(data, random)
    match = places[int(random.integers(len(places)))]
    value = _ODD[int(random.integers(len(_ODD)))]
    return data[: match.start()] + value + data[match.end() :]


def _line_dropped(data: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    del lines[int(random.integers(len(lines)))]
    return b"".join(lines)


_VALUES = (-1, 0, 1, 2**31 - 1, -(2**31), 2**40, float("nan"), float("inf"), 1e300)


def _arrays_changed(data: bytes, random: Random) -> bytes:
    """Put an odd value into an array of a safetensors file, or change its header."""
    try:
        (size,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + size])
        names = sorted(name for name in header if name != "__metadata__")
        name = names[int(random.integers(len(names)))]
        start, end = header[name]["data_offsets"]
        dtype = np.dtype(_TYPES[header[name]["dtype"]])
    except (ValueError, KeyError, struct.error):
        return _flipped(data, random)
    body = bytearray(data[8 + size :])
    count = (end - start) // dtype.itemsize
    value = _VALUES[int(random.integers(len(_VALUES)))]
    with np.errstate(all="ignore"):
        stored = np.array([value]).astype(dtype).tobytes()
    at = start + int(random.integers(max(count, 1))) * dtype.itemsize
    body[at : at + dtype.itemsize] = stored
    return data[: 8 + size] + bytes(body)


_TYPES = {
    **{f"F{n}": f"f{n // 8}" for n in (16, 32, 64)},
    **{f"I{n}": f"i{n // 8}" for n in (8, 16, 32, 64)},
    **{f"U{n}": f"u{n // 8}" for n in (8, 16, 32, 64)},
    "BOOL": "u1",
}
_ANY = (_flipped, _head_flipped, _shortened, _zeroed, _doubled, _filled)
_TEXTS = (_numbered, _numbered, _line_dropped)
_TEXT_ENDINGS = (".json", ".yaml", ".csv", ".geojson")


def ways_of(file: str) -> tuple[Callable[[bytes, Random], bytes], ...]:
    """Ways to damage a file of a format."""
    if file.endswith(_TEXT_ENDINGS):
        return (*_ANY, *_TEXTS)
    if file.endswith(".safetensors"):
        return (*_ANY, _arrays_changed, _arrays_changed, _arrays_changed)
    return _ANY
