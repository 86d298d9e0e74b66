"""One line of YAML for each kind of problem, with its place and exact words."""

import pytest

from addon.rules import RulesError, load_rules


def check_filter(expression):
    return "no such filter" if "bad" in expression else None


def problems(text):
    with pytest.raises(RulesError) as caught:
        load_rules(text, "rules.yaml", {}, check_filter)
    found = caught.value.problems
    assert all(problem.file == "rules.yaml" for problem in found)
    return [(problem.line, problem.column, problem.message) for problem in found]


def rule(inner):
    return f"version: 1\nrules:\n  - {inner}\n"


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("", 1, 1, "the file is empty; it begins with `version: 1`"),
        ("- a\n", 1, 1, "expected the rules file (a map), found a list"),
        ("a text\n", 1, 1, "expected the rules file (a map), found text"),
        ("{}", 1, 1, "expected the rules file, found an empty map"),
        (
            "rules: []\n",
            1,
            1,
            "`version` is missing in the rules file; for example `version: 1`",
        ),
        ("version: 2\n", 1, 10, "version: expected 1, found a number"),
        ("version: true\n", 1, 10, "version: expected 1, found a truth value"),
        ("version: '1'\n", 1, 10, "version: expected 1, found text"),
        (
            "version: 1\nrule: []\n",
            2,
            1,
            "unknown key `rule` in the rules file; did you mean `rules`?",
        ),
        (
            "version: 1\nzzz: 1\n",
            2,
            1,
            "unknown key `zzz` in the rules file;"
            " known: version, providers, rules, default, aliases, by_model_name, intercept,"
            " websocket, record, media",
        ),
        (
            "version: 1\nuse: a:b\n",
            2,
            1,
            "`use` belongs in an entry of `rules`, not in the rules file",
        ),
        ("version: 1\nrules: {a: 1}\n", 2, 8, "rules: expected a list of rules, found a map"),
        (
            "version: 1\ndefault: stop\n",
            2,
            10,
            "default: expected PROVIDER:MODEL, found `stop`;"
            " known: pass, block, openai, anthropic, google, deepseek, qwen, glm, zai, openrouter,"
            " mistral, groq, xai, moonshot, local, azure",
        ),
        (
            "version: 1\ndefault: pas\n",
            2,
            10,
            "default: expected PROVIDER:MODEL, found `pas`; did you mean `pass`?",
        ),
        (
            "version: 1\nintercept: ['https://api.openai.com']\n",
            2,
            13,
            "intercept: expected a host name such as `api.openai.com`,"
            " found `https://api.openai.com`",
        ),
        (
            "version: 1\nwebsocket: refused\n",
            2,
            12,
            "websocket: expected `accept` or `refuse`, found `refused`; did you mean `refuse`?",
        ),
        (
            "version: 1\nintercept: []\n",
            2,
            12,
            "intercept: expected host names, found an empty list",
        ),
        (
            "version: 1\nversion: 1\n",
            2,
            1,
            "the key `version` stands here twice, first on line 1",
        ),
    ],
)
def test_problems_of_the_file(text, line, column, message):
    assert problems(text) == [(line, column, message)]


