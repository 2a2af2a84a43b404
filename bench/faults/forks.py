"""One run of a command that meets full disks of many sizes: it forks where it writes.

At a file event, a copy of the process goes on alone, on a disk that has no more room than
one of the sizes. If it fails there, that is what the command does on a disk of that size:
until the event, there was room. Then the disk is put back, and the next copy meets the
next size, until one reaches the next event as if nothing were wrong. So what was computed
before the event is not computed again, and every size is met.

Where a process can't be copied (it has threads, children or connections, or reads a
folder), it goes on; sizes that are not met so are left to runs of their own.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.faults.clean import digest
from bench.faults.state import keep

from overcast import lock

_ON = 100
"""Exit code of a copy that went on to the next event, which no command has."""
ROOM = 1 << 30
_BLOCK, _PAGE = 512, 4096
"""Bytes of which files' blocks are counted, and those that a disk gives at once."""
_DRAWN = re.compile(r"-[0-9a-f]{8}\b")
Shape = list[list[str | int]]


def shape_of(folder: Path) -> Shape:
    """Names and blocks of all files: what a write that failed has changed.

    Not sizes: texts with times in them differ by letters. A disk is full by blocks.
    """
    return [
        [named(path.relative_to(folder).as_posix()), path.lstat().st_blocks]
        for path in sorted(folder.rglob("*"))
        if not path.name.startswith((lock.HOLDER, lock.LOCK))
    ]


def named(text: str) -> str:
    """A text without what is drawn anew for every run."""
    return _DRAWN.sub("-DRAWN", text)


class Disk:
    """What `Forks` needs of a disk; see `bench.faults.disk.SmallDisk`."""

    folder: Path
    used: int

    def resize(self, size: int) -> None:
        """Give it another size."""


