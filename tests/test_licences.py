"""What overcast depends on has licences that suit its own."""

from __future__ import annotations

from email.message import Message
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from bench.licences import NVIDIA, Package, licence_of, needed, packages, suits


class Made(Distribution):
    """A package that says so much of itself."""

    def __init__(self, **fields: str | list[str]) -> None:
        self._about = Message()
        self._about["Name"] = "made"
        for name, values in fields.items():
            for value in [values] if isinstance(values, str) else values:
                self._about[name.replace("_", "-")] = value

    @property
    def metadata(self) -> Message:  # type: ignore[override]
        return self._about

    def read_text(self, filename: str) -> str | None:
        return None

    def locate_file(self, path: object) -> Path:
        return Path(str(path))


@pytest.mark.parametrize(
    ("expression", "good"),
    [
        ("MIT", True),
        ("BSD-3-Clause AND 0BSD AND MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("(Apache-2.0 OR BSD-2-Clause)", True),
        ("AGPL-3.0", False),
        ("", False),
    ],
)
def test_licences_that_suit(expression: str, good: bool) -> None:
    assert suits(expression) == good
    assert Package("made", "1", expression).suits == good


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ({"License_Expression": "MIT AND Zlib", "License": "GPL"}, "MIT AND Zlib"),
        ({"License": "BSD-3-Clause"}, "BSD-3-Clause"),
        ({"License": "New BSD"}, "BSD"),
        ({"License": "MIT License\n\nCopyright (c) 2020"}, "MIT"),
        (
            {"Classifier": "License :: OSI Approved :: Apache Software License"},
            "Apache-2.0",
        ),
        (
            {
                "Classifier": [
                    "License :: OSI Approved :: MIT License",
                    "License :: OSI Approved :: GNU General Public License v3 (GPLv3)",
                ]
            },
            "GPL-3.0 AND MIT",
        ),
        ({"License": "LicenseRef-NVIDIA-Proprietary"}, NVIDIA),
        ({"License": "ask us"}, ""),
        ({}, ""),
    ],
)
def test_a_licence_is_read_from_metadata(
    fields: dict[str, str | list[str]], licence: str
) -> None:
    assert licence_of(Made(**fields)) == licence


def test_all_that_is_installed_suits() -> None:
    rows = packages()
    assert not [row for row in rows if not row.suits]
    names = {row.name.casefold() for row in rows}
    assert {"numpy", "torch", "rio-tiler", "onnx", "ruff"} <= names
    assert "overcast" not in names


def test_requirements_are_followed_by_extra() -> None:
    bare = {found.metadata["Name"].casefold() for found in needed("overcast")}
    assert {"numpy", "rasterio", "certifi"} <= bare
    assert not {"torch", "ruff"} & bare
