"""A call through the proxy from everything that is installed here: the proof of all the rest.

A Detour of the doctor's own, with the embedded provider behind it, on free ports; each program gets
what `detour env` gives it, a home of its own, and a limit of time. Nothing leaves the machine: what
the programs call beside the LLM's hosts is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path

from addon.authority import advice, write_bundle
from addon.authority.certificate import authority_certificate
from addon.commands.node import node_variables
from addon.commands.variables import agent_variables
from addon.doctor.finding import Finding, State
from addon.doctor.machine import Machine
from addon.doctor.runtimes import RUNTIMES, Runtime
from addon.embedded import EmbeddedProvider

_KEPT = (
    *("PYENV_", "NVM_", "ASDF_", "MISE_", "VOLTA_", "SDKMAN_"),
    *("JAVA_HOME", "GOROOT", "TMPDIR"),
)
"""Beginnings of the variables that programs keep."""
_AT_ONCE = 3
"""Programs that run at the same time."""
_LONGEST_EXCERPT = 160
"""Characters of what a program has said."""
_KEY = "key-of-the-doctor"
_RULES = """\
version: 1
providers:
  anthropic: {{base_url: "{url}", api_key: "{key}"}}
rules:
  - {{name: the doctor's, use: "anthropic:claude-sonnet-5-5"}}
default: block
"""
_AUTHORITY = "authority.pem"
_PASSWORD = "changeit"  # noqa: S105 - of a store that holds no secret
_TRUST = ("certificate", "SSL", "TLS", "self-signed", "PKIX")
"""Words of programs that do not trust the proxy."""


async def examine(machine: Machine) -> list[Finding]:
    """Let every installed runtime make a call."""
    installed = [one for one in RUNTIMES if one.path(machine.environment)]
    if not installed:
        return [_finding("warning", "none of the runtimes that the doctor knows is on PATH")]
    with tempfile.TemporaryDirectory(prefix="detour-doctor-", ignore_cleanup_errors=True) as name:
        return await _examine(machine, installed, Path(name))


async def _examine(machine: Machine, installed: list[Runtime], folder: Path) -> list[Finding]:
    # Imported late: it takes half a second, which the other checks need not wait for.
    from addon.commands.demo_proxy import running_proxy

    certificates = folder
    if machine.authority_file.exists():
        certificates = machine.authority_folder
    authority = await asyncio.to_thread(authority_certificate, certificates)
    bundle = write_bundle(folder, authority, machine.environment)
    (folder / _AUTHORITY).write_bytes(authority)
    home = folder / "home"
    home.mkdir(mode=0o700)
    rules = folder / "rules.yaml"
    async with EmbeddedProvider() as provider:
        rules.write_text(_RULES.format(url=provider.base_url, key=_KEY))
        async with running_proxy(rules, certificates, home=home) as address:
            variables = agent_variables(address, "doctor", bundle, machine.environment)
            variables |= await asyncio.to_thread(node_variables, machine.environment)
            places = asyncio.Semaphore(_AT_ONCE)
            return list(
                await asyncio.gather(
                    *(_try(one, machine, variables, folder, places) for one in installed)
                )
            )


async def _try(
    runtime: Runtime,
    machine: Machine,
    variables: Mapping[str, str],
    folder: Path,
    places: asyncio.Semaphore,
) -> Finding:
    home = folder / runtime.program
    home.mkdir()
    # None of the user's own settings: of his proxies, keys and addresses, above all.
    environment = {
        "PATH": machine.environment.get("PATH", os.defpath),
        "HOME": str(home),
        "LANG": machine.environment.get("LANG", "C.UTF-8"),
        "TERM": "dumb",
        **_of_the_machine(machine.environment),
        **variables,
        **runtime.variables,
    }
    program = runtime.path(machine.environment)
    assert program is not None
    async with places:
        if runtime.program == "java":
            options = await _java_options(environment, folder)
            if options is None:
                message = "Java: there is no keytool to make a trust store with"
                return _finding(
                    "warning", message, "Install a JDK, or trust mitmproxy's authority by hand."
                )
            environment["JAVA_TOOL_OPTIONS"] = options
        command = [program, *runtime.command(home)]
        code, said = await _run(command, environment, home, runtime.patience)
    return _judge(runtime, code, said)


def _of_the_machine(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what programs need to be found and started, such as those of version managers."""
    return {name: value for name, value in environment.items() if name.startswith(_KEPT)}


def _judge(runtime: Runtime, code: int | None, said: str) -> Finding:
    if any(text in said for text in runtime.expects):
        return _finding("ok", f"{runtime.name} called through the proxy and understood the answer")
    excerpt = _excerpt(said)
    if code is None:
        message = f"{runtime.name} has not come to an end within {runtime.patience:g} s{excerpt}"
        remedy = f"Try it by hand: `detour run -- {runtime.program} ...`, and look at `detour log`."
        return _finding("warning", message, remedy)
    if any(word in said for word in _TRUST):
        last = advice(runtime.program).splitlines()[1].strip()
        return _finding("failed", f"{runtime.name} does not trust the proxy{excerpt}", last)
    message = f"{runtime.name} got no answer through the proxy{excerpt}"
    remedy = f"Try it by hand: `detour run -- {runtime.program} ...`, and look at `detour log`."
    return _finding("failed", message, remedy)


def _excerpt(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f": {lines[-1][:_LONGEST_EXCERPT]}" if lines else ", and said nothing"


async def _run(
    command: list[str], environment: Mapping[str, str], folder: Path, patience: float
) -> tuple[int | None, str]:
    """Run a program; return its exit code, None where time ran out, and what it has said."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return 126, f"it cannot be started: {error.strerror}"
    assert process.stdout is not None
    said = bytearray()
    try:
        async with asyncio.timeout(patience):
            while piece := await process.stdout.read(65536):
                said += piece
            return await process.wait(), said.decode(errors="replace")
    except TimeoutError:
        return None, said.decode(errors="replace")
    finally:
        # Its children, too: some leave a server of their own behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _java_options(environment: Mapping[str, str], folder: Path) -> str | None:
    """Make Java's store of trusted authorities, as the comment of `detour env` says."""
    keytool = shutil.which("keytool", path=environment["PATH"])
    if keytool is None:
        return None
    store = folder / "detour.p12"
    making = [keytool, "-importcert", "-noprompt", "-alias", "detour", "-storetype", "PKCS12"]
    making += ["-storepass", _PASSWORD, "-file", str(folder / _AUTHORITY), "-keystore", str(store)]
    await _run(making, environment, folder, 10.0)
    host, _, port = environment["HTTPS_PROXY"].rpartition("@")[2].rpartition(":")
    return (
        f"-Dhttps.proxyHost={host} -Dhttps.proxyPort={port} -Djavax.net.ssl.trustStore={store} "
        f"-Djavax.net.ssl.trustStorePassword={_PASSWORD}"
    )


def _finding(state: State, message: str, remedy: str = "") -> Finding:
    return Finding(check="loop", state=state, message=message, remedy=remedy)
