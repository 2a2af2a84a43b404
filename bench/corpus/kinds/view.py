"""The viewer, started, asked one thing, and ended."""

# ruff: noqa: E501
from __future__ import annotations

from functools import partial
from typing import Any

from bench.corpus.case import Answer, add, refused
from bench.corpus.runner import Command
from bench.corpus.scene import Scene


def _viewed(path: str, method: str = "GET", host: str | None = None) -> Any:
    def talk(out: Any) -> str:
        import http.client
        import re
        import time
        from urllib.parse import urlsplit

        for _ in range(600):
            if address := re.search(r"http://\S+", out.read_text()):
                break
            time.sleep(0.05)
        else:
            return "no address"
        server = http.client.HTTPConnection(
            urlsplit(address.group()).netloc, timeout=30
        )
        server.request(method, path, headers={"Host": host} if host else {})
        answer = server.getresponse()
        kind = answer.headers.get("Content-Type", "")
        policy = answer.headers.get("Content-Security-Policy", "")
        body = answer.read()
        return f"{answer.status} {kind} [{policy}] {len(body)} {body[:3000]!r}"

    return talk


def _view(change: Any, path: str, method: str, host: str | None, s: Scene) -> Command:
    s.take("weak", "o2")
    change(s)
    words = ("view", "o2", "--no-browser")
    return Command(words, talk=_viewed(path, method, host))


def _answers(*starts: str, without: str = "\0") -> Answer:
    def check(s: Scene, outcome: Any) -> str | None:
        if not outcome.answer.startswith(starts):
            return f"answered {outcome.answer[:200]}, expected {' or '.join(starts)}"
        return f"{without!r} is in it" if without in outcome.answer else None

    return Answer(check)


def _no_change(s: Scene) -> None:
    """Leave the folder as it is."""


_EVIL = "<script>alert(1)</script>"
for title, change, path, method, host, ends in (
    ("the page", _no_change, "/", "GET", None, (_answers("200"),)),
    ("a file of the folder", _no_change, "/files/map.qml", "GET", None, (_answers("200", "404"),)),
    ("a file over the folder", _no_change, "/files/../legend.csv", "GET", None, (_answers("4"),)),
    ("a file over the folder, encoded", _no_change, "/files/%2e%2e/legend.csv", "GET", None, (_answers("4"),)),
    ("another host", _no_change, "/", "GET", "evil.example", (_answers("403"),)),
    ("a tile beyond all", _no_change, "/tiles/map/99/1e9/-5.png", "GET", None, (_answers("4"),)),
    ("POST", _no_change, "/", "POST", None, (_answers("4", "501"),)),
    ("a script of the folder", lambda s: s.write("o2/evil.js", "alert(1)"), "/files/evil.js", "GET", None, (_answers("4", "200 text/plain", "200 application/octet-stream"),)),
    ("a module of the folder", lambda s: s.write("o2/evil.mjs", "alert(1)"), "/files/evil.mjs", "GET", None, (_answers("4", "200 application/octet-stream"),)),
    ("a script, its address encoded", lambda s: s.write("o2/evil.js", "alert(1)"), "/%66iles/evil.js", "GET", None, (_answers("4", "200 application/octet-stream"),)),
    ("a script in the run", lambda s: s.write("o2/run/evil.js", "alert(1)"), "/files/run/evil.js", "GET", None, (_answers("4", "200 application/octet-stream"),)),
    ("a drawing of the folder", lambda s: s.write("o2/x.svg", "<svg onload='alert(1)'/>"), "/files/x.svg", "GET", None, (_answers("4", "200 application/octet-stream"),)),
    ("a page of the folder, all of its address encoded", lambda s: s.write("o2/x.html", _EVIL), "/%66%69%6c%65%73/%78.html", "GET", None, (_answers("200", "4", without="script-src 'self'"),)),
    ("a page of the folder", lambda s: s.write("o2/x.html", _EVIL), "/files/x.html", "GET", None, (_answers("200", "4", without="script-src 'self'"),)),
    ("a page of the folder, its address encoded", lambda s: s.write("o2/x.html", _EVIL), "/%66iles/x.html", "GET", None, (_answers("200", "4", without="script-src 'self'"),)),
    ("a page in capitals", lambda s: s.write("o2/x.HTML", _EVIL), "/files/x.HTML", "GET", None, (_answers("200", "4", without="script-src 'self'"),)),
    ("a file whose name is a script", lambda s: s.write(f"o2/{_EVIL.replace('/', '')}.tif", "x"), "/", "GET", None, (_answers("200", without="<script>alert"),)),
    ("a plan that is broken", lambda s: s.write("o2/run/plan.yaml", "method: {"), "/", "GET", None, (_answers("200"), refused("plan.yaml"))),
    ("images that are gone", lambda s: s.write("o2/run/plan.yaml", (s / "o2/run/plan.yaml").read_text().replace("s2.tif", "gone.tif")), "/", "GET", None, (_answers("200"), refused("gone.tif"))),
    ("a map that is cut", lambda s: s.write("o2/map.tif", (s / "o2/map.tif").read_bytes()[:900]), "/", "GET", None, (_answers("200"), refused("map.tif"))),
    ("a legend that is broken", lambda s: s.write("o2/legend.csv", "\0"), "/", "GET", None, (_answers("200"), refused("legend.csv"))),
    ("no confidence", lambda s: (s / "o2/confidence.tif").unlink(), "/", "GET", None, (_answers("200"), refused("confidence.tif"))),
):  # fmt: skip
    add("view", title, partial(_view, change, path, method, host), *ends)
