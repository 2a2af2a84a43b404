"""``overcast`` from a process that has imported it: ``python tests/served.py SOCKET``.

Imports are most of the CPU time of a small command. The server imports once, and
forks a child for every command; the child has the arguments, folder, environment and
streams of whoever asked, and runs `overcast.cli.main` as the installed command does.

``python -S tests/served.py SOCKET -- WORDS...`` is the command: it asks the server,
waits, and ends with the child's exit code. If it is killed, so is the child.
"""

import array
import importlib
import json
import os
import select
import signal
import socket
import sys

STREAMS = 3


def ask(path: str, words: list[str]) -> int:
    """Let the server run a command here; return the exit code."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        wish = json.dumps([words, os.getcwd(), dict(os.environ)]).encode()
        streams = array.array("i", range(STREAMS))
        server.sendmsg(
            [len(wish).to_bytes(4, "big")],
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)],
        )
        server.sendall(wish)
        answer = server.recv(1)
    return answer[0] if answer else 1


def serve(path: str) -> None:
    """Fork a child for everyone who asks, until this process is ended."""
    _warm()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        print("ready", flush=True)
        while True:
            client, _ = server.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                server.close()
                _attend(client)
                os._exit(0)
            client.close()


def _attend(client: socket.socket) -> None:
    """Run what is asked for in a child, and tell its exit code."""
    size, rights, _, _ = client.recvmsg(4, socket.CMSG_SPACE(STREAMS * 4))
    streams = array.array("i")
    streams.frombytes(rights[0][2])
    wish = b""
    while len(wish) < int.from_bytes(size, "big"):
        wish += client.recv(1 << 16)
    child = os.fork()
    if child == 0:
        client.close()
        _command(json.loads(wish), streams)
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(child)
    ready, _, _ = select.select([ended, client], [], [])
    if ended not in ready:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    client.sendall(bytes([code if code >= 0 else 128 - code]))


def _command(wish: list, streams: array.array) -> None:
    words, folder, environment = wish
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["overcast", *words]
    from overcast.cli import main

    code = 1
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _warm() -> None:
    """Import what `overcast map` and `overcast inspect` do, and begin no thread."""
    for name in (
        *("scipy.optimize", "sklearn.cluster", "sklearn.ensemble"),
        *("overcast.cli.commands.inspect", "overcast.cli.commands.map"),
        *("overcast.jobs.mapping", "overcast.methods.forest", "overcast.methods.weak"),
    ):
        importlib.import_module(name)


if __name__ == "__main__":
    if sys.argv[2:3] == ["--"]:
        sys.exit(ask(sys.argv[1], sys.argv[3:]))
    serve(sys.argv[1])
