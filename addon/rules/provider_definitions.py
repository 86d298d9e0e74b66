"""What an entry under `providers` may say."""

from __future__ import annotations

from addon.formats.base import FORMAT_NAMES
from addon.providers import ABILITIES, BUILT_IN, LOCAL_DIALECTS
from addon.rules.container_shapes import Entries, Items, ScalarOr
from addon.rules.records import Field, Record
from addon.rules.scalar_shapes import Amount, Choice, Quantity, Text, TruthValue
from addon.rules.texts import (
    parse_expandable,
    parse_own_header_name,
)

_SECRET = Text("text", parse_expandable)
_FORMAT = Choice("a format", FORMAT_NAMES)

_PRICE = Record(
    "`price`",
    (
        Field("input", Quantity(), "For input tokens.", 2.5, required=True),
        Field("output", Quantity(), "For output tokens.", 10, required=True),
        Field("reasoning", Quantity(), "For output tokens that were thought.", 10),
        Field("cache_read", Quantity(), "For input from the cache.", 0.25),
        Field("cache_write", Quantity(), "For input written to the cache.", 3.125),
        Field("cache_write_1h", Quantity(), "For input written to the cache for an hour.", 5),
        Field(
            "above",
            Quantity(whole=True),
            "The price is that of requests with more input tokens than this.",
            200000,
        ),
    ),
)

_MODEL = Record(
    "a model",
    (
        Field(
            "id",
            Text("the name of a model"),
            "The provider's name of it.",
            "qwen3-coder",
            required=True,
        ),
        Field("title", Text("a name"), "What people call it.", "Qwen Coder"),
        Field("default", TruthValue(), "Whether it is the one to try first.", True),
        Field("context", Quantity(whole=True), "Most input tokens.", 131072),
        Field("max_output", Quantity(whole=True), "Most output tokens.", 32768),
        Field(
            "features",
            Items("features", Choice("a feature", ABILITIES), or_one=True, or_none=True),
            "What it can do: all of it, where this is given.",
            ["tools", "images"],
        ),
        Field(
            "price",
            Items("prices", _PRICE, or_one=True),
            "US dollars for a million tokens; a list where they depend on the request's length.",
        ),
    ),
)

PROVIDER = Record(
    "a provider",
    (
        Field(
            "base_url",
            ScalarOr(
                Text("a URL", parse_expandable),
                Entries(
                    "a URL, or a map of formats to URLs",
                    Text("a URL", parse_expandable),
                    _FORMAT,
                ),
            ),
            "What the official SDK of the format takes: with /v1 for the OpenAI formats, without a"
            " version for anthropic and gemini. One URL for all formats, or a map with one each.",
            "http://127.0.0.1:8000/v1",
        ),
        Field(
            "formats",
            Items("formats", _FORMAT, or_one=True),
            "The formats to call it in, the preferred one first. An agent's own format is used as"
            " it is where it is among them.",
            ["openai-chat"],
        ),
        Field(
            "api_key",
            _SECRET,
            "The key, best as ${VARIABLE}; `none` sends no key, `pass` the agent's own where it"
            " called this very host.",
            "${OFFICE_KEY}",
        ),
        Field(
            "models",
            Items("models", ScalarOr(Text("the name of a model"), _MODEL), or_one=True),
            "Models that it offers, the one to try first at the head or marked as default; for"
            " lists, tests and finding the owner of a model. Others can be used as well.",
            ["qwen3-coder"],
        ),
        Field("title", Text("a name"), "What people call it.", "Our vLLM"),
        Field(
            "enabled",
            TruthValue(),
            "Whether calls may go there; with `false` none does, also where a rule names it.",
            True,
        ),
        Field(
            "region",
            Text("a region"),
            "Which of its hosts, for a built-in provider with several; see `detour providers`.",
            "intl",
        ),
        Field(
            "api_version",
            Text("a version"),
            "Azure OpenAI: the api-version to name in every URL.",
            "2026-05-01",
        ),
        Field(
            "headers",
            Entries(
                "a map of header names to values", _SECRET, Text("a header", parse_own_header_name)
            ),
            "Headers to add to every call.",
            {"x-team": "research"},
        ),
        Field(
            "timeouts",
            Record(
                "`timeouts`",
                (
                    Field("connect", Amount("seconds"), "Until the connection stands.", 10),
                    Field("first_byte", Amount("seconds"), "Until the answer begins.", 300),
                    Field("idle", Amount("seconds"), "Between two pieces of an answer.", 300),
                    Field("total", Amount("seconds"), "For the whole call.", 3600),
                ),
            ),
            "How long it may take, in seconds.",
        ),
        Field(
            "concurrency",
            Record(
                "`concurrency`",
                (
                    Field("running", Quantity(whole=True), "How many at a time.", 4, required=True),
                    Field("waiting", Quantity(), "How many more wait. 100 when not given.", 16),
                ),
            ),
            "How many calls it gets at a time. Others wait for their turn; those beyond fail as if"
            " it were overloaded.",
        ),
        Field(
            "dialect",
            Choice("a built-in provider", (*BUILT_IN, *LOCAL_DIALECTS.values())),
            "The built-in provider, or the program for local models, whose habits it shares.",
            "deepseek",
        ),
    ),
)
