"""What can be set with `--set detour_...=...`, in mitmproxy's config file or in mitmweb.

Every option is declared as text and read here: mitmproxy drops a script whose typed option cannot
be read, without a word, and goes on without it, which would send every call to where the agent
wanted it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from mitmproxy import exceptions
from mitmproxy.addonmanager import Loader
from mitmproxy.options import Options
from mitmproxy.utils import human

from addon.engine import Tape
from addon.engine.call import KEEP_ALIVE
from addon.ledger import Limits as LedgerLimits
from addon.providers.environment import environment_files, load_environment
from addon.providers.expansion import expand
from addon.providers.secret import Secret
from addon.telemetry import TelemetrySettings, read_telemetry_settings
from addon.vault import Limits, check_address


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The options, read."""

    rules: Path
    home: Path
    flow_limit: int
    """Most flows that are kept; 0: no limit."""
    flow_size: int
    """Most bytes of bodies that are kept with them; 0: no limit."""
    body_limit: int
    """Most bytes that a request may have, unpacked."""
    keep_alive: float
    """Seconds of silence after which a streaming agent gets a comment; 0: never."""
    vault: Secret
    """The URL of the Redis server that is the vault; empty: it is a file in the home folder."""
    vault_limits: Limits
    ledger_limits: LedgerLimits
    bodies_limits: LedgerLimits
    events: Path | None
    """File that gets the record of every exchange as a line of JSON."""
    telemetry: TelemetrySettings
    stream_limit: int
    """Most bytes of a provider's answer that are kept with a flow, as they came; 0: none."""

    def make_tape(self) -> Tape | None:
        """Make what an answer is kept on."""
        return Tape(self.stream_limit) if self.stream_limit > 1 else None


_FILE = "file"
_OPTIONS: dict[str, tuple[str, str]] = {
    "detour_rules": ("rules.yaml", "File with the rules that say which provider answers a call."),
    "detour_home": ("~/.detour", "Folder in which Detour keeps what must survive a restart."),
    "detour_flow_limit": (
        "500",
        "Most flows kept for inspection; the oldest finished ones are removed. 0 keeps all.",
    ),
    "detour_flow_size": (
        "512m",
        "Most bytes of requests and answers kept with flows; the oldest finished ones are removed. "
        "Understands k/m/g suffixes. 0 keeps all.",
    ),
    "detour_body_limit": (
        "64m",
        "Most bytes a request may have after decompression. Understands k/m/g suffixes.",
    ),
    "detour_keep_alive": (
        f"{KEEP_ALIVE:g}",
        "Seconds of silence after which an agent that waits for a stream is sent a comment. "
        "0 sends none.",
    ),
    "detour_vault": (
        _FILE,
        f"What is kept between calls: in the {_FILE} vault.db, or on a Redis server that several "
        "machines share, redis://:${REDIS_PASSWORD}@host:6379/0.",
    ),
    "detour_vault_size": (
        "512m",
        "Most bytes of what is kept between calls, in vault.db. Understands k/m/g suffixes.",
    ),
    "detour_vault_days": ("30", "Days after which what nobody asked for is forgotten."),
    "detour_ledger_size": (
        "512m",
        "Most bytes of the records of exchanges, in detour.db. Understands k/m/g suffixes. "
        "0 records nothing.",
    ),
    "detour_ledger_days": ("365", "Days after which the record of an exchange is removed."),
    "detour_stream_limit": (
        "256k",
        "Most bytes of a provider's answer that are kept with its flow as they came, half of them "
        "of its beginning and half of its end. Understands k/m/g suffixes. 0 keeps none.",
    ),
    "detour_bodies_size": (
        "1g",
        "Most bytes of what was said, in bodies.db, where the rules ask for it (`record: bodies`). "
        "Understands k/m/g suffixes.",
    ),
    "detour_bodies_days": ("30", "Days after which what was said in an exchange is removed."),
    "detour_events": (
        "",
        "File that gets the record of every exchange as a line of JSON as well; none when empty.",
    ),
    "detour_telemetry": (
        "off",
        "Where OpenTelemetry's spans and metrics go: off, otlp (the variables OTEL_... say where) "
        "or a collector such as http://127.0.0.1:4318.",
    ),
    "detour_prometheus": (
        "off",
        "Port of this machine, or HOST:PORT, at which Prometheus finds the metrics; off for none.",
    ),
    "detour_telemetry_with_prompts_and_answers": (
        "false",
        "Whether telemetry holds what people and models say: true sends every prompt and answer to "
        "whoever receives it.",
    ),
}

