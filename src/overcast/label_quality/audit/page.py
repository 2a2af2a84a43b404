"""The page of an audit: what the labels get wrong, in sentences, pictures and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from overcast.label_quality.audit.findings import THIN, Findings
from overcast.report.page import Panel, write_page


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """The contents of the page of an audit.

    Attributes
    ----------
    title
        First line of the page.
    findings
        The estimates.
    panels
        Large pictures of one place and size: labels and map first.
    places
        The most suspicious labels, a picture each.
    warnings
        What the reader must know, a sentence each.
    provenance, plan
        What the estimates come from; the plan as YAML.
    """

    title: str
    findings: Findings
    panels: Sequence[Panel]
    places: Sequence[Panel] = ()
    warnings: Sequence[str] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    plan: str = ""

    @property
    def has_intervals(self) -> bool:
        """Return whether there were blocks enough for intervals."""
        return bool(np.isfinite(self.findings.called.low).any())


def write_audit_page(page: AuditPage, path: Path) -> None:
    """Write the page, self-contained; the file is whole or not there."""
    findings = page.findings
    occurs = (findings.class_shares > 0) | (findings.label_shares > 0)
    write_page(
        "audit.html.j2",
        path,
        page=page,
        found=findings,
        classes=findings.legend.classes,
        here=np.flatnonzero(occurs).tolist(),
        thin=THIN,
    )
