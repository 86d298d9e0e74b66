"""The environment variables that lead an agent through the proxy, whatever it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from addon.authority.bundle import VARIABLES

INTERCEPTED = ("api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com")
"""The hosts that must not be exempt from the proxy."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def proxy_url(address: str, agent: str | None) -> str:
    """Return the proxy's URL; the agent's name is its user.

    A password goes with the name, because Node sends neither without both.
    """
    user = f"{quote(agent, safe='')}:x@" if agent else ""
    return f"http://{user}{address}"


def agent_variables(
    address: str, agent: str | None, bundle: Path, environment: Mapping[str, str]
) -> dict[str, str]:
    """Return what an agent needs in its environment.

    `HTTP_PROXY` and `ALL_PROXY` stay as they are: what is not encrypted is no business of ours.

    Args:
        address: The proxy's HOST:PORT.
        agent: The name under which rules know it.
        bundle: The file of trusted authorities.
        environment: What is set already; its exemptions from the proxy are kept.
    """
    url = proxy_url(address, agent)
    exempt = ",".join(exemptions(environment))
    return {
        "HTTPS_PROXY": url,
        "https_proxy": url,
        "NO_PROXY": exempt,
        "no_proxy": exempt,
        **dict.fromkeys(VARIABLES, str(bundle)),
    }


def exemptions(environment: Mapping[str, str]) -> list[str]:
    """Return the hosts that go without the proxy: the user's and loopback, never an LLM's."""
    given = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = [host.strip() for host in given.split(",") if host.strip()]
    kept = [host for host in hosts if not covers(host, INTERCEPTED)]
    return [*kept, *(host for host in _LOOPBACK if host not in kept)]


def covers(pattern: str, hosts: Iterable[str]) -> bool:
    """Tell whether an entry of NO_PROXY exempts one of the hosts in any client's reading."""
    name = pattern.lower().lstrip("*").lstrip(".").split(":")[0]
    return pattern == "*" or any(
        name and (host == name or host.endswith("." + name)) for host in hosts
    )


def java_hint(address: str, home: Path) -> str:
    """Say how a Java program is led through the proxy; it reads none of the variables."""
    host, _, port = address.rpartition(":")
    store = home / "detour.p12"
    return (
        "Java reads none of these. Once:\n"
        "  keytool -importcert -noprompt -alias detour -storetype PKCS12 -storepass changeit \\\n"
        f"    -file ~/.mitmproxy/mitmproxy-ca-cert.pem -keystore {store}\n"
        "then start it with\n"
        f'  JAVA_TOOL_OPTIONS="-Dhttps.proxyHost={host} -Dhttps.proxyPort={port} '
        f'-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword=changeit"'
    )
