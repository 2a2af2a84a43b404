"""All cases, and how one of them is carried out."""

from __future__ import annotations

import shutil
import tempfile
import zlib
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from bench.corpus import kinds
from bench.corpus.case import CASES, Case, Verdict, judge
from bench.corpus.runner import Command, Outcome, run
from bench.corpus.scene import new_scene


@cache
def catalogue() -> list[Case]:
    """Cases of every file in `bench.corpus.kinds`; titles are unique."""
    for module in sorted(module.name for module in iter_modules(kinds.__path__)):
        import_module(f"{kinds.__name__}.{module}")
    titles = [case.title for case in CASES]
    twice = {title for title in titles if titles.count(title) > 1}
    if twice:
        raise ValueError(f"cases of one title: {', '.join(sorted(twice))}")
    return CASES


def open_titles() -> set[str]:
    """Titles of the cases that are known to end wrong, from open.txt."""
    lines = Path(__file__).with_name("open.txt").read_text(encoding="utf-8")
    return {line for line in lines.splitlines() if line and not line.startswith("#")}


def carry_out(
    case: Case, work: Path, seed: int, fresh: bool = False, keep: bool = False
) -> tuple[Verdict, Outcome | None]:
    """Make a case's files, run its command, and judge it.

    `work` holds what cases share. A case's own folder is removed again unless it is to
    be kept.
    """
    folder = Path(tempfile.mkdtemp(prefix="case-", dir=work)) / "scene"
    own = zlib.crc32(case.title.encode())
    try:
        scene = new_scene(folder, work / "made", (seed, own))
        asked = case.prepare(scene)
        command = asked if isinstance(asked, Command) else Command(asked)
        outcome = run(command, folder, fresh)
        try:
            return judge(case, scene, outcome), outcome
        except Exception as error:  # what was written can't be read back
            about = f"its result can't be judged: {type(error).__name__}: {error}"
            return Verdict("fault", about), outcome
    finally:
        if not keep:
            for path in (folder, *folder.rglob("*")):
                if not path.is_symlink() and path.is_dir():
                    path.chmod(0o755)
            shutil.rmtree(folder.parent, ignore_errors=True)
