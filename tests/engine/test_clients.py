import logging

from addon.engine import ClientPool
from addon.providers import Timeouts
from tests.support.servers import ScriptedServer


async def test_the_pool_keeps_quiet_where_everything_is_logged(caplog):
    async def answer(exchange):
        await exchange.answer(b"{}")

    caplog.set_level(logging.DEBUG)
    pool = ClientPool()
    async with ScriptedServer(answer) as server:
        response = await pool.open("POST", f"{server.url}/v1/x", (), b"{}", Timeouts())
        assert await response.aread() == b"{}"
        await response.aclose()
        await pool.aclose()
    assert not [record for record in caplog.records if record.name.startswith("http")]
