"""`detour run`, `detour env` and `detour demo` as real child processes."""

import os
import pty
import signal
import socket
import subprocess
import sys
import time

import pytest

from addon.embedded import EmbeddedProvider
from tests.support.program import AGENT_KEY, DETOUR, Machine, listening_at

OPENAI_AGENT = """
import openai
stream = openai.OpenAI(max_retries=0).chat.completions.create(
    model="gpt-4o", stream=True, messages=[{"role": "user", "content": "[[say good day]]"}])
print("".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices))
"""
REFUSING_AGENT = """
import socket, ssl, os, urllib.parse
proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
connection = socket.create_connection((proxy.hostname, proxy.port))
connection.sendall(b"CONNECT api.openai.com:443 HTTP/1.1\\r\\nHost: api.openai.com\\r\\n\\r\\n")
connection.recv(1000)
try:
    ssl.create_default_context(cafile=None, cadata=None).wrap_socket(
        connection, server_hostname="api.openai.com")
except ssl.SSLError as error:
    print(error.reason)
"""


def python(source: str) -> list[str]:
    return ["--", sys.executable, "-c", source]


def test_an_unmodified_agent_is_answered(machine: Machine, provider: EmbeddedProvider) -> None:
    machine.write_rules(provider.base_url)
    ended = machine.run("run", "--agent", "planner", *python(OPENAI_AGENT))
    assert (ended.returncode, ended.stdout) == (0, "good day\n"), ended
    assert ended.stderr == ""
    assert provider.requests[0].path == "/v1/messages"
    log = (machine.home / ".detour" / "proxy.log").read_text()
    assert "gpt-4o -> anthropic:claude-sonnet-4-5 (everything)" in log
    assert AGENT_KEY not in log


def test_the_agents_name_reaches_the_rules(machine: Machine, provider: EmbeddedProvider) -> None:
    rules = machine.write_rules(provider.base_url)
    rules.write_text(rules.read_text() + "    when: {agent: planner}\ndefault: block\n")
    assert machine.run("run", "--agent", "planner", *python(OPENAI_AGENT)).returncode == 0
    assert machine.run("run", "--agent", "coder", *python(OPENAI_AGENT)).returncode == 1


def test_the_agents_name_may_say_what_it_is_doing(
    machine: Machine, provider: EmbeddedProvider
) -> None:
    rules = machine.write_rules(provider.base_url)
    when = "    when: {agent: coder, phase: planning}\n"
    rules.write_text(f"{rules.read_text()}{when}default: block\n")
    assert machine.run("run", "--agent", "coder.planning", *python(OPENAI_AGENT)).returncode == 0
    assert machine.run("run", "--agent", "coder.coding", *python(OPENAI_AGENT)).returncode == 1


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("raise SystemExit(42)", 42),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 128 + signal.SIGTERM),
    ],
)
def test_it_ends_with_the_agents_code(machine: Machine, source: str, code: int) -> None:
    machine.write_rules("http://127.0.0.1:9")
    assert machine.run("run", *python(source)).returncode == code


def test_a_command_that_is_not_there(machine: Machine) -> None:
    machine.write_rules("http://127.0.0.1:9")
    ended = machine.run("run", "no-such-agent", "--flag")
    assert (ended.returncode, ended.stderr) == (
        127,
        "detour run: no-such-agent: command not found\n",
    )


def test_standard_input_and_arguments_are_the_agents(machine: Machine) -> None:
    machine.write_rules("http://127.0.0.1:9")
    source = "import sys; print(sys.stdin.read(), sys.argv[1:])"
    ended = subprocess.run(
        [*DETOUR, "run", *python(source), "--agent", "x", "--", "y z"],
        cwd=machine.folder,
        env=machine.environment(),
        input="hello",
        capture_output=True,
        text=True,
    )
    assert ended.stdout == "hello ['--agent', 'x', '--', 'y z']\n"


def test_a_running_proxy_is_used(machine: Machine, provider: EmbeddedProvider) -> None:
    machine.write_rules(provider.base_url)
    folder = machine.folder / "certificates"
    options = ("--", "--set", f"confdir={folder}")
    with machine.start("serve", "--ui", "dump", "--listen", "127.0.0.1:0", *options) as process:
        address = listening_at(process)
        ended = machine.run("run", "--proxy", address, *python(OPENAI_AGENT))
        assert (ended.returncode, ended.stdout) == (0, "good day\n"), ended
        exports = machine.run("env", "--proxy", address).stdout
        script = f"{exports}\n'{sys.executable}' -c '{OPENAI_AGENT}'".replace("\n\n", "\n")
        shell = subprocess.run(
            ["sh", "-c", script], env=machine.environment(), capture_output=True, text=True
        )
        assert shell.stdout == "good day\n", shell


