from tests.agents.table import as_markdown, as_text
from tests.agents.trial import Outcome


def outcome(agent: str, provider: str, result: str) -> Outcome:
    return Outcome(agent, "1.0", "openai-chat", provider, "HTTP", result, "2 x POST /v1", 1.5, "Hi")


OUTCOMES = [
    outcome("codex", "anthropic", "passed"),
    outcome("codex", "gemini", "failed"),
    outcome("aider", "gemini", "passed"),
]


def test_the_text_has_one_line_an_outcome_in_columns() -> None:
    lines = as_text(OUTCOMES).splitlines()
    assert len(lines) == 4
    assert len({line.index("openai-chat") for line in lines[1:]}) == 1
    assert lines[2].split()[:6] == ["codex", "1.0", "openai-chat", "gemini", "HTTP", "failed"]


def test_the_page_has_one_line_an_agent() -> None:
    assert as_markdown(OUTCOMES).splitlines()[2:] == [
        "| codex | 1.0 | openai-chat | passed, HTTP | failed, HTTP |",
        "| aider | 1.0 | openai-chat |  | passed, HTTP |",
    ]


def test_json_leaves_out_what_the_agent_said() -> None:
    assert "said" not in OUTCOMES[0].as_json()
    assert OUTCOMES[0].as_json()["result"] == "passed"
