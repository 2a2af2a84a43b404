"""A catalogue of images on this machine, for commands that fetch: a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BOX = "8.2305,45.7480,8.2375,45.7545"
"""A place well inside of the catalogue."""
_PORT, _SIDE, _SEED = "port", 96, 11


@contextmanager
def catalogue(cache: Path) -> Iterator[None]:
    """Serve a catalogue, at the same address as every time before."""
    from bench.catalogue.make import make_catalogue

    folder = cache / "catalogue"
    if not (folder / _PORT).exists():
        folder.mkdir(parents=True, exist_ok=True)
        make_catalogue(folder, _SEED, _SIDE)
        (folder / _PORT).write_text(str(_free_port()))
    port = int((folder / _PORT).read_text())
    pid = os.fork()
    if pid == 0:
        _serve(folder, port)
    try:
        _wait_for(port)
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def source_text_of(cache: Path) -> str:
    """The TOML of the catalogue as a source."""
    from bench.catalogue.make import source_text

    port = (cache / "catalogue" / _PORT).read_text()
    return source_text(f"http://127.0.0.1:{port}")


def _serve(folder: Path, port: int) -> None:
    """Be the server; never returns."""
    from bench.catalogue.serve import serving

    try:
        with serving(folder, port):
            while True:
                time.sleep(60)
    finally:
        os._exit(1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"port {port}: the catalogue does not answer")
