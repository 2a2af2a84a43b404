"""One page per map: self-contained HTML, readable by a person who did not run it."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from overcast.accuracy.calibration import Reliability
from overcast.geo.legend import LandClass, Legend
from overcast.report import charts
from overcast.report.heading import NOTHING_SAID, Heading
from overcast.report.training_log import PseudoLabels

MAP_TITLE, CHANGE_TITLE = "Land-cover map", "What changed"
"""Titles of pages whose reader gave none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A picture, PNG or JPEG, with a caption.

    `ramp` names the ends of its colours, `codes` the classes that it shows; `over` is a
    drawing that lies over it.
    """

    title: str
    picture: bytes
    text: str = ""
    ramp: tuple[str, str] | None = None
    codes: frozenset[int] = frozenset()
    over: Markup | None = None

    @property
    def is_exact(self) -> bool:
        """Return whether every pixel has the colour that it was given."""
        return self.picture.startswith(b"\x89PNG")

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        kind = "png" if self.is_exact else "jpeg"
        return f"data:image/{kind};base64," + base64.b64encode(self.picture).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The contents of a report.

    Attributes
    ----------
    title, facts
        First line of the page, and a few words on what it is about.
    heading
        What a person said of the map; its title comes before `title`.
    legend
        Classes of the map.
    panels
        Pictures of one place and size: the map first, then what it is seen beside.
    width_m
        Length of a picture on the ground.
    areas_ha
        Mapped area of every class in hectares; NaN where the grid has no areas.
    estimates
        What `overcast.accuracy.area.estimates` gives, where there is a sample.
    scores
        ``map``, ``labels``, ``forest``: what `overcast.accuracy.confusion.scores` gives,
        and ``intervals``. Empty without a reference.
    reliability
        Of confidence, by what it is of; at most two.
    reliability_text
        What it was measured with.
    curve
        Step and loss of every training step, or nothing.
    dates
        Of every series, the days and the share of the map that each saw.
    pseudo_labels
        How right they were, where a run knew their truth.
    warnings
        What the reader must know, a sentence each.
    provenance
        What made the map: version, method, inputs, hashes, grid.
    plan
        The whole plan as YAML.
    origins, credits
        Of fetched data: what they are, and what their sources ask to be said.
    """

    title: str
    legend: Legend
    panels: Sequence[Panel]
    areas_ha: Sequence[float]
    width_m: float = math.nan
    facts: Sequence[str] = ()
    heading: Heading = NOTHING_SAID
    estimates: Mapping[str, Any] | None = None
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reliability: Mapping[str, Reliability] = field(default_factory=dict)
    reliability_text: str = ""
    curve: Sequence[tuple[int, float]] = ()
    dates: Mapping[str, Mapping[date, float]] = field(default_factory=dict)
    pseudo_labels: PseudoLabels | None = None
    warnings: Sequence[str] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    plan: str = ""
    origins: Sequence[str] = ()
    credits: Sequence[str] = ()


def write_report(page: Page, path: Path) -> None:
    """Write the page; the file is whole or not there."""
    write_page(
        "report.html.j2",
        path,
        page=page,
        heading=page.heading,
        areas=list(_areas(page)),
        shown=frozenset().union(*(panel.codes for panel in page.panels)),
        scale=_scale(page.width_m),
        curve=charts.training_curve(page.curve),
        timeline=charts.timeline(page.dates),
        diagram=charts.reliability_diagram(page.reliability),
        swatch=charts.swatch,
        matrices={name: _matrix(s) for name, s in page.scores.items()},
    )


def heading_text(heading: Heading, default_title: str) -> str:
    """The head of a page as HTML."""
    template = _environment().get_template("heading.html.j2")
    return template.render(heading=heading, default_title=default_title)


def write_page(template: str, path: Path, **values: Any) -> None:
    """Fill a template of this room; the file is whole or not there."""
    filled = {"heading": NOTHING_SAID, "default_title": values["page"].title, **values}
    text = _environment().get_template(template).render(filled)
    scratch = path.with_name(path.name + ".tmp")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


@lru_cache(1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("overcast.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": _percent,
        "grouped": _grouped,
        "between": _between,
        "heat": _heat,
    }
    return environment


def _percent(value: float | None) -> str:
    """Share as per cent with one decimal; a dash where it is not defined."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{100 * value:.1f}"


def _grouped(value: float | None) -> str:
    """Number with thin spaces between thousands; a dash where it is not defined."""
    if value is None or not math.isfinite(value):
        return "–"
    places = 1 if 0 < abs(value) < 10 and value != round(value) else 0
    return f"{value:,.{places}f}".replace(",", "\u202f")


def _between(ends: Sequence[float | None] | None) -> str:
    """Interval of a share in per cent, or nothing."""
    if ends is None or None in ends:
        return ""
    return " to ".join(map(_percent, ends))


def _heat(share: float | None) -> str:
    """Background of a cell of a confusion matrix: the darker, the more."""
    strength = 0.0 if share is None else 0.55 * math.sqrt(share)
    return f"rgba(var(--heat), {strength:.2f})"


@dataclass(frozen=True, slots=True)
class _Area:
    """A row of the table of areas; `estimate` and `drawn` only where there is a sample."""

    land: LandClass
    area_ha: float
    share: float
    estimate: Mapping[str, float] | None
    drawn: str


def _areas(page: Page) -> Iterator[_Area]:
    finite = [a for a in page.areas_ha if math.isfinite(a)]
    total, largest = sum(finite), max(finite, default=0)
    per_class = (page.estimates or {}).get("per_class", {})
    hectares = {name: c["area_ha"] for name, c in per_class.items()}
    longest = max([largest, *(e["high"] or 0 for e in hectares.values())]) or 1
    for land, area in zip(page.legend.classes, page.areas_ha, strict=True):
        share = area / total if total else math.nan
        estimate = hectares.get(land.name)
        if estimate is None or estimate["low"] is None:
            yield _Area(
                land, area, share, None, charts.bar(area / longest, land.colour)
            )
            continue
        value, low, high = (estimate[n] / longest for n in ("value", "low", "high"))
        drawn = charts.whisker(value, low, high, area / longest)
        yield _Area(land, area, share, estimate, drawn)


@dataclass(frozen=True, slots=True)
class _Matrix:
    """Confusion matrix as shares of the reference's pixels, classes that occur alone."""

    names: Sequence[str]
    rows: Sequence[tuple[str, Sequence[float | None], int]]


def _matrix(scores: Mapping[str, Any]) -> _Matrix:
    counts, names = scores["confusion"], list(scores["per_class"])
    columns = list(zip(*counts, strict=True))
    here = [k for k in range(len(names)) if sum(counts[k]) or sum(columns[k])]
    rows = []
    for i in here:
        total = sum(counts[i])
        shares = [counts[i][k] / total if total else None for k in here]
        rows.append((names[i], shares, total))
    return _Matrix([names[k] for k in here], rows)


def _scale(width_m: float) -> tuple[float, str] | None:
    """Length in per cent and text of a scale bar of about a quarter of the picture."""
    if not (math.isfinite(width_m) and width_m > 0):
        return None
    power = 10.0 ** math.floor(math.log10(width_m / 4))
    length = max(n * power for n in (1, 2, 5) if n * power <= width_m / 4)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    return 100 * length / width_m, text
