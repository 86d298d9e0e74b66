from pathlib import Path

import pytest
from mitmproxy import exceptions
from mitmproxy.options import Options
from mitmproxy.test import taddons

from addon.interceptor import Interceptor
from addon.interceptor.options import add_options, read_settings
from addon.vault import Limits


@pytest.fixture
def options():
    made = Options()

    class Loader:
        add_option = staticmethod(made.add_option)

    add_options(Loader())
    return made


def test_the_defaults(options):
    settings = read_settings(options)
    assert settings.rules == Path("rules.yaml")
    assert settings.home == Path.home() / ".detour"
    assert (settings.flow_limit, settings.body_limit, settings.keep_alive) == (500, 64 << 20, 15)
    assert settings.vault_limits == Limits(size=512 << 20, age=30 * 86400)
    assert settings.vault.reveal() == ""


def test_the_password_of_the_vault_comes_from_the_environment(options, monkeypatch, tmp_path):
    monkeypatch.setenv("VAULT_PASSWORD", "secret")
    options.update(detour_vault="redis://:${VAULT_PASSWORD}@host:6379/1")
    settings = read_settings(options)
    assert settings.vault.reveal() == "redis://:secret@host:6379/1"
    assert "secret" not in repr(settings)
    monkeypatch.delenv("VAULT_PASSWORD")
    (tmp_path / ".env").write_text("VAULT_PASSWORD=of-the-file")
    options.update(detour_rules=str(tmp_path / "rules.yaml"))
    assert read_settings(options).vault.reveal() == "redis://:of-the-file@host:6379/1"


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("detour_flow_limit", "many", "detour_flow_limit must be a number, not 'many'"),
        ("detour_flow_limit", "1.5", "must be a number"),
        ("detour_flow_limit", "-1", "between 0 and"),
        ("detour_keep_alive", "nan", "between 0 and"),
        ("detour_keep_alive", "soon", "must be a number"),
        ("detour_body_limit", "big", "detour_body_limit must be a size such as 64m, not 'big'"),
        ("detour_body_limit", "0", "must be a size"),
        ("detour_vault_size", "much", "must be a size"),
        ("detour_vault_days", "-1", "between 0 and"),
        ("detour_vault", "postgres://:secret@host", "must be a URL such as redis://"),
        ("detour_vault", "redis://:${NOT_SET_ANYWHERE}@host", "names NOT_SET_ANYWHERE, which is"),
        ("detour_rules", "", "detour_rules must not be empty"),
    ],
)
async def test_what_cannot_be_read_keeps_mitmproxy_from_starting(name, value, complaint):
    interceptor = Interceptor()
    with taddons.context(interceptor) as context:
        with pytest.raises(exceptions.OptionsError, match=complaint):
            context.configure(interceptor, **{name: value})
        context.configure(interceptor, detour_flow_limit="7")


def test_every_option_is_text(options):
    """mitmproxy drops a script whose typed option cannot be read and goes on without it."""
    names = [name for name in options.keys() if name.startswith("detour_")]  # noqa: SIM118
    assert len(names) > 10
    assert {options._options[name].typespec for name in names} == {str}
