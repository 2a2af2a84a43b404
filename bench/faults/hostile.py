"""What is sent to the viewer: hostile files, and hostile requests."""

# ruff: noqa: E501
from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

SECRET = "the-secret-of-another-folder"
_SCRIPT = "document.title='RAN';fetch('/scene.json').then(r=>r.text()).then(t=>document.title='READ '+t)"
_PAGE = (
    f"<!doctype html><title>still</title><script>{_SCRIPT}</script>"
    f'<script src=evil.js></script><img src=x onerror="{_SCRIPT}">'
    f'<svg onload="{_SCRIPT}"></svg><iframe srcdoc="<script>{_SCRIPT}</script>">'
    "</iframe><a id=a href='evil.html'>next</a>"
)
_SVG = (
    "<svg xmlns='http://www.w3.org/2000/svg' onload=\"{0}\"><script>{0}</script></svg>"
).format(_SCRIPT.replace("'", "&apos;"))
HOSTILE = {
    "report.html": _PAGE,
    "evil.html": _PAGE,
    "evil.HTML": _PAGE,
    "evil.htm": _PAGE,
    "evil.xhtml": f"<html xmlns='http://www.w3.org/1999/xhtml'><script>{_SCRIPT}</script></html>",
    "evil.svg": _SVG,
    "evil.xml": f"<?xml version='1.0'?><x xmlns='http://www.w3.org/1999/xhtml'><script>{_SCRIPT}</script></x>",
    "evil.js": _SCRIPT,
    "evil.mjs": _SCRIPT,
    "evil.txt": _PAGE,
    "evil.json": _PAGE,
    "evil.png": _PAGE,
    "evil": _PAGE,
    "evil.pdf": "%PDF-1.4 /OpenAction << /S /JavaScript /JS (app.alert(1)) >>",
    "evil.css": "body{background:url(/scene.json)}",
    "evil.html.": _PAGE,
    "e v\"il'<b>.html": _PAGE,
}
"""Files of a folder from elsewhere."""


def requests(port: int) -> Iterator[tuple[str, bytes]]:
    """Kinds, and requests as bytes."""
    for target in _targets():
        yield "paths", get(target, port)
    for name in HOSTILE:
        for written in written_names(name):
            yield "files", get(f"/files/{written}", port)
    for host in _HOSTS:
        yield "hosts", b"GET /scene.json HTTP/1.1\r\n" + host + b"\r\n\r\n"
    for method in (
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "OPTIONS",
        "TRACE",
        "CONNECT",
        "get",
    ):
        yield "methods", get("/scene.json", port).replace(b"GET", method.encode(), 1)
    for raw in _BROKEN:
        yield "broken", raw.replace(b"HOST", f"127.0.0.1:{port}".encode())
    for target in _NUMBERS:
        yield "numbers", get(target, port)


def get(target: str, port: int) -> bytes:
    """A plain request of an address."""
    return (
        f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    ).encode("latin-1", "replace")


def _targets() -> Iterator[str]:
    """Ways to say a file outside of the folder."""
    ups = (
        "..",
        "%2e%2e",
        "%2E.",
        ".%2e",
        "%252e%252e",
        "..%00",
        "....",
        "%c0%ae%c0%ae",
    )
    slashes = ("/", "%2f", "%5c", "\\", "//", "%252f")
    for up in ups:
        for slash in slashes:
            yield f"/files/{up}{slash}secret.txt"
    for target in (
        "link.txt",
        "up/secret.txt",
        "pipe.txt",
        "run/../../secret.txt",
        "./../secret.txt",
    ):
        yield f"/files/{target}"
    for target in (
        "/etc/passwd",
        "//etc/passwd",
        "%2fetc%2fpasswd",
        "file:///etc/passwd",
        "C:%5cWindows",
        "/proc/self/environ",
    ):
        yield f"/files/{target}"
        yield target if target.startswith("/") else f"/{target}"
    for target in (
        "/page/../../answers.py",
        "/page/%2e%2e/answers.py",
        "/page/..%2fserver.py",
        "/page/",
        "/tiles/../scene.json",
        "/files",
        "/files/",
        "/files/.",
    ):
        yield target


def written_names(name: str) -> Iterator[str]:
    """Ways to write the address of a file."""
    yield quote(name)
    yield "".join(f"%{byte:02x}" for byte in name.encode())
    yield f"run/../{quote(name)}"
    yield f"./{quote(name)}?x=.js#.js"


_HOSTS = (
    *(b"Host: evil.example", b"Host: 127.0.0.1.evil.example", b"Host: 0x7f000001"),
    *(b"Host: 2130706433", b"Host: [::1]", b"Host: [", b"Host: ", b"Host:", b"X: y"),
    *(
        b"Host: localhost@evil.example",
        b"Host: evil.example#localhost",
        b"Host: 0.0.0.0",
    ),
    *(
        b"Host: localhost:99999",
        b"Host: localhost:x",
        b"Host: \xff\xfe",
        b"Host: a\x00b",
    ),
    *(
        b"Host: evil.example\r\nHost: localhost",
        b"Host: localhost\r\nHost: evil.example",
    ),
    *(
        b"Host: localhost evil.example",
        b"Host: localhost,evil.example",
        b"Host: LOCALHOST.",
    ),
)
_BROKEN = (
    *(b"\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"\x00\x01\x02\x03\r\n\r\n"),
    b"GET / HTTP/9.9\r\nHost: HOST\r\n\r\n",
    b"GET / HTTP/x\r\nHost: HOST\r\n\r\n",
    b"GET http://evil.example/scene.json HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: HOST\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: HOST\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: HOST\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    b"POST /scene.json HTTP/1.1\r\nHost: HOST\r\nContent-Length: 99\r\n\r\nGET /files/../secret.txt HTTP/1.1\r\nHost: HOST\r\n\r\n",
    b"GET /page/view.js HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
    b"GET /\xff\xfe%ff HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
    b"GET /files/%00 HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
    b"GET /files/"
    + b"%2e%2e%2f" * 500
    + b"etc/passwd HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
    b"GET /files/"
    + b"a/" * 5000
    + b" HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
)
_NUMBERS = tuple(
    f"/tiles/map/{place}.png"
    for place in ("0/0/0", "-1/0/0", "99/0/0", "9999999999/0/0", "0/1/0", "1e3/0/0", "3/x/0", "3/0/0/0", "٣/0/0", "nan/0/0")
) + tuple(
    f"/point?{query}"
    for query in ("", "lon=1", "lon=x&lat=y", "lon=nan&lat=nan", "lon=inf&lat=0", "lon=1e308&lat=0", "lon=9&lat=91", "lon=9&lat=48&" + "a=b&" * 500, "lon[]=1&lat=2", "lon=%00&lat=1")
) + ("/tiles/gone/0/0/0.png", "/tiles/%2e%2e/0/0/0.png", "/tiles/map/0/0", "/nowhere")  # fmt: skip
