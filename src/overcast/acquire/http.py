"""Parts of files on servers: asked for with patience, checked, counted, kept for a while.

GDAL remembers that a read failed, and its own messages hold signed addresses. Here every
request is signed when it is made, a failed one is tried again, and an answer that is
shorter than what was asked for is a failure.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from overcast.acquire.catalogue import Patience
from overcast.errors import MachineError
from overcast.geo.location import hide

if TYPE_CHECKING:  # a part of an extra: regions of files need none of it
    import requests

_AGAIN = frozenset({408, 425, 429, 498, 500, 502, 503, 504})
"""Answers after which the same request may succeed; 498 is the Copernicus limit."""
_REFUSED = frozenset({401, 403})
_CHUNK = 1 << 18
_CHUNKS = 24
"""Pieces of a file that are kept, each of `_CHUNK` bytes."""
_LARGEST = 1 << 26
"""Bytes of a file that a server may send whole, where it knows no parts."""


class GoneError(MachineError):
    """A server has no such file."""


@dataclass(slots=True)
class Traffic:
    """Requests and bytes so far."""

    requests: int = 0
    bytes: int = 0
    retries: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, requests: int = 0, length: int = 0, retries: int = 0) -> None:
        """Count; threads may do so at once."""
        with self._lock:
            self.requests += requests
            self.bytes += length
            self.retries += retries


class _Busy(Exception):  # noqa: N818
    """A request failed, and may succeed later."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Web:
    """Requests to servers, with the patience of a source."""

    def __init__(self, patience: Patience, traffic: Traffic | None = None) -> None:
        self.patience = patience
        self.traffic = traffic or Traffic()
        self._local = threading.local()

    def json(self, url: str, headers: dict[str, str]) -> Any:
        """Return a server's answer to a GET, as JSON."""

        def once(_: bool) -> Any:
            answer = self._send(url, headers)
            try:
                return answer.json()
            except ValueError as error:
                raise _Busy("the answer is no JSON") from error

        return self.patiently(hide(url), once)

    def part(
        self,
        signed: Callable[[bool], tuple[str, dict[str, str]]],
        shown: str,
        first: int,
        last: int,
    ) -> tuple[bytes, int]:
        """Bytes `first` to `last` of a file, and how long the file is.

        `signed` gives its address and headers; with True, signed anew.
        """

        def once(anew: bool) -> tuple[bytes, int]:
            url, headers = signed(anew)
            ranged = {**headers, "Range": f"bytes={first}-{last}"}
            return _checked(self._send(url, ranged), first, last)

        body, size = self.patiently(shown, once)
        self.traffic.add(length=len(body))
        return body, size

    def patiently(self, shown: str, once: Callable[[bool], Any]) -> Any:
        """Call until it succeeds; after a refusal once more, with True.

        Raises
        ------
        MachineError
            If the server does not answer, or refuses.
        """
        tries, wait, anew, reason = 0, self.patience.delay_s, False, ""
        while tries < self.patience.tries:
            try:
                return once(anew)
            except _Refused as error:
                if anew:
                    raise MachineError(
                        f"{shown}: the server refuses it ({error}); check the account "
                        "and keys that the source asks for"
                    ) from error
                anew = True
                continue
            except _Busy as error:
                reason, after = str(error), error.after
            tries += 1
            if tries < self.patience.tries:
                self.traffic.add(retries=1)
                delay = wait if after is None else after
                time.sleep(min(delay, self.patience.longest_s))
                wait *= 2
        raise MachineError(
            f"{shown}: the server does not answer, or not in full ({reason}), asked "
            f"{tries} times; the same command goes on from here later"
        )

    def _send(self, url: str, headers: dict[str, str]) -> requests.Response:
        import requests

        self.traffic.add(requests=1)
        session: requests.Session
        session = self._local.__dict__.setdefault("session", requests.Session())
        plain = {"Accept-Encoding": "identity", **headers}
        try:
            answer = session.get(url, headers=plain, timeout=self.patience.silent_s)
        except requests.RequestException as error:
            # Messages of the library hold the address with its signature.
            raise _Busy(type(error).__name__) from None
        code = answer.status_code
        if code in _REFUSED:
            raise _Refused(f"HTTP {code}")
        if code in (404, 410):
            raise GoneError(f"{hide(url)}: no such file on the server (HTTP {code})")
        if code in _AGAIN:
            raise _Busy(f"HTTP {code}", _after(answer))
        if code >= 400:
            raise MachineError(f"{hide(url)}: the server answers HTTP {code}")
        return answer


class _Refused(Exception):  # noqa: N818
    """A server refuses a request as it was signed."""


def _after(answer: requests.Response) -> float | None:
    """Seconds that a server wants to be waited for."""
    try:
        return max(float(answer.headers["Retry-After"]), 0.0)
    except (KeyError, ValueError):  # a date is rare; the usual wait does then
        return None


def _checked(answer: requests.Response, first: int, last: int) -> tuple[bytes, int]:
    body = answer.content
    if answer.status_code == 200:
        if len(body) > _LARGEST:
            raise MachineError(
                f"{hide(answer.url)}: its server sends whole files only; download it"
            )
        if len(body) != int(answer.headers.get("Content-Length", len(body))):
            raise _Busy(f"{len(body)} bytes, cut short")
        return body[first : last + 1], len(body)
    said, _, size = answer.headers.get("Content-Range", "").partition("/")
    if not size.isdigit():
        raise _Busy("a part of a file, and not which")
    wanted = min(last, int(size) - 1) - first + 1
    if said != f"bytes {first}-{first + wanted - 1}" or len(body) != wanted:
        raise _Busy(f"{len(body)} bytes, expected {wanted}")
    return body, int(size)


class RemoteFile:
    """A file on a server, read in pieces; its last pieces are kept in memory."""

    def __init__(
        self,
        web: Web,
        signed: Callable[[bool], tuple[str, dict[str, str]]],
        shown: str,
    ) -> None:
        self._web, self._signed, self._shown = web, signed, shown
        self._chunks: OrderedDict[int, bytes] = OrderedDict()
        self._size: int | None = None
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        if self._size is None:
            self.read(0, 1)
        return self._size or 0

    def read(self, start: int, length: int) -> bytes:
        """Bytes from `start` on; fewer where the file ends."""
        with self._lock:
            if self._size is not None:
                length = min(length, self._size - start)
            if length <= 0:
                return b""
            first, last = start // _CHUNK, (start + length - 1) // _CHUNK
            pieces = self._pieces(first, last)
        whole = b"".join(pieces)
        offset = start - first * _CHUNK
        return whole[offset : offset + length]

    def _pieces(self, first: int, last: int) -> list[bytes]:
        """Pieces `first` to `last`; those not at hand come with one request."""
        missing = [n for n in range(first, last + 1) if n not in self._chunks]
        fresh: dict[int, bytes] = {}
        if missing:
            low, high = missing[0], missing[-1]
            body, self._size = self._web.part(
                self._signed, self._shown, low * _CHUNK, (high + 1) * _CHUNK - 1
            )
            for n in range(low, high + 1):
                fresh[n] = body[(n - low) * _CHUNK : (n - low + 1) * _CHUNK]
        pieces = [
            fresh[n] if n in fresh else self._chunks[n] for n in range(first, last + 1)
        ]
        for n, piece in fresh.items():
            self._chunks[n] = piece
        while len(self._chunks) > _CHUNKS:
            # The head of the file says where everything else lies.
            oldest = next(n for n in self._chunks if n)
            del self._chunks[oldest]
        return pieces
