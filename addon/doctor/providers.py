"""Whether the providers of the rules can be reached; with `--verify`, whether they answer."""

from __future__ import annotations

import asyncio

from addon.doctor.finding import Finding, State
from addon.doctor.machine import Machine
from addon.doctor.network import Place, Trouble, place_of, reach
from addon.inspection.local import NOBODY
from addon.inspection.port_holders import ports_of_detour
from addon.rules import Rules


async def examine(machine: Machine) -> list[Finding]:
    """Connect to each provider that a rule names; no key is sent unless `verify` asks for it."""
    rules = machine.rules
    if rules is None:
        return [_finding("skipped", "which providers there are is not known without sound rules")]
    here = [await _local(machine, rules)] if rules.uses_local and rules.finds_local else []
    places = provider_places(rules)
    if not places and not here:
        return [_finding("ok", "the rules name no provider that has an address")]
    left = [name for name, place in places if not (machine.network or place.is_local)]
    asked = [(name, place) for name, place in places if machine.network or place.is_local]
    found = here + list(await asyncio.gather(*(_reach(name, place) for name, place in asked)))
    if left:
        names = ", ".join(dict.fromkeys(left))
        found.append(_finding("skipped", f"{names}: not asked, for --no-network was given"))
    if machine.verify and machine.network:
        found += await _verify(rules)
    return found


def provider_places(rules: Rules) -> list[tuple[str, Place]]:
    """Return where the providers of the rules are, each place once."""
    named = dict.fromkeys(target.provider for target in rules.targets())
    if rules.finds_local:
        named.pop("local", None)
    places = {
        (name, place_of(url)): None
        for name in named
        for url in rules.providers[name].base_urls.values()
    }
    return list(places)


async def _local(machine: Machine, rules: Rules) -> Finding:
    """Look which model servers run on this machine."""
    from addon.engine import ClientPool, LocalServers
    from addon.engine.local_servers import PORTS

    ports = (*PORTS, machine.listen.port, machine.web.port)
    taken = await asyncio.to_thread(ports_of_detour, ports)
    clients, servers = ClientPool(), LocalServers()
    try:
        local = await servers.find(rules.local, clients, taken)
    finally:
        servers.stop()
        await clients.aclose()
    if not local.servers:
        return _finding("failed", "local: no model server runs on this machine", NOBODY)
    titles = " and ".join(dict.fromkeys(one.title for one in local.servers.values()))
    return _finding("ok", f"local: {titles} on this machine, with {', '.join(local.models)}")


async def _reach(name: str, place: Place) -> Finding:
    shown = f"{place.scheme}://{place.host}:{place.port}"
    try:
        seconds = await reach(place)
    except Trouble as trouble:
        return _finding("failed", f"{name}: {trouble}", trouble.remedy)
    return _finding("ok", f"{name}: {shown} can be reached ({seconds * 1000:.0f} ms)")


async def _verify(rules: Rules) -> list[Finding]:
    from addon.commands.verify import verify_all

    named = dict.fromkeys((target.provider for target in rules.targets()), "")
    findings: list[Finding] = []
    for verdict in await verify_all(rules, named):
        place = f"{verdict.provider} ({verdict.format}, {verdict.model})"
        if verdict.ok:
            findings.append(_finding("ok", f"{place} answers, in {verdict.seconds:.1f} s"))
        else:
            remedy = "See to the key and the model: `detour keys set`, `models` in rules.yaml."
            findings.append(_finding("failed", f"{place}: {verdict.message}", remedy))
    return findings


def _finding(state: State, message: str, remedy: str = "") -> Finding:
    return Finding(check="providers", state=state, message=message, remedy=remedy)
