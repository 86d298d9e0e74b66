"""Python, authority, trust, ports, rules and keys, on machines where they are right and wrong."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from packaging.requirements import Requirement

from addon.authority import write_bundle
from addon.commands.options import Address
from addon.doctor import authority, keys, ports, python, rules, trust
from addon.inspection import port_holders
from addon.providers import KeyStore
from tests.support.program import DETOUR, PROVIDER_KEY, ROOT, listening_at


def states(findings):
    return [finding.state for finding in findings]


def the_failed(findings):
    """Return the one that failed, which must say what to do."""
    (failed,) = [finding for finding in findings if finding.state == "failed"]
    assert failed.remedy
    return failed


async def test_the_versions_here_will_do(make_machine):
    assert states(await python.examine(make_machine())) == ["ok", "ok"]


def test_the_versions_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=" + ".".join(map(str, python.LEAST_PYTHON))
    wanted = next(r for r in map(Requirement, project["dependencies"]) if r.name == "mitmproxy")
    first, beyond = (".".join(map(str, numbers)) for numbers in python.MITMPROXY)
    assert str(wanted.specifier) == f"<{beyond},>={first}"


@pytest.mark.parametrize("version", ["12.2.2", "11.0", "13.0.0", None])
def test_another_mitmproxy_will_not_do(version):
    assert "12.2.3" in the_failed([python._mitmproxy(version)]).remedy


def test_an_old_python_will_not_do():
    assert "3.11.9 is too old" in the_failed([python._python((3, 11, 9))]).message


async def test_an_authority_that_is_made_is_well(make_machine):
    (finding,) = await authority.examine(make_machine())
    assert finding.state == "ok"
    assert "valid until 20" in finding.message


async def test_one_that_is_not_made_yet_is_made_by_the_first_start(make_machine, tmp_path):
    (finding,) = await authority.examine(make_machine(authority=tmp_path / "nowhere"))
    assert finding.state == "ok"
    assert "the first start makes it" in finding.message
    assert not (tmp_path / "nowhere").exists()


def make_authority(folder, begins, ends):
    """Make an authority for a time of its own."""
    folder.mkdir(parents=True)
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mitmproxy")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    (folder / "mitmproxy-ca-cert.pem").write_bytes(pem)
    (folder / "mitmproxy-ca.pem").write_bytes(private + pem)
    (folder / "mitmproxy-ca.pem").chmod(0o600)
    return folder


@pytest.mark.parametrize(
    ("begins", "ends", "state", "message", "remedy"),
    [
        (-400, -1, "failed", "has expired", "a new authority is made"),
        (1, 400, "failed", "valid only from", "Set this machine's clock"),
        (-400, 10, "warning", "valid until", "a new authority is made"),
    ],
)
async def test_its_time_counts(make_machine, tmp_path, begins, ends, state, message, remedy):
    now = datetime.now(UTC)
    folder = make_authority(
        tmp_path / "other", now + timedelta(days=begins), now + timedelta(days=ends)
    )
    (finding,) = await authority.examine(make_machine(authority=folder))
    assert finding.state == state
    assert message in finding.message
    assert remedy in finding.remedy


async def test_a_key_that_others_can_read_is_a_danger(make_machine, tmp_path, authority_folder):
    folder = shutil.copytree(authority_folder, tmp_path / "other")
    (folder / "mitmproxy-ca.pem").chmod(0o644)
    failed = the_failed(await authority.examine(make_machine(authority=folder)))
    assert failed.remedy == f"chmod 600 {folder}/mitmproxy-ca.pem"


@pytest.mark.parametrize("damage", ["other", "gone", "empty"])
async def test_a_key_that_does_not_fit_is_seen(make_machine, tmp_path, authority_folder, damage):
    folder = shutil.copytree(authority_folder, tmp_path / "other")
    now = datetime.now(UTC)
    stranger = make_authority(tmp_path / "stranger", now, now + timedelta(days=99))
    key = folder / "mitmproxy-ca.pem"
    if damage == "other":
        shutil.copy(stranger / key.name, key)
    elif damage == "gone":
        key.unlink()
    else:
        key.write_text("")
    failed = the_failed(await authority.examine(make_machine(authority=folder)))
    assert "a new authority is made" in failed.remedy


async def test_a_bundle_of_an_older_authority_is_seen(make_machine, tmp_path, authority_folder):
    machine = make_machine()
    pem = machine.authority_file.read_bytes()
    write_bundle(machine.home, pem, {})
    assert states(await authority.examine(machine)) == ["ok"]
    now = datetime.now(UTC)
    stranger = make_authority(tmp_path / "stranger", now, now + timedelta(days=99))
    machine = make_machine(authority=stranger)
    failed = the_failed(await authority.examine(machine))
    assert "lacks the authority" in failed.message
    assert "detour env" in failed.remedy


RUNTIMES = dict.fromkeys(("python3", "node", "curl", "git", "codex", "go"), "")


async def test_a_shell_that_goes_its_own_way_is_left_alone(make_machine, programs):
    (finding,) = await trust.examine(make_machine(path=programs(**RUNTIMES)))
    assert finding.state == "ok"
    assert "`detour run`" in finding.message
    assert "Python, Python's requests, Node, curl, git, Codex, Go" in finding.message
    variables = {"CURL_CA_BUNDLE": str(make_machine().authority_file)}
    first, second = await trust.examine(make_machine(path=programs(**RUNTIMES), **variables))
    assert first.message == "trusted from this shell: by Python's requests, curl"
    assert "curl" not in second.message


async def test_a_shell_that_is_led_but_trusts_nobody_is_wrong(make_machine, programs):
    path = programs(**RUNTIMES, java="")
    machine = make_machine(path=path, HTTPS_PROXY="http://coder:x@localhost:1")
    findings = await trust.examine(machine)
    assert states(findings) == ["failed"] * 7 + ["warning"]
    assert "NODE_EXTRA_CA_CERTS is not set" in findings[2].remedy
    assert all("detour run" in finding.remedy for finding in findings[:7])
    assert "detour env" in findings[-1].remedy


async def test_a_shell_that_is_led_and_trusts_is_well(make_machine, programs):
    machine = make_machine()
    bundle = write_bundle(machine.home, machine.authority_file.read_bytes(), {})
    names = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE")
    variables = {**dict.fromkeys(names, str(bundle)), "HTTPS_PROXY": "http://127.0.0.1:1"}
    findings = await trust.examine(make_machine(path=programs(**RUNTIMES), **variables))
    assert states(findings) == ["ok"] * 7
    variables["REQUESTS_CA_BUNDLE"] = str(bundle)
    variables["CURL_CA_BUNDLE"] = str(machine.rules_file)  # names a file without it
    failed = the_failed(await trust.examine(make_machine(path=programs(**RUNTIMES), **variables)))
    assert failed.message.startswith("curl ")
    assert "CURL_CA_BUNDLE names" in failed.remedy


def free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Address(*probe.getsockname())


async def test_free_ports_are_well(make_machine):
    assert states(await ports.examine(make_machine(listen=free(), web=free()))) == ["ok", "ok"]


def test_a_port_that_another_program_holds_is_told_with_its_name(make_machine):
    program = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); "
    program += "print(s.getsockname()[1], flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout
            taken = Address("127.0.0.1", int(holder.stdout.readline()))
            machine = make_machine(listen=taken, web=free())
            failed = the_failed(asyncio.run(ports.examine(machine)))
        finally:
            holder.kill()
    assert f"{taken}, for agents, is held by process {holder.pid}" in failed.message
    assert "detour serve --listen 127.0.0.1:" in failed.remedy


def test_a_port_that_detour_holds_is_well(make_machine):
    machine = make_machine()
    command = [*DETOUR, "serve", "--ui", "dump", "--listen", "127.0.0.1:0"]
    command += ["--rules", str(machine.rules_file), "--home", str(machine.home)]
    command += ["--", "--set", f"confdir={machine.authority_folder}"]
    command += ["--set", "detour_dashboard=off"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as detour:
        try:
            host, _, port = listening_at(detour).rpartition(":")
            running = make_machine(listen=Address(host, int(port)), web=free())
            first, second = asyncio.run(ports.examine(running))
            of_authority = asyncio.run(authority.examine(running))
        finally:
            detour.terminate()
    assert (first.state, second.state) == ("ok", "ok")
    assert f"a Detour that runs (process {detour.pid})" in first.message
    assert states(of_authority) == ["ok"]


def test_where_linux_tables_are_missing_lsof_and_ps_are_asked(programs, monkeypatch):
    monkeypatch.setattr(port_holders, "_PROCESSES", Path("/nowhere"))
    answers = {"lsof": "print(4711)", "ps": "print('python -m addon serve --ui dump')"}
    monkeypatch.setenv("PATH", programs(**answers))
    holder = port_holders.find_holder(8080)
    assert holder == port_holders.Holder(4711, "python -m addon serve --ui dump")
    assert holder.is_detour
    monkeypatch.setenv("PATH", programs(lsof="import sys; sys.exit(1)"))
    assert port_holders.find_holder(8080) is None


async def test_an_address_of_somebody_else_is_told(make_machine):
    machine = make_machine(listen=Address("192.0.2.1", 8080), web=free())
    assert "cannot be listened on" in the_failed(await ports.examine(machine)).message


async def test_sound_rules_are_well(make_machine):
    assert states(await rules.examine(make_machine())) == ["ok"]


async def test_every_mistake_of_the_rules_is_told_with_its_place(make_machine):
    machine = make_machine("version: 1\nrules:\n  - {name: a, use: nobody:x, whne: {}}\nx: 1\n")
    findings = await rules.examine(machine)
    assert set(states(findings)) == {"failed"}
    assert len(findings) > 1
    assert "rules.yaml:3:" in findings[0].message
    assert "detour check" in findings[0].remedy


async def test_without_rules_it_says_how_to_get_some(make_machine):
    failed = the_failed(await rules.examine(make_machine(None)))
    assert "there is no rules file" in failed.message
    assert "--rules" in failed.remedy


async def test_a_key_is_shown_masked_with_where_it_is_from(make_machine, monkeypatch):
    monkeypatch.setenv("GROQ_API_KEY", "gsk_0123456789abcdefghijkl")
    findings = await keys.examine(make_machine())
    assert set(states(findings)) == {"ok"}
    told = "\n".join(finding.message for finding in findings)
    assert "from ANTHROPIC_API_KEY" in told
    assert "groq (GROQ_API_KEY), which no rule names" in told
    assert PROVIDER_KEY not in told
    assert "gsk_0123456789" not in told


async def test_a_provider_of_a_rule_without_a_key_is_wrong(make_machine, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    failed = the_failed(await keys.examine(make_machine()))
    assert failed.message == "anthropic: a rule sends calls there without a key"
    assert "detour keys set anthropic" in failed.remedy


@pytest.mark.parametrize(
    ("name", "mode", "remedy"),
    [(".", 0o755, "700"), ("keys.json", 0o644, "600"), ("keys.secret", 0o640, "600")],
)
async def test_what_others_can_look_into_is_wrong(make_machine, name, mode, remedy):
    machine = make_machine()
    KeyStore(machine.home, {}).set("groq", "gsk_0123456789abcdefghijkl")
    assert set(states(await keys.examine(machine))) == {"ok"}
    path = machine.home / name
    path.chmod(mode)
    failed = the_failed(await keys.examine(machine))
    assert failed.remedy == f"chmod {remedy} {path}"


async def test_unsound_rules_leave_keys_unknown(make_machine):
    findings = await keys.examine(make_machine("version: 2"))
    assert states(findings) == ["ok", "skipped"]
    assert "sound rules" in findings[1].message
