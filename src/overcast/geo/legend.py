"""Classes with codes, names and colours, and how one legend translates to another."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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
        codes = [c.code for c in self.classes]
        twice = sorted({c for c in codes if codes.count(c) > 1})
        if twice:
            raise ValueError(f"legend {self.name}: code {twice[0]} occurs twice")
        if not self.classes:
            raise ValueError(f"legend {self.name} has no classes")

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

    def to_indices(
        self, codes: NDArray[np.integer], nodata: int | None = None
    ) -> NDArray[np.uint8]:
        """Positions uint8 of `codes`; `nodata` becomes 255, unknown.

        Raises
        ------
        ValueError
            If a code is neither of the legend nor `nodata`.
        """
        found, inverse = np.unique(codes, return_inverse=True)
        position = {code: index for index, code in enumerate(self.codes)}
        stray = [int(c) for c in found if c not in position and c != nodata]
        if stray:
            raise ValueError(self._stray(stray, nodata))
        # The file's nodata wins over a class that has the same code.
        table = np.array(
            [_UNKNOWN if c == nodata else position[int(c)] for c in found], np.uint8
        )
        return table[inverse].reshape(codes.shape)

    def _stray(self, stray: list[int], nodata: int | None) -> str:
        shown = ", ".join(map(str, stray[:5])) + (" ..." if len(stray) > 5 else "")
        known = ", ".join(map(str, self.codes))
        tag = "no nodata tag" if nodata is None else f"nodata {nodata}"
        return (
            f"codes {shown} are not in the legend {self.name} ({known}) and the file "
            f"has {tag}; give the right legend, or the code that means no data"
        )

    def to_codes(self, indices: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Codes uint8 of positions; unknown stays 255."""
        table = np.full(256, _UNKNOWN, np.uint8)
        table[: len(self)] = self.codes
        return table[indices]


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
            text, label = path.read_text(encoding="utf-8-sig"), path.stem
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
    try:
        table = csv.DictReader(text.splitlines(), strict=True)
        _refuse_twice(table.fieldnames or ())
        rows = list(table)
        classes = tuple(
            LandClass(int(r["code"]), r["name"].strip(), r["colour"].strip(" #"))
            for r in rows
        )
    except (KeyError, TypeError, AttributeError, csv.Error) as error:
        raise ValueError(
            "not a legend; expected a CSV with the header code,name,colour"
        ) from error
    return Legend(name, classes)


def _refuse_twice(columns: Sequence[str]) -> None:
    """Refuse a header that names a column twice: the first would be passed over."""
    for name in ("code", "name", "colour"):
        if list(columns).count(name) > 1:
            raise ValueError(f"the column {name} is there twice, expected once")


def legend_to_csv(legend: Legend) -> str:
    """Text of the CSV that `parse_legend` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("code", "name", "colour"))
    writer.writerows((c.code, c.name, c.colour) for c in legend.classes)
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


def load_crosswalk(source: str | Legend, target: str | Legend) -> Crosswalk:
    """Built-in crosswalk, from ``legends/SOURCE--TARGET.csv`` (source,target,weight).

    Raises
    ------
    ValueError
        If there is none.
    """
    a = source if isinstance(source, Legend) else load_legend(source)
    b = target if isinstance(target, Legend) else load_legend(target)
    if a == b:
        return Crosswalk(a, b, np.eye(len(a)))
    resource = _FOLDER / f"{a.name}--{b.name}.csv"
    if not resource.is_file():
        pairs = [p.name.removesuffix(".csv") for p in _FOLDER.iterdir()]
        known = ", ".join(sorted(p for p in pairs if "--" in p))
        raise ValueError(f"no crosswalk from {a.name} to {b.name}; there are {known}")
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
