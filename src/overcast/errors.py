"""What may go wrong while reading, learning and writing, as one line and an exit code.

A `ValueError` that overcast raises itself is a sentence for the user already. Libraries
raise errors of many kinds, which name neither a file nor what to do. `reading` and
`writing` stand around each use of a file and turn those into a sentence that begins with
the file. What still arrives at the command line goes through `explain`.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from opcode import opmap
from pathlib import Path
from types import FrameType, TracebackType

INPUT, MACHINE, FAULT, STOPPED, PIPE = 2, 3, 4, 130, 141
"""Exit codes: a wrong input, a problem of the machine, a fault of overcast, an
interruption, and a reader of standard output that went away."""

_OURS = ("overcast", "bench")
AGAIN = "copy or download it again"
_MACHINE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EIO: "the disk reports an input/output error",
    errno.ENOMEM: "there is not enough memory",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open on this machine",
    errno.ETIMEDOUT: "the connection timed out",
    errno.ECONNREFUSED: "the connection was refused",
    errno.ECONNRESET: "the connection was reset",
    errno.ECONNABORTED: "the connection was aborted",
    errno.EHOSTUNREACH: "the host can't be reached",
    errno.ENETUNREACH: "the network can't be reached",
    errno.ESTALE: "the network drive lost the file",
}
"""Conditions of the machine, after which the same command may succeed."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_CONDITION = {
    errno.EFBIG: "the file is larger than this account may write; raise `ulimit -f`",
    errno.ENOENT: "no such file or folder",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the disk is read-only",
    errno.EISDIR: "a folder; expected a file",
    errno.ENOTDIR: "a part of the path is a file; expected a folder",
    errno.EEXIST: "exists",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "the links lead in a circle",
}
_PHRASES = {
    "database or disk is full": errno.ENOSPC,
    "symlink loop": errno.ELOOP,
    "out of memory": errno.ENOMEM,
    "outofmemory": errno.ENOMEM,
    "not enough memory": errno.ENOMEM,
    "cannot allocate": errno.ENOMEM,
    "can't allocate": errno.ENOMEM,
    "unable to allocate": errno.ENOMEM,
    "could not resolve host": errno.EHOSTUNREACH,
    "couldn't connect": errno.ECONNREFUSED,
    "failed to connect": errno.ECONNREFUSED,
    "operation timed out": errno.ETIMEDOUT,
    "response_code=5": errno.ECONNABORTED,
    "http error code : 5": errno.ECONNABORTED,
    "http error code : 429": errno.ECONNABORTED,
}
"""What libraries say instead of an error number, in small letters."""
_READERS = (
    *("rasterio", "pyogrio", "fiona", "pyproj", "shapely", "safetensors", "yaml"),
    *("tomllib", "json", "zlib", "lzma", "zipfile", "csv", "affine", "odc"),
)
"""Libraries whose errors are about the file at hand."""
_WORK = re.compile(r"(?<![^/\\])\.overcast-[^/\\]*[/\\]")
"""Hidden folders of `overcast.output`, whose names tell users nothing."""
_SCOPED = re.compile(r"([/\\])\.overcast-[a-z]+-(?=[^/\\]+$)")
"""What such names begin with that end in the name of a file."""
_OWN = re.compile(r"[/\\]\.overcast-[^/\\]*$")
"""Files of a lock or journal."""
_SPARE = 1 << 22
"""Bytes: a disk with less free space is full, if a library does not say why it failed.

Databases give back the room of what they could not write."""
_PATHS = ("path", "draft", "scratch", "file", "mapped", "out", "folder", "run")
"""Names of local variables that hold the file at hand."""


class MachineError(OSError):
    """The machine and not the input is the reason: disk, memory, network."""


def is_of_full_disk(error: BaseException) -> bool:
    """Return whether there is no room: when there is, the same command goes on."""
    return _number(error) in _FULL


