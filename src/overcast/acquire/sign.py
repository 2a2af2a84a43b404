"""Signed addresses: made when something is read, shared, and written nowhere."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from overcast.acquire.catalogue import Sign
from overcast.errors import MachineError

_MARGIN_S = 60
_LIFE_S = 2400
"""Seconds that a token is used for, where its server does not say."""


class Ask(Protocol):
    """Asks a server for JSON; gives up in a line of our own."""

    def __call__(self, url: str, headers: dict[str, str]) -> Any:
        """Return what the server answers."""
        ...


@dataclass(frozen=True, slots=True)
class _Token:
    query: str = field(repr=False)
    ends: float


class Signer:
    """Signs addresses of one source; one token per collection for all threads."""

    def __init__(self, how: Sign, ask: Ask) -> None:
        self._how, self._ask = how, ask
        self._tokens: dict[str, _Token] = {}
        self._lock = threading.Lock()

    def __call__(
        self, href: str, collection: str, anew: bool = False
    ) -> tuple[str, dict[str, str]]:
        """Address and headers to read `href` with; `anew`: with another token.

        An address that came with a signature loses it first: two are refused.
        """
        if self._how.kind == "none" or not self._is_signed(href):
            return href, {}
        if self._how.kind == "bearer":
            return href, self._key("Authorization", "Bearer ")
        bare = href.partition("?")[0]
        return f"{bare}?{self._token(collection, anew)}", {}

    def _is_signed(self, href: str) -> bool:
        host = urlsplit(href).hostname or ""
        return not self._how.hosts or host.endswith(self._how.hosts)

    def _key(self, header: str, before: str = "") -> dict[str, str]:
        value = os.environ.get(self._how.key, "") if self._how.key else ""
        if not value:
            if self._how.kind == "bearer":
                raise ValueError(
                    f"{self._how.key}: not set in the environment, and the source asks "
                    "for it; set it to your token"
                )
            return {}
        return {self._how.header or header: f"{before}{value}"}

    def _token(self, collection: str, anew: bool) -> str:
        with self._lock:
            token = self._tokens.get(collection)
            if token is None or anew or token.ends - time.time() < _MARGIN_S:
                url = self._how.url.format(collection=collection)
                answer = self._ask(url, self._key("Authorization"))
                token = _read(answer, url)
                self._tokens[collection] = token
            return token.query


def _read(answer: Any, url: str) -> _Token:
    try:
        query = str(answer["token"])
    except (KeyError, TypeError) as error:
        raise MachineError(
            f"{url}: answered without a token; try again later"
        ) from error
    said = answer.get("msft:expiry") or answer.get("expiry")
    if said is None:
        return _Token(query, time.time() + _LIFE_S)
    # A token that is short-lived from the start is not asked for at every read.
    ends = datetime.fromisoformat(str(said).replace("Z", "+00:00")).timestamp()
    return _Token(query, max(ends, time.time() + _MARGIN_S + 1))
