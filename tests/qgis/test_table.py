"""The plugin's table says what the commands say, and its zip is what QGIS installs."""

from __future__ import annotations

import ast
import configparser
import re
import zipfile
from pathlib import Path
from typing import Any

import click
import pytest
from bench import qgis_plugin

from overcast import __version__
from tests.qgis.plugin import ROOT, module

ALGORITHMS = module("arguments").read_table()
SOURCES = sorted((ROOT / "qgis" / "overcast_processing").glob("*.py"))


def command_of(words: list[str]) -> click.Command:
    made: Any = qgis_plugin.program
    for word in words:
        made = made.get_command(click.Context(made), word)
    assert isinstance(made, click.Command)
    return made


def test_the_table_is_made_from_the_commands_of_today() -> None:
    written = qgis_plugin.TABLE.read_text(encoding="utf-8")
    assert written == qgis_plugin.text(), "renew it: python -m bench.qgis_plugin"


def test_all_that_the_issue_asks_for_is_there() -> None:
    wanted = "inspect map suggest sample assess areas change generalise view"
    assert {a["id"] for a in ALGORITHMS} >= set(wanted.split())


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda a: a["id"])
def test_every_option_of_a_command_is_a_parameter(algorithm: dict[str, Any]) -> None:
    command = command_of(algorithm["words"])
    options = {
        max(p.opts, key=len): p for p in command.params if isinstance(p, click.Option)
    }
    listed = {p["option"]: p for p in algorithm["parameters"] if p["option"]}
    assert set(options) - set(listed) <= {
        "--json",
        "--no-browser",
        "--port",
        "--smooth",
    }
    assert set(listed) <= set(options)
    for name, parameter in listed.items():
        option = options[name]
        assert parameter["help"] == " ".join((option.help or "").split())
        if isinstance(option.type, click.Choice):
            assert parameter["choices"] == list(option.type.choices)
        if option.required:
            assert parameter["required"]
            assert not parameter["advanced"]
    places = [p for p in command.params if isinstance(p, click.Argument)]
    assert len(places) == sum(p["option"] is None for p in algorithm["parameters"])


def test_a_path_whose_kind_nobody_said_is_a_file() -> None:
    option = click.Option(["--new"], type=qgis_plugin.FILE)
    assert qgis_plugin._kind(option) == "file"


def test_what_is_said_of_no_parameter_is_refused() -> None:
    said = {"title": "", "group": "", "kinds": {"old": "raster"}}
    with pytest.raises(ValueError, match="areas: no parameter old"):
        qgis_plugin._algorithm("areas", said)


def test_the_zip_holds_the_plugin_alone(tmp_path: Path) -> None:
    path = qgis_plugin.write_zip(tmp_path)
    assert path.name == f"overcast_processing-{__version__}.zip"
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        text = archive.read("overcast_processing/metadata.txt").decode()
    assert {n.split("/")[0] for n in names} == {"overcast_processing"}
    assert {"algorithms.json", "LICENSE", "icon.svg", "__init__.py"} <= {
        n.split("/")[1] for n in names
    }
    about = configparser.ConfigParser(interpolation=None)
    about.read_string(text)
    assert about["general"]["version"] == __version__
    assert about["general"]["qgisMinimumVersion"] == "3.22"
    assert about["general"]["hasProcessingProvider"] == "yes"
    first = path.read_bytes()
    assert qgis_plugin.write_zip(tmp_path).read_bytes() == first


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.name)
def test_a_module_runs_in_the_pythons_of_all_versions_of_qgis(path: Path) -> None:
    """QGIS 3.22 brings Python 3.9; QGIS 4 brings Qt 6, whose enumerations have scopes."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 9))
    imported = [
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
    ]
    assert not [name for name in imported if name.startswith(("PyQt", "overcast."))]
    # Qt.Key_1 is gone from Qt 6; Qt.Key.Key_1 is in both.
    assert not re.findall(r"\bQt\.(?!\w+\.)\w+", text)
    assert "strict=" not in text
