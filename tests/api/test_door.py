"""What `import overcast` offers, and what it does not import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import overcast as oc


def test_importing_it_imports_neither_torch_nor_rasterio() -> None:
    code = (
        "import sys, overcast\n"
        "dir(overcast)\n"
        "heavy = {'torch', 'rasterio', 'numpy', 'xarray', 'sklearn'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_every_name_is_there_and_listed() -> None:
    for name in oc.__all__:
        assert getattr(oc, name).__name__ == name
        assert name in dir(oc)
    with pytest.raises(AttributeError, match="no attribute 'segment'"):
        _ = oc.segment  # type: ignore[attr-defined]


def test_no_room_hides_a_name_of_the_door() -> None:
    """Importing a room would put it where the function of its name is."""
    rooms = {path.stem for path in Path(oc.__file__).parent.iterdir()}
    assert not rooms & set(oc.__all__)
