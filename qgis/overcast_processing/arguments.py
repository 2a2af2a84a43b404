"""From values of parameters to the words of a command line; no QGIS here."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

EXTRA = "EXTRA"
"""Parameter for options that the dialog does not show, as on a command line."""
YES, NO = "yes", "no"
"""What a parameter that may also be left to overcast is set to."""


def read_table():
    """Return the algorithms, from the table that is made from overcast's commands."""
    path = Path(__file__).with_name("algorithms.json")
    return json.loads(path.read_text(encoding="utf-8"))


def words_of(algorithm, values):
    """Words of the command line of an algorithm, without the program itself.

    Parameters
    ----------
    algorithm
        An entry of `read_table`.
    values
        Value of every parameter by name: text, number, bool, a list of texts, or None
        where nothing was given. What equals the default is left out.

    Raises
    ------
    ValueError
        If a parameter that is needed has no value, or quotes in `EXTRA` do not end.
    """
    options, places = [], []
    for parameter in algorithm["parameters"]:
        value = values.get(parameter["name"])
        if _is_empty(value):
            if parameter["required"]:
                raise ValueError(f"{parameter['label']}: give a value")
            continue
        if parameter["option"] is None:
            places += value if isinstance(value, list) else [_text(value)]
        else:
            options += _option(parameter, value)
    if algorithm["json"]:
        options.append("--json")
    try:
        extra = shlex.split(values.get(EXTRA) or "")
    except ValueError as error:
        raise ValueError(f"Further options: {error}") from error
    return [*algorithm["words"], *options, *extra, "--", *places]


def _option(parameter, value):
    name = parameter["option"]
    if parameter["kind"] == "flag":
        return [name] if value else []
    if parameter["kind"] == "switch":
        return [name if value == YES else parameter["off"]]
    if value == parameter.get("default"):
        return []
    # With an equals sign, a value such as -5.2,48.1,... is no option.
    each = value if isinstance(value, list) else [value]
    return [f"{name}={_text(one)}" for one in each]


def _text(value):
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _is_empty(value):
    return value is None or value in ("", [])


def lines_of(text):
    """Values of a field that takes one a line."""
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def file_of_source(source):
    """Name of a file as overcast takes it, from what a layer of QGIS says.

    Keeps ``|layername=``, and drops what only QGIS reads, such as ``|layerid=0``.
    """
    path, *settings = source.split("|")
    named = [one for one in settings if one.lower().startswith("layername=")]
    return "|".join([path, *named])
