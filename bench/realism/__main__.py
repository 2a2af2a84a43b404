"""Compare simulated worlds with what was measured on real Sentinel-1 and Sentinel-2.

    python -m bench.realism --out realism/          # a page with pictures
    python -m bench.realism --docs                  # docs/worlds.md and its pictures

Development worlds only. The page shows the two real tiles beside worlds where
../shared/tiles is there; docs/worlds.md holds figures and pictures of worlds alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from bench.realism import pictures
from bench.realism.measure import (
    ClassFit,
    fit_of,
    separability,
    sites_of,
    texture_of,
    world_tile_scores,
)

from overcast.geo.legend import load_legend
from overcast.worlds.measured import (
    BANDS,
    CLASSES,
    CROP,
    FOREST,
    GRASS,
    WATER,
    WETLAND,
    statistics,
)

ROOT = Path(__file__).parents[2]
TILES = ROOT.parent / "shared" / "tiles"
COLUMNS = (*BANDS, "VV", "VH")
SHOWN = (1, 2, 3, 5, 7, 12)
REAL_POINTS = (0.561, 0.546)
"""Accuracy and macro-F1 of a forest on 477 real summer points of seven classes."""
REAL_TILES = {"282D_485L_3_3": 0.93, "433D_629L_3_1": 0.59}
"""Macro-F1 of a forest trained on all labels of a tile."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--worlds", type=int, default=24)
    given = parser.parse_args()
    text = "\n".join(_report(given.worlds))
    print(text)
    rows = [pictures.row(pictures.world_panels(seed, 256)) for seed in SHOWN]
    if given.docs:
        pictures.save(pictures.sheet(rows), ROOT / "docs" / "pictures" / "worlds.jpg")
        (ROOT / "docs" / "worlds.md").write_text(text, encoding="utf-8")
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        _write_page(text, rows, given.out / "realism.html")


def _report(worlds: int) -> Iterator[str]:
    yield "# How real the worlds are\n"
    yield "Written by `python -m bench.realism --docs`; don't edit.\n"
    yield "![Six worlds, four views of each](pictures/worlds.jpg)\n"
    yield f"Worlds {', '.join(map(str, SHOWN))}: true colour, B08-B11-B04, SAR, truth.\n"
    yield "How methods rank on worlds and on land is on [a page of its own](land.md).\n"
    sites = sites_of(range(worlds))
    yield from _classes([(c, fit_of(sites, c)) for c in CLASSES], worlds)
    yield from _textures()
    yield from _separability(worlds)


def _classes(fits: list[tuple[int, ClassFit]], worlds: int) -> Iterator[str]:
    names = load_legend("simplified-igbp").names
    header = "| class | sites | NDVI | " + " | ".join(COLUMNS) + " | correlation |"
    rule = "|---" * (len(COLUMNS) + 4) + "|"
    yield f"## Between sites ({worlds} worlds)\n"
    yield "Mean of the worlds minus the measured mean of the season, in measured standard"
    yield "deviations between sites; last, the mean difference of band correlations.\n"
    yield f"{header}\n{rule}"
    for c, fit in fits:
        cells = " | ".join(f"{v:+.2f}" for v in fit.away)
        yield f"| {names[c]} | {fit.n} | {fit.ndvi:.2f} | {cells} | {fit.correlation:.2f} |"
    yield "\nSpread between sites of the worlds over the measured one (geometric mean of"
    yield "the plain and the robust standard deviation).\n"
    yield f"| class | {' | '.join(COLUMNS)} |\n{'|---' * (len(COLUMNS) + 1)}|"
    for c, fit in fits:
        yield f"| {names[c]} | {' | '.join(f'{v:.2f}' for v in fit.ratio)} |"
    held = [(c, f) for c, f in fits if c != WETLAND]
    away = max(float(np.abs(f.away).max()) for _, f in held)
    low = min(float(f.ratio.min()) for _, f in held)
    high = max(float(f.ratio.max()) for _, f in held)
    yield f"\nWithout Wetlands (n 6): largest difference {away:.2f}, spread"
    yield f"{low:.2f} to {high:.2f} of the measured.\n"


def _textures() -> Iterator[str]:
    names = load_legend("simplified-igbp").names
    yield "## Within patches\n"
    yield "Medians over eroded patches without their plane; measured values in brackets."
    yield "Speckle: 5.0 looks, autocorrelation .70, .26, .07 (21 regions).\n"
    yield "| class | patches | B04 | B08 | lags of B04 | looks | lags of VV |"
    yield "|---|---|---|---|---|---|---|"
    for c in (CROP, GRASS, FOREST, WATER):
        found, of = texture_of(range(6), c), statistics(c).texture
        lags = " ".join(f"{v:.2f}" for v in found.lags)
        looks = " ".join(f"{v:.2f}" for v in found.looks_lags)
        yield (
            f"| {names[c]} | {found.regions} | {found.spread[2]:.4f} ({of[2]:.4f}) | "
            f"{found.spread[6]:.4f} ({of[6]:.4f}) | {lags} | {found.looks:.1f} | {looks} |"
        )
    yield ""


def _separability(worlds: int) -> Iterator[str]:
    accuracy, f1, n = separability(sites_of(range(worlds), True), [WETLAND])
    tiles = world_tile_scores(range(10))
    real = f"{REAL_POINTS[0]:.3f} and {REAL_POINTS[1]:.3f} (n 477)"
    yield "## Difficulty\n"
    yield "Forest on single summer values of S1 and S2, seven classes, tested on"
    yield f"other worlds: accuracy {accuracy:.3f}, macro-F1 {f1:.3f} (n {n});"
    yield f"on real ones {real}.\n"
    yield "Forest (100 trees, depth 10) trained on all labels of 224 x 224 pixels and asked"
    yield f"for them again: macro-F1 {np.mean(tiles):.2f} ± {np.std(tiles):.2f}, 10 worlds;"
    found = " and ".join(f"{v:.2f}" for v in REAL_TILES.values())
    yield f"on the two real tiles {found}.\n"


def _write_page(text: str, rows: list[pictures.Picture], path: Path) -> None:
    parts = ["<!doctype html><meta charset=utf-8><title>Realism of the worlds</title>"]
    parts.append(
        "<style>body{font:15px sans-serif;margin:2em}img{max-width:100%}</style>"
    )
    for name in REAL_TILES:
        if (TILES / name).is_dir():
            seen = pictures.panels(*pictures.read_tile(TILES / name))
            parts.append(
                f"<h3>Real tile {name}</h3>{pictures.inline(pictures.row(seen))}"
            )
    for seed, one in zip(SHOWN, rows, strict=True):
        parts.append(f"<h3>World {seed}</h3>{pictures.inline(one)}")
    parts.append(f"<pre>{text}</pre>")
    path.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
