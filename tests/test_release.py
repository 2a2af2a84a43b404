"""One version everywhere, and a release that can be made from what is pinned."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from importlib.metadata import version
from itertools import chain

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import overcast
from tests.docs.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    pairs = [line.split("==") for line in lines]
    assert len({canonicalize_name(name) for name, _ in pairs}) == len(pairs)
    return {canonicalize_name(name): number for name, number in pairs}


def test_the_version_stands_in_one_place() -> None:
    assert PROJECT["project"]["dynamic"] == ["version"]
    path = PROJECT["tool"]["hatch"]["version"]["path"]
    text = (ROOT / path).read_text(encoding="utf-8")
    assert f'__version__ = "{overcast.__version__}"' in text
    assert version("overcast") == overcast.__version__
    assert str(Version(overcast.__version__)) == overcast.__version__


def test_the_citation_is_of_this_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == overcast.__version__
    assert cited["license"] == PROJECT["project"]["license"]
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()


def test_a_tag_says_the_version() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git, or no repository: there is no tag to look at")
    done = subprocess.run(
        ["git", "tag", "--points-at", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    tags = [tag for tag in done.stdout.split() if re.fullmatch(r"v\d.*", tag)]
    assert tags in ([], [f"v{overcast.__version__}"])


def test_all_that_is_required_is_pinned() -> None:
    """With every extra, and as it asks for."""
    pinned, extras = pins(), PROJECT["project"]["optional-dependencies"]
    for text in chain(PROJECT["project"]["dependencies"], *extras.values()):
        need = Requirement(text)
        if need.name == "overcast":
            assert need.extras <= extras.keys()
            continue
        assert need.specifier.contains(pinned[canonicalize_name(need.name)]), text
