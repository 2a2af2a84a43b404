from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from overcast.viewer.scene import open_scene
from overcast.viewer.server import _PAGE_POLICY, ViewServer, _policy
from tests.viewer.folders import GRID, make, place, write_classes
from tests.viewer.test_tiles import tile_at


@contextmanager
def serving(out: Path) -> Iterator[ViewServer]:
    with open_scene(out) as scene, ViewServer(scene) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def get(
    server: ViewServer, target: str, host: str | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    with closing(connection):
        connection.request(
            "GET", target, headers={} if host is None else {"Host": host}
        )
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewServer]:
    with serving(make(tmp_path_factory.mktemp("server"))) as started:
        yield started


def test_it_listens_on_loopback_alone(server: ViewServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.address == f"http://127.0.0.1:{server.server_port}/"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:1", 200),  # the far end of a tunnel
        ("localhost", 200),
        ("LOCALHOST:80", 200),
        ("elsewhere.example", 403),
        ("127.0.0.1.elsewhere.example", 403),
        ("[::1]", 403),
        ("localhost@elsewhere.example", 400),
        ("", 400),
        ("[", 400),
        ("[::1", 400),
        ("[::1]]:80", 400),
        ("localhost:", 400),
        ("localhost:-1", 400),
        ("localhost:99999", 400),
        ("localhost:8o", 400),
        ("localhost/..", 400),
        ("local host", 400),
        ("localhost\x01", 400),
        ("\xe4.example", 400),
    ],
)
def test_other_names_for_this_machine_are_refused(
    server: ViewServer, host: str, status: int
) -> None:
    assert get(server, "/scene.json", host)[0] == status


@pytest.mark.parametrize(
    "lines",
    [(), ("Host: localhost", "Host: elsewhere.example"), ("Host: localhost",) * 2],
)
def test_one_host_is_expected(server: ViewServer, lines: tuple[str, ...]) -> None:
    text = "\r\n".join(
        ["GET /scene.json HTTP/1.1", *lines, "Connection: close", "", ""]
    )
    with socket.create_connection(("127.0.0.1", server.server_port), 20) as connection:
        connection.sendall(text.encode())
        assert connection.makefile("rb").readline().split()[1] == b"400"


def test_the_page_may_load_nothing_from_elsewhere(server: ViewServer) -> None:
    status, headers, _ = get(server, "/")
    assert status == 200
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "http" not in policy
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_report_runs_nothing(server: ViewServer) -> None:
    _, headers, body = get(server, "/files/report.html")
    assert b"report" in body
    assert "script-src" not in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "target",
    [
        "/files/report.html",
        "/%66iles/report.html",
        "/f%69les/report.html",
        "/%66%69%6c%65%73/report.html",
        "/files/%72eport.html",
        "/files/report.html?a=1",
    ],
)
def test_a_file_has_its_own_origin_however_it_is_asked_for(
    server: ViewServer, target: str
) -> None:
    _, headers, body = get(server, target)
    policy = headers["Content-Security-Policy"]
    assert b"report" in body
    assert "sandbox" in policy
    for word in ("allow-scripts", "allow-same-origin", "script-src"):
        assert word not in policy
    assert "Content-Disposition" not in headers


@pytest.mark.parametrize(
    "name",
    ["evil.js", "evil.mjs", "evil.JS", "x.svg", "x.xhtml", "x.xml", "x.css", "x.HTML"],
)
def test_what_is_not_shown_is_saved_and_never_a_script(
    server: ViewServer, name: str
) -> None:
    (server.scene.folder / name).write_text("alert(1)")
    for target in (f"/files/{name}", f"/%66iles/{name}", f"/files/./{name}"):
        status, headers, body = get(server, target)
        assert (status, body) == (200, b"alert(1)")
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["Content-Disposition"] == "attachment"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in headers["Content-Security-Policy"]


def test_links_in_a_circle_are_no_file(server: ViewServer) -> None:
    loop = server.scene.folder / "loop.html"
    loop.symlink_to("loop.html")
    try:
        assert get(server, "/files/loop.html")[0] == 404
    finally:
        loop.unlink()


def test_tiles_may_be_kept_and_answers_not(server: ViewServer) -> None:
    assert "max-age" in get(server, "/tiles/map/0/0/0.png")[1]["Cache-Control"]
    assert get(server, "/scene.json")[1]["Cache-Control"] == "no-store"


def test_tiles_asked_for_at_once_are_those_asked_for_in_turn(
    server: ViewServer,
) -> None:
    tile = tile_at(*place(48, 64), 14)
    place_ = f"{tile.zoom}/{tile.column}/{tile.row}.png"
    targets = [f"/tiles/{name}/{place_}" for name in server.scene.layers] * 8
    in_turn = [get(server, target)[2] for target in targets]
    with ThreadPoolExecutor(8) as pool:
        at_once = [found[2] for found in pool.map(lambda t: get(server, t), targets)]
    assert at_once == in_turn


def test_only_get(server: ViewServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    with closing(connection):
        connection.request("POST", "/scene.json", body=b"{}")
        assert connection.getresponse().status == 501


def test_a_broken_raster_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = make(tmp_path)
    tile = tile_at(*place(48, 64), 14)
    with serving(out) as server:
        write_classes(out / "map.tif", np.full(GRID.shape, 7, np.uint8), GRID)
        target = f"/tiles/map/14/{tile.column}/{tile.row}.png"
        status, _, body = get(server, target)
    assert status == 500
    assert b"codes 7 are not in the legend" in body
    assert "codes 7 are not in the legend" in capsys.readouterr().err


def test_a_port_that_is_taken(server: ViewServer) -> None:
    with pytest.raises(ValueError, match=r"port \d+: .*; give another --port"):
        ViewServer(server.scene, server.server_port)


def test_tiles_of_a_base_map_are_allowed_from_there_alone(tmp_path: Path) -> None:
    base = "https://tiles.example.org:8443/a/{z}/{x}/{y}.png"
    with open_scene(make(tmp_path), base=base) as scene, ViewServer(scene) as server:
        allowed = _policy(server.scene.base)
    assert "connect-src 'self' https://tiles.example.org:8443;" in allowed
    assert _policy(None) == _PAGE_POLICY
    assert "http" not in _PAGE_POLICY
