"""Batches: each look at one brings it a step further; its lines are answered by this provider.

Page followed: https://platform.openai.com/docs/api-reference/batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import msgspec

from addon.embedded.connection import ReceivedRequest
from addon.embedded.endpoint import Json
from addon.embedded.front import read_json
from addon.embedded.identifiers import unique_name
from addon.embedded.openai_front import CREATED, checked
from addon.embedded.other_endpoints.files import FileStore, page
from addon.embedded.other_endpoints.forms import File
from addon.embedded.refusal import Refusal
from addon.embedded.shapes import (
    ShapeError,
    integer,
    mapping,
    nullable,
    one_of,
    record,
    text,
)
from addon.wire.codec import encode

type Answering = Callable[[str, Json], tuple[int, Json]]
"""Answers a path and a body with a status and a body."""

_DAY = 24 * 3600
_ENDED = ("completed", "failed", "cancelled")
_PATHS = (
    "/v1/responses",
    "/v1/chat/completions",
    "/v1/embeddings",
    "/v1/completions",
    "/v1/moderations",
    "/v1/images/generations",
)
_REQUEST = record(
    {
        "input_file_id": text(shortest=1),
        "endpoint": one_of(*_PATHS),
        "completion_window": one_of("24h"),
    },
    {
        "metadata": nullable(mapping),
        "output_expires_after": nullable(
            record({"anchor": one_of("created_at"), "seconds": integer(3600, 30 * _DAY)})
        ),
    },
)
_LINE = record(
    {
        "custom_id": text(shortest=1),
        "method": one_of("POST"),
        "url": one_of(*_PATHS),
        "body": mapping,
    }
)


@dataclass
class BatchStore:
    """Batches by their ids."""

    files: FileStore
    """Where input comes from and output goes."""
    answer: Answering
    batches: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def create(self, request: ReceivedRequest, _: Sequence[str], turn: int) -> dict[str, Any]:
        """Answer `POST /v1/batches`.

        Raises:
            Refusal: It is ill-formed.
        """
        body = checked(read_json(request), _REQUEST)
        given = self.files.find(body["input_file_id"], 400)
        if given["purpose"] != "batch":
            raise Refusal(
                f"Invalid file purpose '{given['purpose']}': expected 'batch'.",
                param="input_file_id",
            )
        batch: dict[str, Any] = {
            "id": unique_name("batch_", turn),
            "object": "batch",
            "endpoint": body["endpoint"],
            "input_file_id": given["id"],
            "completion_window": "24h",
            "status": "validating",
            "created_at": CREATED,
            "expires_at": CREATED + _DAY,
            "errors": None,
            "output_file_id": None,
            "error_file_id": None,
            "metadata": body.get("metadata"),
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
        }
        self.batches[batch["id"]] = batch
        return batch

    def retrieve(self, _: ReceivedRequest, names: Sequence[str], turn: int) -> dict[str, Any]:
        """Answer `GET /v1/batches/{id}`, after one more step."""
        batch = self._find(names[0])
        match batch["status"]:
            case "validating":
                self._validate(batch)
            case "in_progress":
                self._run(batch)
            case "cancelling":
                batch.update(status="cancelled", cancelled_at=CREATED)
            case _:
                pass
        return batch

    def list(self, request: ReceivedRequest, _: Sequence[str], turn: int) -> dict[str, Any]:
        """Answer `GET /v1/batches`."""
        query = {name: values[-1] for name, values in parse_qs(request.query).items()}
        return page([*self.batches.values()], query, most=100)

    def cancel(self, _: ReceivedRequest, names: Sequence[str], turn: int) -> dict[str, Any]:
        """Answer `POST /v1/batches/{id}/cancel`.

        Raises:
            Refusal: It has ended already.
        """
        batch = self._find(names[0])
        if batch["status"] in _ENDED:
            raise Refusal(f"Cannot cancel a batch with status '{batch['status']}'.", status=409)
        batch.update(status="cancelling", cancelling_at=CREATED)
        return batch

    def _find(self, name: str) -> dict[str, Any]:
        if name not in self.batches:
            raise Refusal(f"No batch found with id '{name}'.", status=404)
        return self.batches[name]

    def _lines(self, batch: dict[str, Any]) -> list[bytes]:
        return self.files.contents[batch["input_file_id"]].splitlines()

    def _validate(self, batch: dict[str, Any]) -> None:
        errors: list[dict[str, Any]] = []
        seen: set[str] = set()
        for number, line in enumerate(self._lines(batch), 1):
            try:
                entry = msgspec.json.decode(line)
                _LINE(entry, ())
            except (msgspec.DecodeError, UnicodeError):
                errors.append(_error(number, "invalid_json_line", "This line is not valid JSON."))
                continue
            except ShapeError as error:
                errors.append(_error(number, "invalid_request", str(error)))
                continue
            if entry["url"] != batch["endpoint"]:
                message = "The URL does not match the endpoint of the batch."
                errors.append(_error(number, "mismatched_url", message))
            if entry["custom_id"] in seen:
                message = "The custom_id of another line is the same."
                errors.append(_error(number, "duplicate_custom_id", message))
            seen.add(entry["custom_id"])
        if not seen and not errors:
            errors.append(_error(0, "empty_file", "The input file is empty."))
        if errors:
            told = {"object": "list", "data": errors}
            batch.update(status="failed", failed_at=CREATED, errors=told)
            return
        batch.update(status="in_progress", in_progress_at=CREATED)
        batch["request_counts"]["total"] = len(seen)

    def _run(self, batch: dict[str, Any]) -> None:
        answered: list[bytes] = []
        refused: list[bytes] = []
        for number, line in enumerate(self._lines(batch)):
            entry = msgspec.json.decode(line)
            status, body = self.answer(entry["url"], entry["body"])
            name = unique_name("batch_req_", batch["id"], number)
            response = {"status_code": status, "request_id": name, "body": body}
            told = {
                "id": name,
                "custom_id": entry["custom_id"],
                "response": response,
                "error": None,
            }
            (answered if status == 200 else refused).append(encode(told) + b"\n")
        for field_name, lines in (("output_file_id", answered), ("error_file_id", refused)):
            if lines:
                made = File(f"{batch['id']}_{field_name}.jsonl", b"".join(lines))
                kept = self.files.keep(made, "batch_output", batch["id"], field_name)
                batch[field_name] = kept["id"]
        batch.update(status="completed", finalizing_at=CREATED, completed_at=CREATED)
        batch["request_counts"].update(completed=len(answered), failed=len(refused))


def _error(line: int, code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "param": None, "line": line or None}
