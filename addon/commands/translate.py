"""`detour translate`: translate one request or one answer, without any network."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import click

from addon.formats.base import FORMAT_NAMES, FormatName
from addon.neutral import DetourError, Loss
from addon.wire.codec import decode, encode

if TYPE_CHECKING:
    import io

CHUNK = 65536
"""Bytes read at a time; a stream is written on as it arrives."""


def _formats() -> click.Choice[str]:
    from addon.formats import FORMATS

    return click.Choice([name for name in FORMAT_NAMES if name in FORMATS])


@click.group()
def translate() -> None:
    """Translate a request or an answer from one format to another."""


@translate.command()
@click.option("--from", "source", type=_formats(), required=True, help="Format that is read.")
@click.option("--to", "target", type=_formats(), required=True, help="Format that is written.")
@click.option(
    "--target",
    "destination",
    metavar="PROVIDER:MODEL",
    help="Where it would go; without it, to the format's owner, keeping the model name.",
)
def request(source: FormatName, target: FormatName, destination: str | None) -> None:
    """Translate the request body on standard input.

    Prints JSON: method, url, headers, body and losses.
    """
    from addon.translation import translate_request

    provider, model = _split(destination)
    try:
        rendered = translate_request(
            sys.stdin.buffer.read(), source, target, model=model, provider=provider
        )
    except DetourError as error:
        raise click.ClickException(str(error)) from None
    document: dict[str, Any] = {
        "method": rendered.method,
        "url": rendered.url,
        "headers": dict(rendered.headers),
        "body": decode(rendered.body),
        "losses": list(rendered.losses),
    }
    click.echo(encode(document).decode())


@translate.command()
@click.option("--from", "source", type=_formats(), required=True, help="Format that is read.")
@click.option("--to", "target", type=_formats(), required=True, help="Format that is written.")
@click.option("--stream", is_flag=True, help="The input is a stream of server-sent events.")
@click.option("--status", type=click.IntRange(100, 599), default=200, help="HTTP status of it.")
@click.option(
    "--request",
    "agent_request",
    type=click.File("rb"),
    help="The agent's request, which says how the answer is to be shaped.",
)
def response(
    source: FormatName,
    target: FormatName,
    *,
    stream: bool,
    status: int,
    agent_request: BinaryIO | None,
) -> None:
    """Translate the answer on standard input.

    Prints the translated bytes; what was lost goes to standard error.
    """
    body = agent_request.read() if agent_request is not None else None
    if stream and status < 400:
        losses = _translate_stream(source, target, body)
    else:
        losses = _translate_whole(source, target, status, body)
    for loss in losses:
        click.echo(f"{loss.action}: {loss.field}: {loss.reason}", err=True)


def _translate_stream(
    source: FormatName, target: FormatName, agent_request: bytes | None
) -> tuple[Loss, ...]:
    from addon.translation import StreamTranslator

    translator = StreamTranslator(source, target, agent_request)
    output = sys.stdout.buffer
    arriving = cast("io.BufferedReader", sys.stdin.buffer)
    while chunk := arriving.read1(CHUNK):
        output.write(translator.feed(chunk))
        output.flush()
    output.write(translator.close())
    output.flush()
    return translator.losses


def _translate_whole(
    source: FormatName, target: FormatName, status: int, agent_request: bytes | None
) -> tuple[Loss, ...]:
    from addon.translation import translate_response_for

    answer = translate_response_for(
        status, (), sys.stdin.buffer.read(), source, target, agent_request
    )
    sys.stdout.buffer.write(answer.body)
    sys.stdout.buffer.flush()
    return answer.losses


def _split(destination: str | None) -> tuple[str | None, str | None]:
    """Split PROVIDER:MODEL at its first colon; `*` keeps the agent's model name."""
    if destination is None:
        return None, None
    provider, colon, model = destination.partition(":")
    if not provider or not colon or not model:
        raise click.UsageError(f"--target takes PROVIDER:MODEL, not {destination!r}")
    return provider, None if model == "*" else model
