"""Where overcast is: the program of an environment of its own; no QGIS here.

QGIS's Python is left alone. The settings may name the program. Else it is looked for
on PATH, and where pipx, uv and conda put programs.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

VARIABLE = "OVERCAST_EXECUTABLE"
"""Environment variable with the path of the program."""
HOW = (
    "Install it with `pipx install overcast`, or set its path in Settings, Options, "
    "Processing, Providers, overcast"
)
# QGIS sets these for itself, mostly on Windows and macOS. Another Python, GDAL or Qt
# breaks by them.
_OF_QGIS = frozenset(
    (
        *(
            "PYTHONHOME",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "PYTHONUTF8",
            "PYTHONNOUSERSITE",
        ),
        *("GDAL_DATA", "GDAL_DRIVER_PATH", "PROJ_LIB", "PROJ_DATA", "GEOTIFF_CSV"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH"),
        *("QT_PLUGIN_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH", "SSL_CERT_FILE"),
        *("SSL_CERT_DIR", "CURL_CA_BUNDLE", "VSI_CACHE", "VSI_CACHE_SIZE"),
    )
)
_CONDAS = ("miniforge3", "mambaforge", "miniconda3", "anaconda3", "micromamba")


def find(setting="", variables=None, home=None, windows=None):
    """Path of the program.

    Parameters
    ----------
    setting
        Path from the settings: the program, or the folder of its environment.
    variables
        Environment variables; those of this process by default.
    home
        Home folder of the user.
    windows
        Whether this is Windows.

    Raises
    ------
    LookupError
        If the path that was set is no program, or nothing was found.
    """
    variables = os.environ if variables is None else variables
    windows = sys.platform == "win32" if windows is None else windows
    home = Path.home() if home is None else Path(home)
    for said, where in ((setting, "the settings"), (variables.get(VARIABLE), VARIABLE)):
        if said:
            return _named(Path(os.path.expanduser(said.strip())), windows, where)
    on_path = shutil.which("overcast", path=variables.get("PATH", ""))
    if on_path:
        return Path(on_path)
    for folder in _folders(home, variables, windows):
        program = folder / _file(windows)
        if program.is_file():
            return program
    raise LookupError(f"overcast was not found. {HOW}")


def _named(path, windows, where):
    """Program that a path names, which may be the folder of an environment."""
    inside = [path / _file(windows), path / _scripts(windows) / _file(windows)]
    for candidate in (path, *inside):
        if candidate.is_file():
            return candidate
    raise LookupError(f"{path}: no program overcast there, which {where} names. {HOW}")


def _folders(home, variables, windows):
    """Folders where pipx, uv and conda put programs."""
    scripts = _scripts(windows)
    yield home / ".local" / "bin"
    for base in (
        home / ".local" / "share",
        home / ".local",
        home,
        home / "AppData" / "Local",
    ):
        yield base / "pipx" / "venvs" / "overcast" / scripts
        yield base / "pipx" / "pipx" / "venvs" / "overcast" / scripts
    yield home / ".local" / "share" / "uv" / "tools" / "overcast" / scripts
    yield home / "AppData" / "Roaming" / "uv" / "tools" / "overcast" / scripts
    for prefix in _environments(home, variables):
        yield prefix / scripts


def _environments(home, variables):
    """Environments of conda: those that it lists, and those in the usual folders."""
    listed = home / ".conda" / "environments.txt"
    if listed.is_file():
        text = listed.read_text(encoding="utf-8", errors="replace")
        yield from (Path(line) for line in text.splitlines() if line.strip())
    if variables.get("CONDA_PREFIX"):
        yield Path(variables["CONDA_PREFIX"])
    for name in _CONDAS:
        root = home / name
        yield root
        if (root / "envs").is_dir():
            yield from sorted((root / "envs").iterdir())


def _scripts(windows):
    return "Scripts" if windows else "bin"


def _file(windows):
    return "overcast.exe" if windows else "overcast"


def environment(program, variables=None):
    """Environment variables for overcast: those of this process, but not QGIS's own.

    The folders of its environment come first on PATH, as conda's activation has them.
    """
    variables = dict(os.environ if variables is None else variables)
    made = {k: v for k, v in variables.items() if k.upper() not in _OF_QGIS}
    scripts = Path(program).parent
    first = [scripts]
    if scripts.name.lower() == "scripts":
        prefix = scripts.parent
        first = [prefix, prefix / "Library" / "bin", scripts]
    parts = [str(one) for one in first if one.is_dir()]
    made["PATH"] = os.pathsep.join([*parts, made.get("PATH", "")])
    made["PYTHONIOENCODING"] = "utf-8"
    made["OVERCAST_PROGRESS"] = "lines"
    return made