def is_own(error: BaseException) -> bool:
    """Return whether a statement ``raise`` of overcast itself raised the error.

    A call of a built-in function that fails, such as ``int("x")``, is no such statement.
    """
    place = _innermost(error)
    if place is None or type(error.__cause__).__name__ == "_RemoteTraceback":
        return place is not None  # raised in another process, where we can't look
    frame, instruction = place.tb_frame, place.tb_lasti
    code = frame.f_code.co_code
    return _is_ours(frame) and code[instruction] == opmap["RAISE_VARARGS"]


@contextmanager
def reading(
    path: object, advice: str = AGAIN, kind: str = "readable file"
) -> Iterator[None]:
    """Turn what a library raises while `path` is read into a line that names it.

    A `FileNotFoundError` is left to whoever reads: what it means depends on the file.

    Raises
    ------
    ValueError
        If the file is damaged, or not what was expected; `advice` says what to do.
    MachineError
        If the disk, the memory or the network failed.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        if _is_said(error):
            raise
        raise _unread(path, error, f"{kind} ({cause(error)}); {advice}") from error


@contextmanager
def writing(path: object) -> Iterator[None]:
    """Turn what a library raises while `path` is written into a line that names it.

    Raises
    ------
    ValueError
        If the file can't be written there at all.
    MachineError
        If the disk is full, or failed.
    """
    try:
        yield
    except Exception as error:
        system = isinstance(error, OSError) or _number(error) is not None
        if type(error) is OSError and not error.errno:
            raise
        if _is_said(error) or not (system or _is_of_reader(error)):
            raise  # the second is a fault of ours, not of the file
        raise _unwritten(path, error) from error


@contextmanager
def building(settings: object) -> Iterator[None]:
    """Turn what a library raises of `settings` into a line that begins with them.

    Raises
    ------
    ValueError
        If the settings don't work.
    MachineError
        If there is not enough memory for them.
    """
    try:
        yield
    except Exception as error:
        if _is_said(error):
            raise
        number = _number(error)
        if number is None:
            line = f"{settings}: these settings don't work ({cause(error)})"
            raise ValueError(f"{line}; choose others") from error
        raise _of_number(number, f"{settings}: {_words(number, error)}") from error


def explain(error: BaseException) -> tuple[int, str]:
    """Exit code and line for an error that reached the command line."""
    if isinstance(error, MachineError):
        return MACHINE, str(error)
    if _is_sentence(error):
        return INPUT, str(error)
    number, path = _number(error), _file_at_hand(error)
    path = None if path is None else _placed(path)
    if number is not None:
        line = f"{path or 'a file or connection'}: {_words(number, error)}"
        return _code(number), line
    if isinstance(error, OSError) and is_own(error):
        return INPUT, str(error)
    if path is not None and _is_of_reader(error):
        return INPUT, f"{path}: {cause(error)}; {AGAIN}"
    return FAULT, f"{type(error).__name__}: {cause(error)}"


def cause(error: BaseException) -> str:
    """First line of what lies at the bottom of an error, such as GDAL's own message."""
    while error.__cause__ is not None and "previous exception" in str(error):
        error = error.__cause__
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, KeyError):
        return f"{error} is missing"
    text = str(error).strip()
    return text.splitlines()[0].rstrip(".") if text else type(error).__name__


def _unread(path: object, error: Exception, advice: str) -> Exception:
    number = _number(error)
    if number is None:
        return ValueError(f"{path}: not a {advice}")
    line = f"{_named(error) or path}: {_words(number, error)}"
    return _of_number(number, line)


def _placed(path: object) -> str:
    """Name of a file where it will be, if it is still in a work folder.

    What has no name that users know is told by its folder.
    """
    return _OWN.sub("", _WORK.sub("", _SCOPED.sub(r"\1", str(path))))


