"""The views in mitmproxy's console, on a terminal that only this test looks at."""

import fcntl
import os
import pty
import re
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

import pytest

from addon.authority import authority_certificate
from tests.support.live_agent import RULES, Agent
from tests.support.program import DETOUR, PROVIDER_KEY, Machine, background_provider

_CONTROL = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()][A-Z0-9]|[\x0e\x0f]")
_ENTER, _TAB = b"\r", b"\t"


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, command, **keywords):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, **keywords
        )
        os.close(slave)
        self._written = b""
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self):
        try:
            while data := os.read(self._master, 65536):
                self._written += data
        except OSError:
            pass  # the program has ended

    def press(self, keys):
        """Press keys, and forget what was written until then."""
        self._written = b""
        os.write(self._master, keys)

    def shows(self, words):
        """Wait until words are written."""
        deadline = time.monotonic() + 20
        while words.encode() not in _CONTROL.sub(b"", self._written):
            assert time.monotonic() < deadline, (words, _CONTROL.sub(b"", self._written)[-3000:])
            time.sleep(0.02)

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        os.close(self._master)
        self._reading.join()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a Unix terminal")
def test_an_answer_fills_in_while_it_comes(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    authority_certificate(home / ".mitmproxy")
    machine = Machine(home, tmp_path)
    with background_provider() as provider:
        (tmp_path / "rules.yaml").write_text(RULES.format(url=provider.base_url, key=PROVIDER_KEY))
        port = free_port()
        terminal = Terminal(
            [*DETOUR, "serve", "--ui", "console", "--listen", f"127.0.0.1:{port}"],
            cwd=tmp_path,
            env=machine.environment(TERM="xterm", COLUMNS="160", LINES="50"),
        )
        try:
            terminal.shows("Flows")
            agent = Agent(machine, f"127.0.0.1:{port}")
            text = "[[gate]] [[events 3]] [[say alpha beta gamma]]"
            asking = threading.Thread(target=agent.ask, args=(text,))
            asking.start()
            terminal.shows("POST")
            terminal.press(_ENTER)
            terminal.shows("You plan trips.")
            terminal.press(_TAB)
            terminal.shows("alpha")
            terminal.shows("still answering")
            provider.open_gate()
            terminal.shows("gamma")
            terminal.shows("ended: stop")
            asking.join()
            terminal.press(b":console.flowview.mode.set 'detour streams'" + _ENTER)
            terminal.shows("event: message_start")
        finally:
            provider.open_gate()
            terminal.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
