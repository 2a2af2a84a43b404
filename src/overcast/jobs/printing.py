"""A page as PDF, printed by a browser of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from overcast.errors import writing

VARIABLE = "OVERCAST_BROWSER"
"""Environment variable with the path of a browser."""
_NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    *("chrome", "microsoft-edge", "msedge", "brave-browser"),
)
_MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
_WINDOWS = (
    r"Google\Chrome\Application\chrome.exe",
    r"Microsoft\Edge\Application\msedge.exe",
)
_SECONDS = 120


def browser_of(variables: Mapping[str, str] | None = None) -> Path:
    """A browser that prints: Chromium, Chrome, Edge, or what `VARIABLE` names.

    Raises
    ------
    ValueError
        If there is none, or the variable names no program.
    """
    variables = os.environ if variables is None else variables
    if named := variables.get(VARIABLE):
        path = shutil.which(named, path=variables.get("PATH", ""))
        if path is None:
            raise ValueError(f"{named}: no program, which {VARIABLE} names")
        return Path(path)
    for place in _places(variables):
        if place.is_file():
            return place
    raise ValueError(
        "--pdf: no browser to print with; install Chromium, Chrome or Edge, give its "
        f"path in {VARIABLE}, or open the page and print it"
    )


def _places(variables: Mapping[str, str]) -> Iterator[Path]:
    for name in _NAMES:
        if path := shutil.which(name, path=variables.get("PATH", "")):
            yield Path(path)
    yield from map(Path, _MAC)
    for key in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        if folder := variables.get(key):
            yield from (Path(folder) / one for one in _WINDOWS)


def print_page(page: Path, out: Path, browser: Path) -> None:
    """Print a page of overcast to a PDF; the file is whole or not there.

    The page needs no network, and runs no script.

    Raises
    ------
    ValueError
        If the browser does not print it.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        made = Path(scratch) / "page.pdf"
        words = [
            *(str(browser), "--headless=new", "--disable-gpu", "--no-first-run"),
            *("--disable-extensions", "--disable-background-networking"),
            *("--disable-dev-shm-usage", f"--user-data-dir={scratch}/profile"),
            *("--no-pdf-header-footer", f"--print-to-pdf={made}"),
            *_as_root(),
            page.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(
                words, check=False, capture_output=True, timeout=_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ValueError(f"{browser}: did not print {page} ({error})") from error
        if not made.is_file():
            said = done.stderr.decode(errors="replace").strip().splitlines()
            why = said[-1] if said else f"exit code {done.returncode}"
            raise ValueError(f"{browser}: did not print {page} ({why})")
        with writing(out):
            draft = out.with_name(f".{out.name}.part")
            shutil.copyfile(made, draft)
            draft.replace(out)


def _as_root() -> list[str]:
    """Return what lets a browser start for root, as in a container."""
    root = sys.platform.startswith("linux") and os.geteuid() == 0
    return ["--no-sandbox"] if root else []
