"""What commands found, as tables and as the sentences that a report needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from overcast.report.tables import Cell, Column, Table

Result = Mapping[str, Any]
_CLASS = Column("class", "Class")
_LOW, _HIGH = "low", "high"


def of_areas(result: Result) -> list[Table]:
    """Tables of what `overcast areas` found: of classes by zone, and of zones."""
    sampled = result["estimates"] is not None
    columns = [
        Column("zone", "Zone"),
        _CLASS,
        Column("mapped_ha", "Mapped, ha"),
        Column("mapped_percent", "Mapped, %"),
    ]
    if sampled:
        columns += [
            Column("area_ha", "Area, ha"),
            Column("area_low_ha", "from"),
            Column("area_high_ha", "to"),
            Column("estimate", "Estimate"),
        ]
    rows = tuple(_area_rows(result["zones"], sampled))
    title = "Areas, with intervals of 95 %" if sampled else "Areas counted in the map"
    sentences = tuple(_area_sentences(result)) if sampled else ()
    tables = [Table(title, tuple(columns), rows, sentences)]
    return [*tables, _of_zones(result)] if sampled else tables


def _area_rows(zones: Result, sampled: bool) -> Iterator[tuple[Cell, ...]]:
    for zone, part in zones.items():
        for name, entry in part["per_class"].items():
            area = entry.get("area_ha", {})
            if not entry["mapped_ha"] and not area.get("value"):
                continue
            row = (zone, name, entry["mapped_ha"], _percent(entry["mapped_share"]))
            if not sampled:
                yield row
                continue
            yield (
                *row,
                *(area[key] for key in ("value", _LOW, _HIGH)),
                part["estimate"],
            )


def _of_zones(result: Result) -> Table:
    columns = (
        Column("zone", "Zone"),
        Column("area_ha", "Area, ha"),
        Column("points", "Points"),
        Column("right_percent", "Right, %"),
        Column("right_low_percent", "from"),
        Column("right_high_percent", "to"),
        Column("assumption", "Assumed"),
    )
    rows = []
    for zone, part in result["zones"].items():
        right = part["overall_accuracy"]
        ends = (_percent(right[key]) for key in ("value", _LOW, _HIGH))
        rows.append((zone, part["area_ha"], part["points"], *ends, part["assumption"]))
    return Table("Zones", columns, tuple(rows))


def _area_sentences(result: Result) -> Iterator[str]:
    yield right_sentence(result["estimates"])
    if len(result["zones"]) > 1:
        return
    for part in result["zones"].values():
        for name, entry in part["per_class"].items():
            area = entry["area_ha"]
            if area["value"]:
                yield (
                    f"{name} takes {area['value']:,.0f} ha "
                    f"({area[_LOW]:,.0f} to {area[_HIGH]:,.0f})."
                )


def right_sentence(estimates: Result) -> str:
    """The sentence on how much of a map is right."""
    right = estimates["overall_accuracy"]
    if right["value"] is None or right[_LOW] is None:
        return "How much of the map is right can't be said."
    value, low, high = (100 * right[key] for key in ("value", _LOW, _HIGH))
    return (
        f"The map is right on {value:.1f} % of its area ({low:.1f} to {high:.1f} with a "
        f"confidence of 95 %; {estimates['points']} points)."
    )


def of_scores(result: Result) -> list[Table]:
    """Table of what `overcast assess` found."""
    if "estimates" in result:
        return [_of_estimates(result["estimates"])]
    columns = (
        _CLASS,
        Column("pixels", "Pixels"),
        Column("users_accuracy_percent", "User's, %"),
        Column("producers_accuracy_percent", "Producer's, %"),
        Column("iou_percent", "IoU, %"),
    )
    rows = [
        (
            name,
            entry["support"],
            *(
                _percent(entry[k])
                for k in ("users_accuracy", "producers_accuracy", "iou")
            ),
        )
        for name, entry in result["per_class"].items()
    ]
    return [
        Table(
            "Agreement with the reference", columns, tuple(rows), (_agreement(result),)
        )
    ]


def _agreement(result: Result) -> str:
    text = (
        f"Map and reference agree in {100 * result['overall_accuracy']:.1f} % of "
        f"{result['pixels']:,} pixels that have both"
    )
    ends = (result.get("intervals") or {}).get("overall_accuracy")
    if ends and None not in ends:
        text += (
            f" ({100 * ends[0]:.1f} to {100 * ends[1]:.1f} on other ground of the kind)"
        )
    return f"{text}. This says nothing of places without a reference."


def _of_estimates(estimates: Result) -> Table:
    columns = (
        _CLASS,
        Column("points", "Points"),
        Column("area_ha", "Area, ha", 0),
        Column("area_low_ha", "from", 0),
        Column("area_high_ha", "to", 0),
        Column("users_accuracy_percent", "User's, %"),
        Column("users_accuracy_low_percent", "from"),
        Column("users_accuracy_high_percent", "to"),
        Column("producers_accuracy_percent", "Producer's, %"),
        Column("producers_accuracy_low_percent", "from"),
        Column("producers_accuracy_high_percent", "to"),
    )
    rows = []
    for name, entry in estimates["per_class"].items():
        area = (entry["area_ha"][key] for key in ("value", _LOW, _HIGH))
        shares = (
            _percent(entry[which][key])
            for which in ("users_accuracy", "producers_accuracy")
            for key in ("value", _LOW, _HIGH)
        )
        rows.append((name, entry["points_reference"], *area, *shares))
    title = "Areas and accuracies of the whole map, with intervals of 95 %"
    return Table(title, columns, tuple(rows), (right_sentence(estimates),))


def of_change(result: Result) -> list[Table]:
    """Tables of what `overcast change` found: transitions, gain and loss."""
    sampled = result["estimates"] is not None
    columns = [
        Column("from", "From"),
        Column("to", "To"),
        Column("mapped_ha", "Mapped, ha"),
        Column("expected_ha", "Expected, ha"),
    ]
    ends = [
        Column("area_ha", "Area, ha"),
        Column("area_low_ha", "Area from"),
        Column("area_high_ha", "Area to"),
    ]
    columns += ends if sampled else []
    rows = [
        (
            move["from"],
            move["to"],
            move["mapped_ha"],
            move["expected_ha"],
            *(_ends(move) if sampled else ()),
        )
        for move in result["transitions"]
    ]
    moves = Table("Transitions", tuple(columns), tuple(rows), (result["sentence"],))
    return [moves, _of_gains(result, ends if sampled else [])]


def _of_gains(result: Result, ends: list[Column]) -> Table:
    columns = (
        _CLASS,
        Column("side", "Gain or loss"),
        Column("mapped_ha", "Mapped, ha"),
        Column("expected_ha", "Expected, ha"),
        *ends,
    )
    rows: list[tuple[Cell, ...]] = []
    for name, sides in result["per_class"].items():
        for side, entry in sides.items():
            if not entry["mapped_ha"] and "area_ha" not in entry:
                continue
            more = _ends(entry) if ends else ()
            rows.append((name, side, entry["mapped_ha"], entry["expected_ha"], *more))
    return Table("Gain and loss", columns, tuple(rows))


def _ends(entry: Result) -> tuple[float | None, ...]:
    area = entry.get("area_ha") or {}
    return tuple(area.get(key) for key in ("value", _LOW, _HIGH))


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
