"""Who would trust the proxy's certificates, started from this shell as it is."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from addon.authority.bundle import certificates_of, system_roots
from addon.doctor.certificates import read_all
from addon.doctor.finding import Finding, State
from addon.doctor.leading import leads_to_detour
from addon.doctor.machine import Machine

_SHELL = 'eval "$(detour env)"'


class Runtime(NamedTuple):
    """Something that agents are made of."""

    name: str
    program: str
    """Shows that it is installed."""
    variables: tuple[str, ...]
    """What names its file of authorities, the strongest first."""
    system: Callable[[Mapping[str, str]], bool]
    """Whether it asks the system's store where no variable names a file."""


def _always(_environment: Mapping[str, str]) -> bool:
    return True


def _never(_environment: Mapping[str, str]) -> bool:
    return False


def _node_system(environment: Mapping[str, str]) -> bool:
    options = environment.get("NODE_OPTIONS", "")
    return environment.get("NODE_USE_SYSTEM_CA") == "1" or "--use-system-ca" in options


RUNTIMES = (
    Runtime("Python", "python3", ("SSL_CERT_FILE",), _always),
    Runtime(
        "Python's requests", "python3", ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), _never
    ),  # which asks certifi
    Runtime("Node", "node", ("NODE_EXTRA_CA_CERTS",), _node_system),
    Runtime("curl", "curl", ("CURL_CA_BUNDLE", "SSL_CERT_FILE"), _always),
    Runtime("git", "git", ("GIT_SSL_CAINFO",), _always),
    Runtime("Codex", "codex", ("CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"), _always),
    Runtime("Go", "go", ("SSL_CERT_FILE",), _always),
)


async def examine(machine: Machine) -> list[Finding]:
    """Look at the variables and at the system's store."""
    return await asyncio.to_thread(lambda: list(_examine(machine)))


def _examine(machine: Machine) -> Iterator[Finding]:
    environment, authority = machine.environment, read_all(machine.authority_file)
    if not authority:
        yield _finding("skipped", "there is no authority yet that could be trusted")
        return
    in_system = authority <= set(certificates_of(system_roots()))
    if in_system:
        yield _finding("ok", "the system's store trusts mitmproxy's authority")
    path = environment.get("PATH")
    installed = [one for one in RUNTIMES if shutil.which(one.program, path=path)]
    findings = [_judge(one, environment, authority, in_system=in_system) for one in installed]
    if not leads_to_detour(machine):
        trusting = [o.name for o, f in zip(installed, findings, strict=True) if f.state == "ok"]
        others = [one.name for one in installed if one.name not in trusting]
        if trusting:
            yield _finding("ok", f"trusted from this shell: by {', '.join(trusting)}")
        if others:
            message = f"made to trust it by `detour run` and `detour env`: {', '.join(others)}"
            yield _finding("ok", message)
        return
    yield from findings
    java = shutil.which("java", path=path)
    if java and "trustStore" not in environment.get("JAVA_TOOL_OPTIONS", ""):
        message = "Java reads none of these variables"
        remedy = "The comment at the end of `detour env` has the commands for a trust store."
        yield _finding("warning", message, remedy)


def _judge(
    runtime: Runtime, environment: Mapping[str, str], authority: set[bytes], *, in_system: bool
) -> Finding:
    variable = next((name for name in runtime.variables if environment.get(name)), None)
    named = environment[variable] if variable else None
    trusts = named is not None and authority <= read_all(Path(named).expanduser())
    # A file that is named replaces the system's store, but for Node, which adds it.
    if in_system and runtime.system(environment) and (named is None or runtime.name == "Node"):
        trusts = True
    if trusts:
        return _finding("ok", f"{runtime.name} trusts it from this shell")
    reason = f"{variable} names {named}, which lacks it"
    if variable is None:
        reason = f"{runtime.variables[0]} is not set"
    message = f"{runtime.name} goes through the proxy from this shell, and does not trust it"
    remedy = f"{reason}: {_SHELL}, or start the agent with `detour run`."
    return _finding("failed", message, remedy)


def _finding(state: State, message: str, remedy: str = "") -> Finding:
    return Finding(check="trust", state=state, message=message, remedy=remedy)
