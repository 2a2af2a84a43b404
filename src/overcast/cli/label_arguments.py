"""What ``--labels`` says, alone or several times, as the entries of a plan.

A source is ``FILE``, or ``FILE|KEY=VALUE|KEY=VALUE`` in the way of QGIS: ``legend``,
``column``, ``nodata``, ``accuracy`` and ``crosswalk`` are of this source alone, and
``layername`` is the layer of a vector file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from overcast.geo.location import Location, hide

if TYPE_CHECKING:
    from overcast.cli.option_values import LabelOptions
    from overcast.plan import Data, LabelInput

_KEYS = ("legend", "column", "nodata", "accuracy", "crosswalk")
_IN_PATH = ("layername", "layerid", "geometrytype", "subset")
"""Parts that belong to the path of a layer, as QGIS writes it."""
_OF_ONE = {
    "labels_nodata": "nodata=CODE,...",
    "labels_column": "column=NAME",
    "labels_accuracy": "accuracy=SHARE",
}
"""Options that say something of one source, and how it is said of one of several."""


def with_labels(data: Data, given: LabelOptions, accuracy: str | None = None) -> Data:
    """The `Data` with the sources of labels that the options describe.

    Raises
    ------
    ValueError
        If a part of a source is not known, or it is not said of which source it is.
    """
    from dataclasses import replace

    texts: Sequence[str] = given["labels"]
    legend = None if given["legend"] is None else _file_or_name(given["legend"])
    if len(texts) > 1:
        _refuse_of_which({**given, "labels_accuracy": accuracy})
    entries = [_entry(text, legend, given, alone=len(texts) == 1) for text in texts]
    paths = [entry.path for entry in entries]
    for path in paths:
        if paths.count(path) > 1:
            raise ValueError(f"--labels {hide(path)}: given twice, expected once")
    said = None if entries[0].legend == legend else legend
    return replace(
        data, labels=entries[0], other_labels=tuple(entries[1:]), legend=said
    )


def _refuse_of_which(given: Mapping[str, object]) -> None:
    for name, instead in _OF_ONE.items():
        if given.get(name) not in (None, ()):
            option = f"--{name.replace('_', '-')}"
            raise ValueError(
                f"{option}: of which --labels? say it there: --labels 'FILE|{instead}'"
            )


def _entry(
    text: str, legend: str | None, given: LabelOptions, alone: bool
) -> LabelInput:
    """One source as the `LabelInput` of a plan."""
    from overcast.cli.arguments import codes_of
    from overcast.plan import LabelInput

    path, said = _parts(text)
    nodata: tuple[str, ...] = (said["nodata"],) if "nodata" in said else ()
    column = said.get("column")
    if alone:
        others = {"nodata": given["labels_nodata"], "column": given["labels_column"]}
        for key, other in others.items():
            if key in said and other not in (None, ()):
                raise ValueError(
                    f"--labels-{key}: --labels {hide(text)} says it already; leave one out"
                )
        nodata = nodata or given["labels_nodata"]
        column = column or given["labels_column"]
    own = said.get("legend")
    if own is None and legend is None:
        raise ValueError(
            f"--labels {hide(text)}: of which legend? give --legend, or FILE|legend=NAME"
        )
    return LabelInput(
        path=Location.of(path).text,
        legend=_file_or_name(own) if own is not None else str(legend),
        nodata=codes_of(
            "nodata" if nodata and not alone else "--labels-nodata", nodata
        ),
        column=column,
        accuracy=_known(said.get("accuracy")),
        crosswalk=_known(said.get("crosswalk")),
    )


def _parts(text: str) -> tuple[str, dict[str, str]]:
    """Path, with its layer, and what is said of a source."""
    path, *parts = text.split("|")
    said: dict[str, str] = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if key in _IN_PATH:
            path = f"{path}|{part}"
            continue
        if not equals or key not in _KEYS or not value:
            raise ValueError(
                f"--labels {hide(text)}: {part!r}; expected KEY=VALUE with one of "
                f"{', '.join((*_KEYS, 'layername'))}"
            )
        if key in said:
            raise ValueError(f"--labels {hide(text)}: {key} is given twice")
        said[key] = value
    return path, said


def _known(text: str | None) -> str | None:
    return None if text is None else _file_or_name(text)


def _file_or_name(text: str) -> str:
    return Location.of(text).text if Path(text).is_file() else text
