"""The notebook runs, cell by cell.

In this process, without a kernel: no notebook server is installed for it, its start
costs nothing, and a cell that fails is an ordinary traceback.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")

NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"


def cells() -> list[str]:
    """Code of the notebook."""
    tree = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in tree["cells"] if c["cell_type"] == "code"]


def executed(code: str, names: dict[str, Any]) -> Any:
    """Run a cell; the value of its last line, as a notebook shows it."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), names)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)


def test_every_cell_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas", reason="the extra [notebook] is not installed")
    pytest.importorskip("matplotlib", reason="the extra [notebook] is not installed")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown = [executed(code, names) for code in cells()]
    assert "128 x 128 pixels" in shown[0]._repr_html_()
    assert shown[-1] is True
    errors = {name: abs(shown[8][name] - shown[8]["right"]) for name in shown[8]}
    assert errors["after"] < errors["before"]


def test_it_is_kept_without_outputs() -> None:
    tree = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert all(not c.get("outputs") for c in tree["cells"])
