import pytest

from tests.support.redis_servers import RealRedis, SmallRedis


@pytest.fixture(params=["real", "small"])
def redis_server(request):
    """A running server, which the test may stop and start."""
    if request.param == "real" and not RealRedis.is_installed():
        pytest.skip("redis-server is not installed; the small one of tests/support stands in")
    server = (RealRedis if request.param == "real" else SmallRedis)()
    server.start()
    yield server
    server.stop()