@pytest.mark.parametrize(
    ("inner", "column", "message"),
    [
        ("5", 5, "rules: expected a rule (a map), found a number"),
        (
            "{name: a}",
            5,
            "`use` is missing in a rule; for example `use: anthropic:claude-sonnet-5-5`",
        ),
        ("{use: 'local:m', wen: {}}", 22, "unknown key `wen` in a rule; did you mean `when`?"),
        ("{use: 'local:m', model: gpt}", 22, "`model` belongs under `when`, not in a rule"),
        (
            "{use: 'local:m', name: 5}",
            28,
            "name: expected a name, found a number; put it in quotes",
        ),
        ("{use: 'local:m', name: }", 28, "name: expected a name, found nothing"),
        ("{use: 'local:m', name: ''}", 28, "name: expected a name, found empty text"),
        ("{use: 'local:m', when: }", 28, "when: expected `when` (a map), found nothing"),
        ("{use: 'local:m', when: {}}", 28, "when: expected `when`, found an empty map"),
        (
            "{use: 'local:m', when: {modle: x}}",
            29,
            "unknown key `modle` in `when`; did you mean `model`?",
        ),
        ("{use: 'local:m', when: {use: x}}", 29, "`use` belongs beside `when`, not in `when`"),
        (
            "{use: 'local:m', when: {model: 5}}",
            36,
            "model: expected a name, a glob such as `gpt-5*` or a /regular expression/,"
            " found a number; put it in quotes",
        ),
        (
            "{use: 'local:m', when: {model: []}}",
            36,
            "model: expected model names, found an empty list",
        ),
        (
            "{use: 'local:m', when: {model: [a, /(/]}}",
            40,
            "model: `/(/` is not a regular expression:"
            " missing ), unterminated subpattern at position 0",
        ),
        (
            "{use: 'local:m', when: {endpoint: chats}}",
            39,
            "endpoint: expected an endpoint, found `chats`; did you mean `chat`?",
        ),
        (
            "{use: 'local:m', when: {provider: opnai}}",
            39,
            "provider: unknown provider `opnai`; did you mean `openai`?",
        ),
        (
            "{use: 'local:m', when: {has: [tools, image]}}",
            42,
            "has: expected a feature, found `image`; did you mean `images`?",
        ),
        (
            "{use: 'local:m', when: {header: x}}",
            37,
            "header: expected a map of header names to globs, found text",
        ),
        (
            "{use: 'local:m', when: {header: {'a b': x}}}",
            38,
            "header: `a b` cannot be the name of a header",
        ),
        (
            "{use: 'local:m', when: {header: {x-a: 5}}}",
            43,
            "x-a: expected a name, a glob such as `gpt-5*` or a /regular expression/,"
            " found a number; put it in quotes",
        ),
        (
            "{use: 'local:m', when: {input_tokens: 5}}",
            43,
            "input_tokens: expected a comparison such as `> 60000`,"
            " found a number; put it in quotes",
        ),
        (
            "{use: 'local:m', when: {input_tokens: '60k'}}",
            43,
            "input_tokens: expected a comparison such as `> 60000`, found `60k`",
        ),
        (
            "{use: 'local:m', when: {filter: 'bad ('}}",
            37,
            "filter: `bad (` is not a mitmproxy filter expression: no such filter",
        ),
        (
            "{use: anthropic}",
            11,
            "use: expected PROVIDER:MODEL, found `anthropic`; write `anthropic:claude-sonnet-5-5`,"
            " or `anthropic:*` to keep the model that the agent asks for",
        ),
        (
            "{use: 'local:'}",
            11,
            "use: expected PROVIDER:MODEL, found `local:`; write `local:MODEL`,"
            " or `local:*` to keep the model that the agent asks for",
        ),
        (
            "{use: 'antropic:x'}",
            11,
            "use: unknown provider `antropic`; did you mean `anthropic`?",
        ),
        ("{use: 'local:*-*'}", 11, "use: `*-*` holds more than one `*`"),
        ("{use: []}", 11, "use: expected PROVIDER:MODEL, or a list of them, found an empty list"),
        ("{use: [pass, 'local:m']}", 11, "use: `pass` stands alone, not in a list"),
        (
            "{use: block, set: {a: 1}}",
            23,
            "set: a rule that uses `block` changes nothing in the call",
        ),
        (
            "{use: 'local:m', set: [a]}",
            27,
            "set: expected a map of body fields to values, found a list",
        ),
        (
            "{use: 'local:m', set: {model: x}}",
            28,
            "set: `model` cannot be changed here: `use` chooses the model",
        ),
        (
            "{use: 'local:m', drop: stream}",
            28,
            "drop: `stream` cannot be changed here:"
            " the agent alone knows whether it reads a stream",
        ),
        ("{use: 'local:m', set: {a: 1e999}}", 31, "a: the number 1e999 is too large"),
        (
            "{use: 'local:m', set: {a: [18446744073709551616]}}",
            32,
            "a: the number 18446744073709551616 is too large",
        ),
        ("{use: 'local:m', set: {a: 1}, drop: [a]}", 41, "drop: `a` stands under `set` as well"),
    ],
)
def test_problems_of_a_rule(inner, column, message):
    assert problems(rule(inner)) == [(3, column, message)]


