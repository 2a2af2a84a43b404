"""Drawings of a report as SVG: curves, reliability, dates, estimates with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup, escape

from overcast.accuracy.calibration import Reliability

_INK, _SOFT = "var(--ink)", "var(--soft)"
_LINE, _ACCENT = "var(--line)", "var(--accent)"
"""Colours of the page, which has others for dark screens."""
_COLOURS = (_ACCENT, "var(--second)", "var(--third)", "var(--fourth)")
"""Of the first thing drawn, and of those that it is compared with."""

FEW = 30
"""Pixels below which a bin of confidence says little."""
_BELOW, _BARS = 400, 60
"""Where bars of counts stand below a diagram, and how tall the tallest is."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Drawing area in SVG units, and the largest values at its right and top."""

    width: int
    height: int
    right: float
    top: float

    def place(self, x: float, y: float) -> str:
        """Return where a value lies, as SVG writes points; nothing leaves the frame."""
        across = min(max(x / self.right, 0), 1) * self.width
        down = (1 - min(max(y / self.top, 0), 1)) * self.height
        return f"{across:.1f},{down:.1f}"

    def axes(
        self, x: Sequence[tuple[float, str]], y: Sequence[tuple[float, str]]
    ) -> str:
        """Lines and numbers at ticks (value, text) along both axes."""
        parts = []
        for value, text in y:
            down = self.place(0, value).split(",")[1]
            parts.append(
                f'<line x1="0" x2="{self.width}" y1="{down}" y2="{down}" '
                f'stroke="{_LINE}"/><text x="-8" y="{down}" dy="4" '
                f'text-anchor="end">{text}</text>'
            )
        for value, text in x:
            across = self.place(value, 0).split(",")[0]
            parts.append(
                f'<text x="{across}" y="{self.height + 18}" '
                f'text-anchor="middle">{text}</text>'
            )
        return f'<g font-size="12" fill="{_SOFT}">{"".join(parts)}</g>'

    def titles(self, x: str, y: str) -> str:
        """Names of the axes."""
        middle, down = self.width / 2, self.height / 2
        return (
            f'<g font-size="12" fill="{_INK}"><text x="{middle}" y="{self.height + 38}" '
            f'text-anchor="middle">{x}</text><text x="-46" y="{down}" '
            f'text-anchor="middle" transform="rotate(-90 -46 {down})">{y}</text></g>'
        )

    def svg(self, name: str, parts: Sequence[str]) -> Markup:
        """The whole drawing."""
        box = f"-60 -10 {self.width + 80} {self.height + 56}"
        return Markup(
            f'<svg viewBox="{box}" width="{self.width + 80}" role="img" '
            f'aria-label="{name}">{"".join(parts)}</svg>'
        )


