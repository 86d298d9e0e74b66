"""mitmproxy's insides that the adapter touches: where one of these fails, so would the adapter."""

import inspect

import pytest
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Server
from mitmproxy.proxy import events, layer, layers
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import (
    GetHttpConnection,
    GetHttpConnectionCompleted,
    HttpConnection,
    HttpLayer,
    HTTPMode,
    HttpStream,
    ReceiveHttp,
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    ResponseEndOfMessage,
)
from mitmproxy.proxy.server import ConnectionHandler
from mitmproxy.test import taddons, tflow, tutils

from addon.engine import Head
from addon.interceptor.adapter import (
    AnswerConnection,
    AnswerEvent,
    AnsweringHttpLayer,
    install,
    response_of,
)


def parameters(function):
    return list(inspect.signature(function).parameters)


def test_the_methods_that_are_replaced_or_called():
    assert parameters(HttpLayer.get_connection) == ["self", "event", "reuse"]
    assert parameters(HttpLayer.event_to_child) == ["self", "child", "event"]
    assert parameters(HttpConnection.__init__) == ["self", "context", "conn"]
    assert parameters(ConnectionHandler.server_event) == ["self", "event"]
    assert parameters(ConnectionHandler.drain_writers) == ["self"]
    assert parameters(ConnectionHandler.handle_hook) == ["self", "hook"]
    assert inspect.iscoroutinefunction(ConnectionHandler.handle_hook)
    assert inspect.iscoroutinefunction(ConnectionHandler.server_event)
    assert inspect.iscoroutinefunction(ConnectionHandler.drain_writers)
    assert issubclass(AnswerEvent, events.ConnectionEvent)
    assert {"connections", "find_delivery"} <= {
        *HttpLayer.__annotations__,
        *AnsweringHttpLayer.__annotations__,
    }
    assert "connections" in Proxyserver.__annotations__


@pytest.fixture
async def context():
    with taddons.context(Proxyserver()) as running:
        yield Context(tflow.tclient_conn(), running.options)


async def test_a_layer_is_found_and_replaced_anywhere_in_a_stack(context):
    outer = layers.ServerTLSLayer(context)
    outer.child_layer = layers.ClientTLSLayer(context)
    outer.child_layer.child_layer = http = HttpLayer(context, HTTPMode.transparent)
    install(outer, lambda _: None)
    assert type(http) is AnsweringHttpLayer
    install(None, lambda _: None)
    other = layers.TCPLayer(context)
    install(other, lambda _: None)
    assert type(other) is layers.TCPLayer


async def test_a_subclass_of_somebody_elses_is_left_alone(context):
    class Other(HttpLayer):
        pass

    other = Other(context, HTTPMode.transparent)
    install(other, lambda _: None)
    assert type(other) is Other


class Delivery:
    def __init__(self):
        self.calls = []

    def start(self, server):
        self.calls.append("start")

    def cancel(self):
        self.calls.append("cancel")

    def receive(self, data):
        self.calls.append(data)


async def test_a_flow_with_a_delivery_gets_a_connection_without_a_socket(context):
    """The dialogue that the layer has with a stream, step by step."""
    delivery = Delivery()
    http = HttpLayer(context, HTTPMode.transparent)
    install(http, lambda _: delivery)
    stream = HttpStream(context.fork(), 1)
    stream.flow = tflow.tflow()
    command = GetHttpConnection(("provider.example", 443), tls=True, via=None)
    http.command_sources[command] = stream
    completed = []
    stream.handle_event = lambda event: completed.append(event) or iter(())
    assert list(http.get_connection(command)) == []

    (event,) = completed
    assert isinstance(event, GetHttpConnectionCompleted)
    server, error = event.reply
    assert error is None
    assert server.address == ("provider.example", 443)
    assert command not in http.command_sources
    assert isinstance(http.connections[server], AnswerConnection)


async def test_events_become_what_a_server_connection_would_say(context):
    server, delivery = Server(address=("provider.example", 443)), Delivery()
    connection = AnswerConnection(context, server, delivery)

    def say(event):
        return [command.event for command in connection.handle_event(event)]

    say(RequestHeaders(3, tutils.treq(http_version=b"HTTP/1.1"), end_stream=False))
    say(RequestEndOfMessage(3))
    assert delivery.calls == ["start"]
    (headers,) = say(AnswerEvent(server, Head(200, (("content-type", "text/plain"),))))
    assert (headers.stream_id, headers.end_stream) == (3, False)
    assert headers.response.headers["transfer-encoding"] == "chunked"
    (data,) = say(AnswerEvent(server, b"abc"))
    assert (data.stream_id, data.data) == (3, b"abc")
    (end,) = say(AnswerEvent(server, None))
    assert (type(end).__name__, end.stream_id) == ("ResponseEndOfMessage", 3)
    assert connection.finished
    assert say(AnswerEvent(server, b"late")) == []


async def test_a_granted_upgrade_makes_a_pipe_of_the_connection(context):
    server, delivery = Server(address=("provider.example", 443)), Delivery()
    connection = AnswerConnection(context, server, delivery)

    def say(event):
        return [command.event for command in connection.handle_event(event)]

    say(RequestHeaders(1, tutils.treq(http_version=b"HTTP/1.1"), end_stream=True))
    say(RequestData(1, b"a body"))
    say(RequestEndOfMessage(1))
    headers, end = say(AnswerEvent(server, Head(101, (("upgrade", "websocket"),))))
    assert "transfer-encoding" not in headers.response.headers
    assert isinstance(end, ResponseEndOfMessage)
    say(RequestData(1, b"from the agent"))
    assert delivery.calls == ["start", b"from the agent"]
    (data,) = say(AnswerEvent(server, b"to the agent"))
    assert data.data == b"to the agent"
    (end,) = say(AnswerEvent(server, None))
    assert isinstance(end, ResponseEndOfMessage)


async def test_an_answer_without_a_head_is_an_error_not_a_hang(context):
    server = Server(address=("provider.example", 443))
    connection = AnswerConnection(context, server, Delivery())
    (command,) = connection.handle_event(AnswerEvent(server, None))
    assert isinstance(command, ReceiveHttp)
    assert type(command.event).__name__ == "ResponseProtocolError"


async def test_an_agent_that_leaves_cancels_the_answer(context):
    from mitmproxy.proxy.layers.http import ErrorCode, RequestProtocolError

    server, delivery = Server(address=("provider.example", 443)), Delivery()
    connection = AnswerConnection(context, server, delivery)
    list(connection.handle_event(RequestProtocolError(1, "gone", ErrorCode.CLIENT_DISCONNECTED)))
    assert delivery.calls == ["cancel"]
    assert connection.finished


@pytest.mark.parametrize(
    ("version", "headers", "framing"),
    [
        ("HTTP/1.1", (), {"transfer-encoding": "chunked"}),
        ("HTTP/1.1", (("content-length", "3"),), {"content-length": "3"}),
        ("HTTP/1.0", (), {}),
        ("HTTP/2.0", (), {}),
    ],
)
def test_bodies_are_framed_as_the_agents_protocol_wants_it(version, headers, framing):
    response = response_of(Head(200, (("x-a", "ü"), *headers)), version)
    assert dict(response.headers) == {"x-a": "ü", **framing}
    assert response.reason == "OK"


def test_the_layer_that_wraps_others_is_what_it_was():
    assert "layer" in layer.NextLayer.__annotations__
