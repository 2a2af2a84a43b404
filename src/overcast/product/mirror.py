"""All items of a catalogue in one file, for programs that read many: stac-geoparquet.

https://radiantearth.github.io/stac-geoparquet-spec/; rustac writes it (extra ``stac``).
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from overcast.output import write_whole
from overcast.product.collection import COLLECTION

MIRROR = "items.parquet"
_PARQUET = "application/vnd.apache.parquet"


def write_mirror(folder: Path) -> Path | None:
    """Write the items of a catalogue into one file beside them, and name it there.

    None if rustac is not installed.
    """
    if find_spec("rustac") is None:
        return None
    path = folder / COLLECTION
    collection = json.loads(path.read_text(encoding="utf-8"))
    names = [link["href"] for link in collection["links"] if link["rel"] == "item"]
    items = [json.loads((folder / name).read_text(encoding="utf-8")) for name in names]
    draft = folder / f".{MIRROR}"
    # A notebook has a loop of its own, in which no other can be run.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, _write(draft, items)).result()
    draft.replace(folder / MIRROR)
    collection["assets"] = {
        "items": {
            "href": f"./{MIRROR}",
            "type": _PARQUET,
            "title": "All items as stac-geoparquet",
            "roles": ["collection-mirror"],
        }
    }
    text = json.dumps(collection, indent=2, ensure_ascii=False)
    write_whole(path, text + "\n")
    return folder / MIRROR


async def _write(path: Path, items: list[dict[str, Any]]) -> None:
    import rustac

    await rustac.write(str(path), items, format="parquet")
