"""Who may see the dashboard and write by it: by mitmweb's server and by our own."""

import socket
from collections.abc import AsyncIterator

import pytest
from mitmproxy.exceptions import OptionsError

from addon.dashboard import Dashboard
from addon.dashboard.protection import PAGE_HEADERS
from addon.interceptor import Interceptor
from tests.support.dashboard import Page, running_dashboard
from tests.support.proxy import Proxy, running_proxy

RULES = "version: 1\nrules: [{name: all, use: anthropic:claude-sonnet-5-5}]\n"


@pytest.fixture(params=["own", "mitmweb"])
async def entered(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Page, Proxy]]:
    async with running_dashboard(RULES, mitmweb=request.param == "mitmweb") as entered:
        yield entered


async def test_the_address_that_is_printed_lets_one_in(entered: tuple[Page, Proxy]) -> None:
    page, _ = entered
    opened = await page.client.get(f"{page.origin}/detour/")
    assert opened.headers["content-type"].startswith("text/html")
    assert (await page.get("status"))["mitmweb"] == ("mitmproxy" in str(page.client.cookies))
    (cookie,) = [c for c in page.client.cookies.jar if "xsrf" not in c.name]
    assert cookie.get_nonstandard_attr("SameSite") == "Strict"
    assert cookie.has_nonstandard_attr("HttpOnly")


async def test_the_token_does_not_stay_in_the_address_bar(entered: tuple[Page, Proxy]) -> None:
    page, _ = entered
    page.client.cookies.clear()
    opened = await page.client.get(page.url)
    assert (opened.status_code, opened.headers["location"]) == (303, "/detour/")
    bare = await page.client.get(page.url.replace("/detour/", "/detour"), follow_redirects=True)
    assert bare.url.path == "/detour/"
    assert not bare.url.query


@pytest.mark.parametrize("path", ["", "api/status", "api/nothing", "static/app.js", "api/stream"])
async def test_without_the_token_nothing_is_shown(entered: tuple[Page, Proxy], path: str) -> None:
    page, _ = entered
    page.client.cookies.clear()
    for query in ("", "?token=", "?token=wrong", "?token=%ff"):
        refused = await page.client.get(f"{page.origin}/detour/{path}{query}")
        assert refused.status_code in (400, 401), refused.text
        assert set(refused.json()["error"]) == {"message"}
        assert not refused.cookies


async def test_scripts_send_the_token_with_each_request(entered: tuple[Page, Proxy]) -> None:
    page, _ = entered
    page.client.cookies.clear()
    bearer = {"Authorization": f"Bearer {page.token}"}
    answer = await page.ask("GET", "status", headers=bearer)
    assert answer.json()["csrf"] == page.csrf


async def test_every_answer_is_locked_down(entered: tuple[Page, Proxy]) -> None:
    page, _ = entered
    for path in ("", "nothing", "api/status", "api/nothing", "static/"):
        answer = await page.client.get(f"{page.origin}/detour/{path}")
        assert PAGE_HEADERS.items() <= {n: answer.headers.get(n) for n in PAGE_HEADERS}.items()
        assert answer.headers["cache-control"] in ("no-store", "no-cache")
    assert (await page.ask("GET", "status")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "["])
async def test_nobody_gets_here_by_a_name_of_their_own(
    entered: tuple[Page, Proxy], host: str
) -> None:
    page, _ = entered
    answer = await page.ask("GET", "status", headers={"Host": host})
    assert answer.status_code in (400, 403)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"X-Detour-CSRF": "wrong"}, 403),
        ({"X-Detour-CSRF": ""}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
async def test_a_write_that_may_come_from_elsewhere_is_refused(
    entered: tuple[Page, Proxy], change: dict[str, str], status: int
) -> None:
    page, proxy = entered
    before = proxy.rules.read_text()
    body = {"revision": await page.revision(), "default": "block"}
    answer = await page.ask("PUT", "rules/default", body, headers={**page.headers, **change})
    assert answer.status_code == status, answer.text
    assert proxy.rules.read_text() == before


async def test_a_path_cannot_leave_the_folder_of_pages(entered: tuple[Page, Proxy]) -> None:
    page, _ = entered
    for path in ("%2e%2e/handlers.py", "static/..%2fhandlers.py", "%00", "a/"):
        answer = await page.client.get(f"{page.origin}/detour/{path}")
        assert 400 <= answer.status_code < 500
        assert "message" in answer.json()["error"]


async def test_what_is_not_there_is_said_in_json(entered: tuple[Page, Proxy]) -> None:
    page, _ = entered
    assert (await page.ask("GET", "nothing")).status_code == 404
    assert (await page.ask("POST", "status")).status_code == 405
    assert (await page.ask("GET", "%ff")).status_code == 400


async def test_the_address_is_told_to_the_owner_of_the_home_alone() -> None:
    async with running_dashboard(RULES) as (page, proxy):
        file = proxy.interceptor._read_settings().home / "dashboard.url"
        assert file.read_text() == f"{page.url}\n"
        assert file.stat().st_mode & 0o777 == 0o600
        assert proxy.master.commands.call("detour.dashboard") == page.url
        assert page.token not in "\n".join(
            line for line in proxy.logs.lines if not line.startswith("HTTP Request")
        )
    assert not file.exists()


async def test_it_can_be_switched_off() -> None:
    interceptor = Interceptor()
    dashboard = Dashboard(interceptor.books)
    off = {"interceptor": interceptor, "dashboard": dashboard, "detour_dashboard": "off"}
    async with running_proxy(RULES, **off) as proxy:
        assert dashboard.url is None
        assert "not served" in proxy.master.commands.call("detour.dashboard")


async def test_where_the_usual_port_is_taken_another_one_will_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = taken.getsockname()
        monkeypatch.setattr("addon.dashboard.addon._USUAL", place)
        async with running_dashboard(RULES, where="auto") as (page, _):
            assert str(place[1]) not in page.origin
        interceptor = Interceptor()
        dashboard = Dashboard(interceptor.books)
        where = f"127.0.0.1:{place[1]}"
        told = {"interceptor": interceptor, "dashboard": dashboard, "detour_dashboard": where}
        async with running_proxy(RULES, **told) as proxy:  # which runs all the same
            assert dashboard.url is None
        assert any("The dashboard is not served" in line for line in proxy.logs.lines)


@pytest.mark.parametrize("where", ["", "here", "127.0.0.1", "127.0.0.1:70000", "1:2:x"])
async def test_an_option_that_cannot_be_read_is_said(where: str) -> None:
    with pytest.raises(OptionsError, match="detour_dashboard must be"):
        async with running_dashboard(RULES, where=where):
            pass


async def test_the_token_is_in_no_log(entered: tuple[Page, Proxy]) -> None:
    page, proxy = entered
    await page.client.get(f"{page.origin}/detour/nothing?token={page.token}")
    await page.client.get(f"{page.origin}/detour/api/nothing?token={page.token}")
    others = ("Web server listening", "HTTP Request:")  # mitmweb's own, and this test's client
    ours = [line for line in proxy.logs.lines if not line.startswith(others)]
    assert page.token not in "\n".join(ours)
