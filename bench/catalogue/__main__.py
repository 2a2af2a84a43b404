"""The test bed as a process, to try commands against.

python -m bench.catalogue FOLDER --port 8099 --busy-every 5
overcast fetch --bbox ... --year 2024 --source FOLDER/source.toml --out data/
"""

from __future__ import annotations

import argparse
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

from bench.catalogue.make import make_catalogue, source_text
from bench.catalogue.serve import Faults, serving


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--sign", default="none", choices=["none", "token"])
    for switch in fields(Faults):
        kind: Any = type(switch.default)
        how: Any = {"action": "store_true"} if kind is bool else {"type": kind}
        name = f"--{switch.name.replace('_', '-')}"
        parser.add_argument(name, default=switch.default, **how)
    given = vars(parser.parse_args())
    folder = given["folder"]
    if not (folder / "items.json").exists():
        make_catalogue(folder, given["seed"], given["size"])
    faults = Faults(**{switch.name: given[switch.name] for switch in fields(Faults)})
    with serving(folder, given["port"], faults) as bed:
        (folder / "source.toml").write_text(
            source_text(bed.url, given["sign"]), "utf-8"
        )
        boxes = [item["bbox"] for item in bed.items if item["collection"] == "dem"]
        box = ",".join(f"{v:.5f}" for v in boxes[0])
        print(f"serving at {bed.url}; --source {folder}/source.toml --bbox {box}")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print(bed.stats)


if __name__ == "__main__":
    main()
