"""What names of classes mean, as far as plain English words tell."""

from __future__ import annotations

import re

from overcast.geo.legend import normal_name

_WORDS = {
    "water": r"water(?!logged)\w*|seas?\b|rivers?\b|lakes?\b|oceans?\b|ponds?\b|"
    r"reservoirs?\b|lagoons?\b|estuar\w+",
    "trees": r"trees?\b|\w*forest\w*|wood\w*|mangroves?\b|savannas?\b|orchards?\b|"
    r"needle\w+|broad-?lea\w+",
    "shrubs": r"shrub\w*|scrub\w*|bush\w*|heath\w*|moor\w*|maquis\b|rangeland\w*|"
    r"savannas?\b|sclerophyll\w*",
    "grass": r"grass\w*|meadows?\b|pastures?\b|herb\w*|lawns?\b|rangeland\w*|savannas?\b|"
    r"steppes?\b|hay\b|sedge\w*|lichens?\b|moss\w*",
    "wetland": r"wetlands?\b|marsh\w*|bogs?\b|swamps?\b|mangroves?\b|peat\w*|fens?\b|"
    r"flooded\b|inundated\b",
    "crops": r"\w*crop\w*|agr[io]\w*|arable\b|farm\w*|cultiv\w*|fields?\b|padd\w+|"
    r"rice\b|vineyards?\b|orchards?\b|plantations?\b|irrigated\b|olive\w*|pastures?\b|"
    r"fruit\b|hay\b",
    "built": r"built\w*|build\w*|urban\w*|cit(?:y|ies)\b|towns?\b|villages?\b|settle\w*|"
    r"roads?\b|artificial\b|imperv\w*|develop\w*|industr\w*|residential\b|sealed\b|"
    r"commercial\b|airports?\b|ports?\b|rail\w*|construction\b|houses?\b",
    "bare": r"bare\w*|barren\b|soils?\b|rocks?\b|sands?\b|deserts?\b|sparse\w*|"
    r"beach\w*|dunes?\b",
    "snow": r"snow\w*|ice\b|glaciers?\b",
    "cloud": r"clouds?\b",
}
_PATTERNS = {
    meaning: re.compile(rf"\b(?:{words})") for meaning, words in _WORDS.items()
}
_NOTHING = {
    *("", "no data", "nodata", "no-data", "unclassified", "unknown", "background"),
    *("not classified", "undefined", "n/a", "none", "null", "void", "fill"),
}


def says_nothing(name: str) -> bool:
    """Return whether a name stands for no class."""
    return normal_name(name) in _NOTHING


def plain_name(name: str) -> str:
    """Name as it is compared, without a code that it begins with."""
    return re.sub(r"^\d+[ .:_-]+", "", normal_name(name))


def meanings(name: str) -> frozenset[str]:
    """Return what a name says of water, trees, shrubs and so on; nothing if unclear.

    Examples
    --------
    >>> sorted(meanings("Woody wetlands"))
    ['trees', 'wetland']
    """
    text = plain_name(name)
    return frozenset(m for m, pattern in _PATTERNS.items() if pattern.search(text))
