"""The table of the QGIS plugin, from the commands' own options, and the plugin's zip.

    python -m bench.qgis_plugin            # the table alone
    python -m bench.qgis_plugin --zip dist # and dist/overcast_processing-VERSION.zip

`make qgis` does both. The table is qgis/overcast_processing/algorithms.json. A test
compares it with the commands, so that plugin and commands say the same.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from overcast import __version__
from overcast.cli import program
from overcast.cli.option_types import FILE, SOURCE

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "qgis" / "overcast_processing"
TABLE = PLUGIN / "algorithms.json"
_SAID = ROOT / "qgis" / "algorithms.toml"
_HIDDEN = frozenset({"json", "as_json", "no_browser", "port"})
"""Options that the plugin sets itself."""
_TYPES: tuple[tuple[type, str], ...] = (
    (click.Choice, "choice"),
    (click.types.IntParamType, "whole"),
    (click.types.FloatParamType, "number"),
)
"""Types of click, and kinds of the table."""
_LABEL = re.compile(r"[.,:;(]| or a ", re.ASCII)


def table() -> list[dict[str, Any]]:
    """Algorithms of the plugin as plain values, in the order of qgis/algorithms.toml.

    Raises
    ------
    ValueError
        If qgis/algorithms.toml says something of a parameter that no command has.
    """
    said = tomllib.loads(_SAID.read_text(encoding="utf-8"))
    return [_algorithm(name, entry) for name, entry in said.items()]


def text() -> str:
    """The table as its file has it."""
    return json.dumps(table(), indent=1, ensure_ascii=False) + "\n"


def _algorithm(name: str, said: dict[str, Any]) -> dict[str, Any]:
    words = said.get("words", [name])
    command = _command(words)
    hidden = _HIDDEN.union(said.get("hidden", ()))
    shown = [p for p in command.params if p.name not in hidden]
    named = {*said["kinds"], *said.get("labels", ()), *said.get("basic", ())}
    unknown = named - {p.name for p in shown}
    if unknown:
        raise ValueError(f"{_SAID.name}: {name}: no parameter {', '.join(unknown)}")
    return {
        "id": name,
        "words": words,
        "title": said["title"],
        "group": said["group"],
        "help": inspect.cleandoc(command.help or "").replace("\b\n", ""),
        "json": any(p.name in ("json", "as_json") for p in command.params),
        "loads": said.get("loads", []),
        "page": said.get("page"),
        "parameters": [_parameter(said, p) for p in shown],
    }


def _command(words: list[str]) -> click.Command:
    command: click.Command = program
    for word in words:
        assert isinstance(command, click.Group)
        inner = command.get_command(click.Context(command), word)
        assert inner is not None, words
        command = inner
    return command


def _parameter(said: dict[str, Any], parameter: click.Parameter) -> dict[str, Any]:
    assert parameter.name is not None
    kind = said["kinds"].get(parameter.name) or _kind(parameter)
    option = isinstance(parameter, click.Option)
    flag = max(parameter.opts, key=len) if option else None
    help_text = " ".join((getattr(parameter, "help", None) or "").split())
    made: dict[str, Any] = {
        "name": parameter.name.upper(),
        "option": flag,
        "kind": kind,
        "label": _label(
            parameter, said.get("labels", {}).get(parameter.name), help_text, kind
        ),
        "help": help_text,
        "required": parameter.required and kind != "to_folder",
        "advanced": option
        and not parameter.required
        and parameter.name not in said.get("basic", ()),
    }
    if kind == "to_folder":
        made["required"] = True
    if parameter.multiple or parameter.nargs == -1:
        made["several"] = True
    if getattr(parameter, "secondary_opts", None):
        made["off"] = parameter.secondary_opts[0]
    return made | _limits(parameter)


def _kind(parameter: click.Parameter) -> str:
    of = parameter.type
    if of in (FILE, SOURCE):
        return "many" if parameter.multiple else "file"
    if getattr(parameter, "secondary_opts", None):
        return "switch"
    if getattr(parameter, "is_flag", False):
        return "flag"
    for type_, kind in _TYPES:
        if isinstance(of, type_):
            return kind
    return "many" if parameter.multiple else "text"


def _limits(parameter: click.Parameter) -> dict[str, Any]:
    """Choices, limits and default, where a parameter has them."""
    made: dict[str, Any] = {}
    of = parameter.type
    if isinstance(of, click.Choice):
        made["choices"] = list(of.choices)
    for name in ("min", "max"):
        if getattr(of, name, None) is not None:
            made[name] = getattr(of, name)
    default = parameter.default
    if isinstance(default, int | float | str) and not isinstance(default, bool):
        made["default"] = default
    return made


def _label(
    parameter: click.Parameter, said: str | None, help_text: str, kind: str
) -> str:
    """What is said, or the begin of the help; and the option as the docs call it."""
    named = (parameter.name or "").replace("_", " ").capitalize()
    if isinstance(parameter, click.Argument):
        return said or named
    first = said or _LABEL.split(help_text)[0].strip() or named
    if kind in ("to_raster", "to_vector"):
        return first  # the name of the layer that it opens as
    return f"{first} [{max(parameter.opts, key=len)}]"


def write_zip(folder: Path) -> Path:
    """Write the plugin as QGIS installs it: *Plugins, Install from ZIP*."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{PLUGIN.name}-{__version__}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _files():
            name = f"{PLUGIN.name}/{file.relative_to(PLUGIN).as_posix()}"
            body = file.read_bytes()
            if file.name == "metadata.txt":
                body = body.replace(b"@VERSION@", __version__.encode())
            # The same bytes for the same files, whenever it is made.
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), body)
        archive.writestr(
            zipfile.ZipInfo(f"{PLUGIN.name}/LICENSE", (2020, 1, 1, 0, 0, 0)),
            (ROOT / "LICENSE").read_bytes(),
        )
    return path


def _files() -> Iterator[Path]:
    for path in sorted(PLUGIN.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def main() -> None:
    """Write the table, and the zip if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--zip", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    TABLE.write_text(text(), encoding="utf-8")
    if given.zip is not None:
        print(write_zip(given.zip))


if __name__ == "__main__":
    main()
