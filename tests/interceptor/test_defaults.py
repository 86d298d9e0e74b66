import re

import pytest
from mitmproxy.options import Options

from addon.interceptor.defaults import Defaults


@pytest.fixture
def options():
    made = Options()
    made.add_option("connection_strategy", str, "eager", "")
    return made


def test_what_detour_needs_is_set(options):
    Defaults(options).apply_fixed()
    assert options.connection_strategy == "lazy"
    assert options.http2 is False


def test_what_the_user_has_set_stays():
    options = Options()
    options.add_option("connection_strategy", str, "something", "")
    options.update(connection_strategy="eager")
    Defaults(options).apply_fixed()
    assert options.connection_strategy == "eager"


def test_only_the_hosts_of_the_rules_are_opened(options):
    defaults = Defaults(options)
    defaults.apply_hosts(["api.openai.com"])
    (pattern,) = options.allow_hosts
    assert re.search(pattern, "api.openai.com:443")
    for other in ("api-openai.com:443", "api.openai.com.evil.example:443", "xapi.openai.com:443"):
        assert not re.search(pattern, other)


def test_the_hosts_follow_the_rules(options):
    defaults = Defaults(options)
    defaults.apply_hosts(["a"])
    defaults.apply_hosts(["a", "b"])
    assert len(options.allow_hosts) == 2
    defaults.release()
    assert options.allow_hosts == []
    Defaults(options).apply_hosts(["c"])
    assert options.allow_hosts == [r"^c(:\d+)?$"]


@pytest.mark.parametrize("name", ["allow_hosts", "ignore_hosts"])
def test_hosts_of_the_user_stay(options, name):
    options.update(**{name: ["mine"]})
    defaults = Defaults(options)
    defaults.apply_hosts(["a"])
    defaults.release()
    assert getattr(options, name) == ["mine"]
    assert sorted([*options.allow_hosts, *options.ignore_hosts]) == ["mine"]


def test_hosts_that_the_user_changes_later_stay(options):
    defaults = Defaults(options)
    defaults.apply_hosts(["a"])
    options.update(allow_hosts=["mine"])
    defaults.apply_hosts(["a", "b"])
    defaults.apply_hosts(["a", "b", "c"])
    assert options.allow_hosts == ["mine"]