@dataclass(slots=True)
class Forks:
    """What is called before every file event of a command, to copy the process there.

    Attributes
    ----------
    disk
        Where the command works, in the folder ``scene``.
    results
        Folder of what comes of it: a line for every size in ``sizes.jsonl``.
    expected
        Event and shape at each event of a run with room.
    next, most
        The smallest size that was not met yet; a size that must be enough.
    step
        From one size to the next, bytes.
    """

    disk: Disk
    results: Path
    expected: list[tuple[str, Shape]]
    next: int
    most: int
    step: int
    _count: int = -1
    _main: int = 0
    _probe: bool = False

    @property
    def scene(self) -> Path:
        """Where the command runs."""
        return self.disk.folder / "scene"

    def __call__(self, event: str) -> None:
        """Meet the sizes at which the disk is full before the next event."""
        self._main = self._main or os.getpid()
        if self._probe:
            self._count += 1
            if self._is_on(event):
                os._exit(_ON)
            return
        if os.getpid() != self._main:
            return
        self._count += 1
        if not self._can_fork():
            return
        used = self.disk.used
        self.next = max(self.next, -(-used // self.step) * self.step)
        folder = KeptFolder.of(self.scene, self.disk.folder / "links", self.results)
        while self._fails():
            folder.put_back()
            if self.disk.used != used:
                raise RuntimeError("the disk can't be put back")
            self.next += self.step
            if self.next > self.most:
                raise RuntimeError(f"no end of failures at {event}")
        if not self._probe:
            folder.put_back()
            folder.forget()

    def _is_on(self, event: str) -> bool:
        """Whether a copy is at an event just as the run with room was."""
        if sys.exc_info()[1] is not None or not self._can_fork():
            return False
        if self._count >= len(self.expected):
            return False
        known, shape = self.expected[self._count]
        return named(known) == named(event) and shape == shape_of(self.scene)

    def _can_fork(self) -> bool:
        """Whether a copy of the process would have all that it has."""
        tasks = list(Path("/proc/self/task").iterdir())
        if len(tasks) > 1 or (tasks[0] / "children").read_text().strip():
            return False
        place = str(self.scene)
        return not any(
            target.startswith("socket:")
            or (target.startswith(place) and Path(target).is_dir())
            for _, target in _descriptors()
        )

    def _fails(self) -> bool:
        """Let a copy go on with less room; whether it ended. True in the copy as well."""
        number = f"{self.next >> 10}"
        sys.stdout.flush()
        sys.stderr.flush()
        # Not `os.fork`: it lets libraries change the copy, which must be just the same.
        pid = ctypes.PyDLL(None).fork()
        if pid == 0:
            self._become_a_copy(self.results / f"{number}.err")
            return False
        _, status = os.waitpid(pid, 0)
        self.disk.resize(ROOM)
        code = os.waitstatus_to_exitcode(status)
        if code == _ON:
            return False
        self._note(code, number)
        return code != 0

    def _become_a_copy(self, said: Path) -> None:
        self._probe = True
        os.getpid = lambda: self._main  # some libraries do nothing in a copy
        target = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(target, 2)
        os.close(target)
        self.disk.resize(self.next)

    def _note(self, code: int, number: str) -> None:
        """Keep what a copy said and left."""
        state = digest(self.scene)
        copy = self.results / state
        if not copy.exists():
            keep(self.scene, copy)
        said = (self.results / f"{number}.err").read_text("utf-8", errors="replace")
        row = {
            "size": self.next,
            "event": self._count,
            "code": code,
            "err": said,
            "state": state,
        }
        with (self.results / "sizes.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")


@dataclass(frozen=True, slots=True)
class KeptFolder:
    """A folder as it is, to be put back under the eyes of a process that works in it.

    Files that are open stay the same files, and are read and written on where they were.
    The others are made anew: a link to them would keep their room when a copy of the
    process removes them.

    Attributes
    ----------
    folder
        The folder.
    links
        Where open files themselves are kept, on the same disk.
    copy
        Where their bytes are kept, on another disk.
    blocks, offsets
        Blocks of each file; where open files were, by descriptor.
    """

    folder: Path
    links: Path
    copy: Path
    blocks: Mapping[Path, int]
    offsets: Mapping[int, int]

    @classmethod
    def of(cls, folder: Path, links: Path, beside: Path) -> KeptFolder:
        """Keep a folder as `links`, and in another one."""
        copy, offsets = beside / "saved", dict[int, int]()
        keep(folder, copy)
        used = _mapped()
        for descriptor, target in _descriptors():
            if target.startswith(str(folder)):
                with suppress(OSError):  # one of no file
                    offsets[descriptor] = os.lseek(descriptor, 0, os.SEEK_CUR)
                used.add(os.fstat(descriptor).st_ino)
        _link_used(folder, links, used)
        blocks = {
            path.relative_to(folder): path.lstat().st_blocks
            for path in folder.rglob("*")
        }
        return cls(folder, links, copy, blocks, offsets)

    def put_back(self) -> None:
        """Make the folder what it was."""
        _clear(self.folder, self.links)
        _link_again(self.folder, self.links, self.copy, self.blocks)
        for descriptor, offset in self.offsets.items():
            os.lseek(descriptor, offset, os.SEEK_SET)

    def forget(self) -> None:
        """Leave nothing of what was kept."""
        shutil.rmtree(self.links)
        shutil.rmtree(self.copy)


def _link_used(folder: Path, links: Path, used: set[int]) -> None:
    """Link the files of a folder that a process uses, by their numbers on the disk."""
    links.mkdir()
    for path in sorted(folder.rglob("*")):
        link = links / path.relative_to(folder)
        if path.is_dir() and not path.is_symlink():
            link.mkdir()
        elif path.lstat().st_ino in used:
            os.link(path, link, follow_symlinks=False)


def _link_again(
    folder: Path, links: Path, copy: Path, blocks: Mapping[Path, int]
) -> None:
    """Put files in their places, with the bytes and times that they had."""
    for copied in sorted(copy.rglob("*")):
        name = copied.relative_to(copy)
        path = folder / name
        if copied.is_symlink():
            path.symlink_to(os.readlink(copied))
        elif copied.is_dir():
            path.mkdir(exist_ok=True)
        else:
            if (links / name).exists():
                os.link(links / name, path)
            _write_again(copied, path, blocks[name])
    for copied in sorted(copy.rglob("*"), reverse=True):
        if not copied.is_symlink():
            shutil.copystat(copied, folder / copied.relative_to(copy))


def _mapped() -> set[int]:
    """Numbers of the files that are mapped into the memory of this process."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    return {int(line.split()[4]) for line in lines}


def _clear(folder: Path, links: Path) -> None:
    """Remove all but the folders that were there."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_symlink() or not path.is_dir():
            path.unlink()
        elif not (links / path.relative_to(folder)).is_dir():
            path.rmdir()


def _write_again(copy: Path, path: Path, blocks: int) -> None:
    """Give a file its bytes and blocks again, unless it has them."""
    content = copy.read_bytes()
    path.touch()
    if path.stat().st_blocks == blocks and path.read_bytes() == content:
        return
    with path.open("r+b") as file:
        if blocks * _BLOCK < len(content):  # it has holes
            file.truncate(0)
        for start in range(0, len(content), _PAGE):
            page = content[start : start + _PAGE]
            if blocks * _BLOCK >= len(content) or page.strip(b"\0"):
                file.seek(start)
                file.write(page)
        file.truncate(len(content))


def _descriptors() -> Iterator[tuple[int, str]]:
    """Open files of this process, and where they are."""
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the one that lists them
            yield int(name), os.readlink(f"/proc/self/fd/{name}")
