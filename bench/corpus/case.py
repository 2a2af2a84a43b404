"""A case, what is right for it, and how it is judged from outside."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from bench.corpus.runner import MEMORY, Command, Outcome, Words
from bench.corpus.scene import Array, Scene

RIGHT = 0.9
"""Share of the truth from which on a map is right; the clean scene's is above .97."""


@dataclass(frozen=True, slots=True)
class Right:
    """Exit 0, and the right map; with `says`, a note that holds one of these words.

    Attributes
    ----------
    share
        Of the pixels `where` it is looked at, that have the true class.
    where
        Pixels that are looked at; all, if None.
    hidden
        Pixels that were not observed, which the map may not have.
    """

    share: float = RIGHT
    says: tuple[str, ...] = ()
    where: Array | None = field(default=None, repr=False)
    hidden: Array | None = field(default=None, repr=False)
    out: str = "o/map.tif"

    def problem(self, scene: Scene, outcome: Outcome) -> str | None:
        """What is not right, or None."""
        mapped = scene.mapped(self.out)
        where = np.ones(mapped.shape, bool) if self.where is None else self.where
        if self.hidden is not None:
            where = where & ~self.hidden
            stray = float((mapped[self.hidden] != 255).mean())
            if stray > 0:
                return f"{stray:.0%} of what is hidden is mapped"
        share = float((mapped == scene.truth)[where].mean())
        if share < self.share:
            return f"{share:.0%} of the map is right"
        if self.says and not _holds(" ".join(outcome.notes), self.says):
            return f"no note says {' or '.join(self.says)}"
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """Exit 0, and an answer in which `check` finds no problem."""

    check: Callable[[Scene, Outcome], str | None] = lambda scene, outcome: None
    says: tuple[str, ...] = ()

    def problem(self, scene: Scene, outcome: Outcome) -> str | None:
        """What is not right, or None."""
        if self.says and not _holds(" ".join(outcome.notes), self.says):
            return f"no note says {' or '.join(self.says)}"
        return self.check(scene, outcome)


@dataclass(frozen=True, slots=True)
class Refused:
    """Exit 2 or 3, and one line that holds one of `names`: of a file or an option."""

    names: tuple[str, ...]

    def problem(self, scene: Scene, outcome: Outcome) -> str | None:
        """What is not right, or None."""
        lines = outcome.errors
        if len(lines) != 1:
            return f"{len(lines)} lines begin with overcast: error:"
        last = [line for line in outcome.err.splitlines() if line.strip()][-1]
        if last != lines[0]:
            return f"another line follows: {last}"
        if not _holds(lines[0], self.names):
            return f"names none of {', '.join(self.names)}: {lines[0]}"
        return _foreign(lines[0])


def right(share: float = RIGHT, **more: object) -> Right:
    """The right map, whatever is said."""
    return Right(share, **more)


def noted(*words: str, **more: object) -> Right:
    """The right map, and a note with one of these words."""
    return Right(says=words, **more)


def refused(*names: str) -> Refused:
    """One line that names one of these."""
    return Refused(names)


def _holds(text: str, words: tuple[str, ...]) -> bool:
    return any(word.lower() in text.lower() for word in words)


_FOREIGN = (
    "See previous exception",
    "invalid literal for",
    "could not convert string",
    "object is not",
    "object has no",
    "not subscriptable",
    "list index out of range",
    "MiniBatchKMeans",
    "RandomForestClassifier",
    "positional argument",
    "keyword argument",
    "from the pickle",
    "could not broadcast",
    "embedded null byte",
    "surrogates not allowed",
    "not JSON compliant",
    "Expecting value",
    "zip() argument",
)
"""Words of a library that tell a user nothing of what to do."""


def _foreign(line: str) -> str | None:
    own = re.sub(r"\(.*?\)", "", line)  # a reason may follow in brackets
    words = [word for word in _FOREIGN if word in own]
    return f"a library's words: {line}" if words else None


Expected = Right | Answer | Refused


@dataclass(frozen=True, slots=True)
class Case:
    """One input, made in a scene's folder, and what may become of it.

    Attributes
    ----------
    kind, name
        What it is of, and what it is.
    prepare
        Makes the files, and gives the words of the command.
    expected
        Ends that are right, any of them.
    """

    kind: str
    name: str
    prepare: Callable[[Scene], Words | Command]
    expected: tuple[Expected, ...]
    judged: Callable[[Scene, Outcome], Verdict | None] | None = None

    @property
    def title(self) -> str:
        """Kind and name."""
        return f"{self.kind}: {self.name}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """right, noted, refused, another (a valid file that says something else), or fault."""

    word: str
    about: str = ""


CASES: list[Case] = []
"""All cases, in the order in which files of `bench.corpus.kinds` add them."""


def add(
    kind: str,
    name: str,
    prepare: Callable[[Scene], Words | Command],
    *expected: Expected,
    judged: Callable[[Scene, Outcome], Verdict | None] | None = None,
) -> None:
    """Add a case."""
    CASES.append(Case(kind, name, prepare, expected, judged))


def case(
    kind: str, name: str, *expected: Expected
) -> Callable[[Callable[[Scene], Words | Command]], None]:
    """Add the case that the function below makes."""

    def decorate(prepare: Callable[[Scene], Words | Command]) -> None:
        add(kind, name, prepare, *expected)

    return decorate


def judge(case: Case, scene: Scene, outcome: Outcome) -> Verdict:
    """Say how a case ended."""
    if problem := _broken(outcome):
        return Verdict("fault", problem)
    if case.judged is not None and (verdict := case.judged(scene, outcome)):
        return verdict
    if outcome.code not in (0, 2, 3):
        return Verdict("fault", f"exit {outcome.code}: {outcome.err[-300:]}")
    failed = outcome.code != 0
    said = f"refused: {' '.join(outcome.errors)}" if failed else _said(outcome)
    ends = [end for end in case.expected if isinstance(end, Refused) == failed]
    problems = []
    for end in ends:
        problem = end.problem(scene, outcome)
        if problem is None:
            return Verdict(_word(end, outcome))
        problems.append(problem)
    return Verdict("fault", "; ".join([*problems, said]))


def _word(end: Expected, outcome: Outcome) -> str:
    if isinstance(end, Refused):
        return "refused"
    return "noted" if outcome.notes else "right"


def _said(outcome: Outcome) -> str:
    return f"exit 0, {' '.join(outcome.notes) or 'not a word'}"


def _broken(outcome: Outcome) -> str | None:
    """What no input may do, or None."""
    if outcome.hung:
        return "it hangs"
    if outcome.code < 0:
        return f"ended by signal {-outcome.code}"
    if outcome.peak > MEMORY:
        return f"{outcome.peak >> 20} MiB of memory"
    if "Traceback (most recent call last)" in outcome.err:
        last = [line for line in outcome.err.splitlines() if line.strip()][-1]
        return f"a traceback: {last[:300]}"
    if noise := re.search(r"^.*\w*Warning: .*$", outcome.err, re.MULTILINE):
        return f"a library's warning: {noise.group()[:300]}"
    return None
