import pytest

from addon.neutral import Usage, billing
from addon.providers import BUILT_IN, MissingKeyError, Price, Timeouts
from addon.rules import RulesError, load_rules


def load(providers, environment=None, use="pass"):
    text = f"version: 1\nproviders: {providers}\nrules: [{{use: '{use}'}}]\n"
    return load_rules(text, "rules.yaml", environment or {})


def provider(entry, environment=None, name="mine"):
    return load(f"{{{name}: {entry}}}", environment).providers[name]


def problems(entry, name="mine", use="pass", environment=None):
    with pytest.raises(RulesError) as caught:
        load(f"{{{name}: {entry}}}", environment, use)
    return [(problem.column, problem.message) for problem in caught.value.problems]


def test_without_entries_the_built_in_providers_stand():
    assert load("{}").providers == BUILT_IN


def test_a_provider_of_ones_own():
    mine = provider(
        "{base_url: 'http://127.0.0.1:8000/v1', formats: [openai-chat], api_key: none,"
        " models: [qwen3-coder], dialect: qwen, headers: {X-Team: research},"
        " timeouts: {connect: 1, idle: 2.5}}"
    )
    assert mine.id == "mine"
    assert mine.base_urls == {"openai-chat": "http://127.0.0.1:8000/v1"}
    assert mine.models == ("qwen3-coder",)
    assert mine.dialect == "qwen"
    assert mine.timeouts == Timeouts(connect=1, idle=2.5)
    assert mine.auth_headers("openai-chat", None) == (("x-team", "research"),)


def test_a_provider_of_ones_own_speaks_chat_unless_told_otherwise():
    mine = provider("{base_url: 'http://h/v1'}")
    assert mine.base_urls == {"openai-chat": "http://h/v1"}
    assert mine.dialect == "mine"


def test_a_built_in_provider_keeps_what_is_not_changed():
    deepseek = provider("{timeouts: {total: 60}}", name="deepseek")
    assert deepseek.timeouts.total == 60
    assert deepseek.base_urls == BUILT_IN["deepseek"].base_urls
    assert deepseek.key_variables == BUILT_IN["deepseek"].key_variables


def test_one_url_serves_all_formats_in_the_form_that_each_takes():
    both = provider("{base_url: 'http://h/v1/', formats: [openai-chat, anthropic]}")
    assert both.base_urls == {"openai-chat": "http://h/v1/", "anthropic": "http://h"}
    bare = provider("{base_url: 'http://h', formats: [anthropic, openai-chat]}")
    assert bare.base_urls == {"anthropic": "http://h", "openai-chat": "http://h"}
    assert list(bare.base_urls) == ["anthropic", "openai-chat"]


def test_one_url_moves_all_formats_of_a_built_in_provider():
    deepseek = provider("{base_url: 'http://h/v1'}", name="deepseek")
    assert deepseek.base_urls == {
        "openai-chat": "http://h/v1",
        "openai-responses": "http://h/v1",
        "anthropic": "http://h",
    }
    anthropic = provider("{base_url: 'http://h:8080'}", name="anthropic")
    assert anthropic.base_urls == {"anthropic": "http://h:8080"}


def test_a_map_of_urls():
    mine = provider("{base_url: {anthropic: 'http://a', openai-chat: 'http://c/v1'}}")
    assert mine.base_urls == {"anthropic": "http://a", "openai-chat": "http://c/v1"}
    zai = provider("{base_url: {anthropic: 'http://a'}}", name="zai")
    assert zai.base_urls == BUILT_IN["zai"].base_urls | {"anthropic": "http://a"}


def test_formats_choose_and_order():
    deepseek = provider("{formats: [anthropic, openai-chat]}", name="deepseek")
    assert list(deepseek.base_urls) == ["anthropic", "openai-chat"]
    assert deepseek.format_for("openai-chat") == "openai-chat"
    only = provider("{formats: anthropic}", name="deepseek")
    assert only.format_for("openai-chat") == "anthropic"


