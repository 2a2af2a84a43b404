from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bench.published.__main__ import command
from bench.published.benchmark import Job, Result, find, kept, run_benchmark
from bench.published.schmitt2020 import target, transfer
from click.testing import CliRunner

from overcast.progress import quiet

ASKED: dict[str, Any] = {
    "root": Path("data"),
    "test_root": None,
    "quick": False,
    "settings": {},
    "seed": 0,
}


def test_finds_benchmarks_by_name() -> None:
    assert find("sen12ms") is transfer
    assert find("dfc2020") is target
    with pytest.raises(ValueError, match=r"did you mean 'dfc2020'.*There are: dfc2020"):
        find("dfc2021")


def test_writes_everything_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(job: Job) -> Result:
        assert job.folder != tmp_path / "out"
        (job.folder / "panels").mkdir()
        return Result({"root": str(job.root)}, "# Page\n")

    monkeypatch.setattr("bench.published.benchmark.find", lambda name: made)
    paths = run_benchmark("any", tmp_path / "out", False, ASKED, quiet)
    assert set(paths) == {"results", "report", "panels"}
    assert Path(paths["report"]).read_text("utf-8") == "# Page\n"
    with pytest.raises(ValueError, match="exists; give another --out, or --overwrite"):
        run_benchmark("any", tmp_path / "out", False, ASKED, quiet)
    run_benchmark("any", tmp_path / "out", True, ASKED, quiet)


def test_leaves_nothing_where_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        run_benchmark(
            "dfc2020",
            tmp_path / "out",
            False,
            {**ASKED, "root": tmp_path / "nowhere"},
            quiet,
        )
    assert not (tmp_path / "out").exists()


def test_remembers_what_was_made(tmp_path: Path) -> None:
    made = iter([{"x": 0.5}, {"x": 7}])
    for _ in range(2):
        assert kept(tmp_path / "a" / "b.json", lambda: next(made)) == {"x": 0.5}


def test_the_command_reads_settings(tmp_path: Path, local_root: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("trees: 0\n")
    given = [
        "dfc2020",
        "--root",
        str(local_root),
        "--out",
        str(tmp_path / "o"),
    ]
    invoked = CliRunner().invoke(command, [*given, "--settings", str(settings)])
    assert isinstance(invoked.exception, ValueError)
    assert "trees must be 1 or more" in str(invoked.exception)
    settings.write_text("- 3\n")
    invoked = CliRunner().invoke(command, [*given, "--settings", str(settings)])
    assert "settings by name" in str(invoked.exception)
    invoked = CliRunner().invoke(command, [*given, "--settings", "nowhere.yaml"])
    assert "no such file" in str(invoked.exception)