def training_curve(curve: Sequence[tuple[int, float]]) -> Markup | None:
    """Loss over training steps, a moving mean so that the trend is seen.

    None if there are not two steps with a finite loss.
    """
    span = max(len(curve) // 100, 1)
    chunks = [curve[i : i + span] for i in range(0, len(curve), span)]
    means = [(c[-1][0], sum(v for _, v in c) / len(c)) for c in chunks]
    means = [(step, loss) for step, loss in means if math.isfinite(loss)]
    if len(means) < 2:
        return None
    last, highest = means[-1][0], _above(max(loss for _, loss in means))
    frame = _Frame(640, 180, max(last, 1), highest)
    points = " ".join(frame.place(step, loss) for step, loss in means)
    heights = [(highest * part / 4, f"{highest * part / 4:.3g}") for part in range(5)]
    steps = [(0, "0"), (last / 2, f"{last // 2}"), (last, f"{last}")]
    line = (
        f'<polyline points="{points}" fill="none" stroke="{_ACCENT}" stroke-width="2"/>'
    )
    return frame.svg(
        "Loss over training steps",
        [frame.axes(steps, heights), line, frame.titles("step", "loss")],
    )


def timeline(dates: Mapping[str, Mapping[date, float]]) -> Markup | None:
    """Share of the map that each date of a series saw, a stem a date, along time.

    The first four series are drawn. None if no series has two dates.
    """
    drawn = {n: d for n, d in list(dates.items())[: len(_COLOURS)] if len(d) > 1}
    if not drawn:
        return None
    days = sorted({day for shares in drawn.values() for day in shares})
    first, last = days[0].toordinal(), days[-1].toordinal()
    frame = _Frame(640, 120, last - first, 1)
    middle = date.fromordinal((first + last) // 2)
    ends = [(d.toordinal() - first, d.isoformat()) for d in (days[0], middle, days[-1])]
    parts = [frame.axes(ends, [(part / 2, f"{50 * part} %") for part in range(3)])]
    for colour, (name, shares) in zip(_COLOURS, drawn.items(), strict=False):
        for day, share in sorted(shares.items()):
            x, y = frame.place(day.toordinal() - first, share).split(",")
            parts.append(
                f'<line x1="{x}" x2="{x}" y1="120" y2="{y}" stroke="{colour}"/>'
                f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}">'
                f"<title>{escape(name)} {day}: {share:.0%}</title></circle>"
            )
    titles = frame.titles("date", "seen")
    return frame.svg("Share of the map that each date saw", [*parts, titles])


def reliability_diagram(reliabilities: Mapping[str, Reliability]) -> Markup:
    """Accuracy over confidence, a dot a bin, and below how many pixels each bin has.

    The diagonal is confidence that means what it says; dots below it are too sure. A
    dot's area is that of the bin's pixels. Bins of fewer than `FEW` pixels are hollow:
    they say little.
    """
    frame = _Frame(320, 320, 1, 1)
    ticks = [(part / 5, f"{part / 5:g}") for part in range(6)]
    parts = [
        frame.axes([], ticks),
        f'<line x1="0" y1="320" x2="320" y2="0" stroke="{_SOFT}" stroke-dasharray="4 4"/>',
    ]
    most = (
        max((r.points.max(initial=0) for r in reliabilities.values()), default=0) or 1
    )
    shown = list(zip(_COLOURS, reliabilities.values(), strict=False))
    for place, (colour, reliability) in enumerate(shown):
        parts += _dots(frame, reliability, colour)
        parts += _counts(reliability, most, colour, (place, len(shown)))
    below = "".join(
        f'<text x="{frame.place(value, 0).split(",")[0]}" y="{_BELOW + 18}" '
        f'text-anchor="middle">{text}</text>'
        for value, text in ticks
    )
    names = (
        f'<g font-size="12" fill="{_SOFT}">{below}</g>'
        f'<g font-size="12" fill="{_INK}"><text x="160" y="{_BELOW + 38}" '
        'text-anchor="middle">confidence</text><text x="-46" y="160" '
        'text-anchor="middle" transform="rotate(-90 -46 160)">share that is right</text>'
        f'<text x="-8" y="{_BELOW - _BARS + 4}" text-anchor="end">{_short(most)}</text>'
        f'<text x="-8" y="{_BELOW}" text-anchor="end">pixels</text></g>'
        f'<line x1="0" x2="320" y1="{_BELOW}" y2="{_BELOW}" stroke="{_SOFT}"/>'
    )
    box = f"-60 -10 400 {_BELOW + 56}"
    return Markup(
        f'<svg viewBox="{box}" width="400" role="img" '
        f'aria-label="Reliability diagram">{"".join(parts)}{names}</svg>'
    )


def _dots(frame: _Frame, reliability: Reliability, colour: str) -> list[str]:
    parts = []
    for b, pixels in enumerate(reliability.pixels):
        if pixels <= 0:
            continue
        x, y = frame.place(
            reliability.mean_confidence[b], reliability.accuracy[b]
        ).split(",")
        radius = max(2.5, 16 * math.sqrt(pixels / reliability.pixels.sum()))
        opacity = 0 if reliability.points[b] < FEW else 0.55
        parts.append(
            f'<circle cx="{x}" cy="{y}" r="{radius:.1f}" fill="{colour}" '
            f'fill-opacity="{opacity}" stroke="{colour}"><title>'
            f"{reliability.points[b]:,.0f} pixels</title></circle>"
        )
    return parts


def _counts(
    reliability: Reliability, most: float, colour: str, place: tuple[int, int]
) -> list[str]:
    """Bars of the pixels of every bin, beside those of the other reliabilities."""
    parts = []
    for b, pixels in enumerate(reliability.points):
        low, high = 320 * reliability.edges[b], 320 * reliability.edges[b + 1]
        wide = 0.8 * (high - low) / place[1]
        left = low + 0.1 * (high - low) + place[0] * wide
        tall = _BARS * pixels / most
        parts.append(
            f'<rect x="{left:.1f}" y="{_BELOW - tall:.1f}" width="{wide:.1f}" '
            f'height="{tall:.1f}" fill="{colour}"><title>{pixels:,.0f} pixels</title>'
            "</rect>"
        )
    return parts


def _short(number: float) -> str:
    """Number for an axis: 950, 12k, 3.1M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return (
                f"{number / size:.2g}{letter}"
                if number < 10 * size
                else (f"{number / size:.0f}{letter}")
            )
    return f"{number:.0f}"


def swatch(index: int) -> str:
    """Colour in which a drawing shows the first, second ... of its things."""
    return _COLOURS[index]


def bar(share: float, colour: str) -> Markup:
    """A bar for a table, `share` of its cell long."""
    length = 120 * min(max(share, 0), 1) if math.isfinite(share) else 0
    return Markup(
        f'<svg width="120" height="12" aria-hidden="true"><rect width="{length:.1f}" '
        f'height="12" fill="#{colour}" stroke="{_SOFT}" stroke-width="0.5"/></svg>'
    )


def whisker(value: float, low: float, high: float, mapped: float) -> Markup:
    """An estimate with its interval for a table, all as shares of the cell's length.

    The dot is the estimate, the line its interval, the tick what the map counts.
    """
    at = {
        n: 120 * min(max(v, 0), 1) for n, v in (("l", low), ("h", high), ("m", mapped))
    }
    return Markup(
        '<svg width="120" height="14" aria-hidden="true" style="overflow:visible">'
        f'<line x1="{at["l"]:.1f}" x2="{at["h"]:.1f}" y1="7" y2="7" stroke="{_ACCENT}" '
        f'stroke-width="3"/><circle cx="{120 * value:.1f}" cy="7" r="4" '
        f'fill="{_ACCENT}"/><line x1="{at["m"]:.1f}" x2="{at["m"]:.1f}" y1="0" y2="14" '
        f'stroke="{_INK}" stroke-width="1.5"/></svg>'
    )


def _above(value: float) -> float:
    """The next round number above a positive one: 1, 2, 4 or 8 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(n * power for n in (1, 2, 4, 8, 10) if value <= n * power * (1 + 1e-9))
