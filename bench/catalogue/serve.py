"""A STAC API and a range server on the loopback address, which misbehave on request."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_CONFORMS = [
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/item-search",
]


@dataclass
class Faults:
    """What goes wrong, each off by default; may be changed while the server runs.

    Attributes
    ----------
    after
        So many requests of files are answered as they should be, before these begin:
    busy_every, limit_every, short_every, drop_every
        Every so many-th part of a file is answered 503, 429 with ``Retry-After``, cut
        short, or not at all: the connection is closed.
    deny
        Parts of files are refused (403), however they are signed.
    page_of_words
        Parts of files are answered with a web page, as networks do that want a login.
    whole
        Files are sent whole, whichever part is asked for.
    expire_s
        Seconds that a signature is good for; 0: none is asked for.
    tokens_busy
        So many requests of tokens are answered 429.
    missing
        Files with this in their name are not there.
    stop_after
        From so many requests of files on, all are answered 503.
    repeat_page
        Every page of a search leads to itself.
    twice
        Every item comes twice.
    search_busy
        So many searches are answered 504.
    unfiltered
        Searches pass over all conditions, and give every item.
    page
        Items on a page.
    """

    after: int = 0
    busy_every: int = 0
    limit_every: int = 0
    short_every: int = 0
    drop_every: int = 0
    deny: bool = False
    page_of_words: bool = False
    whole: bool = False
    expire_s: float = 0.0
    tokens_busy: int = 0
    missing: str = ""
    stop_after: int = 0
    repeat_page: bool = False
    twice: bool = False
    search_busy: int = 0
    unfiltered: bool = False
    page: int = 5


@dataclass
class Bed:
    """A running server: its address, its faults, and what it was asked."""

    url: str
    folder: Path
    faults: Faults
    items: list[dict[str, Any]]
    secret: str = "sig-of-the-bed"
    asked: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    stats: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_STATS, 0))
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def reset(self) -> None:
        """Behave, and forget what was asked."""
        self.faults.__init__()  # type: ignore[misc]
        self.asked.clear()
        self.keys.clear()
        self.numbers = itertools.count(1)
        self.stats.update(dict.fromkeys(_STATS, 0))


_STATS = ("files", "bytes", "searches", "tokens", "failed", "denied")


@contextmanager
def serving(folder: Path, port: int = 0, faults: Faults | None = None) -> Iterator[Bed]:
    """Serve a catalogue of `make_catalogue`."""
    bed = Bed("", folder, faults or Faults(), [])

    class Handler(_Handler):
        served = bed

    server = _Server(("127.0.0.1", port), Handler)
    bed.url = f"http://127.0.0.1:{server.server_port}"
    text = (folder / "items.json").read_text(encoding="utf-8")
    text = text.replace("{base}", f"{bed.url}/files").replace(
        "{api}", f"{bed.url}/stac"
    )
    bed.items = json.loads(text)["features"]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield bed
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet: clients are killed."""


