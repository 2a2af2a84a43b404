"""Documents that commands print and write: names and plain values, as JSON has them."""

from __future__ import annotations

from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]
"""What a job says of its result. Nothing that a user gives goes through one."""
