"""What a benchmark is, and how one is found and run into an output folder."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from overcast import __version__
from overcast.output import Output
from overcast.plan import fingerprint
from overcast.progress import Progress

_FILES = ("results.json", "report.md", "panels", "arms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a benchmark is asked for.

    Attributes
    ----------
    root
        Folder of the dataset that the benchmark is named after.
    test_root
        Folder of the dataset that it is tested on, where that is another one.
    folder
        Where to work: unfinished work found there is gone on from. Pictures belong into
        its ``panels``, and what is learned into its ``arms``.
    quick
        Small networks and few patches: shows that everything runs, and nothing else.
    settings
        Settings by name, instead of the paper's.
    seed
        Of everything random.
    """

    root: Path
    test_root: Path | None
    folder: Path
    quick: bool
    settings: Mapping[str, Any]
    seed: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class Result:
    """Everything measured as plain values for JSON, and a page of Markdown."""

    tree: Mapping[str, Any]
    page: str


Benchmark = Callable[[Job], Result]


def find(name: str) -> Benchmark:
    """Return the benchmark of a name.

    Raises
    ------
    ValueError
        If there is none, naming those that there are.
    """
    known: dict[str, Benchmark] = {}
    for module in iter_modules([str(Path(__file__).parent)]):
        paper = import_module(f"bench.published.{module.name}")
        known |= getattr(paper, "BENCHMARKS", {})
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f", did you mean {near[0]!r}?" if near else ";"
        raise ValueError(
            f"no benchmark {name!r}{hint} There are: {', '.join(sorted(known))}"
        )
    return known[name]


def run_benchmark(
    name: str, out: Path, overwrite: bool, asked: Mapping[str, Any], progress: Progress
) -> dict[str, str]:
    """Run a benchmark into `out`; return the paths of what it made.

    `asked` holds ``root``, ``test_root``, ``quick``, ``settings`` and ``seed`` of a
    `Job`. A run that was stopped goes on when the same is asked again.

    Raises
    ------
    ValueError
        If there is no such benchmark, a dataset is refused, or an output exists.
    """
    benchmark = find(name)
    # Another version may compute other numbers: it does not go on from old ones.
    output = Output.begin(
        out, _FILES, fingerprint([name, __version__, dict(asked)]), overwrite
    )
    if not output.finished:
        with output:
            result = benchmark(Job(folder=output.work, progress=progress, **asked))
            text = json.dumps(result.tree, indent=1, ensure_ascii=False)
            (output.work / "results.json").write_text(text + "\n", encoding="utf-8")
            (output.work / "report.md").write_text(result.page, encoding="utf-8")
    return {
        file.split(".")[0]: str(out / file) for file in _FILES if (out / file).exists()
    }


def kept(path: Path, make: Callable[[], Any]) -> Any:
    """What `make` returned the first time, in plain values; a file remembers it."""
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    made = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".tmp")
    scratch.write_text(json.dumps(made), encoding="utf-8")
    scratch.replace(path)
    return made
