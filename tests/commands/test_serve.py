"""`detour serve` as its users meet it: lines, signals, mistakes, and calls through it."""

import contextlib
import json
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from addon.authority import authority_certificate, write_bundle
from addon.commands.variables import agent_variables
from addon.embedded import EmbeddedProvider
from tests.support.program import AGENT_KEY, PROVIDER_KEY, Machine, listening_at

QUIET = ("serve", "--ui", "dump", "--listen", "127.0.0.1:0")
CALL = '{"model": "gpt-4o", "messages": [{"role": "user", "content": "%s"}]}'


def curl(machine: Machine, address: str, words: str, *more: str) -> subprocess.CompletedProcess:
    """Call OpenAI with curl, changed in nothing but environment variables."""
    authority = authority_certificate(machine.home / ".mitmproxy")
    bundle = write_bundle(machine.folder, authority, {})
    return subprocess.run(
        [
            *("curl", "-sS", "--max-time", "10", "https://api.openai.com/v1/chat/completions"),
            *("-H", f"Authorization: Bearer {AGENT_KEY}", "-H", "Content-Type: application/json"),
            *("-d", CALL % words, *more),
        ],
        env={**machine.environment(), **agent_variables(address, None, bundle, {})},
        capture_output=True,
        text=True,
    )


def test_calls_go_through(machine: Machine, provider: EmbeddedProvider) -> None:
    machine.write_rules(provider.base_url)
    with machine.start(*QUIET) as process:
        answered = curl(machine, listening_at(process), "[[say good day]]")
        assert '"content":"good day"' in answered.stdout, answered
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        said = process.communicate()
    (request,) = provider.requests
    assert request.header("x-api-key") == PROVIDER_KEY
    assert request.path == "/v1/messages"
    assert AGENT_KEY not in "".join(said)
    assert PROVIDER_KEY not in "".join(said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("ui", ["dump", "web"])
def test_a_signal_ends_it_cleanly(machine: Machine, ui: str, number: signal.Signals) -> None:
    machine.write_rules("http://127.0.0.1:9")
    arguments = ("serve", "--ui", ui, "--listen", "127.0.0.1:0", "--web", "127.0.0.1:0")
    with machine.start(*arguments) as process:
        address = listening_at(process)
        host, port = address.split(":")
        socket.create_connection((host, int(port))).close()
        if ui == "web":
            assert process.stdout
            watch = re.match(
                r"Watch it at (http://127\.0\.0\.1:\d+/)\?token=\w+", process.stdout.readline()
            )
            assert watch
            status = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"]
            for url, expected in ((watch.group(1), "403"), (watch.group(0).split()[-1], "200")):
                shown = subprocess.run([*status, url], capture_output=True, text=True)
                assert shown.stdout == expected
        process.send_signal(number)
        assert process.wait(10) == 0


@pytest.mark.parametrize("ui", ["dump", "web"])
def test_the_dashboards_address_is_printed_and_leads_there(machine: Machine, ui: str) -> None:
    machine.write_rules("http://127.0.0.1:9")
    arguments = ("serve", "--ui", ui, "--listen", "127.0.0.1:0", "--web", "127.0.0.1:0")
    with machine.start(*arguments) as process:
        listening_at(process)
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        told = next(line for line in lines if line.startswith("The dashboard is at "))
        url = told.split()[-1]
        page = [
            "curl",
            "-sL",
            "--max-time",
            "10",
            "-c",
            "-",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
        ]
        shown = subprocess.run([*page, "-b", "", url], capture_output=True, text=True)
        assert "200" in shown.stdout, shown
        base, _, token = url.partition("?token=")
        bearer = ["-H", f"Authorization: Bearer {token}", f"{base}api/status"]
        status = subprocess.run(["curl", "-s", *bearer], capture_output=True, text=True)
        assert json.loads(status.stdout)["mitmweb"] == (ui == "web")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr
        logged = process.stderr.read()
    assert ui == "web" or token not in logged  # mitmweb logs its own


def test_there_need_be_no_dashboard(machine: Machine) -> None:
    machine.write_rules("http://127.0.0.1:9")
    with machine.start(*QUIET, "--", "--set", "detour_dashboard=off") as process:
        listening_at(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stdout
        assert "dashboard" not in process.stdout.read()


def test_a_signal_ends_it_also_in_the_middle_of_an_answer(
    machine: Machine, provider: EmbeddedProvider
) -> None:
    machine.write_rules(provider.base_url)
    with machine.start(*QUIET) as process:
        address = listening_at(process)
        authority = authority_certificate(machine.home / ".mitmproxy")
        bundle = write_bundle(machine.folder, authority, {})
        asking = subprocess.Popen(
            ["curl", "-sSN", "--max-time", "20", "https://api.openai.com/v1/chat/completions",
             "-H", "Authorization: Bearer x", "-H", "Content-Type: application/json",
             "-d", CALL.replace("{", '{"stream": true, ', 1) % "[[gate]] [[say a b c]]"],
            env={**machine.environment(), **agent_variables(address, None, bundle, {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert asking.stdout
        while b'"content":"a ' not in asking.stdout.readline():
            pass
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        asking.communicate(timeout=10)


def test_it_ends_with_its_standard_input_when_told_so(machine: Machine) -> None:
    machine.write_rules("http://127.0.0.1:9")
    with machine.start(*QUIET, "--end-with-stdin") as process:
        listening_at(process)
        assert process.stdin
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.mark.parametrize("option", ["--listen", "--web"])
def test_a_busy_port_is_said_in_one_line(machine: Machine, option: str) -> None:
    machine.write_rules("http://127.0.0.1:9")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        other = "--web" if option == "--listen" else "--listen"
        ended = machine.run("serve", option, address, other, "127.0.0.1:0")
    assert ended.returncode == 1
    expected = f"Error: {address} is in use by another program; choose another with {option}.\n"
    assert ended.stderr == expected


def test_the_usual_port_is_looked_at_too(machine: Machine) -> None:
    machine.write_rules("http://127.0.0.1:9")
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", 8080)):
        ended = machine.run("serve", "--ui", "dump")
        assert ended.returncode == 1
        assert ended.stderr.startswith("Error: 127.0.0.1:8080 is in use")


def test_bad_rules_are_refused_all_at_once(machine: Machine) -> None:
    (machine.folder / "rules.yaml").write_text("version: 1\nrulez: []\ndefault: maybe\n")
    ended = machine.run(*QUIET)
    assert (ended.returncode, ended.stdout) == (1, "")
    lines = ended.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines] == ["rules.yaml:2:1", "rules.yaml:3:10"]


def test_rules_lie_in_this_folder_or_at_home_or_where_told(machine: Machine) -> None:
    ended = machine.run(*QUIET)
    assert ended.returncode == 1
    assert ended.stderr.startswith("rules.yaml:1:1: there is no rules file")
    path = machine.write_rules("http://127.0.0.1:9")
    elsewhere = machine.folder / "other.yaml"
    path.rename(elsewhere)
    with machine.start(*QUIET, "--rules", str(elsewhere)) as process:
        listening_at(process)
    home = machine.folder / "detour-home"
    home.mkdir()
    elsewhere.rename(home / "rules.yaml")
    with machine.start(*QUIET, "--home", str(home)) as process:
        listening_at(process)
    assert home.stat().st_mode & 0o777 == 0o700


def test_mitmproxys_own_options_follow_two_dashes(machine: Machine) -> None:
    machine.write_rules("http://127.0.0.1:9")
    folder = machine.folder / "certificates"
    with machine.start(*QUIET, "--", "--set", f"confdir={folder}") as process:
        listening_at(process)
    assert (folder / "mitmproxy-ca-cert.pem").exists()
    ended = machine.run(*QUIET, "--", "--no-such-option")
    assert ended.returncode == 2
    assert "mitmproxy's options: unrecognized arguments: --no-such-option" in ended.stderr


def test_a_home_that_cannot_be_made_is_said(machine: Machine) -> None:
    machine.write_rules("http://127.0.0.1:9")
    Path(machine.folder / "file").write_text("")
    ended = machine.run(*QUIET, "--home", str(machine.folder / "file" / "home"))
    assert ended.returncode == 1
    assert "Error: " in ended.stderr
    assert "Traceback" not in ended.stderr
