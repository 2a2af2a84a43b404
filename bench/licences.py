"""The licences of all that overcast needs, and whether they suit its own.

    python -m bench.licences

Reads what is installed, so that it tells of these versions and no others: overcast's
requirements with every extra, and theirs. Fails where a licence is not on the list
below, or where a package says none. NVIDIA's libraries come with PyTorch's builds for
its graphics cards. They are not free software; overcast does not pass them on.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SUITS = frozenset(
    [
        *("0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0"),
        *("HPND", "ISC", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense"),
        *("Zlib", "Python-2.0", "BSL-1.0"),
    ]
)
"""Licences, by SPDX, that a package under Apache-2.0 may depend on."""
NVIDIA = "LicenseRef-NVIDIA-Proprietary"
_WORDS = (
    (r"nvidia[- ]proprietary", NVIDIA),
    (r"\bapache", "Apache-2.0"),
    (r"\bmpl|mozilla public", "MPL-2.0"),
    (r"\bagpl|affero", "AGPL-3.0"),
    (r"\blgpl|lesser general", "LGPL-3.0"),
    (r"\bgpl|general public", "GPL-3.0"),
    (r"3-clause bsd|bsd[- ]3-clause", "BSD-3-Clause"),
    (r"2-clause bsd|bsd[- ]2-clause", "BSD-2-Clause"),
    (r"\bbsd\b|redistribution and use in source and binary", "BSD"),
    (r"\bmit\b|permission is hereby granted, free of charge", "MIT"),
    (r"python software foundation|\bpsf", "PSF-2.0"),
    (r"\bisc\b", "ISC"),
)
"""What older metadata say in words."""
_UNSAID = {"cuda-toolkit": NVIDIA}
"""Packages whose metadata say nothing."""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package, and its licence as an SPDX expression, or nothing."""

    name: str
    version: str
    licence: str

    @property
    def suits(self) -> bool:
        """Whether a package under Apache-2.0 may depend on it."""
        return self.licence == NVIDIA or suits(self.licence)


def suits(expression: str) -> bool:
    """Whether an SPDX expression suits: all of an AND, and one of an OR."""
    choices = re.split(r"\s+OR\s+", expression.replace("(", "").replace(")", ""))
    return any(
        all(part.strip() in SUITS for part in re.split(r"\s+AND\s+", choice))
        for choice in choices
    )


def licence_of(found: Distribution) -> str:
    """Licence of a package by its metadata: an expression, classifiers, or words."""
    about = found.metadata
    name = canonicalize_name(about["Name"])
    if expression := about.get("License-Expression"):
        return str(expression)
    if name in _UNSAID:
        return _UNSAID[name]
    told = about.get("License") or ""
    if re.fullmatch(r"[\w.+-]+( (AND|OR) [\w.+-]+)*", told) and suits(told):
        return told
    classifiers = about.get_all("Classifier") or []
    own = [c.rsplit("::", 1)[-1] for c in classifiers if c.startswith("License")]
    named = {spoken for c in own if (spoken := in_words(c))}
    if named:
        return " AND ".join(sorted(named))  # the stricter reading
    return in_words(told)


def in_words(text: str) -> str:
    """SPDX identifier of what a text says first, or nothing."""
    spoken = text.strip().casefold()
    return next((spdx for word, spdx in _WORDS if re.search(word, spoken)), "")


def needed(root: str, extras: Iterable[str] = ()) -> Iterator[Distribution]:
    """Installed packages that `root` requires with `extras`, each once, by name.

    Requirements that are for other systems or that are not installed are left out.
    """
    seen: dict[str, Distribution] = {}
    done, queue = set(), [(canonicalize_name(root), frozenset(extras))]
    while queue:
        name, wanted = queue.pop()
        if (name, wanted) in done:
            continue
        done.add((name, wanted))
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        seen[name] = found
        for text in found.requires or []:
            need = Requirement(text)
            marker = need.marker
            if marker is None or any(
                marker.evaluate({"extra": extra}) for extra in ("", *wanted)
            ):
                queue.append((canonicalize_name(need.name), frozenset(need.extras)))
    for name in sorted(seen):
        if name != canonicalize_name(root):
            yield seen[name]


def packages() -> list[Package]:
    """All that overcast needs here, with every extra."""
    extras = distribution("overcast").metadata.get_all("Provides-Extra") or []
    return [
        Package(d.metadata["Name"], d.version, licence_of(d))
        for d in needed("overcast", extras)
    ]


def main() -> int:
    """Print the table; 1 where a licence does not suit."""
    rows = packages()
    for row in rows:
        print(f"{row.name:32} {row.version:20} {row.licence or 'says none'}")
    wrong = [row for row in rows if not row.suits]
    print(f"{len(rows)} packages, {len(wrong)} whose licence does not suit Apache-2.0")
    for row in wrong:
        print(
            f"{row.name} {row.version}: {row.licence or 'no licence in its metadata'}; "
            "take another package, or read its licence and add it to bench/licences.py",
            file=sys.stderr,
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
