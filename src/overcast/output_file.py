"""One file that a command writes, and what lies beside it: whole, or not there.

The same journal as that of an output folder (`overcast.output`), but for one name: other
commands may write other files into the folder meanwhile. A command that was killed
begins anew when it is given again, also if its files had been moved to their places.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from overcast.output import (
    Output,
    keys_left,
    refuse_inputs,
    refuse_name,
    refuse_to_replace,
)

_LONGEST = 150
"""Letters of a name that go into hidden names as they are."""


def begin_file(
    out: Path,
    facts: object,
    overwrite: bool,
    *,
    inputs: Iterable[object] = (),
    beside: Iterable[str] = (),
) -> Output:
    """Prepare to write one file, ``output.work / out.name``, as a context.

    Parameters
    ----------
    out
        The file; its folder is made if need be.
    facts
        What the file depends on besides the inputs, so that its ``repr`` tells whether
        a command that was killed was the same one.
    overwrite
        Whether a file that exists may be replaced.
    inputs
        Files that the command reads; it may not replace them.
    beside
        Names of more files that it may write into the same folder.

    Raises
    ------
    ValueError
        If the file exists and `overwrite` is not set, it is a folder or one of
        `inputs`, or another process writes it.
    """
    refuse_name(out)
    read, names = [str(path) for path in inputs], (out.name, *beside)
    refuse_inputs(out.parent, names, read)
    if out.is_dir():
        raise ValueError(f"{out}: a folder; give the name of a file for --out")
    key = _key(facts, read)
    return Output.begin(out.parent, names, key, overwrite, scope=_scope(out.name))


@dataclass(frozen=True, slots=True)
class Results:
    """Files that are being written.

    Attributes
    ----------
    again
        Whether the same command was stopped before: then all files that exist may be
        its own.
    drafts
        The files in work folders, by name.
    """

    again: bool
    drafts: dict[str, Path] = field(default_factory=dict)

    def path(self, name: str) -> Path | None:
        """Where a file is to be written; None if it is not wanted."""
        return self.drafts.get(name)


@contextmanager
def results(
    files: Mapping[str, Path | None],
    given: Mapping[str, object],
    inputs: Iterable[object],
    overwrite: bool,
    more: Iterable[Path] = (),
    say: Callable[[str], object] = str,
) -> Iterator[Results]:
    """Write the files of options such as --out and --table; all are whole afterwards.

    `files` are those of each option, or None where it is not given. `given` are all
    options of the command, which tell it from another one. `more` are files that are
    written within the context. `say` is told that a command was killed here.
    """
    read = [*map(str, inputs)]
    facts = {name: str(value) for name, value in sorted(given.items())}
    paths = {name: path for name, path in files.items() if path is not None}
    again = any(_is_stopped(path, _key(facts, read)) for path in paths.values())
    written = Results(again)
    if paths and not again:
        for path in (*paths.values(), *more):
            refuse_to_replace(path, overwrite, read)
    with ExitStack() as stack:
        for name, path in paths.items():
            output = begin_file(path, facts, overwrite or again, inputs=read)
            stack.enter_context(output)
            for note in output.notes:
                say(note)
            written.drafts[name] = output.work / path.name
        yield written


def _key(facts: object, inputs: list[str]) -> str:
    text = repr((facts, [_stamp(Path(path)) for path in inputs]))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _is_stopped(out: Path, key: str) -> bool:
    """Return whether a command of this key was stopped while it wrote a file."""
    return key in keys_left(out.parent, _scope(out.name))


def _scope(name: str) -> str:
    if len(name) <= _LONGEST:
        return name
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _stamp(path: Path) -> tuple[str, int, int] | str:
    """Return a mark of a file that changes when the file does."""
    try:
        facts = path.stat()
    except (OSError, ValueError):
        return str(path)
    return str(path.resolve()), facts.st_size, facts.st_mtime_ns