class _Handler(BaseHTTPRequestHandler):
    served: Bed
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments: Any) -> None:
        """Stay quiet."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.served.asked.append(self.path)
        kind, _, rest = parts.path.lstrip("/").partition("/")
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if kind == "files":
            self._file(rest, query)
        elif kind == "token":
            self._token()
        elif kind == "stac":
            self._stac(rest, query)
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.served.asked.append(self.path)
        body = json.loads(self.rfile.read(length) or b"{}")
        self._search(body)

    def _json(self, tree: Any, code: int = 200) -> None:
        self._send(
            code, json.dumps(tree).encode(), {"Content-Type": "application/json"}
        )

    def _send(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    # --- the API

    def _stac(self, rest: str, query: dict[str, str]) -> None:
        parts = rest.strip("/").split("/")
        if rest.strip("/") == "search":
            given: dict[str, Any] = dict(query)
            for key in ("collections", "bbox"):
                if key in given:
                    given[key] = given[key].split(",")
            self._search(given)
        elif len(parts) == 4 and parts[2] == "items":
            known = {item["id"]: item for item in self.served.items}
            self._json(known[parts[3]]) if parts[3] in known else self.send_error(404)
        else:
            self._json(self._landing())

    def _landing(self) -> dict[str, Any]:
        base = f"{self.served.url}/stac"
        links = [
            {"rel": rel, "href": base, "type": "application/json"}
            for rel in ("self", "root")
        ]
        for method in ("GET", "POST"):
            link = {"rel": "search", "href": f"{base}/search", "method": method}
            links.append({**link, "type": "application/geo+json"})
        return {
            "type": "Catalog",
            "id": "bed",
            "stac_version": "1.0.0",
            "description": "A simulated world",
            "conformsTo": _CONFORMS,
            "links": links,
        }

    def _search(self, body: dict[str, Any]) -> None:
        faults, stats = self.served.faults, self.served.stats
        stats["searches"] += 1
        if stats["searches"] <= faults.search_busy:
            self._send(504, b"", {})
            return
        if faults.unfiltered:
            body = {"token": body.get("token", 0)}
        if "query" in body or "filter" in body:
            # Some servers answer with nothing then, and say nothing of it.
            self._json({"type": "FeatureCollection", "features": [], "links": []})
            return
        matching = [item for item in self.served.items if _matches(item, body)]
        if faults.twice:
            matching = [item for item in matching for _ in range(2)]
        start, size = int(body.get("token", 0)), faults.page
        page, links = matching[start : start + size], []
        if start + size < len(matching) or faults.repeat_page:
            token = start if faults.repeat_page else start + size
            href = f"{self.served.url}/stac/search"
            link = {"rel": "next", "href": href, "method": "POST", "merge": True}
            links.append({**link, "body": {**body, "token": token}})
        self._json({"type": "FeatureCollection", "features": page, "links": links})

    def _token(self) -> None:
        self.served.stats["tokens"] += 1
        self.served.keys |= {self.headers.get("X-Bed-Key", "")}
        if self.served.stats["tokens"] <= self.served.faults.tokens_busy:
            self._send(429, b"", {"Retry-After": "0.05"})
            return
        ends = time.time() + (self.served.faults.expire_s or 3600)
        said = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends))
        query = f"sig={self.served.secret}&ends={ends}"
        self._json({"token": query, "msft:expiry": said})

    # --- files

    def _file(self, name: str, query: dict[str, str]) -> None:
        faults, stats = self.served.faults, self.served.stats
        stats["files"] += 1
        number = next(self.served.numbers)
        if faults.expire_s:
            good = query.get("sig") == self.served.secret
            if not good or time.time() > float(query.get("ends", 0)):
                stats["denied"] += 1
                self._send(403, b"expired", {})
                return
        if not self._failed(number - faults.after):
            path = self.served.folder / name
            if (faults.missing and faults.missing in name) or not path.is_file():
                self._send(404, b"", {})
                return
            short = _falls(number - faults.after, faults.short_every)
            self._part(path.read_bytes(), short)

    def _failed(self, number: int) -> bool:
        """Answer wrongly, if that is the turn of a request."""
        faults = self.served.faults
        stopped = 0 < faults.stop_after < number + faults.after
        if stopped or _falls(number, faults.busy_every):
            self._send(503, b"busy", {})
        elif _falls(number, faults.limit_every):
            self._send(429, b"slow down", {"Retry-After": "0.05"})
        elif _falls(number, faults.drop_every):
            self.close_connection = True
        elif number > 0 and faults.deny:
            self._send(403, b"no", {})
        elif number > 0 and faults.page_of_words:
            self._send(200, b"<html>Please log in</html>", {})
        else:
            return False
        self.served.stats["failed"] += 1
        return True

    def _part(self, whole: bytes, short: bool) -> None:
        first, last = 0, len(whole) - 1
        code, headers = 200, {"Accept-Ranges": "bytes"}
        wanted = self.headers.get("Range")
        if wanted and not self.served.faults.whole:
            low, _, high = wanted.removeprefix("bytes=").partition("-")
            first, last = int(low), min(int(high or last), last)
            code = 206
            headers["Content-Range"] = f"bytes {first}-{last}/{len(whole)}"
        body = whole[first : last + 1]
        self.served.stats["bytes"] += len(body)
        if short:
            self.served.stats["failed"] += 1
            body = body[: len(body) // 2]
        self._send(code, body, headers)


def _falls(number: int, every: int) -> bool:
    return number > 0 and bool(every) and number % every == 0


def _matches(item: dict[str, Any], body: dict[str, Any]) -> bool:
    if item["collection"] not in body.get("collections", [item["collection"]]):
        return False
    if bbox := body.get("bbox"):
        west, south, east, north = map(float, bbox)
        left, bottom, right, top = item["bbox"]
        if left > east or right < west or bottom > north or top < south:
            return False
    if interval := body.get("datetime"):
        first, _, last = interval.partition("/")
        return bool(first <= item["properties"]["datetime"] <= (last or first))
    return True
