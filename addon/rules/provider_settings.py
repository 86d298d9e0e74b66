"""Turning an entry under `providers` into a `Provider`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import msgspec

from addon.formats.base import FormatName
from addon.providers import (
    AGENT_KEY,
    BUILT_IN,
    NO_KEY,
    Concurrency,
    ModelFacts,
    Price,
    Provider,
    Secret,
    Timeouts,
    expand,
)
from addon.providers.expansion import sole_variable
from addon.providers.vertex import is_vertex, vertex_settings
from addon.rules.problems import Mark, Mistake, suggestion
from addon.rules.records import Values
from addon.rules.shapes import Reading

_VERSIONLESS: tuple[FormatName, ...] = ("anthropic", "gemini")
_VERSION_AT_END = re.compile(r"/v1(?:beta)?/*$")
_VISIBLE = re.compile(r"[\x20-\x7e\xa0-\xff]+")


def build_provider(
    name: str,
    values: Values,
    environment: Mapping[str, str],
    reading: Reading,
    *,
    used: bool,
) -> Provider | None:
    """Apply an entry to the built-in provider of that name, or make a new one.

    Args:
        name: The provider's id.
        values: What the entry says.
        environment: Fills in `${NAME}`.
        reading: Takes mistakes and notices.
        used: Whether a rule sends calls there; only then is a variable missed.

    Returns:
        The provider, or None after a mistake.
    """
    builder = _Builder(name, values, environment, reading, used)
    try:
        return builder.build()
    except Mistake as mistake:
        reading.record(mistake.mark, f"{name}: {mistake}")
        return None


def key_settings(text: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a `Provider` that an `api_key` stands for."""
    text = text.strip()
    if text.lower() in (NO_KEY, AGENT_KEY):
        return {"api_key": Secret(text.lower())}
    if variable := sole_variable(text):
        return {"api_key": None, "key_variables": (variable,)}
    expansion = expand(text, environment)
    if expansion.missing or not expansion.text.strip():
        return {"api_key": None, "key_variables": expansion.missing or expansion.variables}
    return {"api_key": Secret(expansion.text)}


def _facts(entry: Mapping[str, Any]) -> ModelFacts:
    features = frozenset(entry["features"]) if "features" in entry else None
    return ModelFacts(
        title=entry.get("title"),
        context=entry.get("context"),
        max_output=entry.get("max_output"),
        prices=_prices(entry.get("price", ())),
        any_tier="price" in entry,
        features=features,
    )


def _prices(given: Iterable[Mapping[str, Any]]) -> tuple[Price, ...]:
    steps = [
        Price(start=step.get("above", 0), **{name: step[name] for name in step if name != "above"})
        for step in given
        if {"input", "output"} <= step.keys()
    ]
    return tuple(sorted(steps, key=lambda step: step.start))


