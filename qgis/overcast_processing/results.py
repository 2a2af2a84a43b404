"""What a command wrote, as QGIS shows it; no QGIS here."""

from __future__ import annotations

import html
from pathlib import Path

_STYLE = (
    "<style>body{font-family:sans-serif;max-width:60em}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:.2em .6em;text-align:right}"
    "td:first-child,th:first-child{text-align:left}</style>"
)


def to_html(markdown, title):
    """A page from the Markdown of ``--table FILE.md``: headings, texts and tables."""
    body, rows = [], []
    for line in [*markdown.splitlines(), ""]:
        if line.startswith("|"):
            rows.append([_cell(cell) for cell in line.strip().strip("|").split("|")])
            continue
        if rows:
            body.append(_table(rows))
            rows = []
        if line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            body.append(f"<h{level}>{_cell(line.lstrip('# '))}</h{level}>")
        elif line.strip():
            body.append(f"<p>{_cell(line)}</p>")
    head = f"<meta charset='utf-8'><title>{html.escape(title)}</title>{_STYLE}"
    return (
        f"<!doctype html><html><head>{head}</head><body>{''.join(body)}</body></html>"
    )


def _table(rows):
    first, *others = rows
    others = [row for row in others if set("".join(row)) - set("-: ")]
    head = "".join(f"<th>{cell}</th>" for cell in first)
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in others)
    return (
        f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
    )


def _cell(text):
    return html.escape(text.strip().replace("\\|", "|"))


def help_html(algorithm):
    """Help of a command as QGIS shows it beside the form."""
    parts = []
    for block in algorithm["help"].split("\n\n"):
        first, *others = block.splitlines()
        if first.startswith("Example"):
            # QGIS makes a paragraph of every line.
            code = "\n".join(line.strip() for line in others).replace("\\\n", "")
            shown = "<br>".join(map(html.escape, code.splitlines()))
            parts.append(f"<p><b>{html.escape(first)}</b><br><code>{shown}</code></p>")
        else:
            parts.append(f"<p>{html.escape(' '.join(block.split()))}</p>")
    parts.append(
        f"<p>Command: <code>overcast {' '.join(algorithm['words'])}</code></p>"
    )
    return "".join(parts)


def layers_of(algorithm, folder):
    """Files of an output folder that open as layers: name of the output, path, title."""
    for file, title in algorithm["loads"]:
        path = Path(folder) / file
        if path.is_file():
            yield Path(file).stem.upper(), path, title