def test_all_mistakes_are_found_at_once_in_the_order_of_the_file():
    text = (
        "versoin: 1\n"
        "rules:\n"
        "  - {use: nowhere:x, when: {modle: a, has: [tool]}}\n"
        "  - {name: a}\n"
        "defualt: pass\n"
        "providers: {mine: {api_key: 5}}\n"
    )
    assert [(line, message.partition(";")[0]) for line, _, message in problems(text)] == [
        (1, "unknown key `versoin` in the rules file"),
        (1, "`version` is missing in the rules file"),
        (3, "use: unknown provider `nowhere`"),
        (3, "unknown key `modle` in `when`"),
        (3, "has: expected a feature, found `tool`"),
        (4, "`use` is missing in a rule"),
        (5, "unknown key `defualt` in the rules file"),
        (6, "mine: `base_url` is missing, and no built-in provider has this name"),
        (6, "api_key: expected text, found a number"),
    ]


def test_names_of_rules_differ():
    text = rule("{name: a, use: pass}") + "  - {name: b, use: pass}\n  - {use: block, name: a}\n"
    assert problems(text) == [(5, 24, "name: the rule on line 3 is called `a` too")]


def test_a_mistake_within_an_alias_is_shown_where_it_is_used():
    text = "version: &v nothing\ndefault: *v\n"
    assert [(line, column) for line, column, _ in problems(text)] == [(1, 10), (2, 1)]


def test_the_error_reads_like_a_compilers():
    with pytest.raises(RulesError) as caught:
        load_rules("version: 2\n", "my/rules.yaml", {})
    assert str(caught.value) == "my/rules.yaml:1:10: version: expected 1, found a number"
    error = caught.value.to_error_info()
    assert error.kind == "invalid_request"
    assert "my/rules.yaml:1:10" in error.message


def test_keys_in_the_wrong_place_are_not_printed():
    texts = [
        "version: 1\nproviders: {anthropic: sk-ant-1234}\n",
        "version: 1\nproviders: {anthropic: {api_key: {x: sk-1234}, models: {a: sk-1234}}}\n",
        "version: 1\nproviders: {anthropic: {api_key: 1234, base_url: 'https://sk:1234@h'}}\n",
        "version: 1\nproviders: {anthropic: {api_key: 'sk-1234${', timeouts: sk-1234}}\n",
        'version: 1\nproviders: {anthropic: {headers: {x-a: "1234\\u0001"}}}\n',
    ]
    for text in texts:
        found = problems(text)
        assert found
        assert "1234" not in str(found)


def notices(text, environment=None):
    loaded = load_rules(text, "rules.yaml", environment or {}, check_filter)
    return [(notice.line, notice.column, notice.message) for notice in loaded.notices]


def test_rules_that_never_apply_are_pointed_out():
    text = rule("{name: all, use: pass}") + "  - {when: {model: a}, use: 'local:*'}\n"
    assert notices(text) == [
        (
            4,
            5,
            "`rule 2` never applies: `all` on line 3 has no `when` and takes every call",
        )
    ]


def test_what_is_fine_gives_no_notice():
    assert notices(rule("{use: ['local:*']}")) == []
    assert notices("version: 1\nrules:\nproviders:\n") == []


def test_defaults():
    loaded = load_rules("version: 1\n", "rules.yaml", {})
    assert loaded.rules == ()
    assert loaded.default == "pass"
    assert loaded.intercept == (
        "api.openai.com",
        "api.anthropic.com",
        "generativelanguage.googleapis.com",
    )


def test_rules_are_named_by_number_where_they_have_no_name():
    loaded = load_rules(rule("{use: pass}") + "  - {use: block, name: b}\n", "rules.yaml", {})
    assert [entry.name for entry in loaded.rules] == ["rule 1", "b"]
    assert [entry.mark.line for entry in loaded.rules] == [3, 4]
