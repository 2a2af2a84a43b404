"""The page in a real browser: it loads, swipes, clicks, and says what is there."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from tests.viewer.browser import CHROMIUM, Page, chromium
from tests.viewer.folders import make, place, write_probabilities
from tests.viewer.test_server import serving

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
WATER, FOREST = (28, 13, 255), (0, 153, 0)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root: Path = tmp_path_factory.mktemp("browser")
    out = make(root)
    write_probabilities(out / "probabilities.tif")
    (root / "given" / "s1.tif").unlink()
    with serving(out) as server:
        yield server.address


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with chromium() as page:
        page.resize(1000, 700)
        yield page


@pytest.fixture
def page(browser: Page, address: str) -> Page:
    """The page, with water at the middle of its map: row 20, column 96 of the map."""
    lon, lat = place(20.5, 96.5)
    browser.problems.clear()
    browser.requests.clear()
    browser.open(f"{address}#lon={lon}&lat={lat}&zoom=15&opacity=100")
    return browser


def middle(page: Page, part: float = 0.5) -> tuple[float, float]:
    """A place in the window: the middle of the map, or as far from its left."""
    x, y, w, h = page.box("#maps")
    return x + part * w, y + h / 2


def colour(page: Page, x: float, y: float) -> tuple[int, ...]:
    with (
        rasterio.MemoryFile(io.BytesIO(page.screenshot())) as file,
        file.open() as shot,
    ):
        pixels: NDArray[np.uint8] = shot.read()
    return tuple(int(v) for v in pixels[:3, round(y), round(x)])


def point(page: Page) -> str:
    page.until("document.querySelector('#point .class')")
    return str(page.value("document.querySelector('#point').innerText"))


def test_it_loads_and_only_from_here(page: Page, address: str) -> None:
    assert page.value("document.querySelector('#title').textContent") == "out"
    assert page.value("document.querySelectorAll('.maplibregl-canvas').length") == 2
    names = "[...document.querySelectorAll('.legend li')].map(e => e.innerText.trim())"
    assert page.value(names) == ["Forest", "Water", "Bare <b>rock</b>"]
    assert "s1 not shown" in page.value("document.querySelector('#notes').innerText")
    assert page.problems == []
    elsewhere = [
        r for r in page.requests if not r.startswith((address, "blob:", "data:"))
    ]
    assert elsewhere == []
    assert any("/tiles/map/" in r for r in page.requests)
    assert any("/tiles/image-1/" in r for r in page.requests)


def test_a_click_tells_what_is_there(page: Page) -> None:
    page.click(*middle(page, 0.56))
    told = point(page)
    assert told.startswith("Water")
    assert "75 %" in told
    assert "EPSG:32632" in told
    shares = "[...document.querySelectorAll('.legend .share')].map(e => e.textContent)"
    assert page.value(shares) == ["50 %", "25 %", "25 %"]
    here = "[...document.querySelectorAll('.legend li.here')].map(e => e.dataset.code)"
    assert page.value(here) == ["10"]


@pytest.mark.slow
def test_the_place_clicked_is_the_place_told(page: Page) -> None:
    lon, lat = place(20.5, 96.5)
    page.value("document.querySelector('#right canvas').focus()")
    page.press("Enter")
    assert f"{lat:.5f}° N, {lon:.5f}° E" in point(page)


def test_swiping_shows_one_side_and_then_the_other(page: Page) -> None:
    x, y = middle(page, 0.56)
    assert colour(page, x, y) == WATER
    line = middle(page)
    page.mouse("Moved", *line)
    page.mouse("Pressed", *line)
    for part in (0.6, 0.7, 0.8):
        page.mouse("Moved", *middle(page, part))
    page.mouse("Released", *middle(page, 0.8))
    assert page.value("document.querySelector('#swipe').ariaValueNow") == "80"
    assert colour(page, x, y) != WATER
    assert (
        page.value("new URLSearchParams(location.hash.slice(1)).get('swipe')") == "80"
    )


@pytest.mark.slow
def test_the_line_goes_by_keys(page: Page) -> None:
    page.value("document.querySelector('#swipe').focus()")
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        page.press(key)
    assert page.value("document.querySelector('#swipe').ariaValueNow") == "52"


@pytest.mark.slow
def test_layers_go_by_keys(page: Page) -> None:
    titles = (
        "['left', 'right'].map(s => document.querySelector(`#${s}-title`).textContent)"
    )
    assert page.value(titles) == ["Optical s2", "Map"]
    page.press("2")
    page.press("1", shift=True)
    assert page.value(titles) == ["Map", "Confidence"]
    assert page.value("document.querySelector('#left-map').checked")
    page.until("document.querySelector('#right-confidence').checked")


@pytest.mark.slow
def test_opacity_lets_the_imagery_through(page: Page) -> None:
    x, y = middle(page, 0.56)
    assert colour(page, x, y) == WATER
    page.value(
        "(s => { s.value = 50; s.dispatchEvent(new Event('input')); })"
        "(document.querySelector('#opacity'))"
    )
    page.until("document.querySelector('#opacity-value').textContent === '50 %'")
    page.value("new Promise(done => setTimeout(done, 300))")
    mixed = colour(page, x, y)
    assert mixed != WATER
    assert mixed[2] > 128  # still half of the blue


@pytest.mark.slow
def test_nothing_moves_when_the_point_is_told(page: Page) -> None:
    before = page.box("#legends"), page.box("#maps")
    page.click(*middle(page, 0.56))
    point(page)
    assert (page.box("#legends"), page.box("#maps")) == before


@pytest.mark.slow
def test_all_can_be_reached_by_tab(page: Page) -> None:
    page.value("document.activeElement.blur()")
    reached = set()
    for _ in range(16):
        page.press("Tab")
        reached.add(
            page.value(
                "(e => e.id || e.className || e.tagName)(document.activeElement)"
            )
        )
    assert {"swipe", "opacity", "beneath", "SUMMARY"} <= reached
    assert {name for name in reached if "canvas" in name} == {"maplibregl-canvas"}
    assert "left-image-1" in reached
    assert "right-map" in reached


def test_keys_work_before_any_click(page: Page) -> None:
    before = page.value("location.hash")
    page.press("ArrowRight")
    page.until(f"location.hash !== {before!r}")
    page.press(".")
    assert page.value("document.querySelector('#swipe').ariaValueNow") == "52"
