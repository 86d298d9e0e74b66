"""What a rules file may say: the one definition of every key.

Reading, suggestions for misspelt keys and the JSON Schema all come from these tables.
"""

from __future__ import annotations

from addon.rules.container_shapes import Entries, Items
from addon.rules.decisions import DEFAULT_INTERCEPT
from addon.rules.provider_definitions import PROVIDER
from addon.rules.records import Field, Record
from addon.rules.rule_definitions import RECORD, RECORD_MEANING, RULE, TARGET, WHEN
from addon.rules.scalar_shapes import Amount, Choice, Exactly, Text, TruthValue
from addon.rules.texts import (
    PROVIDER_ID_PATTERN,
    parse_host,
    parse_provider_id,
)

_MEDIA = Record(
    "`media`",
    (
        Field("fetch", TruthValue(), "Whether Detour fetches them; else such calls fail.", True),
        Field(
            "max_mb",
            Amount("megabytes", 1000),
            "Most megabytes of each; all of one request may have twice as much.",
            10,
        ),
        Field("allow_http", TruthValue(), "Whether addresses without TLS are fetched too.", False),
        Field(
            "allow_private",
            TruthValue(),
            "Whether hosts are too that only this machine or network can reach.",
            False,
        ),
    ),
)

FILE = Record(
    "the rules file",
    (
        Field("version", Exactly(1), "The version of this file's format.", 1, required=True),
        Field(
            "providers",
            Entries(
                "a map of providers",
                PROVIDER,
                Text("the name of a provider", parse_provider_id, PROVIDER_ID_PATTERN),
                or_none=True,
            ),
            "Changes to built-in providers, and providers of your own. Text in it may hold"
            " ${VARIABLE} or ${VARIABLE:-default}.",
        ),
        Field(
            "rules",
            Items("a list of rules", RULE, or_none=True),
            "The first rule whose conditions all hold applies.",
        ),
        Field(
            "default",
            TARGET,
            "What happens to calls that no rule applies to: `pass` lets them through unchanged,"
            " `block` refuses them, PROVIDER:MODEL sends them there.",
            "pass",
        ),
        Field(
            "aliases",
            Entries("a map of names to PROVIDER:MODEL", TARGET, Text("a name"), or_none=True),
            "Names of your own for targets, to be asked for as a model.",
            {"fast": "anthropic:claude-haiku-5-5"},
        ),
        Field(
            "by_model_name",
            TruthValue(),
            "Whether an agent may choose by the name of the model: PROVIDER:MODEL or"
            " PROVIDER/MODEL before all rules, and the provider that owns a model before"
            " `default`. True when not given.",
            True,
        ),
        Field(
            "intercept",
            Items("host names", Text("a host name", parse_host), or_one=True),
            "Hosts whose calls are looked at; all others are tunnelled unopened.",
            list(DEFAULT_INTERCEPT),
        ),
        Field(
            "websocket",
            Choice("`accept` or `refuse`", ("accept", "refuse")),
            "Whether agents may call the Responses API by WebSocket; `refuse` turns them away, and"
            " they call by HTTP.",
            "accept",
        ),
        Field("record", RECORD, f"{RECORD_MEANING} Rules may say otherwise.", "events"),
        Field(
            "media",
            _MEDIA,
            "Pictures and documents that an agent names by their address, for providers that"
            " cannot fetch them: Detour fetches them and sends them along.",
        ),
    ),
    elsewhere={
        **{field.name: "in an entry of `rules`" for field in RULE.fields},
        **{field.name: "in an entry of `providers`" for field in PROVIDER.fields},
        **{field.name: "under `when` in an entry of `rules`" for field in WHEN.fields},
    },
)
