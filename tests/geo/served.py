"""A server of files on this machine, as GDAL asks for them: in ranges of bytes."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder; ``/status/N/...`` answers N, ``/silent/...`` nothing for a while."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            """Stay quiet."""

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path).lstrip("/")
            if path.startswith("status/"):
                self.send_error(int(path.split("/")[1]))
                return
            if path.startswith("silent/"):
                time.sleep(3)
                return
            if not (folder / path).is_file():
                self.send_error(404)
                return
            self._send((folder / path).read_bytes())

        do_HEAD = do_GET  # noqa: N815

        def _send(self, whole: bytes) -> None:
            first, last = 0, len(whole) - 1
            if wanted := self.headers.get("Range"):
                low, _, high = wanted.removeprefix("bytes=").partition("-")
                first, last = int(low), min(int(high or last), last)
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(whole)}")
            else:
                self.send_response(200)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("ETag", f'"{hash(whole)}"')
            self.send_header("Content-Length", str(last - first + 1))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(whole[first : last + 1])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
