"""Hostile requests to the viewer, and a hostile folder in a browser.

The folder holds scripts in every form, and a file outside of it holds a secret. No answer
may show the secret, none may run a script in the viewer's origin, and the server lives on.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.corpus.scene import new_scene
from bench.faults.hostile import HOSTILE, SECRET, get, requests, written_names
from bench.faults.journal import Finding


@contextlib.contextmanager
def _serving(folder: Path) -> Iterator[int]:
    from overcast.viewer.scene import open_scene
    from overcast.viewer.server import ViewServer

    with open_scene(folder) as scene, ViewServer(scene) as server:
        thread = threading.Thread(
            target=server.serve_forever, args=(0.01,), daemon=True
        )
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _hostile_folder(work: Path, cache: Path) -> Path:
    """A map's folder with scripts in it, and a secret beside it."""
    scene = new_scene(work / "scene", cache)
    folder = scene.take("weak", "o")
    (work / "scene" / "secret.txt").write_text(SECRET, encoding="utf-8")
    for name, text in HOSTILE.items():
        (folder / name).write_text(text, encoding="utf-8")
    os.symlink("../secret.txt", folder / "link.txt")
    os.symlink("..", folder / "up")
    os.mkfifo(folder / "pipe.txt")
    return folder


def send_all(work: Path, cache: Path) -> Iterator[Finding]:
    """Send every request, and open every hostile file in a browser, if there is one."""
    shutil.rmtree(work, ignore_errors=True)
    folder = _hostile_folder(work, cache)
    with (
        open(os.devnull, "w", encoding="utf-8") as silent,
        contextlib.redirect_stderr(silent),
        _serving(folder) as port,
    ):
        for kind, request in requests(port):
            yield _sent(kind, request, port)
        yield from _browsed(port)


def _sent(kind: str, request: bytes, port: int) -> Finding:
    shown = request.split(b"\r\n")[0][:80].decode("latin-1")
    try:
        reply = _ask(request, port)
    except OSError as error:
        return Finding(kind, shown, "fault", f"no answer: {error}")
    problem = _problem(kind, request, reply)
    if problem is None and b" 200 " not in _ask(get("/", port), port)[:20]:
        problem = "the server does not answer any more"
    return Finding(kind, shown, "fault" if problem else "same", problem or "")


def _ask(request: bytes, port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        parts = []
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while part := connection.recv(1 << 16):
                parts.append(part)
    return b"".join(parts)


def _problem(kind: str, request: bytes, reply: bytes) -> str | None:
    """What an answer may not be, or None."""
    head, _, body = reply.partition(b"\r\n\r\n")
    text = head.decode("latin-1").lower()
    status = re.match(r"http/1\.[01] (\d{3})", text)
    if SECRET.encode() in reply or b"root:" in body:
        return "it shows a file outside of the folder"
    if "access-control" in text:
        return "it allows other origins"
    if status is not None and status[1] == "500":
        return f"its own fault: {body[:100]!r}"
    good = status is not None and status[1] == "200"
    if kind in ("hosts", "methods") and good:
        return "it answers"
    if good and b"/files/" in request.split(b" ")[1]:
        return _badly_served(text)
    return None


def _badly_served(head: str) -> str | None:
    if (
        "javascript"
        in head.rsplit("content-type:", maxsplit=1)[-1].split("\r\n", maxsplit=1)[0]
    ):
        return "a script of the folder is served as one"
    if "sandbox" not in head or "script-src 'self'" in head:
        return "a file of the folder has the page's policy"
    if "octet-stream" in head and "content-disposition: attachment" not in head:
        return "a file that is not shown is not saved either"
    if "nosniff" not in head:
        return "its kind may be guessed"
    return None


def _browsed(port: int) -> Iterator[Finding]:
    """Open the hostile files in Chromium; none of their scripts may run."""
    from tests.viewer.browser import CHROMIUM, chromium

    if CHROMIUM is None:
        print("requests: no chromium, so no file was opened in a browser")
        return
    with chromium() as page:
        for name in HOSTILE:
            for written in list(written_names(name))[:2]:
                address = f"http://127.0.0.1:{port}/files/{written}"
                problem = _ran(page, address)
                yield Finding(
                    "in a browser",
                    written,
                    "fault" if problem else "same",
                    problem or "",
                )


def _ran(page: Any, address: str) -> str | None:
    import time

    page.send("Page.navigate", url="about:blank")
    page.requests.clear()
    page.send("Page.navigate", url=address)
    time.sleep(0.25)
    title = str(page.value("document.title"))
    if title.startswith(("RAN", "READ")):
        return f"a script ran: {title[:60]}"
    asked = [url for url in page.requests if url != address and "evil.js" not in url]
    asked = [url for url in asked if not url.endswith(("/files/x", "favicon.ico"))]
    return f"it asked for {asked[0]}" if asked else None
