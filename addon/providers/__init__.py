"""Where calls can go: addresses, formats, keys.

* `provider`: one place, and how to call it (`Provider`, `Destination`, `Timeouts`)
* `registry`: the places that Detour knows by itself (`BUILT_IN`)
* `keys`: finding the key (`KeyRing`)
* `environment`, `expansion`: variables, `.env` files and `${NAME}`
"""

from addon.providers.environment import (
    environment_files,
    load_environment,
    parse_environment_file,
)
from addon.providers.expansion import Expansion, expand
from addon.providers.keys import KeyRing, MissingKeyError, UnusableKeyError
from addon.providers.provider import NO_KEY, AuthScheme, Destination, Provider, Timeouts
from addon.providers.registry import BUILT_IN, hosts, provider_for_host
from addon.providers.secret import Secret

__all__ = [
    "BUILT_IN",
    "NO_KEY",
    "AuthScheme",
    "Destination",
    "Expansion",
    "KeyRing",
    "MissingKeyError",
    "Provider",
    "Secret",
    "Timeouts",
    "UnusableKeyError",
    "environment_files",
    "expand",
    "hosts",
    "load_environment",
    "parse_environment_file",
    "provider_for_host",
]
