"""The viewer's server: on this machine's loopback address, and for this machine alone.

It is Python's own threading server. A framework would bring a dozen packages for five
kinds of GET; a ready-made tile server opens whatever file or address a query names,
which is what must not happen here. A page elsewhere on the web can't read from it either:
a name that someone has pointed at 127.0.0.1 is refused by its Host header, and
no answer allows another origin.
"""

from __future__ import annotations

import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from rasterio.errors import RasterioError

from overcast.viewer.answers import Answer, answer, refusal
from overcast.viewer.scene import ViewedFolder

LOOPBACK = "127.0.0.1"
_NAMES = (LOOPBACK, "localhost")
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_LAST_PORT = 65535
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src blob:; connect-src 'self'; "
    "img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""The page loads nothing from anywhere else. MapLibre styles its parts in place, and
starts its worker from a blob."""
_FILE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox allow-downloads"
)
"""A report is one file, and runs nothing. The folder may be anybody's, so its files have
an origin of their own (sandbox) and can't read what this server answers."""
_LASTING = "private, max-age=86400"


def _policy(base: str | None) -> str:
    """Policy of the page, which may load tiles from the server that the user named."""
    if base is None:
        return _PAGE_POLICY
    address = urlsplit(base)
    origin = f"{address.scheme}://{address.netloc}"
    return _PAGE_POLICY.replace("connect-src 'self'", f"connect-src 'self' {origin}")


class ViewServer(ThreadingHTTPServer):
    """Serves one scene; a thread per connection, so that tiles are read in parallel."""

    daemon_threads = True
    request_queue_size = 64  # a browser asks for many tiles at once

    def __init__(self, scene: ViewedFolder, port: int = 0) -> None:
        """Bind to a port of the loopback address; 0 takes any that is free.

        Raises
        ------
        ValueError
            If the port is taken.
        """
        self.scene = scene
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            raise ValueError(
                f"port {port}: {error.strerror}; give another --port"
            ) from error

    @property
    def address(self) -> str:
        """Return the address of the page."""
        return f"http://{LOOPBACK}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept, and with them open files
    server: ViewServer
    timeout = 60

    def do_GET(self) -> None:
        self._send(self._answer())

    def _answer(self) -> Answer:
        hosts = self.headers.get_all("Host") or []
        host = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if host is None or int(host[2] or 0) > _LAST_PORT:
            return refusal(400, "expected one Host header: a name, maybe a port")
        if host[1].casefold() not in _NAMES:
            return refusal(403, "this server answers to its own machine alone")
        try:
            return answer(self.server.scene, self.path)
        except (ValueError, OSError, RasterioError) as error:
            sys.stderr.write(f"{self.path}: {error}\n")
            return refusal(500, str(error))

    def _send(self, answer: Answer) -> None:
        # By what is answered: one address can be written in many ways.
        policy = _FILE_POLICY if answer.of_folder else _policy(self.server.scene.base)
        headers = {
            "Content-Type": answer.kind,
            "Content-Length": str(len(answer.body)),
            "Cache-Control": _LASTING if answer.lasting else "no-store",
            "Content-Security-Policy": policy,
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        if answer.saved:
            headers["Content-Disposition"] = "attachment"
        try:
            self.send_response(answer.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the page has moved on to other tiles

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of requests that went well; errors are said by `_answer`."""
