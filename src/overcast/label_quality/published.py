"""How right labels are: as published for a product, or as the user says.

``published.csv`` beside this file has the overall accuracy of every product whose legend
overcast knows, each with its source. These are figures of the producers' or others'
validations over continents, and of the products' own cells. A scene may differ.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overcast.geo.legend import Legend

Floats = NDArray[np.float64]
_COLUMNS = "class,accuracy"


@cache
def published() -> dict[str, float]:
    """Published overall accuracy by the name of a legend."""
    text = files("overcast.label_quality").joinpath("published.csv").read_text("utf-8")
    return {row["legend"]: float(row["accuracy"]) for row in _rows(text)}


def stated_accuracy(text: str, legend: Legend) -> Floats:
    """Accuracy ``[K]`` of every class of labels, as ``--labels-accuracy`` says it.

    `text` is a number, the name of a product of ``published.csv``, or a CSV file with
    the columns ``class`` (code or name) and ``accuracy``. Classes that the file leaves
    out have the mean of the others.

    Raises
    ------
    ValueError
        If it is none of these, or an accuracy is not above 0 and at most 1.
    """
    if text in published():
        return np.full(len(legend), published()[text])
    if Path(text).is_file():
        return _by_class(Path(text), legend)
    try:
        share = float(text)
    except ValueError:
        raise ValueError(
            f"--labels-accuracy {text}: expected a share such as 0.85, a CSV file with "
            f"the columns {_COLUMNS}, or one of {', '.join(sorted(published()))}"
        ) from None
    return np.full(len(legend), _checked(share, f"--labels-accuracy {text}"))


def _by_class(path: Path, legend: Legend) -> Floats:
    positions = {c.name.casefold(): k for k, c in enumerate(legend.classes)}
    positions |= {str(c.code): k for k, c in enumerate(legend.classes)}
    accuracy = np.full(len(legend), np.nan)
    try:
        rows = list(_rows(path.read_text("utf-8-sig")))
        pairs = [(row["class"].strip(), row["accuracy"].strip()) for row in rows]
    except (UnicodeDecodeError, csv.Error, KeyError, AttributeError) as error:
        raise ValueError(
            f"{path}: not a table of accuracies; expected a CSV in UTF-8 with the "
            f"columns {_COLUMNS}"
        ) from error
    for name, value in pairs:
        if name.casefold() not in positions:
            raise ValueError(
                f"{path}: class {name!r} is neither a code nor a name of the legend "
                f"{legend.name} ({', '.join(f'{c.code} {c.name}' for c in legend.classes)})"
            )
        try:
            share = float(value)
        except ValueError:
            share = np.nan
        accuracy[positions[name.casefold()]] = _checked(share, f"{path}: {name}")
    if not pairs:
        raise ValueError(f"{path}: no accuracy in it; expected a row for each class")
    return np.where(np.isnan(accuracy), np.nanmean(accuracy), accuracy)


def _checked(share: float, where: str) -> float:
    # A comparison with NaN is False.
    if not 0 < share <= 1:
        raise ValueError(
            f"{where}: accuracy {share:g}; expected a share above 0, at most 1"
        )
    return share


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines(), strict=True))
