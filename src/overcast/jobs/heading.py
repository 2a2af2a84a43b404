"""The head of a page that was written before, and the page as PDF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from overcast import map_folder
from overcast.errors import reading, writing
from overcast.jobs.printing import browser_of, print_page
from overcast.output import refuse_to_replace
from overcast.report.heading import (
    Heading,
    changed,
    logo_of,
    read_heading,
    with_heading,
    write_heading,
)
from overcast.report.page import CHANGE_TITLE, MAP_TITLE, heading_text

_PAGES = ((map_folder.REPORT, MAP_TITLE), (map_folder.CHANGE_PAGE, CHANGE_TITLE))


def report_of(
    folder: Path,
    said: Mapping[str, str | None],
    logo: Path | None,
    pdf: Path | None,
    overwrite: bool,
) -> dict[str, str]:
    """Exchange the head of a map's page, keep it in the folder, and print the page.

    `said` has a text for each field of `Heading` but its logo, or None where nothing is
    said now. `logo` is the file of a picture.

    Raises
    ------
    ValueError
        If there is no page, it can't be filled, `pdf` exists, or no browser prints.
    """
    page, default = _page_in(folder)
    if pdf is not None:
        if pdf.suffix.lower() != ".pdf":
            raise ValueError(f"{pdf}: expected a name that ends in .pdf")
        refuse_to_replace(pdf, overwrite, (page,))
        browser = browser_of()
    texts = {**said, "logo": _logo(logo)}
    if any(text is not None for text in texts.values()):
        heading = changed(read_heading(folder), **texts)
        _fill(page, heading, default)
        write_heading(heading, folder)
    written = {"report": str(page)}
    if pdf is not None:
        print_page(page, pdf, browser)
        written["pdf"] = str(pdf)
    return written


def _logo(path: Path | None) -> str | None:
    """Return a picture as a data URI; an empty name takes it away."""
    if path is None:
        return None
    return logo_of(path)


def _page_in(folder: Path) -> tuple[Path, str]:
    for name, title in _PAGES:
        if (folder / name).is_file():
            return folder / name, title
    names = " or ".join(name for name, _ in _PAGES)
    raise ValueError(f"{folder}: no {names}; give the folder of a map or of a change")


def _fill(page: Path, heading: Heading, default: str) -> None:
    with reading(page):
        text = page.read_text(encoding="utf-8")
    title = heading.title or default
    try:
        filled = with_heading(text, heading_text(heading, default), title)
    except ValueError as error:
        raise ValueError(
            f"{page}: {error}; make it again (overcast assess MAP SAMPLE --report, or "
            "overcast change)"
        ) from error
    draft = page.with_name(f".{page.name}.part")
    with writing(page):
        draft.write_text(filled, encoding="utf-8")
        draft.replace(page)