def test_a_proxy_that_is_not_there_is_said(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    ended = machine.run("run", "--proxy", address, "true")
    assert ended.returncode == 1
    assert f"no proxy answers at {address}. Start one with" in ended.stderr


def test_bad_rules_are_said_and_the_agent_does_not_start(machine: Machine) -> None:
    (machine.folder / "rules.yaml").write_text("version: 2\n")
    ended = machine.run("run", *python("print('started')"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Error: the proxy did not start.\nrules.yaml:1:10: " in ended.stderr


def test_an_agent_that_refuses_the_certificate_gets_advice(machine: Machine) -> None:
    machine.write_rules("http://127.0.0.1:9")
    source = f"import os\nos.environ.pop('SSL_CERT_FILE')\n{REFUSING_AGENT}"
    ended = machine.run("run", "--agent", "codex", *python(source))
    assert "CERTIFICATE_VERIFY_FAILED" in ended.stdout
    assert "does not trust the certificate" in ended.stderr
    assert "CODEX_CA_CERTIFICATE" in ended.stderr
    assert machine.run("run", "--", "true").stderr == "", "only of this agent's proxy"


def test_ctrl_c_is_the_agents(machine: Machine) -> None:
    machine.write_rules("http://127.0.0.1:9")
    source = (
        "import os, signal, sys, time\n"
        "said = f'interrupted {sys.stdin.isatty()}'.encode()\n"
        "signal.signal(signal.SIGINT, lambda *_: os.write(1, said))\n"
        "print('ready', flush=True)\ntime.sleep(0.5)\ntime.sleep(0.3)\nsys.exit(7)"
    )
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(machine.folder)
        os.execve(sys.executable, [*DETOUR, "run", *python(source)], machine.environment())
    said = b""
    pressed = False
    while True:
        try:
            said += os.read(terminal, 1000)
        except OSError:
            break
        if b"ready" in said and not pressed:
            pressed = True
            os.write(terminal, b"\x03")
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 7, said
    assert b"interrupted True" in said


def test_a_signal_to_the_runner_is_passed_on(machine: Machine) -> None:
    machine.write_rules("http://127.0.0.1:9")
    with machine.start("run", "--", "sh", "-c", "echo ready; exec sleep 30") as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 128 + signal.SIGTERM


def test_the_proxy_ends_with_a_runner_that_is_killed(machine: Machine) -> None:
    machine.write_rules("http://127.0.0.1:9")
    source = "import os; print(os.environ['HTTPS_PROXY'], flush=True); import sys; sys.stdin.read()"
    with machine.start("run", *python(source)) as process:
        assert process.stdout
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        socket.create_connection(("127.0.0.1", port)).close()
        process.kill()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except ConnectionRefusedError:
                break
            time.sleep(0.05)
        else:
            pytest.fail("the proxy lives on")


def test_env_prints_lines_that_a_shell_can_read(machine: Machine) -> None:
    said = machine.run("env", "--agent", "my agent", "--proxy", "127.0.0.1:9", NO_PROXY="a.org")
    assert said.returncode == 0
    show = 'echo "$HTTPS_PROXY|$NO_PROXY|$NODE_USE_ENV_PROXY|$SSL_CERT_FILE"'
    shell = subprocess.run(["sh", "-c", said.stdout + show], capture_output=True, text=True)
    bundle = machine.home / ".detour" / "ca-bundle.pem"
    assert shell.stdout == (
        f"http://my%20agent:x@127.0.0.1:9|a.org,localhost,127.0.0.1,::1|1|{bundle}\n"
    )
    assert bundle.exists()


def test_the_demo_sees_every_step(machine: Machine) -> None:
    started = time.monotonic()
    ended = machine.run("demo", timeout=30)
    assert ended.returncode == 0, ended
    for step in (
        "seen      POST https://api.openai.com/v1/chat/completions",
        "rule      everything of the demo goes to Claude",
        "/v1/messages (claude-sonnet-5-5)",
        'tool      write_file {"path": "hello.txt", "content": "hi"}',
        "text      hello.txt is written. Every word of this came in a chunk of its own.",
        "live      the first word arrived before the provider sent the second",
        "All of it was seen",
    ):
        assert step in ended.stdout
    assert time.monotonic() - started < 20
    assert not (machine.folder / ".detour").exists()
