"""What all answers of the dashboard have in common: who may have them, and how errors look.

Authorisation is mitmweb's: `AuthRequestHandler` compares the token and keeps a signed cookie, by
functions that stand in the settings of the tornado application.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any, cast, override

import msgspec
from mitmproxy.tools.web.app import AuthRequestHandler
from tornado.web import HTTPError

from addon.dashboard.failures import ApiError
from addon.dashboard.protection import PAGE_HEADERS, check_host
from addon.dashboard.workspace import Workspace

logger = logging.getLogger(__name__)

SETTING = "detour_workspace"
_HOW_TO_ENTER = (
    "open the address that `detour serve` prints: it holds the token"
    " (scripts send `Authorization: Bearer TOKEN`)"
)


class Guarded(AuthRequestHandler):
    """What pages and API have in common."""

    @property
    def workspace(self) -> Workspace:
        """What it is all about."""
        return self.settings[SETTING]

    @override
    def prepare(self) -> None:
        """Refuse what a page elsewhere may have sent."""
        check_host(self.request.host, self.workspace.hosts)

    @override
    async def _execute(self, *arguments: Any, **keywords: Any) -> None:
        """Answer, and be still where the end of the program cuts that short.

        Tornado asks for the result of what was cancelled, which would show as a failure of ours.
        """
        with contextlib.suppress(asyncio.CancelledError):
            await super()._execute(*arguments, **keywords)

    @override
    def check_xsrf_cookie(self) -> None:
        """Leave it to `check_write`, which asks for more."""

    @override
    def set_default_headers(self) -> None:
        for name, value in PAGE_HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    @override
    def _log(self) -> None:
        """Log nothing: addresses hold the token, and mitmproxy's log is for the proxy."""

    @override
    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, ApiError | HTTPError):
            logger.error("the dashboard failed to answer", exc_info=(typ, value, tb))

    @override
    def auth_fail(self, invalid_password: bool) -> None:
        self.set_status(401)
        self.show(ApiError(401, "the token is wrong" if invalid_password else _HOW_TO_ENTER))

    @override
    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tell an error in the API's form, whatever has raised it."""
        error = kwargs.get("exc_info", (None, None))[1]
        if not isinstance(error, ApiError):
            told = getattr(error, "log_message", None) if status_code < 500 else None
            error = ApiError(status_code, told or self._reason)
        self.set_status(error.status)
        self.show(error)

    def show(self, error: ApiError) -> None:
        """Answer with an error."""
        self.set_header("Cache-Control", "no-store")
        self.answer(error.document())

    def answer(self, document: object) -> None:
        """Answer with JSON: a document, or one that is encoded already."""
        content = document if isinstance(document, bytes) else msgspec.json.encode(document)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.set_header("Content-Encoding", "identity")  # mitmweb would hold calls up to compress
        cast("Any", self).finish(content)

    @override
    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None))[1]
        super().send_error(error.status if isinstance(error, ApiError) else status_code, **kwargs)