def _unwritten(given: object, error: Exception) -> Exception:
    path = _placed(given)
    number = _number(error) or _limit(given)
    if number is None:
        return ValueError(
            f"{path}: can't be written ({cause(error)}); choose another place"
        )
    line = f"{path}: {_words(number, error)}"
    if number in _FULL:
        line += "; free some, and give the same command again"
    return _of_number(number, line)


def _of_number(number: int, line: str) -> Exception:
    return MachineError(line) if _code(number) == MACHINE else ValueError(line)


def _code(number: int) -> int:
    return MACHINE if number in _MACHINE else INPUT


def _words(number: int, error: BaseException) -> str:
    words = _MACHINE.get(number) or _CONDITION.get(number)
    if isinstance(error, MemoryError) and str(error):
        return f"there is not enough memory ({cause(error)})"
    return words or os.strerror(number).lower()


def _is_said(error: BaseException) -> bool:
    """Return whether an error is a sentence for the user, or handled by its reader."""
    return isinstance(error, MachineError) or _is_sentence(error)


def _is_sentence(error: BaseException) -> bool:
    return isinstance(error, (ValueError, RuntimeError)) and is_own(error)


def _number(error: BaseException) -> int | None:
    """Error number of the system behind an error, if there is one."""
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, MemoryError):
            return errno.ENOMEM
        if isinstance(chain, TimeoutError):
            return errno.ETIMEDOUT
        if isinstance(chain, OSError) and chain.errno and chain.errno > 0:
            return _known_number(chain)
        if (number := _number_in(str(chain))) is not None:
            return number
        chain = chain.__cause__
    return None


def _known_number(error: OSError) -> int | None:
    if type(error).__name__ in ("gaierror", "herror"):
        return errno.EHOSTUNREACH
    return error.errno


def _number_in(text: str) -> int | None:
    """Error number that a library wrote into its message."""
    if match := re.search(r"\bos error (\d+)\b", text):
        return int(match.group(1))
    small = text.lower()
    for number in (*_MACHINE, errno.EFBIG):
        if os.strerror(number).lower() in small:
            return number
    return next((n for phrase, n in _PHRASES.items() if phrase in small), None)


def _limit(path: object) -> int | None:
    """Return why a library that does not say so could not write: no space, or a limit."""
    folder = Path(str(path)).absolute()
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    try:
        if shutil.disk_usage(folder).free < _SPARE:
            return errno.ENOSPC
        import resource
    except (OSError, ModuleNotFoundError):
        return None
    largest, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return None if largest == resource.RLIM_INFINITY else errno.EFBIG


def _named(error: BaseException) -> str | None:
    """File that an error of the system names itself."""
    name = getattr(error, "filename", None)
    if isinstance(error, RuntimeError):  # of pathlib, where links lead in a circle
        _, _, name = str(error).partition("Symlink loop from ")
        name = name.strip("'\"")
    return name if isinstance(name, str) and name else None


def _file_at_hand(error: BaseException) -> str | None:
    """File that an error names, or that the nearest function of overcast works on."""
    if name := _named(error):
        return name
    for frame in reversed(list(_frames(error.__traceback__))):
        if not _is_ours(frame):
            continue
        for local in _PATHS:
            value = frame.f_locals.get(local, None)
            if isinstance(value, Path):
                return str(value)
        owner = getattr(frame.f_locals.get("self", None), "path", None)
        if isinstance(owner, Path):
            return str(owner)
    return None


def _is_of_reader(error: BaseException) -> bool:
    kinds = [kind.__module__.split(".")[0] for kind in type(error).__mro__]
    return any(kind in _READERS for kind in kinds) or isinstance(error, UnicodeError)


def _is_ours(frame: FrameType) -> bool:
    # Benches run by `overcast.cli.main` raise sentences of their own.
    return str(frame.f_globals.get("__name__", "")).split(".")[0] in _OURS


def _innermost(error: BaseException) -> TracebackType | None:
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place


def _frames(place: TracebackType | None) -> Iterator[FrameType]:
    while place is not None:
        yield place.tb_frame
        place = place.tb_next
