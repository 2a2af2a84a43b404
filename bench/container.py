"""The container: its size, its start, and a map made in it offline as another user.

    python bench/container.py             # with docker or podman, where one answers
    python bench/container.py --emulate   # the same steps in a virtual environment

Prints JSON. Where neither docker nor podman answers, it says so. `--emulate` installs the
same packages, wheels alone, into an empty environment. If it is root it runs a map there as
user 65534 and without a network; the environment is root's, so one folder can be written.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
EXTRAS = "acquire,dask"
_NOBODY = "65534"
_SIMULATE = ("simulate", "--seed", "1", "--size", "256", "--out", "w")
_MAP = (
    *("map", "--s2", "w/s2.tif", "--s1", "w/s1.tif", "--labels", "w/labels.tif"),
    *("--legend", "simplified-igbp", "--out", "out"),
)


def engine() -> str | None:
    """The program that runs containers here, if one answers."""
    for name in ("docker", "podman"):
        if shutil.which(name) is None:
            continue
        answer = subprocess.run([name, "info"], capture_output=True, check=False)
        if answer.returncode == 0:
            return name
    return None


def timed(words: Sequence[str | Path], **options: Any) -> float:
    """Seconds of a command; what it says is shown if it fails."""
    began = time.perf_counter()
    done = subprocess.run(
        [*map(str, words)], capture_output=True, text=True, check=False, **options
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return round(time.perf_counter() - began, 2)


def in_container(name: str) -> dict[str, Any]:
    """Build the image, and make a map in it."""
    built = timed(
        [name, "build", "-f", "Containerfile", "-t", "overcast", "."], cwd=ROOT
    )
    size = subprocess.check_output(
        [name, "image", "inspect", "-f", "{{.Size}}", "overcast"], text=True
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        run = [
            *(name, "run", "--rm", "--read-only", "--network", "none"),
            *("--user", f"{_NOBODY}:{_NOBODY}", "-v", f"{folder}:/data", "overcast"),
        ]
        start = timed([*run, "--version"])
        timed([*run, *_SIMULATE])
        mapped = timed([*run, *_MAP])
    return {
        "engine": name,
        "build_seconds": built,
        "image_mib": int(size) >> 20,
        "start_seconds": start,
        "map_of_256_seconds": mapped,
    }


def emulated() -> dict[str, Any]:
    """Install wheels alone into an empty environment, and make a map as another user."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        home, data = Path(folder) / "overcast", Path(folder) / "data"
        timed([sys.executable, "-m", "venv", "--copies", home])
        compiler = {"CC": "/bin/false", "CXX": "/bin/false"}
        wheels = [
            *(home / "bin" / "pip", "install", "--only-binary", ":all:"),
            *("--constraint", ROOT / "constraints.txt", f"{ROOT}[{EXTRAS}]"),
        ]
        installed = timed(wheels, env={**os.environ, **compiler})
        size = sum(p.stat().st_size for p in home.rglob("*") if p.is_file())
        data.mkdir()
        data.chmod(0o777)
        run: list[str | Path] = [home / "bin" / "overcast"]
        as_nobody = os.geteuid() == 0 and shutil.which("setpriv") is not None
        if as_nobody:
            user = ["--reuid", _NOBODY, "--regid", _NOBODY, "--clear-groups"]
            run = ["unshare", "--net", "setpriv", *user, *run]
        env = {"PATH": os.environ["PATH"], "HOME": str(data), "TMPDIR": str(data)}
        env["PYTHONDONTWRITEBYTECODE"] = "1"
        start = timed([*run, "--version"], cwd=data, env=env)
        timed([*run, *_SIMULATE], cwd=data, env=env)
        mapped = timed([*run, *_MAP], cwd=data, env=env)
    return {
        "engine": "none: emulated in a virtual environment",
        "as_another_user_offline": as_nobody,
        "install_seconds": installed,
        "installed_mib": size >> 20,
        "start_seconds": start,
        "map_of_256_seconds": mapped,
    }


def main() -> None:
    """Print what was measured, or that nothing could be."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--emulate", action="store_true")
    if parser.parse_args().emulate:
        print(json.dumps(emulated(), indent=2))
    elif (name := engine()) is not None:
        print(json.dumps(in_container(name), indent=2))
    else:
        print(json.dumps({"engine": None, "note": "neither docker nor podman answers"}))


if __name__ == "__main__":
    main()
