"""The paths beside those for answers.

Page followed: https://platform.openai.com/docs/api-reference/introduction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import urljoin

from addon.embedded.connection import ReceivedRequest
from addon.embedded.endpoint import Json, Reply
from addon.embedded.openai_front import answer_headers, check_key, error_body
from addon.embedded.other_endpoints import infill, realtime
from addon.embedded.other_endpoints.batches import Answering, BatchStore
from addon.embedded.other_endpoints.completions import complete
from addon.embedded.other_endpoints.embeddings import embed
from addon.embedded.other_endpoints.files import FileStore
from addon.embedded.other_endpoints.images import edit, generate, vary
from addon.embedded.other_endpoints.moderations import moderate
from addon.embedded.other_endpoints.speech import speak
from addon.embedded.other_endpoints.transcriptions import transcribe, translate
from addon.embedded.other_endpoints.uploads import UploadStore
from addon.embedded.refusal import Refusal

type Handler = Callable[[ReceivedRequest, Sequence[str], int], Reply]
"""Answers a request, given what its path names, and its number."""

_SERVED = re.compile(
    r"/v1/(embeddings|completions|moderations|audio|images|files|uploads|batches|realtime)(/|$)"
    r"|/beta/completions$|/v1/fim/completions$|/infill$"
)


class OtherEndpoints:
    """Embeddings, completions, moderations, sound, images, files, batches, realtime."""

    def __init__(self, answer: Answering) -> None:
        """Begin with nothing kept; `answer` answers the lines of batches."""
        files = FileStore()
        uploads, batches = UploadStore(files), BatchStore(files, answer)
        routes: tuple[tuple[str, str, Handler], ...] = (
            ("POST", "embeddings", embed),
            ("POST", "completions", complete),
            ("POST", "moderations", moderate),
            ("POST", "audio/speech", speak),
            ("POST", "audio/transcriptions", transcribe),
            ("POST", "audio/translations", translate),
            ("POST", "images/generations", generate),
            ("POST", "images/edits", edit),
            ("POST", "images/variations", vary),
            ("POST", "files", files.create),
            ("GET", "files", files.list),
            ("GET", "files/*", files.retrieve),
            ("DELETE", "files/*", files.delete),
            ("GET", "files/*/content", files.content),
            ("POST", "uploads", uploads.create),
            ("POST", "uploads/*/parts", uploads.add_part),
            ("POST", "uploads/*/complete", uploads.complete),
            ("POST", "uploads/*/cancel", uploads.cancel),
            ("POST", "batches", batches.create),
            ("GET", "batches", batches.list),
            ("GET", "batches/*", batches.retrieve),
            ("POST", "batches/*/cancel", batches.cancel),
            ("GET", "realtime", realtime.connect),
            ("POST", "realtime/client_secrets", realtime.make_secret),
            ("POST", "realtime/calls", realtime.call),
            ("POST", "fim/completions", infill.mistral),
            ("POST", "/beta/completions", infill.deepseek),
            ("POST", "/infill", infill.llama),
        )
        self._routes = [
            (method, re.compile(urljoin("/v1/", path).replace("*", "([^/]+)")), handler)
            for method, path, handler in routes
        ]

    def serves(self, request: ReceivedRequest) -> bool:
        """Take what OpenAI has there, unless a header tells of Anthropic."""
        is_other = request.header("anthropic-version") is not None
        return not is_other and _SERVED.match(request.path) is not None

    def reply(self, request: ReceivedRequest, turn: int) -> Reply:
        """Answer a call."""
        known = False
        for method, path, handler in self._routes:
            if found := path.fullmatch(request.path):
                known = True
                if method == request.method:
                    check_key(request)
                    return handler(request, found.groups(), turn)
        if known:
            raise Refusal(
                f"Not allowed to {request.method} on {request.path}. (HINT: Perhaps you meant to "
                "use a different HTTP method?)",
                status=405,
                code="method_not_supported",
            )
        raise Refusal(f"Invalid URL ({request.method} {request.path})", status=404)

    def headers(self, turn: int) -> list[tuple[str, str]]:
        """Return the id and the rate limits."""
        return answer_headers(turn)

    def error_body(self, refusal: Refusal, request: ReceivedRequest, turn: int) -> Json:
        """Return the body of an error answer."""
        return error_body(refusal)
