"""What the folder of a region says of itself: whose it is, and what failed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from overcast.errors import writing
from overcast.map_folder import REGION
from overcast.output import write_whole
from overcast.region.description import Region, tree_of
from overcast.region.tile import TILES
from overcast.schema import read_json

STATE, DESCRIPTION, FAILED = REGION, "region.yaml", "failed.jsonl"
FORMAT = 1
"""Of the folder of a region; a newer one is refused in words."""


def begin(
    out: Path, region: Region, about: Mapping[str, object], *, overwrite: bool
) -> None:
    """Make the folder of a region this one's, or go on with what is there.

    `about` says what else decides the map, such as the runs that make it.

    Raises
    ------
    ValueError
        If it is another region's, or an older or newer overcast made it, and
        `overwrite` is not set.
    """
    wanted = {"format": FORMAT, "region": region.fingerprint, **about}
    path = out / STATE
    if path.is_file() and not overwrite:
        _refuse(out, read_json(path, "give another --out, or --overwrite"), wanted)
    elif (out / TILES).exists() and not path.is_file():
        raise ValueError(
            f"{out / TILES}: exists, and is of no region; give another --out"
        )
    with writing(path):
        out.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(tree_of(region), sort_keys=False, allow_unicode=True)
        write_whole(out / DESCRIPTION, text)
        write_whole(path, json.dumps(wanted, indent=2) + "\n")


def _refuse(out: Path, before: object, wanted: Mapping[str, object]) -> None:
    known = before if isinstance(before, dict) else {}
    made = known.get("format")
    if made != wanted["format"]:
        raise ValueError(
            f"{out / STATE}: of format {made}, this overcast writes {wanted['format']}; "
            "give another --out, or use the version that made it"
        )
    differing = [key for key in wanted if known.get(key) != wanted[key]]
    if differing:
        raise ValueError(
            f"{out}: holds a map of another {differing[0]}; give another --out, or "
            "--overwrite to map all of it again"
        )


def clean(out: Path) -> None:
    """Remove what tasks left that were killed."""
    for path in (out / TILES).glob(".*.part-*"):
        shutil.rmtree(path, ignore_errors=True)


def write_failed(out: Path, failed: Sequence[Mapping[str, object]]) -> None:
    """Write which tiles failed and why, a line each; no file if none did."""
    path = out / FAILED
    if not failed:
        path.unlink(missing_ok=True)
        return
    with writing(path):
        write_whole(path, "".join(json.dumps(one) + "\n" for one in failed))
