"""Files that the provider keeps.

Page followed: https://platform.openai.com/docs/api-reference/files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any
from urllib.parse import parse_qs

from addon.embedded.connection import ReceivedRequest
from addon.embedded.identifiers import unique_name
from addon.embedded.openai_front import CREATED, checked
from addon.embedded.other_endpoints.forms import File, file, read_form
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import Content
from addon.embedded.shapes import integer, nullable, one_of, record

LARGEST = 512 * 1024 * 1024
PURPOSES = one_of("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
EXPIRY = nullable(
    record({"anchor": one_of("created_at"), "seconds": integer(3600, 30 * 24 * 3600)})
)
_LINES = ("batch", "fine-tune")
"""Purposes of files that hold a JSON document in each line."""
_READABLE = (*_LINES, "batch_output", "fine-tune-results", "evals")
"""Purposes of files whose content is given back."""
_REQUEST = record({"file": file, "purpose": PURPOSES}, {"expires_after": EXPIRY})


@dataclass
class FileStore:
    """Files by their ids."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    contents: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def keep(self, given: File, purpose: str, *origin: object) -> dict[str, Any]:
        """Remember a file; return what is told of it.

        Raises:
            Refusal: A file for this purpose looks otherwise.
        """
        if purpose in _LINES and PurePath(given.name).suffix != ".jsonl":
            raise Refusal(f"Invalid file format for {purpose}. Must be .jsonl", param="file")
        kept: dict[str, Any] = {
            "id": unique_name("file-", *origin),
            "object": "file",
            "bytes": len(given.content),
            "created_at": CREATED,
            "expires_at": None,
            "filename": given.name,
            "purpose": purpose,
            "status": "processed",
            "status_details": None,
        }
        self.files[kept["id"]] = kept
        self.contents[kept["id"]] = given.content
        return kept

    def find(self, name: str, status: int = 404) -> dict[str, Any]:
        """Return what is told of a file.

        Raises:
            Refusal: There is none of this id.
        """
        if name not in self.files:
            raise Refusal(f"No such File object: {name}", status=status, param="id")
        return self.files[name]

    def create(self, request: ReceivedRequest, _: Sequence[str], turn: int) -> dict[str, Any]:
        """Answer `POST /v1/files`.

        Raises:
            Refusal: It is ill-formed.
        """
        form = checked(read_form(request, LARGEST, ["seconds"]), _REQUEST)
        kept = self.keep(form["file"], form["purpose"], turn)
        if "expires_after" in form:
            kept["expires_at"] = CREATED + form["expires_after"]["seconds"]
        return kept

    def list(self, request: ReceivedRequest, _: Sequence[str], turn: int) -> dict[str, Any]:
        """Answer `GET /v1/files`.

        Raises:
            Refusal: The query is ill-formed.
        """
        query = {name: values[-1] for name, values in parse_qs(request.query).items()}
        purpose = query.pop("purpose", None)
        found = [one for one in self.files.values() if purpose in (None, one["purpose"])]
        return page(found, query, most=10_000)

    def retrieve(self, _: ReceivedRequest, names: Sequence[str], turn: int) -> dict[str, Any]:
        """Answer `GET /v1/files/{id}`."""
        return self.find(names[0])

    def content(self, _: ReceivedRequest, names: Sequence[str], turn: int) -> Content:
        """Answer `GET /v1/files/{id}/content`.

        Raises:
            Refusal: There is none, or it is of a purpose whose files are not given back.
        """
        purpose = self.find(names[0])["purpose"]
        if purpose not in _READABLE:
            raise Refusal(f"Not allowed to download files of purpose: {purpose}")
        return Content(self.contents[names[0]], "application/octet-stream")

    def delete(self, _: ReceivedRequest, names: Sequence[str], turn: int) -> dict[str, Any]:
        """Answer `DELETE /v1/files/{id}`."""
        self.find(names[0])
        del self.files[names[0]], self.contents[names[0]]
        return {"id": names[0], "object": "file", "deleted": True}


def page(found: Sequence[dict[str, Any]], query: dict[str, str], most: int) -> dict[str, Any]:
    """Return the part of a list that a query asks for, newest first.

    Raises:
        Refusal: The query is ill-formed.
    """
    if unknown := query.keys() - {"after", "limit", "order"}:
        raise Refusal(f"Unknown query parameter: '{min(unknown)}'.", param=min(unknown))
    limit = query.get("limit", "20")
    if not limit.isdecimal() or not 1 <= int(limit) <= most:
        raise Refusal(f"Invalid 'limit': integer from 1 to {most} expected.", param="limit")
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise Refusal("Invalid value for 'order': expected 'asc' or 'desc'.", param="order")
    listed = [*found] if order == "asc" else [*reversed(found)]
    if after := query.get("after"):
        ids = [one["id"] for one in listed]
        if after not in ids:
            raise Refusal(f"Invalid 'after': no object with the id '{after}'.", param="after")
        listed = listed[ids.index(after) + 1 :]
    shown = listed[: int(limit)]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(shown) < len(listed),
    }