class _Builder:
    def __init__(
        self,
        name: str,
        values: Values,
        environment: Mapping[str, str],
        reading: Reading,
        used: bool,
    ) -> None:
        self._name = name
        self._values = values
        self._environment = environment
        self._reading = reading
        self._used = used

    def build(self) -> Provider | None:
        values = self._values
        base = BUILT_IN.get(self._name)
        changes: dict[str, Any] = {
            key: values[key] for key in ("dialect", "title", "enabled") if key in values
        }
        if "models" in values:
            changes |= self._models()
        if "api_version" in values:
            changes["query"] = urlencode({"api-version": values["api_version"]})
        if "timeouts" in values:
            changes["timeouts"] = Timeouts(**values["timeouts"])
        if "concurrency" in values and not values["concurrency"].failed:
            counts = {name: int(count) for name, count in values["concurrency"].items()}
            changes["concurrency"] = Concurrency(**counts) if counts.get("running") else None
        if "headers" in values:
            changes["headers"] = self._headers()
        if "api_key" in values:
            changes |= self._key()
        if values.failed & {"base_url", "formats", "region"}:
            return None
        if "region" in values:
            base = self._of_region(base)
        if base is None or "base_url" in values or "formats" in values:
            urls = self._base_urls(base)
            changes |= {"base_urls": urls} | vertex_settings(urls)
        if base is None:
            base = Provider(id=self._name, title=self._name, base_urls={})
        return msgspec.structs.replace(base, **changes)

    def _models(self) -> dict[str, Any]:
        given: tuple[str | Values, ...] = self._values["models"]
        entries = [{"id": model} if isinstance(model, str) else model for model in given]
        entries = [entry for entry in entries if "id" in entry]
        first = [entry["id"] for entry in entries if entry.get("default")]
        if len(first) > 1:
            mark = self._values.marks["models"]
            raise Mistake(mark, f"models: only one can be the default, not {', '.join(first)}")
        for entry in entries:
            steps = [step.start for step in _prices(cast("Any", entry.get("price", ())))]
            if steps and (steps[0] > 0 or len(set(steps)) < len(steps)):
                raise Mistake(
                    self._values.marks["models"],
                    f"models: {entry['id']}: one price is without `above`, for short requests, and"
                    " each other one has its own",
                )
        names = dict.fromkeys([*first, *(entry["id"] for entry in entries)])
        facts = {entry["id"]: _facts(entry) for entry in entries if len(entry) > 1}
        return {"models": tuple(names), "own_facts": facts}

    def _of_region(self, base: Provider | None) -> Provider:
        region, mark = self._values["region"], self._values.marks["region"]
        if base is None or not base.regions:
            raise Mistake(mark, "region: only some built-in providers have regions; give base_url")
        if "base_url" in self._values:
            raise Mistake(mark, "region: it chooses the address, as base_url does; give one")
        if region not in base.regions:
            hint = suggestion(region, base.regions)
            raise Mistake(mark, f"region: unknown region `{region}`{hint}")
        return msgspec.structs.replace(base, base_urls=base.regions[region])

    def _base_urls(self, base: Provider | None) -> dict[FormatName, str]:
        values = self._values
        own: dict[FormatName, str] = dict(base.base_urls) if base else {}
        urls: dict[FormatName, str]
        given: str | dict[FormatName, str] | None = values.get("base_url")
        formats: tuple[FormatName, ...] = values.get("formats", ())
        if given is None:
            if base is None:
                near = suggestion(self._name, BUILT_IN).partition("known:")[0].rstrip("; ")
                message = f"`base_url` is missing, and no built-in provider has this name{near}"
                raise Mistake(values.mark, message)
            urls = own
        elif isinstance(given, str):
            mark = values.marks["base_url"]
            url = self._url(given, mark)
            names = formats or tuple(own) or self._usual_formats(base, url)
            urls = self._shared_url(url, names, mark)
        else:
            mark = values.marks["base_url"]
            named: dict[FormatName, str] = {n: self._url(url, mark) for n, url in given.items()}
            urls = own | named
        for name in formats:
            if name not in urls:
                message = f"there is no URL for the format {name}; give one under `base_url`"
                raise Mistake(values.marks["formats"], message)
        if formats:
            urls = {name: urls[name] for name in formats}
        return urls

    def _usual_formats(self, base: Provider | None, url: str) -> tuple[FormatName, ...]:
        if base is not None:
            return tuple(base.auth)
        return ("gemini",) if is_vertex(url) else ("openai-chat",)

    def _shared_url(
        self, url: str, names: tuple[FormatName, ...], mark: Mark
    ) -> dict[FormatName, str]:
        """Give every format the one URL, in the form that the SDK of each takes."""
        if not _VERSION_AT_END.search(url):
            return dict.fromkeys(names, url)
        bare = _VERSION_AT_END.sub("", url)
        if all(name in _VERSIONLESS for name in names):
            message = f"base_url: the format {names[0]} takes the URL without a version: {bare}"
            self._reading.notices.append(Mistake(mark, message))
            return dict.fromkeys(names, url)
        return {name: bare if name in _VERSIONLESS else url for name in names}

    def _url(self, text: str, mark: Mark) -> str:
        url = self._expand(text, mark, "base_url").strip()
        try:
            parts = urlsplit(url)
            is_complete = parts.scheme in ("http", "https") and bool(parts.hostname)
            _ = parts.port  # raises for what is no port
        except ValueError:
            raise Mistake(mark, "base_url: this is not a URL") from None
        if not is_complete and (self._used or "$" not in text):
            message = "base_url: expected a whole URL such as `http://127.0.0.1:8000/v1`"
            raise Mistake(mark, message)
        if parts.username is not None:
            message = "base_url: a name or password in the URL is not sent; use `headers`"
            raise Mistake(mark, message)
        if parts.query or parts.fragment:
            raise Mistake(mark, "base_url: a URL to which paths are added cannot have a query")
        return url

    def _headers(self) -> tuple[tuple[str, Secret], ...]:
        mark = self._values.marks["headers"]
        headers: list[tuple[str, Secret]] = []
        for name, text in self._values["headers"].items():
            value = self._expand(text, mark, f"headers.{name}").strip()
            if value and not _VISIBLE.fullmatch(value):
                raise Mistake(mark, f"headers.{name}: the value holds what no header can hold")
            headers.append((name, Secret(value)))
        return tuple(headers)

    def _key(self) -> dict[str, Any]:
        """Keep the key, or the name of the variable that will hold it when it is needed."""
        return key_settings(self._values["api_key"], self._environment)

    def _expand(self, text: str, mark: Mark, field: str) -> str:
        expansion = expand(text, self._environment)
        if expansion.missing:
            names = ", ".join(expansion.missing)
            message = f"{field}: set the variable {names} in the environment or in .env"
            if self._used:
                raise Mistake(mark, message)
            self._reading.notices.append(Mistake(mark, message))
        return expansion.text
