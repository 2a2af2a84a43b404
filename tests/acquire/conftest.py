"""A small catalogue of a simulated world, made once, and its servers on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bench.catalogue.make import make_catalogue, source_text
from bench.catalogue.serve import Bed, serving

from overcast.acquire.catalogue import parse_catalogue
from overcast.acquire.period import period_of
from overcast.acquire.place import area_of
from overcast.acquire.survey import Request


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalogue")
    make_catalogue(folder, seed=11, size=160)
    return folder


@pytest.fixture(scope="session")
def server(catalogue: Path) -> Iterator[Bed]:
    with serving(catalogue) as bed:
        yield bed


@pytest.fixture
def bed(server: Bed) -> Iterator[Bed]:
    server.reset()
    yield server
    server.reset()


@pytest.fixture(scope="session")
def box(server: Bed) -> str:
    """A box well inside of the world."""
    (dem,) = (item for item in server.items if item["collection"] == "dem")
    west, south, east, north = dem["bbox"]
    return f"{west + 2e-3:.5f},{south + 1e-3:.5f},{east - 2e-3:.5f},{north - 1e-3:.5f}"


@pytest.fixture
def request_of(bed: Bed, box: str) -> Callable[..., Request]:
    """A request to the bed; `sign` is how its addresses are signed."""

    def make(*products: str, sign: str = "none", **more: Any) -> Request:
        source = parse_catalogue(source_text(bed.url, sign), "bed")
        about = {"area": area_of(box), "period": period_of(2024, None, None, None)}
        wanted = products or ("sentinel-2",)
        values = {"catalogues": (source,), "products": wanted, "count": 1, **more}
        return Request(**{**about, **values})

    return make
