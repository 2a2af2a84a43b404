"""Classes with codes, names and colours, and how one legend translates to another."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overcast.geo.codes import Lookup, whole
from overcast.geo.legend_table import MOST_CLASSES, read_rows
from overcast.geo.spreadsheet import as_cell
from overcast.texts import read_text

_UNKNOWN = 255
_FOLDER = files("overcast.geo") / "legends"


@dataclass(frozen=True, slots=True)
class LandClass:
    """One class: the code in files, a name for people, a colour as ``rrggbb``."""

    code: int
    name: str
    colour: str

    def __post_init__(self) -> None:
        if not 0 <= self.code < _UNKNOWN:
            raise ValueError(
                f"class {self.name!r} has code {self.code}, expected 0 to 254: maps "
                "are uint8 and 255 is their nodata"
            )
        if any(map(_unwritable, self.name)):
            raise ValueError(
                f"class {self.code} has the name {self.name!r}, which has a control "
                "character; write the name without it"
            )
        if not re.fullmatch(r"[0-9a-fA-F]{6}", self.colour):
            raise ValueError(
                f"class {self.name!r} has colour {self.colour!r}, expected rrggbb"
            )

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Red, green and blue, 0 to 255."""
        r, g, b = bytes.fromhex(self.colour)
        return r, g, b


