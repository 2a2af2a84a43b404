"""What codes and their names give away about whether a legend is that of a raster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from overcast.geo.categories import Categories, read_categories
from overcast.geo.legend import Legend
from overcast.geo.location import FilePath
from overcast.geo.meanings import meanings, plain_name, says_nothing

_LONG = 16
"""Classes of a legend from which a few codes at its beginning are suspicious."""
_FEW = 3
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class NamedRaster:
    """A raster of codes as messages name it: whole and short, and its own names."""

    what: str
    short: str
    categories: Categories | None = None


def check_codes(
    path: FilePath, legend: Legend, counts: Mapping[int, int], trust: bool = False
) -> list[str]:
    """Say what is odd about codes of a label raster; `counts` are pixels of each code.

    Raises
    ------
    ValueError
        If the file has names for its codes that contradict the legend, unless `trust`.
    """
    categories = None if trust else read_categories(path)
    return check_named(NamedRaster(str(path), path.name, categories), legend, counts)


def check_named(
    named: NamedRaster, legend: Legend, counts: Mapping[int, int]
) -> list[str]:
    """Say what is odd about codes of labels from anywhere.

    Raises
    ------
    ValueError
        If they have names that contradict the legend.
    """
    notes = [
        *_on_writing(named.short, legend, counts),
        *_on_number(named.short, legend, counts),
    ]
    if named.categories is not None:
        notes += _on_names(named, legend, named.categories, counts)
    return notes


def _on_writing(name: str, legend: Legend, counts: Mapping[int, int]) -> Iterator[str]:
    other = sorted(counts.keys() & legend.other_codes.keys())
    if other:
        yield (
            f"{name}: codes {other[0]} to {other[-1]} are read as the three-digit "
            f"codes of the legend {legend.name}"
        )


def _on_number(name: str, legend: Legend, counts: Mapping[int, int]) -> Iterator[str]:
    """Return whether only the first codes of a long legend occur, as of a short legend."""
    known = sorted(legend.codes)
    occurring = sorted(counts.keys() & set(known))
    few = len(occurring)
    if len(known) < _LONG or not _FEW <= few <= len(known) // 2:
        return
    if occurring == known[:few]:
        yield (
            f"{name}: of the {len(known)} codes of the legend {legend.name} only "
            f"the first {few} occur ({occurring[0]} to {occurring[-1]}), as if the file "
            "had another, shorter legend; is --legend right?"
        )


def _on_names(
    named: NamedRaster,
    legend: Legend,
    categories: Categories,
    counts: Mapping[int, int],
) -> Iterator[str]:
    """Compare the file's own names of the codes that occur with those of the legend."""
    position = {code: k for k, code in enumerate(legend.codes)} | legend.other_codes
    pairs = [
        (code, name, legend.names[position[code]])
        for code, name in sorted(categories.names.items())
        if code in counts and code in position and not says_nothing(name)
    ]
    others = {plain_name(name) for name in legend.names}
    wrong = [pair for pair in pairs if _contradict(pair[1], pair[2], others)]
    if wrong:
        raise ValueError(
            f"{named.what}: {categories.where} calls {_shown(wrong, 1)}, which the legend "
            f"{legend.name} calls {_shown(wrong, 2)}; give the legend of the file "
            "(--legend, or --reference-legend for a reference), or --trust if its names "
            "are wrong"
        )
    unlike = [pair for pair in pairs if _unlike(pair[1], pair[2])]
    if unlike:
        yield (
            f"{named.short}: {categories.where} calls {_shown(unlike, 1)}, and the legend "
            f"{legend.name} {_shown(unlike, 2)}; check that they are the same"
        )


def _contradict(own: str, other: str, names: set[str]) -> bool:
    """Return whether a name can't be that of the class; `names` are all of the legend."""
    if plain_name(own) == plain_name(other):
        return False
    one, two = meanings(own), meanings(other)
    return plain_name(own) in names or (bool(one and two) and one.isdisjoint(two))


def _unlike(own: str, other: str) -> bool:
    """Return whether two names have no word and no meaning in common."""
    words = (set(plain_name(name).split()) for name in (own, other))
    return not set.intersection(*words) and not meanings(own) & meanings(other)


def _shown(pairs: list[tuple[int, str, str]], which: int) -> str:
    text = ", ".join(f"{pair[0]} {pair[which]}" for pair in pairs[:_SHOWN])
    return text + (f" and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else "")
