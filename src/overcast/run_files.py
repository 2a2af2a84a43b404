"""What a run folder says of itself: its interface, and a record of what was learned.

Run folders are copied, edited and passed on. Their weights mean something only with the
classes, the images and the settings that they were learned with. ``learned.json`` keeps
fingerprints of all three, so that a run which was changed afterwards is refused.
Runs that were made before this record existed have none, and load without it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from overcast import __version__
from overcast.errors import reading, writing
from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.outside import canonical
from overcast.plan import Plan, fingerprint
from overcast.run_folder import FORMAT, INTERFACE, RECORD, RunFolder
from overcast.schema import from_tree, read_json
from overcast.trees import to_tree

_TRAIN = "train the run again, or copy it again from where it was made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """The classes that a run tells apart, and the images that it reads, by name."""

    legend: Legend
    sensors: Mapping[str, Sensor]
    version: str = __version__

    def __post_init__(self) -> None:
        """Check that there are images, and that this overcast is new enough."""
        if not self.sensors:
            raise ValueError("sensors is empty; expected the images that the run reads")
        empty = [name for name, sensor in self.sensors.items() if not sensor.bands]
        if empty:
            raise ValueError(f"sensors.{empty[0]} has no bands")
        numbers = re.match(r"(\d+)\.(\d+)", self.version)
        if numbers is None:
            raise ValueError(f"version is {self.version!r}; expected {__version__}")
        own = re.match(r"(\d+)\.(\d+)", __version__)
        assert own is not None
        if tuple(map(int, numbers.groups())) > tuple(map(int, own.groups())):
            raise ValueError(
                f"made by overcast {self.version}, this is {__version__}; upgrade "
                "overcast to use it"
            )


def write_interface(interface: Interface, folder: Path) -> None:
    """Write the interface of a run into its folder."""
    tree = to_tree(interface)
    text = json.dumps(tree, indent=2, ensure_ascii=False)
    path = RunFolder(folder).interface
    with writing(path):
        path.write_text(text, encoding="utf-8")


def read_interface(folder: Path) -> Interface:
    """Return what `write_interface` left in a run folder.

    Raises
    ------
    ValueError
        If a key is missing or unknown, a value is of the wrong type, or a newer
        overcast made it.
    """
    path = RunFolder(folder).interface
    return from_tree(Interface, read_json(path, _TRAIN), path)


def begin_record(plan: Plan, interface: Interface, folder: Path) -> None:
    """Record which settings, classes and images are learned with."""
    _write_record(_facts(plan, interface, folder), folder)


def finish_record(plan: Plan, interface: Interface, folder: Path) -> None:
    """Record the learned files too, once all of them are there."""
    facts = _facts(plan, interface, folder)
    _write_record({**facts, "files": _digests(folder)}, folder)


def check_record(plan: Plan, interface: Interface, folder: Path) -> None:
    """Compare a run folder with its record, if it has one.

    Raises
    ------
    ValueError
        If settings, classes, images or weights are not those of the record.
    """
    path = RunFolder(folder).record
    if not path.is_file():
        return
    record = read_json(path, _TRAIN)
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ValueError(f"{path}: not a record of format {FORMAT}; {_TRAIN}")
    for name, now in _facts(plan, interface, folder).items():
        if record.get(name) != now:
            run = RunFolder(folder)
            path = run.plan if name == "method" else run.interface
            raise ValueError(
                f"{path}: {name} was changed after the run was trained, and "
                f"its weights mean nothing with it; undo the change, or {_TRAIN}"
            )
    if "files" in record and record["files"] != _digests(folder):
        changed = _changed(record["files"], _digests(folder))
        raise ValueError(
            f"{folder / changed}: missing, or changed after the run was trained; {_TRAIN}"
        )


def is_recorded(folder: Path) -> bool:
    """Return whether the record of a run names its learned files: all are made."""
    path = RunFolder(folder).record
    if not path.is_file():
        return False
    record = read_json(path, _TRAIN)
    return isinstance(record, dict) and "files" in record


def _facts(plan: Plan, interface: Interface, folder: Path) -> dict[str, object]:
    """Return what the weights depend on; where weights started from may be moved."""
    named = canonical(plan.method, folder)
    method = {k: v for k, v in named.items() if k != "start"}
    # As it is read: a limit of 0 is written as 0 and read as 0.0.
    interface = from_tree(Interface, to_tree(interface), INTERFACE)
    return {
        "format": FORMAT,
        "method": fingerprint(to_tree(method)),
        "legend": fingerprint(to_tree(interface.legend)),
        "sensors": fingerprint(to_tree(list(interface.sensors.items()))),
    }


def _digests(folder: Path) -> dict[str, str]:
    digests = {}
    for path in RunFolder(folder).all_learned():
        with reading(path), path.open("rb") as file:
            digests[path.relative_to(folder).as_posix()] = hashlib.file_digest(
                file, "sha256"
            ).hexdigest()
    return digests


def _changed(before: object, now: Mapping[str, str]) -> str:
    """Name of the first learned file that is not as it was."""
    known = before if isinstance(before, dict) else {}
    return min(
        (name for name in {*known, *now} if known.get(name) != now.get(name)),
        default=RECORD,
    )


def _write_record(record: Mapping[str, object], folder: Path) -> None:
    path = RunFolder(folder).record
    draft = path.with_suffix(".tmp")
    with writing(path):
        draft.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        draft.replace(path)
