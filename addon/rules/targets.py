"""What a rule may send a call to: `PROVIDER:MODEL`, `pass` or `block`."""

from __future__ import annotations

from typing import Literal, NamedTuple

from addon.providers import BUILT_IN, NOT_YET
from addon.rules.problems import Mark, Mistake, suggestion
from addon.rules.shapes import Reading

type Verdict = Literal["pass", "block"]

PATTERN = r"^(pass|block|[^:\s]+:\s*\S.*)$"
AUTO = "auto"
"""`local:auto`: the model that the agent asks for, if it is there, else the first."""
_EXAMPLE = "`anthropic:claude-sonnet-5-5`"


class Target(NamedTuple):
    """A model at a provider."""

    provider: str
    """Its id."""
    model: str
    """The provider's name of the model; `*` in it stands for the name that the agent used."""
    mark: Mark

    def model_for(self, asked: str) -> str:
        """Return the provider's name of the model when the agent asks for `asked`."""
        return self.model.replace("*", asked) if "*" in self.model else self.model


def parse_target(text: str, mark: Mark, reading: Reading) -> Target | Verdict:
    """Read a target; the first colon ends the provider, as model names hold colons themselves.

    Raises:
        Mistake: It is none.
    """
    match text.strip():
        case "pass" | "block" as verdict:
            return verdict
        case stripped:
            provider, colon, model = stripped.partition(":")
    provider, model = provider.strip(), model.strip()
    if not colon or not model:
        raise Mistake(mark, f"expected PROVIDER:MODEL, found `{text}`; {_hint(provider, reading)}")
    if provider not in reading.provider_ids:
        if provider in NOT_YET:
            raise Mistake(mark, f"`{provider}` cannot be used yet: {NOT_YET[provider]}")
        hint = suggestion(provider, reading.provider_ids)
        raise Mistake(mark, f"unknown provider `{provider}`{hint}")
    if model.count("*") > 1:
        raise Mistake(mark, f"`{model}` holds more than one `*`")
    return Target(provider, model, mark)


def _hint(word: str, reading: Reading) -> str:
    if word in reading.provider_ids:
        known = BUILT_IN.get(word)
        model = (known and known.default_model) or "MODEL"
        return f"write `{word}:{model}`, or `{word}:*` to keep the model that the agent asks for"
    if hint := suggestion(word, ("pass", "block", *reading.provider_ids)):
        return hint.removeprefix("; ")
    return f"write for example {_EXAMPLE}"
