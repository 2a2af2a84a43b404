"""What an audit of labels found, as numbers and as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overcast.accuracy.bootstrap import FEWEST
from overcast.accuracy.confusion import plain
from overcast.geo.legend import Legend
from overcast.label_quality.audit.label_confusion import Matrix, Tables

Floats = NDArray[np.float64]

THIN = 0.01
"""Share of the area below which a class has too little support to be relied on."""
_WORTH_SAYING = 0.05
"""Share of a class, or of a label, from which a mistake is worth a sentence."""
_MOST = 8
ORIGIN = (
    "These are estimates of the method that learned from these labels, and no "
    "independent reference judged them: a mistake that the labels make everywhere alike "
    "is learned and not seen here. Draw a sample and look before relying on them."
)


@dataclass(frozen=True, slots=True)
class Findings:
    """Estimates for K classes; see `overcast.label_quality.audit.label_confusion`.

    Attributes
    ----------
    legend
        The classes.
    called
        What every class is called.
    meant
        What every label stands for.
    class_shares, label_shares
        Estimated shares of the ground, and shares of the labels ``[K]``.
    pixels, blocks
        How much was looked at.
    """

    legend: Legend
    called: Matrix
    meant: Matrix
    class_shares: Floats
    label_shares: Floats
    pixels: int
    blocks: int

    @classmethod
    def of(cls, tables: Tables, legend: Legend, seed: int) -> Findings:
        """Compute the findings from counted pixels.

        Raises
        ------
        ValueError
            If no pixel was counted.
        """
        if not tables.pixels:
            raise ValueError("nothing to audit: nowhere are there labels and images")
        return cls(
            legend,
            tables.labels_of_classes(seed),
            tables.classes_of_labels(seed),
            tables.class_shares,
            tables.label_shares,
            round(tables.pixels),
            tables.blocks,
        )

    @property
    def wrong(self) -> float:
        """Estimated share of the pixels whose label is not their class."""
        return float(1 - np.nansum(self.class_shares * np.diag(self.called.value)))

    def mistakes(self) -> list[str]:
        """The mistakes that take most ground, a sentence each, the largest first."""
        ground = np.nan_to_num(self.called.value) * self.class_shares[:, None]
        np.fill_diagonal(ground, 0)
        order = np.dstack(
            np.unravel_index(np.argsort(-ground, axis=None), ground.shape)
        )
        chosen = [
            (a, b)
            for a, b in order[0].tolist()
            if ground[a, b] > 0
            and self.called.value[a, b] >= _WORTH_SAYING
            and self.class_shares[a] >= THIN
        ]
        return [self._mistake(a, b) for a, b in chosen[:_MOST]]

    def _mistake(self, a: int, b: int) -> str:
        names, called = self.legend.names, self.called
        share = 100 * called.value[a, b]
        said = f"{share:.0f} % of what is {names[a]} is called {names[b]}"
        if np.isfinite(called.low[a, b]):
            low, high = 100 * called.low[a, b], 100 * called.high[a, b]
            said += f" ({low:.0f} to {high:.0f} %)"
        return said + "."

    def readings(self) -> list[str]:
        """Say what every label that is not rare stands for, a sentence each."""
        return [
            f"What is called {name} is {holdings(self.meant.value[:, b], self.legend)}."
            for b, name in enumerate(self.legend.names)
            if self.label_shares[b] >= THIN
        ]

    def notes(self) -> Iterator[str]:
        """Return the notes that a reader must know."""
        yield ORIGIN
        if self.blocks < FEWEST:
            yield (
                f"No intervals: the scene has {self.blocks} blocks of labels, and "
                f"{FEWEST} are needed."
            )
        thin = self._named((self.class_shares > 0) & (self.class_shares < THIN))
        if thin:
            yield f"Under {100 * THIN:g} % of the area, so hardly supported: {thin}."
        gone = self._named((self.class_shares == 0) & (self.label_shares > 0))
        if gone:
            yield f"A label, but no class that the method maps here: {gone}."

    def _named(self, chosen: NDArray[np.bool_]) -> str:
        return ", ".join(
            name for name, k in zip(self.legend.names, chosen, strict=True) if k
        )

    def as_tree(self) -> dict[str, Any]:
        """Everything as plain values for JSON; what is undefined is None."""
        names = self.legend.names
        return {
            "pixels": self.pixels,
            "blocks": self.blocks,
            "wrong": plain(self.wrong),
            "classes": {
                name: {
                    "code": c.code,
                    "share_of_labels": plain(self.label_shares[k]),
                    "estimated_share": plain(self.class_shares[k]),
                }
                for k, (name, c) in enumerate(
                    zip(names, self.legend.classes, strict=True)
                )
            },
            "called": _tree(self.called, names, by_row=True),
            "meant": _tree(self.meant, names, by_row=False),
            "notes": list(self.notes()),
        }


def holdings(shares: Floats, legend: Legend) -> str:
    """Classes with their shares, the largest first: ``61 % Forest, 30 % Urban``."""
    order = [k for k in np.argsort(-shares).tolist() if shares[k] >= _WORTH_SAYING]
    return ", ".join(f"{100 * shares[k]:.0f} % {legend.names[k]}" for k in order)


def _tree(matrix: Matrix, names: tuple[str, ...], by_row: bool) -> dict[str, Any]:
    """A class (or a label) to its labels (or classes), each with its interval."""
    ends = {"share": matrix.value, "low": matrix.low, "high": matrix.high}
    parts = {key: part if by_row else part.T for key, part in ends.items()}
    return {
        first: {
            second: {key: plain(part[i, j]) for key, part in parts.items()}
            for j, second in enumerate(names)
        }
        for i, first in enumerate(names)
    }
