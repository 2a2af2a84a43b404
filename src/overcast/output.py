"""Where a command writes: nothing is overwritten unasked, nothing is left half-written.

Finished files appear in the output folder all at once, at the end. Until then they are
in a work folder beside them that carries the fingerprint of what is being made, so that
the same command goes on after a kill and another one is refused.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

_WORK = ".overcast-unfinished"
_KEY = "key"


@dataclass(frozen=True, slots=True)
class Output:
    """An output folder, the names that a command makes in it, and its work folder."""

    folder: Path
    names: tuple[str, ...]

    @property
    def work(self) -> Path:
        """Folder of unfinished files."""
        return self.folder / _WORK

    @classmethod
    def begin(
        cls, folder: Path, names: tuple[str, ...], key: str, overwrite: bool
    ) -> Output:
        """Prepare `folder`, or go on with the unfinished work of the same `key`.

        Raises
        ------
        ValueError
            If one of `names` exists, or other work is unfinished there, and
            `overwrite` is not set.
        """
        output = cls(folder, names)
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{folder}: a file; give a folder for --out")
        marker = output.work / _KEY
        if marker.exists() and marker.read_text(encoding="utf-8") == key:
            return output
        there = [name for name in names if (folder / name).exists()]
        if there and not overwrite:
            raise ValueError(
                f"{folder / there[0]}: exists; give another --out, or --overwrite"
            )
        if marker.exists() and not overwrite:
            raise ValueError(
                f"{folder}: holds unfinished work of another command; run that again "
                "to finish it, or give --overwrite"
            )
        shutil.rmtree(output.work, ignore_errors=True)
        output.work.mkdir(parents=True)
        marker.write_text(key, encoding="utf-8")
        return output

    def finish(self) -> None:
        """Move every finished file to its place."""
        for name in self.names:
            there = self.folder / name
            if there.is_dir():
                shutil.rmtree(there)
            else:
                there.unlink(missing_ok=True)
            if (self.work / name).exists():
                (self.work / name).replace(there)
        shutil.rmtree(self.work)

    def discard(self) -> None:
        """Leave nothing of unfinished work behind."""
        shutil.rmtree(self.work, ignore_errors=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def refuse_to_replace(out: Path, overwrite: bool) -> None:
    """Refuse a single file that exists, unless it may be overwritten.

    Raises
    ------
    ValueError
        If `out` exists and `overwrite` is not set.
    """
    if out.exists() and not overwrite:
        raise ValueError(f"{out}: exists; give another --out, or --overwrite")
