"""What became what, as bands from the classes before to those after; SVG, no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from overcast.geo.legend import LandClass

_WIDTH, _HEIGHT, _BAR, _GAP = 640, 360, 16, 8
_INK = "var(--ink)"


@dataclass(frozen=True, slots=True)
class Flow:
    """The hectares of a class that became another."""

    before: LandClass
    after: LandClass
    area_ha: float


def sankey(flows: Sequence[Flow]) -> Markup | None:
    """Draw flows, the widest band for the largest; None if there are none."""
    flows = [flow for flow in flows if flow.area_ha > 0]
    if not flows:
        return None
    left, right = _bars(flows, "before"), _bars(flows, "after")
    starts = {c.code: top for c, top, _ in left}
    ends = {c.code: top for c, top, _ in right}
    scale = _scale(flows)
    parts = []
    for flow in flows:
        tall = flow.area_ha * scale
        y, z = starts[flow.before.code], ends[flow.after.code]
        starts[flow.before.code] += tall
        ends[flow.after.code] += tall
        parts.append(_band(flow, y, z, tall))
    for x, anchor, side in ((0, "start", left), (_WIDTH - _BAR, "end", right)):
        parts += [_bar(x, anchor, *bar) for bar in side]
    title = "Transitions from the classes before, left, to those after, right"
    return Markup(
        f'<svg viewBox="0 -4 {_WIDTH} {_HEIGHT + 8}" width="{_WIDTH}" role="img" '
        f'aria-label="{title}"><title>{title}</title>{"".join(parts)}</svg>'
    )


def _scale(flows: Sequence[Flow]) -> float:
    """Units of the drawing per hectare, so that bars and gaps fill its height."""
    most = max(len({getattr(f, s).code for f in flows}) for s in ("before", "after"))
    free = _HEIGHT - _GAP * (most - 1)
    return max(free, _HEIGHT / 4) / sum(flow.area_ha for flow in flows)


def _bars(flows: Sequence[Flow], side: str) -> list[tuple[LandClass, float, float]]:
    """Class, top and height of the bars of one side, largest first."""
    totals: dict[int, float] = {}
    classes: dict[int, LandClass] = {}
    for flow in flows:
        land = getattr(flow, side)
        classes[land.code] = land
        totals[land.code] = totals.get(land.code, 0) + flow.area_ha
    bars, top, scale = [], 0.0, _scale(flows)
    for code in sorted(totals, key=lambda c: -totals[c]):
        bars.append((classes[code], top, totals[code] * scale))
        top += totals[code] * scale + _GAP
    return bars


def _bar(x: float, anchor: str, land: LandClass, top: float, tall: float) -> str:
    at = x + _BAR + 6 if anchor == "start" else x - 6
    return (
        f'<rect x="{x}" y="{top:.1f}" width="{_BAR}" height="{max(tall, 1):.1f}" '
        f'fill="#{land.colour}" stroke="{_INK}" stroke-width="0.5"/>'
        f'<text x="{at}" y="{top + tall / 2:.1f}" dy="4" font-size="13" fill="{_INK}" '
        f'text-anchor="{anchor}" paint-order="stroke" stroke="var(--paper)" '
        'stroke-width="3">'
        f"{escape(land.name)}</text>"
    )


def _band(flow: Flow, y: float, z: float, tall: float) -> str:
    """A band that leaves and arrives level."""
    a, b, middle = _BAR, _WIDTH - _BAR, _WIDTH / 2
    path = (
        f"M{a},{y:.1f} C{middle},{y:.1f} {middle},{z:.1f} {b},{z:.1f} "
        f"L{b},{z + tall:.1f} C{middle},{z + tall:.1f} {middle},{y + tall:.1f} "
        f"{a},{y + tall:.1f} Z"
    )
    text = escape(f"{flow.before.name} to {flow.after.name}: {flow.area_ha:,.1f} ha")
    return (
        f'<path d="{path}" fill="#{flow.after.colour}" fill-opacity="0.55">'
        f"<title>{text}</title></path>"
    )
