"""What came of every kill, disk and file, kept on the disk: long work goes on later."""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path


class OutOfTimeError(Exception):
    """The minutes that were given are over."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How a command ended that was disturbed and, where it can be, given again.

    Attributes
    ----------
    job, moment
        Which command, and what happened to it.
    word
        "same" bytes; "whole" where all was there before it was given again, and it
        said so; "refused"; "another" valid file; or "fault".
    about
        What is wrong.
    """

    job: str
    moment: str
    word: str
    about: str = ""


@dataclass(slots=True)
class Place:
    """The folder in which one command, or one format, is disturbed in one way.

    Attributes
    ----------
    work
        The folder; ``scene`` in it is where the command runs. All parts share it.
    part
        In which way.
    cache
        What several commands start from.
    end
        When no more is begun, by the monotonic clock.
    """

    work: Path
    part: str
    cache: Path
    end: float = float("inf")
    _moments: dict[str, Finding] = field(default_factory=dict)
    _states: dict[str, Finding] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, names: tuple[str, str], end: float) -> Place:
        """The place of a part and a name in `folder`, with what was found there before."""
        part, name = names
        work = folder / re.sub(r"\W+", "-", name)
        place = cls(work, part, folder / "cache", end)
        for log in sorted(work.glob("*.jsonl")):
            for line in log.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                place._note(Finding(**row["finding"]), row["state"], log.stem == part)
        return place

    @property
    def _log(self) -> Path:
        return self.work / f"{self.part}.jsonl"

    @property
    def findings(self) -> list[Finding]:
        """All that is known."""
        return list(self._moments.values())

    @property
    def done(self) -> bool:
        """Whether all that was asked for is known."""
        return self._log.with_suffix(".done").exists()

    def finish(self) -> None:
        """Say that all that was asked for is known."""
        self._log.with_suffix(".done").touch()

    def wants(self, moment: str) -> bool:
        """Whether it is not known yet what comes of a moment.

        Raises
        ------
        OutOfTimeError
            If there is no time left to find out.
        """
        if moment in self._moments:
            return False
        if time.monotonic() > self.end:
            raise OutOfTimeError
        return True

    def known(self, moment: str) -> Finding:
        """What came of a moment."""
        return self._moments[moment]

    def like(self, state: str) -> Finding | None:
        """What came of an equal state of the disk: nothing else can come of this one."""
        return self._states.get(state)

    def add(self, finding: Finding, state: str = "") -> Finding:
        """Keep a finding."""
        row = {"finding": asdict(finding), "state": state}
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")
        self._note(finding, state)
        return finding

    def _note(self, finding: Finding, state: str, mine: bool = True) -> None:
        if mine:
            self._moments[finding.moment] = finding
        if state:
            self._states.setdefault(state, finding)
