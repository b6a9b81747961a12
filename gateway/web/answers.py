"""JSON answers, written by msgspec: quick, dates in ISO 8601, canonical documents as they are kept."""

from typing import Any

import msgspec
from fastapi.responses import Response


def json_answer(value: Any, status: int = 200) -> Response:
    """A value as a JSON answer."""
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")
