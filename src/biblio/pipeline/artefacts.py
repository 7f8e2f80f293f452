"""What one step leaves in storage for the next, as JSON."""

import base64
import io
import json
import sys
from array import array
from typing import Any

from biblio.domain import keys
from biblio.pipeline.services import Services
from biblio.ports.embedder import Vector
from biblio.ports.jobs import Claim


def leave(services: Services, claim: Claim, name: str, content: dict[str, Any]) -> str:
    """Store it under a key that no other attempt uses; the key."""
    key = keys.artefact(claim.video.id, claim.video.generation, claim.attempt, name)
    data = json.dumps(content, ensure_ascii=False).encode()
    services.storage.write(key, io.BytesIO(data), content_type="application/json")
    return key


def fetch(services: Services, key: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(b"".join(services.storage.read(key)))
    return content


def packed(vector: Vector) -> str:
    """Base64 of little-endian float32: a quarter of the digits' length, and exact."""
    return base64.b64encode(_little_endian(array("f", vector)).tobytes()).decode()


def unpacked(text: str) -> Vector:
    values = array("f")
    values.frombytes(base64.b64decode(text))
    return _little_endian(values)


def _little_endian(values: "array[float]") -> "array[float]":
    if sys.byteorder == "big":
        values.byteswap()
    return values
