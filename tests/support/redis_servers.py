"""Redis servers: the real one where it is installed, and a small one that is everywhere."""

from __future__ import annotations

import contextlib
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from typing import Self

PASSWORD = "redis-secret-0123456789"


class RealRedis:
    """The program `redis-server`, without a file."""

    def __init__(self) -> None:
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("redis-server") is not None

    def start(self) -> Self:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--requirepass", PASSWORD, "--dir", tempfile.gettempdir()]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert time.monotonic() < deadline, "redis-server does not start"
                time.sleep(0.02)

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)


class SmallRedis:
    """The commands that Detour uses, in Redis's protocol (RESP2)."""

    def __init__(self) -> None:
        self.port = _free_port()
        self.entries: dict[bytes, tuple[bytes, float]] = {}
        self.refusal = b""
        """The error that writing gets, such as `OOM ...`."""

    def start(self) -> Self:
        self.entries = {}
        small = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                small.connections.append(self.connection)
                while line := self.rfile.readline():
                    words = [self._word() for _ in range(int(line[1:]))]
                    self.wfile.write(small.answer(words))

            def _word(self) -> bytes:
                size = int(self.rfile.readline()[1:])
                return self.rfile.read(size + 2)[:-2]

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: object) -> None:
                """Say nothing: tests cut connections."""

        self.connections: list[socket.socket] = []
        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def answer(self, words: list[bytes]) -> bytes:
        match [words[0].upper(), *words[1:]]:
            case [b"AUTH", *_, password] if password != PASSWORD.encode():
                return b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
            case [b"PING"]:
                return b"+PONG\r\n"
            case [b"AUTH" | b"SELECT" | b"CLIENT", *_]:
                return b"+OK\r\n"
            case [b"SET" | b"DEL", *_] if self.refusal:
                return b"-" + self.refusal + b"\r\n"
            case [b"SET", name, value, b"EX", seconds]:
                self.entries[name] = value, time.monotonic() + int(seconds)
                return b"+OK\r\n"
            case [b"GETEX", name, b"EX", seconds]:
                value, until = self.entries.get(name, (b"", 0.0))
                if until < time.monotonic():
                    return b"$-1\r\n"
                self.entries[name] = value, time.monotonic() + int(seconds)
                return b"$%d\r\n%s\r\n" % (len(value), value)
            case [b"DEL", name]:
                return b":%d\r\n" % (self.entries.pop(name, None) is not None)
            case _:
                return b"-ERR unknown command\r\n"


def address(server: RealRedis | SmallRedis, password: str = PASSWORD) -> str:
    return f"redis://:{password}@127.0.0.1:{server.port}/0"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
