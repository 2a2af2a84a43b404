"""The wheel, installed into an empty environment, makes the demo from it.

    python -m bench.wheel

It finds what a checkout hides: a file that the wheel lacks, or a requirement that only
developers have. Torch must not come with it. Prints what it cost.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEMO = ("demo", "--size", "128", "--out", "demo")
EXPECTED = ("map.tif", "confidence.tif", "report.html", "scores.json", "stac-item.json")
_ABSENT = ("torch", "timm", "onnx", "maplibre")


def run(*words: object, where: Path) -> str:
    """Output of a command that must end well; it sees nothing of this checkout."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    bare["PATH"] = os.defpath
    done = subprocess.run(
        [str(word) for word in words],
        cwd=where,
        env=bare,
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout


def build(folder: Path) -> Path:
    """The wheel of this checkout, in `folder`."""
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps")
    run(*pip, "--wheel-dir", folder, ROOT, where=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """An environment with the wheel and what it requires, and nothing else."""
    run(sys.executable, "-m", "venv", folder, where=wheel.parent)
    pip = (folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-compile")
    run(*pip, "--constraint", ROOT / "constraints.txt", wheel, where=wheel.parent)
    return folder / "bin"


def size_of(folder: Path) -> int:
    """Bytes of all files of a folder."""
    return sum(p.lstat().st_size for p in folder.rglob("*") if not p.is_symlink())


def check(programs: Path, where: Path) -> None:
    """Make the demo, and refuse what should not be there."""
    listed = run(programs / "python", "-m", "pip", "list", "--format=json", where=where)
    names = {row["name"].casefold() for row in json.loads(listed)}
    if present := sorted(names & set(_ABSENT)):
        raise SystemExit(f"{', '.join(present)} came with the wheel; it is an extra")
    run(programs / "overcast", *DEMO, where=where)
    if missing := [n for n in EXPECTED if not (where / "demo" / n).is_file()]:
        raise SystemExit(f"the demo lacks {', '.join(missing)}")


def main() -> int:
    """Build, install, make the demo; say what each step cost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spent = [(time.monotonic(), cpu())]
        wheel = build(folder)
        spent.append((time.monotonic(), cpu()))
        programs = install(wheel, folder / "environment")
        spent.append((time.monotonic(), cpu()))
        check(programs, folder)
        spent.append((time.monotonic(), cpu()))
        for step, before, after in zip(
            ("wheel", "installation", "demo"), spent, spent[1:], strict=False
        ):
            wall, busy = (b - a for a, b in zip(before, after, strict=True))
            print(f"{step:13} {wall:6.1f} s, {busy:6.1f} s of CPU")
        print(
            f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB; the environment: "
            f"{size_of(folder / 'environment') / 1e9:.2f} GB"
        )
    return 0


def cpu() -> float:
    """Seconds of CPU that ended commands took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
