"""One page per map: self-contained HTML, readable by a person who did not run it."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from overcast.geo.legend import Legend


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A picture with a caption."""

    title: str
    png: bytes
    text: str = ""

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a report shows.

    Attributes
    ----------
    title
        First line of the page.
    legend
        Classes of the map.
    map, confidence
        The two large pictures.
    inputs
        Images and labels beside them.
    areas_ha
        Mapped area of every class in hectares; NaN where the grid has no areas.
    scores
        ``map``, ``labels``, ``forest``: what `overcast.maps.accuracy.scores` gives.
        Empty without a reference.
    curve
        Step and loss of every training step, or nothing.
    warnings
        What the reader must know, a sentence each.
    provenance
        What made the map: version, method, inputs, hashes, grid.
    """

    title: str
    legend: Legend
    map: Panel
    confidence: Panel
    inputs: Sequence[Panel]
    areas_ha: Sequence[float]
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    curve: Sequence[tuple[int, float]] = ()
    warnings: Sequence[str] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)


def write_report(page: Page, path: Path) -> None:
    """Write the page; the file is whole or not there."""
    environment = Environment(
        loader=PackageLoader("overcast.maps", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = _percent
    environment.filters["grouped"] = _grouped
    total = sum(a for a in page.areas_ha if math.isfinite(a))
    rows = [
        (c, area, area / total if total else math.nan)
        for c, area in zip(page.legend.classes, page.areas_ha, strict=True)
    ]
    text = environment.get_template("report.html.j2").render(
        page=page, areas=rows, curve=_polyline(page.curve)
    )
    scratch = path.with_name(path.name + ".tmp")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _percent(value: float | None) -> str:
    """Share as per cent with one decimal; a dash where it is not defined."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{100 * value:.1f}"


def _grouped(value: float | None) -> str:
    """Number with thin spaces between thousands; a dash where it is not defined."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}".replace(",", "\u202f")


@dataclass(frozen=True, slots=True)
class _Curve:
    points: str
    last_step: int
    highest: float


_WIDTH, _HEIGHT = 640, 200


def _polyline(curve: Sequence[tuple[int, float]]) -> _Curve | None:
    """The training curve as SVG points, a moving mean so that the trend is seen."""
    if len(curve) < 2:
        return None
    span = max(len(curve) // 100, 1)
    chunks = [curve[i : i + span] for i in range(0, len(curve), span)]
    means = [(c[-1][0], sum(v for _, v in c) / len(c)) for c in chunks]
    means = [(step, loss) for step, loss in means if math.isfinite(loss)]
    if not means:
        return None
    last, highest = means[-1][0], max(1e-9, *(v for _, v in means))
    points = " ".join(
        f"{_WIDTH * step / max(last, 1):.1f},{_HEIGHT * (1 - loss / highest):.1f}"
        for step, loss in means
    )
    return _Curve(points, last + 1, highest)
