"""Types of options: names of files, and finite numbers."""

from __future__ import annotations

import math
from pathlib import Path

import click


class _Source(click.ParamType):  # type: ignore[type-arg]
    """A file or an address that GDAL opens, with all its slashes."""

    name = "path"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value)
        if not text or "\0" in text:
            self.fail(f"{text!r} is no name of a file", param, ctx)
        if not _is_unicode(text):
            self.fail(f"{text!a} is no text in UTF-8; rename the file", param, ctx)
        return text


class _File(click.ParamType):  # type: ignore[type-arg]
    """A file or folder of this machine."""

    name = "path"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        return Path(SOURCE.convert(value, param, ctx))


SOURCE, FILE = _Source(), _File()
"""A raster or vector file to read, wherever it lies; and a file of this machine."""


class Number(click.FloatRange):
    """A finite number within limits; click's own lets NaN pass."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read the number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
