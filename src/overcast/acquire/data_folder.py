"""Names of the files in a folder that was fetched, each in this one place."""

from __future__ import annotations

from collections.abc import Iterable

MANIFEST = "fetch.json"
"""What was read, from where, under which terms."""
OPTICAL, RADAR, SCENE_CLASSES = "s2_", "s1_", "_scl"
"""Beginnings of images of Sentinel-2 and of Sentinel-1, and the end of the first one's
scene classes; each with a day."""


def optical_in(files: Iterable[str]) -> list[str]:
    """Images of Sentinel-2, by day."""
    return sorted(n for n in files if n.startswith(OPTICAL) and SCENE_CLASSES not in n)


def radar_in(files: Iterable[str]) -> list[str]:
    """Images of Sentinel-1, by day."""
    return sorted(name for name in files if name.startswith(RADAR))


def classes_of(image: str) -> str:
    """Scene classes of an image of Sentinel-2."""
    stem, point, ending = image.rpartition(".")
    return f"{stem}{SCENE_CLASSES}{point}{ending}"
