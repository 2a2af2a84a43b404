"""The container's file agrees with the package, and its script says where it can't run."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from bench import container

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]


def test_its_extras_are_those_of_the_package() -> None:
    (extras,) = re.findall(r"^ARG EXTRAS=(\S+)$", TEXT, re.M)
    assert extras == container.EXTRAS
    assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()


def test_it_is_built_of_wheels_and_run_by_no_root() -> None:
    images = re.findall(r"^FROM \S+python:([\d.]+)-slim", TEXT, re.M)
    assert images == ["3.11", "3.11"]
    assert PROJECT["requires-python"] == ">=3.11"
    assert "--only-binary :all:" in TEXT
    assert "gcc" not in TEXT
    (user,) = re.findall(r"^USER (\d+):(\d+)$", TEXT, re.M)
    assert "0" not in user


def test_without_docker_the_script_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(container.shutil, "which", lambda name: None)
    monkeypatch.setattr("sys.argv", ["container.py"])
    container.main()
    assert "neither docker nor podman answers" in capsys.readouterr().out
