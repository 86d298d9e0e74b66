"""Files that come in parts.

Page followed: https://platform.openai.com/docs/api-reference/uploads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from addon.embedded.connection import ReceivedRequest
from addon.embedded.front import read_json
from addon.embedded.identifiers import unique_name
from addon.embedded.openai_front import CREATED, checked
from addon.embedded.other_endpoints.files import EXPIRY, PURPOSES, FileStore
from addon.embedded.other_endpoints.forms import File, file, read_form
from addon.embedded.refusal import Refusal
from addon.embedded.shapes import each, integer, nullable, record, text

LARGEST = 8 * 1024**3
LARGEST_PART = 64 * 1024 * 1024
_FORM_HEAD = 64 * 1024
_HOUR = 3600
_UPLOAD = record(
    {
        "bytes": integer(1, LARGEST),
        "filename": text(shortest=1),
        "mime_type": text(shortest=1),
        "purpose": PURPOSES,
    },
    {"expires_after": EXPIRY},
)
_PART = record({"data": file})
_COMPLETION = record({"part_ids": each(text(), least=1)}, {"md5": nullable(text())})


@dataclass
class UploadStore:
    """Uploads by their ids, each with its parts."""

    kept: FileStore
    """Where complete files go."""
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    parts: dict[str, dict[str, bytes]] = field(default_factory=dict[str, dict[str, bytes]])

    def create(self, request: ReceivedRequest, _: Sequence[str], turn: int) -> dict[str, Any]:
        """Answer `POST /v1/uploads`.

        Raises:
            Refusal: It is ill-formed.
        """
        body = checked(read_json(request), _UPLOAD)
        upload: dict[str, Any] = {
            "id": unique_name("upload_", turn),
            "object": "upload",
            "bytes": body["bytes"],
            "created_at": CREATED,
            "expires_at": CREATED + _HOUR,
            "filename": body["filename"],
            "purpose": body["purpose"],
            "status": "pending",
            "file": None,
        }
        self.uploads[upload["id"]] = upload
        self.parts[upload["id"]] = {}
        return upload

    def add_part(self, request: ReceivedRequest, names: Sequence[str], turn: int) -> dict[str, Any]:
        """Answer `POST /v1/uploads/{id}/parts`.

        Raises:
            Refusal: It is ill-formed, or the upload is not waiting for parts.
        """
        upload = self._pending(names[0])
        form = checked(read_form(request, LARGEST_PART + _FORM_HEAD), _PART)
        part = unique_name("part_", turn)
        self.parts[upload["id"]][part] = form["data"].content
        return {
            "id": part,
            "object": "upload.part",
            "created_at": CREATED,
            "upload_id": upload["id"],
        }

    def complete(self, request: ReceivedRequest, names: Sequence[str], turn: int) -> dict[str, Any]:
        """Answer `POST /v1/uploads/{id}/complete`.

        Raises:
            Refusal: It is ill-formed, or the parts are not what was announced.
        """
        upload = self._pending(names[0])
        body = checked(read_json(request), _COMPLETION)
        parts = self.parts[upload["id"]]
        for part in body["part_ids"]:
            if part not in parts:
                raise Refusal(f"No such Part object: {part}", param="part_ids")
        content = b"".join(parts[part] for part in body["part_ids"])
        if len(content) != upload["bytes"]:
            raise Refusal(
                f"Uploaded bytes ({len(content)}) do not match the expected {upload['bytes']}."
            )
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if body.get("md5", digest) != digest:
            raise Refusal("The md5 checksum does not match the uploaded bytes.", param="md5")
        kept = self.kept.keep(File(upload["filename"], content), upload["purpose"], turn)
        upload.update(status="completed", file=kept)
        return upload

    def cancel(self, _: ReceivedRequest, names: Sequence[str], turn: int) -> dict[str, Any]:
        """Answer `POST /v1/uploads/{id}/cancel`.

        Raises:
            Refusal: The upload has ended already.
        """
        upload = self._pending(names[0])
        upload["status"] = "cancelled"
        return upload

    def _pending(self, name: str) -> dict[str, Any]:
        if name not in self.uploads:
            raise Refusal(f"No such Upload object: {name}", status=404, param="id")
        upload = self.uploads[name]
        if upload["status"] != "pending":
            raise Refusal(f"Upload {name} is {upload['status']}.")
        return upload
