"""Score class maps in files, as `overcast assess` does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from overcast.geo.files import open_labels, open_raster
from overcast.geo.legend import Legend, load_legend, parse_legend
from overcast.maps.accuracy import compare, scores
from overcast.progress import Progress, quiet


def assess_files(  # noqa: PLR0913
    mapped: Path,
    reference: Path,
    *,
    legend: str | None = None,
    reference_legend: str | None = None,
    reference_nodata: int | None = None,
    out: Path | None = None,
    overwrite: bool = False,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Scores of a class map in a file against a reference, also written to `out`.

    The legend of a map that overcast made is in the file.

    Raises
    ------
    ValueError
        If a file is refused, the legend is not known, or `out` exists.
    """
    if out is not None and out.exists() and not overwrite:
        raise ValueError(f"{out}: exists; give another --out, or --overwrite")
    classes = load_legend(legend) if legend else _written_legend(mapped)
    theirs = load_legend(reference_legend) if reference_legend else classes
    found = compare(
        open_labels(mapped, classes),
        open_labels(reference, theirs, reference_nodata),
        progress=progress,
    )
    result = scores(found, classes)
    if out is not None:
        out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    return result


def _written_legend(path: Path) -> Legend:
    tags = open_raster(path).tags()
    text = tags.get("LEGEND_CLASSES")
    if text is None:
        raise ValueError(
            f"{path}: no legend in the file (overcast did not make it); give --legend"
        )
    return parse_legend(text, tags.get("LEGEND", path.stem))
