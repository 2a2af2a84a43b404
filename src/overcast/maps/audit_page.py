"""The page of an audit: what the labels get wrong, in sentences, pictures and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from overcast.maps.label_findings import THIN, Findings
from overcast.maps.report import Panel, write_page


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """What the page of an audit shows.

    Attributes
    ----------
    title
        First line of the page.
    findings
        The estimates.
    labels, map, suspicion, image
        The four large pictures; the last one is of what was seen.
    places
        The most suspicious labels, a picture each.
    warnings
        What the reader must know, a sentence each.
    provenance
        What the estimates come from.
    """

    title: str
    findings: Findings
    labels: Panel
    map: Panel
    suspicion: Panel
    image: Panel
    places: Sequence[Panel]
    warnings: Sequence[str] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)


def write_audit_page(page: AuditPage, path: Path) -> None:
    """Write the page, self-contained; the file is whole or not there."""
    write_page("audit.html.j2", path, page=page, found=page.findings, thin=THIN)
