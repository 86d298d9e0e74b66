"""Where calls can go: addresses, formats, keys.

* `provider`: one place, and how to call it (`Provider`, `Destination`, `Timeouts`)
* `registry`: the places that Detour knows by itself (`BUILT_IN`)
* `models`: sizes, prices and abilities (`ModelFacts`)
* `keys`: finding the key (`KeyRing`)
* `key_store`, `master_key`: keys at rest, encrypted (`KeyStore`)
* `environment`, `expansion`: variables, `.env` files and `${NAME}`
"""

from addon.providers.environment import (
    environment_files,
    load_environment,
    parse_environment_file,
)
from addon.providers.expansion import Expansion, expand
from addon.providers.fallback_policy import FAILURES, PASSING, Failure, FallbackPolicy, failure_of
from addon.providers.key_store import KeyStore, KeyStoreError
from addon.providers.keys import (
    KEY_STORE,
    KeyRing,
    MissingKeyError,
    StoredKeys,
    UnusableKeyError,
)
from addon.providers.master_key import MasterKeyError
from addon.providers.media_policy import MediaPolicy
from addon.providers.models import (
    ABILITIES,
    Ability,
    ModelFacts,
    Price,
    known_models,
    table_date,
)
from addon.providers.provider import (
    AGENT_KEY,
    NO_KEY,
    AuthScheme,
    Concurrency,
    Destination,
    ModelServer,
    Provider,
    Timeouts,
)
from addon.providers.registry import BUILT_IN, LOCAL_DIALECTS, NOT_YET, hosts, provider_for_host
from addon.providers.secret import Secret, mask

__all__ = [
    "ABILITIES",
    "AGENT_KEY",
    "BUILT_IN",
    "FAILURES",
    "KEY_STORE",
    "LOCAL_DIALECTS",
    "NOT_YET",
    "NO_KEY",
    "PASSING",
    "Ability",
    "AuthScheme",
    "Concurrency",
    "Destination",
    "Expansion",
    "Failure",
    "FallbackPolicy",
    "KeyRing",
    "KeyStore",
    "KeyStoreError",
    "MasterKeyError",
    "MediaPolicy",
    "MissingKeyError",
    "ModelFacts",
    "ModelServer",
    "Price",
    "Provider",
    "Secret",
    "StoredKeys",
    "Timeouts",
    "UnusableKeyError",
    "environment_files",
    "expand",
    "failure_of",
    "hosts",
    "known_models",
    "load_environment",
    "mask",
    "parse_environment_file",
    "provider_for_host",
    "table_date",
]