@pytest.mark.parametrize(
    ("entry", "column", "message"),
    [
        (
            "{models: [a]}",
            19,
            "mine: `base_url` is missing, and no built-in provider has this name",
        ),
        (
            "{base_url: 'ftp://h'}",
            30,
            "mine: base_url: expected a whole URL such as `http://127.0.0.1:8000/v1`",
        ),
        (
            "{base_url: 'localhost:8000'}",
            30,
            "mine: base_url: expected a whole URL such as `http://127.0.0.1:8000/v1`",
        ),
        ("{base_url: 'http://h:x'}", 30, "mine: base_url: this is not a URL"),
        ("{base_url: 'http://[h'}", 30, "mine: base_url: this is not a URL"),
        (
            "{base_url: 'http://u:p@h'}",
            30,
            "mine: base_url: a name or password in the URL is not sent; use `headers`",
        ),
        (
            "{base_url: 'http://h?a=1'}",
            30,
            "mine: base_url: a URL to which paths are added cannot have a query",
        ),
        (
            "{base_url: [a]}",
            30,
            "base_url: expected a URL, or a map of formats to URLs, found a list",
        ),
        (
            "{base_url: {openai: 'http://h'}}",
            31,
            "base_url: expected a format, found `openai`; did you mean `openai-chat`?",
        ),
        (
            "{base_url: {anthropic: 'http://h'}, formats: [gemini]}",
            64,
            "mine: there is no URL for the format gemini; give one under `base_url`",
        ),
        (
            "{base_url: 'http://h', dialect: deepsek}",
            51,
            "dialect: expected a built-in provider, found `deepsek`; did you mean `deepseek`?",
        ),
        (
            "{base_url: 'http://h', timeouts: {connct: 1}}",
            53,
            "unknown key `connct` in `timeouts`; did you mean `connect`?",
        ),
        (
            "{base_url: 'http://h', timeouts: {connect: 0}}",
            62,
            "connect: expected a positive number of seconds, found a number",
        ),
        (
            "{base_url: 'http://h', timeouts: {connect: 5s}}",
            62,
            "connect: expected a positive number of seconds, found text",
        ),
        (
            "{base_url: 'http://h', headers: {Host: a}}",
            52,
            "headers: the header `Host` follows from the call and cannot be set",
        ),
        (
            '{base_url: "http://h", headers: {x-a: "a\\u0001"}}',
            51,
            "mine: headers.x-a: the value holds what no header can hold",
        ),
        (
            "{base_url: 'http://h', api_key: '${KEY'}",
            51,
            "api_key: `${` must begin `${NAME}` or `${NAME:-default}`; write `$${` for itself",
        ),
        (
            "{base_url: 'http://h', api_key: 5}",
            51,
            "api_key: expected text, found a number; put it in quotes",
        ),
        ("{base_url: 'http://h', api_key: }", 51, "api_key: expected text, found nothing"),
        (
            "{base_url: 'http://h', key: a}",
            42,
            "unknown key `key` in a provider; did you mean `api_key`?",
        ),
    ],
)
def test_problems(entry, column, message):
    assert problems(entry) == [(column, message)]


def test_a_misspelt_built_in_provider_is_recognised():
    assert problems("{api_key: a}", name="antropic") == [
        (
            23,
            "antropic: `base_url` is missing, and no built-in provider has this name;"
            " did you mean `anthropic`?",
        )
    ]


def test_a_name_must_be_one():
    assert problems("{base_url: 'http://h'}", name="'a b'") == [
        (13, "providers: `a b` cannot be a provider's name: letters, digits, `.`, `_` and `-` can")
    ]


def test_formats_that_detour_does_not_speak_cannot_be_used(monkeypatch):
    monkeypatch.delitem(__import__("addon.formats").formats.FORMATS, "gemini", raising=False)
    entry = "{base_url: 'http://h', formats: [gemini]}"
    assert provider(entry).base_urls == {"gemini": "http://h"}
    [(_, message)] = problems(entry, use="mine:m")
    assert message == "`mine` cannot be used: it offers gemini, which Detour does not speak"


def test_a_version_too_many_is_pointed_out():
    [notice] = load("{mine: {base_url: 'http://h/v1', formats: [anthropic]}}").notices
    assert notice.message == (
        "base_url: the format anthropic takes the URL without a version: http://h"
    )


def test_variables_are_filled_in():
    entry = "{base_url: 'http://${H:-localhost}:${P}/v1', headers: {x-a: '${A}b'}}"
    mine = provider(entry, {"P": "81", "A": "a"})
    assert mine.base_urls["openai-chat"] == "http://localhost:81/v1"
    assert mine.auth_headers("openai-chat", None) == (("x-a", "ab"),)


def test_a_missing_variable_is_a_mistake_only_where_the_provider_is_used():
    entry = "{base_url: '${OFFICE_URL}'}"
    message = "base_url: set the variable OFFICE_URL in the environment or in .env"
    assert [notice.message for notice in load(f"{{mine: {entry}}}").notices] == [message]
    assert problems(entry, use="mine:m") == [(30, f"mine: {message}")]


def test_a_key_given_as_a_variable_is_looked_up_when_it_is_needed():
    environment = {"ANTHROPIC_API_KEY": "private"}
    loaded = load("{anthropic: {api_key: '${WORK_KEY}'}}", environment, "anthropic:*")
    with pytest.raises(MissingKeyError, match="set WORK_KEY in the environment"):
        loaded.keys.find(loaded.providers["anthropic"])
    environment["WORK_KEY"] = "work"
    assert loaded.keys.find(loaded.providers["anthropic"]) == "work"
    assert loaded.keys.source(loaded.providers["anthropic"]) == "WORK_KEY"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("sk-1", "sk-1"),
        ("none", None),
        ("None", None),
        ("${A}-${B}", "a-b"),
        ("${C:-c}", "c"),
        ("${C:-none}", None),
    ],
)
def test_keys(setting, expected):
    loaded = load(f"{{mine: {{base_url: 'http://h', api_key: '{setting}'}}}}", {"A": "a", "B": "b"})
    assert loaded.keys.find(loaded.providers["mine"]) == expected