@dataclass(frozen=True, slots=True)
class Legend:
    """An ordered set of classes.

    Inside overcast a class is its position here; codes appear only in files.
    """

    name: str
    classes: tuple[LandClass, ...]

    def __post_init__(self) -> None:
        if not self.classes:
            raise ValueError(f"legend {self.name} has no classes")
        if len(self.classes) > MOST_CLASSES:
            raise ValueError(
                f"legend {self.name} has {len(self.classes)} classes, expected at most "
                f"{MOST_CLASSES}"
            )
        twice = [c for c, often in Counter(self.codes).items() if often > 1]
        if twice:
            raise ValueError(f"legend {self.name}: code {min(twice)} occurs twice")
        first: dict[str, LandClass] = {}
        for c in self.classes:
            other = first.setdefault(normal_name(c.name), c)
            if other is not c:
                raise ValueError(
                    f"legend {self.name}: codes {other.code} and {c.code} are both "
                    f"called {c.name}; give every class a name of its own, or one code "
                    "to both"
                )

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def codes(self) -> tuple[int, ...]:
        """Codes in order."""
        return tuple(c.code for c in self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(c.name for c in self.classes)

    def same_as(self, other: Legend) -> bool:
        """Return whether codes and names are those of another legend, in its order."""
        names = [[normal_name(n) for n in legend.names] for legend in (self, other)]
        return self.codes == other.codes and names[0] == names[1]

    @property
    def other_codes(self) -> dict[int, int]:
        """Other codes of the same classes, and the positions that they stand for.

        The names of CORINE begin with three-digit codes, 111 to 523, which some of its
        files hold. Other legends have none.
        """
        numbers = [re.match(r"(\d{3}) ", name) for name in self.names]
        if not all(numbers):
            return {}
        codes = {int(n[1]): k for k, n in enumerate(numbers) if n}
        return {} if codes.keys() & set(self.codes) else codes

    def to_indices(
        self, codes: NDArray[Any], nodata: int | Iterable[int] | None = None
    ) -> NDArray[np.uint8]:
        """Positions uint8 of `codes`; `nodata` (one or several) becomes 255, unknown.

        Codes are of any integer type, or floats that are whole; NaN is unknown.

        Raises
        ------
        ValueError
            If a code is neither of the legend nor `nodata`, or not a whole number.
        """
        indices, stray = self.find(codes, nodata)
        if stray:
            raise ValueError(self.stray(stray, nodata))
        return indices

    def find(
        self, codes: NDArray[Any], nodata: int | Iterable[int] | None = None
    ) -> tuple[NDArray[np.uint8], list[int]]:
        """Positions uint8 of `codes` as `to_indices`, and the codes that have none.

        Those are unknown in the positions.
        """
        unknown = set(_several(nodata))
        numbers, hidden = whole(codes, unknown)
        position = self.other_codes | {code: k for k, code in enumerate(self.codes)}
        # The file's nodata wins over a class that has the same code.
        position |= dict.fromkeys(unknown, _UNKNOWN)
        lookup = Lookup.of(numbers, position)
        indices = lookup.values(numbers, _UNKNOWN)
        if hidden is not None:
            indices[hidden] = _UNKNOWN
        return indices, lookup.missing(numbers, hidden)

    def stray(self, stray: list[int], nodata: int | Iterable[int] | None) -> str:
        """Say that codes are neither of the legend nor no data."""
        shown = ", ".join(map(str, stray[:5])) + (" ..." if len(stray) > 5 else "")
        known = ", ".join(map(str, self.codes))
        unknown = sorted(_several(nodata))
        tag = f"nodata {', '.join(map(str, unknown))}" if unknown else "no nodata tag"
        return (
            f"codes {shown} are not in the legend {self.name} ({known}) and the file "
            f"has {tag}; give the right legend, or the code that means no data"
        )

    def to_codes(self, indices: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Codes uint8 of positions; unknown stays 255."""
        table = np.full(256, _UNKNOWN, np.uint8)
        table[: len(self)] = self.codes
        return table[indices]


def normal_name(name: str) -> str:
    """Name as it is compared: case, spaces and ways to write a letter don't count."""
    text = unicodedata.normalize("NFKC", name).casefold()
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", visible).split())


def _unwritable(letter: str) -> bool:
    """Return whether XML and file attributes can't hold a character."""
    number = ord(letter)
    return (
        unicodedata.category(letter) in ("Cc", "Cs")
        or number & 0xFFFE == 0xFFFE
        or 0xFDD0 <= number <= 0xFDEF
    )


def _several(nodata: int | Iterable[int] | None) -> Iterable[int]:
    """None, one or several codes as several."""
    if nodata is None:
        return ()
    return nodata if isinstance(nodata, Iterable) else (nodata,)


def built_in_legends() -> list[str]:
    """Names that `load_legend` knows without a file."""
    return sorted(
        p.name.removesuffix(".csv")
        for p in _FOLDER.iterdir()
        if p.name.endswith(".csv") and "--" not in p.name
    )


def load_legend(name: str | Path) -> Legend:
    """Legend by built-in name, or from a CSV of code, name, colour.

    Raises
    ------
    ValueError
        If the name is unknown or the file is not such a CSV.
    """
    path = Path(name)
    if str(name) in built_in_legends():
        text, label = (_FOLDER / f"{name}.csv").read_text(encoding="utf-8"), str(name)
    elif path.is_file():
        try:
            text, label = read_text(path, "utf-8-sig"), path.stem
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not a CSV in UTF-8") from error
    else:
        raise ValueError(
            f"legend {name}: neither a file nor one of {', '.join(built_in_legends())}"
        )
    try:
        return parse_legend(text, label)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def parse_legend(text: str, name: str) -> Legend:
    """Legend from the text of a CSV of code, name, colour.

    Raises
    ------
    ValueError
        If it is not such a CSV, or its classes are not a legend.
    """
    classes = tuple(LandClass(*row) for row in read_rows(text))
    return Legend(name, classes)


def legend_to_csv(legend: Legend) -> str:
    """Text of the CSV that `parse_legend` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("code", "name", "colour"))
    writer.writerows((c.code, as_cell(c.name), c.colour) for c in legend.classes)
    return text.getvalue()


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """How classes of one legend translate to another.

    `weights` is float64 ``[S, T]``: the share of source class s that is target class
    t. A row sums to 1, or to 0 where the source class has no counterpart.
    """

    source: Legend
    target: Legend
    weights: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.weights.shape != (len(self.source), len(self.target)):
            raise ValueError(
                f"weights are {self.weights.shape}, expected "
                f"({len(self.source)}, {len(self.target)})"
            )
        sums = self.weights.sum(1)
        if (self.weights < 0).any() or not np.all(
            np.isclose(sums, 1) | np.isclose(sums, 0)
        ):
            raise ValueError("every row of weights must sum to 1, or be all 0")

    def indices(self, indices: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Translate class positions; 255 where no target class has more than half."""
        best = self.weights.argmax(1)
        sure = self.weights.max(1) > 0.5
        table = np.full(256, _UNKNOWN, np.uint8)
        table[: len(self.source)] = np.where(sure, best, _UNKNOWN)
        return table[indices]

    def shares(self, shares: NDArray[np.float32]) -> NDArray[np.float32]:
        """Class shares or probabilities ``[S, ...]`` as ``[T, ...]``."""
        return np.tensordot(self.weights.T, shares, 1).astype(np.float32)


def has_crosswalk(source: Legend, target: Legend) -> bool:
    """Return whether a built-in crosswalk leads from a legend to another."""
    return (_FOLDER / f"{source.name}--{target.name}.csv").is_file()


def load_crosswalk(source: str | Legend, target: str | Legend) -> Crosswalk:
    """Built-in crosswalk, from ``legends/SOURCE--TARGET.csv`` (source,target,weight).

    Raises
    ------
    ValueError
        If there is none.
    """
    a = source if isinstance(source, Legend) else load_legend(source)
    b = target if isinstance(target, Legend) else load_legend(target)
    if a.same_as(b):
        return Crosswalk(a, b, np.eye(len(a)))
    resource = _FOLDER / f"{a.name}--{b.name}.csv"
    if not resource.is_file():
        pairs = [p.name.removesuffix(".csv") for p in _FOLDER.iterdir()]
        known = ", ".join(sorted(p for p in pairs if "--" in p))
        raise ValueError(f"no crosswalk from {a.name} to {b.name}; there are {known}")
    for legend in (a, b):
        _check_built_in(legend)
    weights = np.zeros((len(a), len(b)))
    for row in csv.DictReader(resource.read_text(encoding="utf-8").splitlines()):
        s, t = int(row["source"]), int(row["target"])
        if s not in a.codes or t not in b.codes:
            raise ValueError(
                f"the crosswalk {a.name} to {b.name} knows codes {s} and {t}, the "
                "legends given don't; rename yours if it is not the built-in one"
            )
        weights[a.codes.index(s), b.codes.index(t)] = float(row["weight"])
    return Crosswalk(a, b, weights)


def _check_built_in(legend: Legend) -> None:
    """Refuse a legend that has the name of a built-in one and other classes."""
    own = {c.code: c.name for c in load_legend(legend.name).classes}
    for c in legend.classes:
        if normal_name(own.get(c.code, c.name)) != normal_name(c.name):
            raise ValueError(
                f"the built-in legend {legend.name} calls {c.code} {own[c.code]}, yours "
                f"{c.name}; rename your legend if it is not the built-in one"
            )
