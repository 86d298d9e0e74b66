import pytest

from addon import DetourError, StreamTranslator, translate_request, translate_response

KNOWN = "unknown format 'chat'; known are openai-chat, openai-responses, anthropic, gemini"


@pytest.mark.parametrize(("source", "target"), [("chat", "anthropic"), ("anthropic", "chat")])
@pytest.mark.parametrize(
    "translate",
    [
        lambda source, target: translate_request(b"{}", source, target),
        lambda source, target: translate_response(200, [], b"{}", source, target),
        StreamTranslator,
    ],
    ids=["request", "response", "stream"],
)
def test_an_unknown_format_is_named_with_those_that_exist(translate, source, target):
    with pytest.raises(DetourError) as refused:
        translate(source, target)
    assert str(refused.value) == KNOWN
