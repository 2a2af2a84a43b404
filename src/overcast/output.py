"""Where a command writes: nothing is overwritten unasked, nothing is left half-written.

Finished files appear in the output folder all at once, at the end. Until then they are
in a work folder beside them that carries the fingerprint of what is being made, so that
the same command goes on after a kill and another one is refused. Renaming the work
folder says that all is made: from then on any command that finds it moves what is left.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from overcast import lock, run_folder

_WORK, _FINISHED = ".overcast-unfinished", ".overcast-finished"
_DONE = ".overcast-done"
"""The key of a command whose files are all in their places, until its lock is gone."""
_KEY, _NAMES, _REPLACED = "key", "names.json", "replaced"
_DEAR = "dear"
_RUN = (run_folder.PLAN, run_folder.INTERFACE, run_folder.SENSORS)
"""Files of which a run folder has one."""


@dataclass(frozen=True, slots=True)
class Output:
    """An output folder, the names that a command makes in it, and its work folder.

    As a context, it moves the files to their places at the end (`finish`). After a
    ValueError it leaves nothing (`discard`), unless work is `dear` by then. After any
    other error it leaves unfinished work, so that the same command goes on with it.

    Attributes
    ----------
    folder
        Where files appear.
    names
        All that the command may make there.
    finished
        Whether this very command had made everything, and was stopped while files moved
        to their places. They are there now, and there is nothing left to do.
    notes
        What is to be said of the folder.
    more
        Names that were not known at the beginning; see `add`.
    scope
        Empty, or the name of the one file that is written: others may write others in
        the same folder meanwhile, and what was stopped is made anew.
    again
        Whether the same command was stopped here before.
    fresh
        Whether the folder was not there before.
    """

    folder: Path
    names: tuple[str, ...]
    finished: bool = False
    notes: tuple[str, ...] = ()
    more: list[str] = field(default_factory=list)
    scope: str = ""
    again: bool = False
    fresh: bool = False

    @property
    def work(self) -> Path:
        """Folder of unfinished files."""
        return _hidden(self.folder, _WORK, self.scope)

    @classmethod
    def begin(
        cls,
        folder: Path,
        names: tuple[str, ...],
        key: str,
        overwrite: bool,
        *,
        scope: str = "",
    ) -> Output:
        """Prepare `folder`, or go on with the unfinished work of the same `key`.

        No other process may write to the folder, or to its `scope`, until the context
        ends.

        Raises
        ------
        ValueError
            If one of `names` exists, or other work is unfinished there, and
            `overwrite` is not set; or if another process writes there.
        """
        refuse_name(folder)
        fresh = not folder.exists()
        notes = lock.acquire(folder, scope)
        output = cls(folder, names, notes=notes, scope=scope, fresh=fresh)
        try:
            done = _finish_left(folder, scope) == key
            if done and not scope:
                output._free()
                return cls(folder, names, finished=True, notes=output.notes)
            again = output._prepare(key, overwrite or done)
        except BaseException:
            lock.release(folder, scope)
            raise
        return replace(output, again=again or done)

    def _prepare(self, key: str, overwrite: bool) -> bool:
        """Make the work folder; whether it is that of the same command."""
        marker = self.work / _KEY
        if marker.exists() and marker.read_text(encoding="utf-8") == key:
            if self.scope:
                self._empty()
            return True
        self._refuse_old(self.names, overwrite)
        if marker.exists() and not overwrite:
            raise ValueError(
                f"{self.folder}: holds unfinished work of another command; run that "
                "again to finish it, or give --overwrite"
            )
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        write_whole(marker, key)
        _hidden(self.folder, _DONE, self.scope).unlink(missing_ok=True)
        return False

    def _empty(self) -> None:
        """Leave nothing but the key: what was stopped is made anew."""
        for path in self.work.iterdir():
            if path.name != _KEY:
                remove(path)

    def _free(self) -> None:
        """Let others write here, and then forget which command was done last.

        In this order a command that is stopped in between is still known to be done.
        """
        lock.release(self.folder, self.scope)
        _hidden(self.folder, _DONE, self.scope).unlink(missing_ok=True)

    def add(self, names: Iterable[str], overwrite: bool) -> None:
        """Make more files than those that were known at the beginning.

        Raises
        ------
        ValueError
            If one exists, and `overwrite` is not set.
        """
        fresh = tuple(name for name in names if name not in self.names)
        self._refuse_old(fresh, overwrite)
        self.more.extend(name for name in fresh if name not in self.more)

    def _refuse_old(self, names: tuple[str, ...], overwrite: bool) -> None:
        old = [name for name in names if (self.folder / name).exists()]
        if old and not overwrite:
            raise ValueError(
                f"{self.folder / old[0]}: exists; give another --out, or --overwrite"
            )
        _refuse_foreign(self.folder, names)

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.finish()
        elif self._is_worthless(error):
            self.discard()
        else:
            lock.release(self.folder, self.scope)

    def _is_worthless(self, error: BaseException) -> bool:
        """Return whether nobody goes on with what was made before an error."""
        refused = isinstance(error, ValueError) and not (self.work / _DEAR).exists()
        return refused or bool(self.scope)

    def hold(self) -> None:
        """Say that what was made so far took long: no refusal throws it away."""
        (self.work / _DEAR).touch()

    def finish(self) -> None:
        """Move every finished file to its place."""
        try:
            names = (*self.names, *self.more)
            made = [name for name in names if (self.work / name).exists()]
            gone = [name for name in names if name not in made]
            text = json.dumps({"made": made, "gone": gone})
            write_whole(self.work / _NAMES, text)
            self.work.rename(_hidden(self.folder, _FINISHED, self.scope))
            _finish_left(self.folder, self.scope)
        except BaseException:
            lock.release(self.folder, self.scope)
            raise
        self._free()

    def discard(self) -> None:
        """Leave nothing of unfinished work behind."""
        shutil.rmtree(self.work, ignore_errors=True)
        lock.release(self.folder, self.scope)
        if self.fresh and self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def finish_left(folder: Path) -> str | None:
    """Move files that a command had finished, and was stopped while it moved them.

    Returns
    -------
    str or None
        The key of that command, or None if there was none; see `forget`.
    """
    if not (folder / _FINISHED).is_dir() and not (folder / _DONE).is_file():
        return None
    with lock.writing(folder):
        return _finish_left(folder)


def forget(folder: Path) -> None:
    """Forget which command was done last, once that was said or does not matter."""
    (folder / _DONE).unlink(missing_ok=True)


def keys_left(folder: Path, scope: str = "") -> set[str]:
    """Keys of commands that were stopped in a folder, while they worked or moved files."""
    marks = [_hidden(folder, name, scope) / _KEY for name in (_WORK, _FINISHED)]
    marks.append(_hidden(folder, _DONE, scope))
    return {mark.read_text(encoding="utf-8") for mark in marks if mark.is_file()}


def _finish_left(folder: Path, scope: str = "") -> str | None:
    """Move what is finished; return the key of the command that was stopped then."""
    finished = _hidden(folder, _FINISHED, scope)
    done = _hidden(folder, _DONE, scope)
    if finished.is_dir():
        key, names = finished / _KEY, finished / _NAMES
        if names.exists():
            _move(json.loads(names.read_text(encoding="utf-8")), finished)
        for path in finished.iterdir():
            if path not in (key, names):
                remove(path)
        names.unlink(missing_ok=True)
        if key.exists():
            key.replace(done)
        finished.rmdir()
    return done.read_text(encoding="utf-8") if done.is_file() else None


def _move(lists: Mapping[str, Sequence[str]], finished: Path) -> None:
    folder = finished.parent
    for name in lists["made"]:
        # One that is not there is in its place already.
        if (finished / name).exists():
            _put(finished / name, folder / name)
    for name in lists["gone"]:
        _set_aside(folder / name, finished)


def _hidden(folder: Path, name: str, scope: str) -> Path:
    return folder / (f"{name}-{scope}" if scope else name)


def _put(source: Path, target: Path) -> None:
    """Rename in one step, if both are files: a reader sees the old or the new one."""
    if target.exists() and (target.is_dir() or source.is_dir()):
        _set_aside(target, source.parent)
    source.replace(target)


def _set_aside(target: Path, finished: Path) -> None:
    """Move what is replaced out of the way, to be removed once all is in its place."""
    if not target.exists() and not target.is_symlink():
        return
    replaced = finished / _REPLACED
    replaced.mkdir(exist_ok=True)
    place = replaced / target.name
    if place.exists():
        remove(place)
    target.rename(place)


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that it holds."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def draft_of(path: Path) -> Path:
    """Name of a file until it is whole; a command that was killed may leave it."""
    return path.with_name(path.name + ".draft")


def write_whole(path: Path, text: str) -> None:
    """Write a file that has its name once it is whole."""
    draft = draft_of(path)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def refuse_inputs(folder: Path, names: Iterable[str], inputs: Iterable[str]) -> None:
    """Refuse to replace what the very command reads.

    Raises
    ------
    ValueError
        If one of `inputs` is one of `names` in `folder`, or lies in it.
    """
    outputs = [(folder / name).resolve() for name in names]
    for text in inputs:
        path = Path(text).resolve()
        if any(path == output or output in path.parents for output in outputs):
            raise ValueError(
                f"{text}: read by this command, and would be replaced by it; give "
                "another --out"
            )


def refuse_name(out: Path) -> None:
    """Refuse a name that is no text, before anything is learned.

    Raises
    ------
    ValueError
        If it is not UTF-8.
    """
    try:
        str(out).encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"--out {str(out)!a}: not a name in UTF-8") from error


def _refuse_foreign(folder: Path, names: Iterable[str]) -> None:
    """Refuse to replace folders that overcast did not make."""
    for path in (folder / name for name in names):
        if not path.is_dir() or path.is_symlink():
            continue
        known = path.name == run_folder.RUN and any(
            (path / mark).exists() for mark in _RUN
        )
        if not known and any(path.iterdir()):
            raise ValueError(
                f"{path}: a folder that overcast did not make, and won't replace; move "
                "it away, or give another --out"
            )


def refuse_to_replace(
    out: Path, overwrite: bool, inputs: Iterable[object] = ()
) -> None:
    """Refuse a single file that exists, unless it may be overwritten.

    Raises
    ------
    ValueError
        If `out` exists and `overwrite` is not set, or it is a folder, or one of
        `inputs`.
    """
    refuse_name(out)
    refuse_inputs(out.parent, [out.name], map(str, inputs))
    if out.is_dir():
        raise ValueError(f"{out}: a folder; give the name of a file for --out")
    if out.exists() and not overwrite:
        raise ValueError(f"{out}: exists; give another --out, or --overwrite")
