"""Whether the ports are free, or held by Detour itself."""

from __future__ import annotations

import asyncio
import errno
import os
import socket

from addon.commands.options import Address
from addon.doctor.finding import Finding
from addon.doctor.machine import Machine
from addon.inspection.port_holders import find_holder

_SHOWN = 60
"""Characters of a command line."""


async def examine(machine: Machine) -> list[Finding]:
    """Look at both ports."""
    ports = ((machine.listen, "--listen", "agents"), (machine.web, "--web", "the pages"))
    return [await asyncio.to_thread(_examine, *port) for port in ports]


def _examine(address: Address, option: str, use: str) -> Finding:
    trouble = _trouble(address)
    if trouble is None:
        return Finding(check="ports", state="ok", message=f"{address} is free, for {use}")
    if trouble != errno.EADDRINUSE:
        message = f"{address} cannot be listened on: {os.strerror(trouble)}"
        remedy = f"Choose another address: `detour serve {option} HOST:PORT`."
        return Finding(check="ports", state="failed", message=message, remedy=remedy)
    holder = find_holder(address.port)
    if holder is not None and holder.is_detour:
        message = f"{address} is held by a Detour that runs (process {holder.pid}), for {use}"
        return Finding(check="ports", state="ok", message=message)
    who = f"process {holder.pid}: {holder.command[:_SHOWN]}" if holder else "another program"
    free = f"{address.host}:{_free_port(address.host)}"
    return Finding(
        check="ports",
        state="failed",
        message=f"{address}, for {use}, is held by {who}",
        remedy=f"Stop that program, or take another port: `detour serve {option} {free}`.",
    )


def _trouble(address: Address) -> int | None:
    """Return the number of the error with which an address cannot be had."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            return error.errno or errno.EADDRNOTAVAIL
    return None


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]
