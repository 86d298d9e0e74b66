import msgspec
import pytest

from addon.providers import BUILT_IN, KeyRing, MissingKeyError, Secret, UnusableKeyError

ANTHROPIC = BUILT_IN["anthropic"]
GOOGLE = BUILT_IN["google"]


def with_key(key):
    return msgspec.structs.replace(ANTHROPIC, api_key=Secret(key))


def test_the_key_of_the_rules_file_is_asked_first():
    ring = KeyRing({"ANTHROPIC_API_KEY": "of-the-environment"})
    assert ring.find(with_key("of-the-file")) == "of-the-file"
    assert ring.source(with_key("of-the-file")) == "rules.yaml"
    assert ring.find(ANTHROPIC) == "of-the-environment"
    assert ring.source(ANTHROPIC) == "ANTHROPIC_API_KEY"


def test_the_variables_are_asked_in_order():
    both = {"GOOGLE_API_KEY": "2", "GEMINI_API_KEY": "1"}
    assert KeyRing(both).find(GOOGLE) == "1"
    assert KeyRing({"GOOGLE_API_KEY": "2", "GEMINI_API_KEY": " "}).find(GOOGLE) == "2"


def test_none_sends_no_key_whatever_the_environment_holds():
    ring = KeyRing({"ANTHROPIC_API_KEY": "k"})
    assert ring.find(with_key("none")) is None
    assert ring.source(with_key("none")) == "none"
    assert ring.find(BUILT_IN["local"]) is None


def test_blanks_around_a_key_are_not_part_of_it():
    assert KeyRing({"ANTHROPIC_API_KEY": " k\n"}).find(ANTHROPIC) == "k"


def test_a_missing_key_names_provider_variable_and_remedy():
    with pytest.raises(MissingKeyError) as caught:
        KeyRing({}).find(GOOGLE)
    assert str(caught.value) == (
        "no key for google: set GEMINI_API_KEY (or GOOGLE_API_KEY, GOOGLE_GENERATIVE_AI_API_KEY) in"
        " the environment or in .env beside rules.yaml, or store the key with `detour keys set"
        " google`"
    )
    error = caught.value.to_error_info()
    assert (error.kind, error.code) == ("authentication", "missing_provider_key")


def test_a_provider_without_variables_is_told_about_api_key():
    provider = msgspec.structs.replace(ANTHROPIC, id="office", key_variables=())
    with pytest.raises(MissingKeyError) as caught:
        KeyRing({}).source(provider)
    assert str(caught.value) == (
        "no key for office: store it with `detour keys set office`, or give"
        " providers.office.api_key in rules.yaml (none if it needs no key)"
    )


@pytest.mark.parametrize("key", ["sk-a b", "sk-\u201ca\u201d", "sk-a\nx-evil: 1", "sk-a\x7f"])
def test_what_no_header_can_carry_is_refused_without_being_shown(key):
    ring = KeyRing({"ANTHROPIC_API_KEY": key})
    with pytest.raises(UnusableKeyError) as caught:
        ring.find(ANTHROPIC)
    assert str(caught.value) == (
        "the key for anthropic from ANTHROPIC_API_KEY holds blanks or characters that no key has;"
        " paste it again"
    )
    assert caught.value.to_error_info().kind == "authentication"


def test_a_variable_that_says_none_sends_no_key():
    ring = KeyRing({"ANTHROPIC_API_KEY": "none"})
    assert (ring.find(ANTHROPIC), ring.source(ANTHROPIC)) == (None, "none")