@pytest.mark.parametrize("setting", ["x-${A}", "${A:-}"])
def test_a_key_made_of_missing_variables_is_missing(setting):
    loaded = load(f"{{mine: {{base_url: 'http://h', api_key: '{setting}'}}}}")
    with pytest.raises(MissingKeyError, match="no key for mine: set A in the environment"):
        loaded.keys.find(loaded.providers["mine"])


def test_hosts_of_ones_own_providers_are_known():
    loaded = load("{mine: {base_url: 'https://gateway.example/v1'}}")
    assert loaded.provider_for_host("Gateway.example") == "mine"
    assert loaded.provider_for_host("api.openai.com") == "openai"
    assert loaded.provider_for_host("nobody.example") is None
    assert loaded.hosts_of("mine") == ("gateway.example",)


VERTEX = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1"


@pytest.mark.parametrize("end", ["", "/", "/publishers/google", "/publishers/google/models/"])
def test_a_vertex_url_says_what_it_is(end):
    mine = provider(f"{{base_url: '{VERTEX}{end}', api_key: token}}")
    assert mine.base_urls == {"gemini": f"{VERTEX}/publishers/google"}
    assert mine.dialect == "vertex"
    assert mine.auth_headers("gemini", "token") == (("authorization", "Bearer token"),)


def test_vertex_in_express_mode_takes_an_api_key():
    url = "https://aiplatform.googleapis.com/v1/publishers/google"
    mine = provider(f"{{base_url: {{gemini: '{url}'}}, api_key: key}}")
    assert mine.base_urls == {"gemini": url}
    assert mine.dialect == "vertex"
    assert mine.auth_headers("gemini", "key") == (("x-goog-api-key", "key"),)


def test_google_itself_can_be_moved_to_vertex():
    google = provider(f"{{base_url: {{gemini: '{VERTEX}'}}}}", name="google")
    assert google.base_urls["gemini"] == f"{VERTEX}/publishers/google"
    assert google.base_urls["openai-chat"] == BUILT_IN["google"].base_urls["openai-chat"]
    assert google.dialect == "vertex"


def test_other_gemini_urls_stay_what_they_are():
    mine = provider("{base_url: 'http://h:1/gateway', formats: [gemini]}")
    assert mine.base_urls == {"gemini": "http://h:1/gateway"}
    assert mine.dialect == "mine"


@pytest.mark.parametrize("price", ["{input: 1}", "{input: 1, output: cheap}", "{output: 1}"])
def test_half_a_price_is_a_mistake_that_is_told(price):
    text = f"version: 1\nproviders: {{zai: {{models: [{{id: m, price: {price}}}]}}}}\n"
    with pytest.raises(RulesError, match=r"output|input"):
        load_rules(text, "rules.yaml", {})


def priced(price):
    text = f"version: 1\nproviders: {{zai: {{models: [{{id: glm-5.3, price: {price}}}]}}}}\n"
    return load_rules(text, "rules.yaml", {}).providers["zai"].facts("glm-5.3")


def test_a_price_by_hand_holds_before_the_table_and_in_every_tier():
    facts = priced("{input: 1, output: 2, reasoning: 3, cache_write: 4, cache_write_1h: 5}")
    assert facts.prices == (Price(input=1, output=2, reasoning=3, cache_write=4, cache_write_1h=5),)
    assert facts.context  # of the table
    usage = Usage(1_000_000, output_tokens=0, billing=billing(tier="priority"))
    assert facts.cost(usage) == 1


def test_a_price_that_depends_on_the_length():
    facts = priced("[{above: 1000, input: 5, output: 6}, {input: 1, output: 2}]")
    assert facts.cost(Usage(1000, output_tokens=0)) == pytest.approx(0.001)
    assert facts.cost(Usage(1001, output_tokens=0)) == pytest.approx(0.005005)


@pytest.mark.parametrize(
    "price",
    [
        "[{above: 1000, input: 5, output: 6}]",
        "[{input: 5, output: 6}, {input: 1, output: 2}]",
        "[{input: 5, output: 6}, {above: 7, input: 1, output: 2}, {above: 7, input: 1, output: 2}]",
    ],
)
def test_prices_of_which_none_or_several_hold_are_a_mistake(price):
    with pytest.raises(RulesError, match="above"):
        priced(price)