NAMES = frozenset(_OPTIONS)


def add_options(loader: Loader) -> None:
    """Declare the options."""
    for name, (default, meaning) in _OPTIONS.items():
        loader.add_option(name, str, default, meaning)


def read_settings(options: Options) -> Settings:
    """Read the options.

    Raises:
        OptionsError: One has a value that cannot be read.
    """
    events: str = getattr(options, "detour_events")  # noqa: B009 - declared by name only
    rules = Path(_text(options, "detour_rules")).expanduser()
    return Settings(
        rules=rules,
        home=Path(_text(options, "detour_home")).expanduser(),
        flow_limit=_number(options, "detour_flow_limit", int),
        flow_size=_size(options, "detour_flow_size", least=0),
        body_limit=_size(options, "detour_body_limit"),
        keep_alive=_number(options, "detour_keep_alive", float),
        vault=Secret(_vault(options, rules)),
        vault_limits=Limits(
            size=_size(options, "detour_vault_size"),
            age=_number(options, "detour_vault_days", float) * 86400,
        ),
        ledger_limits=LedgerLimits(
            size=_size(options, "detour_ledger_size", least=0),
            age=_number(options, "detour_ledger_days", float) * 86400,
        ),
        bodies_limits=LedgerLimits(
            size=_size(options, "detour_bodies_size"),
            age=_number(options, "detour_bodies_days", float) * 86400,
        ),
        events=Path(events).expanduser() if events else None,
        telemetry=_telemetry(options),
        stream_limit=_size(options, "detour_stream_limit", least=0),
    )


def _telemetry(options: Options) -> TelemetrySettings:
    try:
        return read_telemetry_settings(
            getattr(options, "detour_telemetry"),  # noqa: B009 - declared by name only
            getattr(options, "detour_prometheus"),  # noqa: B009 - as above
            _text(options, "detour_telemetry_with_prompts_and_answers"),
        )
    except ValueError as error:
        raise exceptions.OptionsError(f"{error}.") from None


def _text(options: Options, name: str) -> str:
    value: str = getattr(options, name)
    if not value:
        raise exceptions.OptionsError(f"{name} must not be empty.")
    return value


def _vault(options: Options, rules: Path) -> str:
    text = _text(options, "detour_vault")
    if text == _FILE:
        return ""
    # So that a password stands neither among the options, which mitmweb shows, nor in a command.
    address, _, missing = expand(text, load_environment(environment_files(rules)))
    if missing:
        raise exceptions.OptionsError(f"detour_vault names {missing[0]}, which is not set.")
    try:
        check_address(address)
    except ValueError as error:
        raise exceptions.OptionsError(f"detour_vault cannot be used: {error}.") from None
    return address


def _number[Number: (int, float)](
    options: Options, name: str, read: Callable[[str], Number]
) -> Number:
    text = _text(options, name)
    try:
        number = read(text)
    except ValueError:
        raise exceptions.OptionsError(f"{name} must be a number, not {text!r}.") from None
    if not 0 <= number < 1e9:
        raise exceptions.OptionsError(f"{name} must be between 0 and 1e9, not {text}.")
    return number


def _size(options: Options, name: str, least: int = 1) -> int:
    text = _text(options, name)
    try:
        size = human.parse_size(text)
    except ValueError:
        size = None
    if size is None or size < least:
        raise exceptions.OptionsError(f"{name} must be a size such as 64m, not {text!r}.")
    return size
