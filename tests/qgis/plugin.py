"""The plugin's modules that know nothing of QGIS, as QGIS imports them: by its folder."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def module(name: str) -> Any:
    """A module of the plugin."""
    folder = str(ROOT / "qgis")
    if folder not in sys.path:
        sys.path.append(folder)
    return import_module(f"overcast_processing.{name}")
