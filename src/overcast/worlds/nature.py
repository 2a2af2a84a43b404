"""What a world has in common with land, one switch for each trait.

A plain world has classes of like size, small parcels and one relation of class and
spectrum. Real land differs in five ways that matter to whoever maps it, and each of them
is a switch, so that its effect can be measured alone.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from overcast.worlds.measured import BARREN, CROP, FOREST, GRASS, SHRUB
from overcast.worlds.noise import stream
from overcast.worlds.region import WorldRegion

_DOMINANT = {CROP: 0.4, FOREST: 0.3, GRASS: 0.15, SHRUB: 0.1, BARREN: 0.05}
"""How often each class is the one that covers most of an uneven world (by hand)."""
_LARGEST = (0.45, 0.88)
"""Share of the largest class: .42 to .88 on the real tiles."""


@dataclass(frozen=True, slots=True)
class Nature:
    """Traits of land; a world without any of them is a plain one.

    Attributes
    ----------
    use
        Some patches look like another class: coffee under trees, fallow fields, parks,
        felled forest, cut meadows. Their place, size and neighbours tell them.
    drift
        Spectra of every class drift across the scene, with soil, phenology and moisture.
    uneven
        One class covers .45 to .88 of the land.
    calm
        Patches are large, and few thin things break them.
    products
        Labels of products are as right as validations of the products say.
    """

    use: bool = False
    drift: bool = False
    uneven: bool = False
    calm: bool = False
    products: bool = False

    @classmethod
    def of(cls, name: str) -> Nature:
        """Nature by name: ``plain``, ``real``, or traits with commas between them.

        Raises
        ------
        ValueError
            If a trait has another name.
        """
        names = [f.name for f in fields(cls)]
        if name in ("plain", "real"):
            return cls(**dict.fromkeys(names, name == "real"))
        traits = [part.strip() for part in name.split(",")]
        for trait in traits:
            if trait not in names:
                raise ValueError(
                    f"land {trait!r} is none of plain, real, {', '.join(names)}"
                )
        return cls(**dict.fromkeys(traits, True))

    @property
    def name(self) -> str:
        """Return the name from which `of` makes this nature."""
        names = [f.name for f in fields(self) if getattr(self, f.name)]
        if len(names) in (0, len(fields(self))):
            return "real" if names else "plain"
        return ",".join(names)

    def shape(self, seed: int, region: WorldRegion) -> WorldRegion:
        """Return the region of a world with these traits."""
        if self.uneven:
            region = replace(region, shares=_uneven(seed, region))
        if self.calm:
            region = replace(
                region,
                fragmentation=0.5 * region.fragmentation,
                hedges=0.15 * region.hedges,
                parcel_ln_ha=region.parcel_ln_ha + 0.9,
                mosaic=0.5,
                roads=0.05,
                rough=0.2,
            )
        return region


PLAIN = Nature()


def _uneven(seed: int, region: WorldRegion) -> dict[int, float]:
    """Shares of zones, one class far above the others; crops take the rest."""
    rng = stream(seed, "uneven")
    chosen = int(rng.choice(list(_DOMINANT), p=list(_DOMINANT.values())))
    largest = float(rng.uniform(*_LARGEST))
    shares = {**region.shares, CROP: 1 - sum(region.shares.values())}
    others = np.array([v for c, v in shares.items() if c != chosen])
    # Squared shares are as unequal among themselves as on the tiles.
    weights = others**2 * rng.gamma(1.0, size=len(others))
    rest = iter((1 - largest) * weights / weights.sum())
    made = {c: largest if c == chosen else float(next(rest)) for c in shares}
    return {c: round(v, 4) for c, v in made.items() if c != CROP}
