"""Google's embedding models over HTTP, as google-genai calls them: Vertex AI of a project, and the Gemini API by a key.

It is as strict as the real ones: credentials, model, dimension, texts and tokens of a call.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from tests.emulators.meaning import cut_off, tokens_in
from tests.emulators.paid_service import PaidHandler, PaidService, Reply

KEY = "AIza-of-the-emulator"
PROJECT, LOCATION, MODEL = "talks", "us-central1", "gemini-embedding-001"
VERTEX = re.compile(rf"/v1(?:beta1)?/(?:projects/{PROJECT}/locations/{LOCATION}/)?publishers/google/models/")
GEMINI_API = re.compile(r"/v1(?:beta)?/models/")
MOST_TEXTS, MOST_TOKENS = 100, 20_000
_STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
_STATUS |= {429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}


class GeminiEmulator(PaidService):
    """`retry_delay` in seconds is told in the body of a 429, as `RetryInfo` does."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.retry_delay: int | None = None

    @property
    def vertex(self) -> str:
        return f"google://{PROJECT}/{LOCATION}?model={MODEL}&endpoint={self.url}"

    @property
    def by_key(self) -> str:
        return f"google://?model={MODEL}&key={KEY}&endpoint={self.url}"

    embedder = vertex


class _Handler(PaidHandler):
    @property
    def gemini(self) -> GeminiEmulator:
        assert isinstance(self.server, GeminiEmulator)
        return self.server

    def failure(self, status: int, reason: str) -> dict[str, Any]:
        details: list[dict[str, Any]] = []
        if reason:
            details.append({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason})
        if status == 429 and self.gemini.retry_delay is not None:
            delay = f"{self.gemini.retry_delay}s"
            details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
        name = _STATUS.get(status) or HTTPStatus(status).name
        return {"error": {"code": status, "message": f"Refused: {name}.", "status": name, "details": details}}

    def reply(self, path: str, body: bytes) -> Reply:
        is_vertex = VERTEX.match(path) is not None
        if is_vertex and not (self.headers["Authorization"] or "").startswith("Bearer "):
            return self._refuse(401, "")
        if not is_vertex and self.headers["x-goog-api-key"] != KEY:
            return self._refuse(400, "API_KEY_INVALID")
        model, _, method = (VERTEX if is_vertex else GEMINI_API).sub("", path, count=1).partition(":")
        if model != MODEL:
            return self._refuse(404, "")
        if self.command == "GET":
            return Reply(200, {"name": f"publishers/google/models/{MODEL}" if is_vertex else f"models/{MODEL}"})
        return self._embed(method, json.loads(body), is_vertex)

    def _refuse(self, status: int, reason: str) -> Reply:
        return Reply(status, self.failure(status, reason))

    def _embed(self, method: str, asked: dict[str, Any], is_vertex: bool) -> Reply:
        requests = asked["requests"] if method == "batchEmbedContents" else [asked]
        wishes = [one.get("embedContentConfig", one) for one in requests]
        tasks, sizes = {one["taskType"] for one in wishes}, {one["outputDimensionality"] for one in wishes}
        texts = ["".join(part["text"] for part in one["content"]["parts"]) for one in requests]
        counts = [tokens_in(text) for text in texts]
        if len(texts) > MOST_TEXTS or sum(counts) > MOST_TOKENS or "" in texts or len(tasks | sizes) != 2:
            return self._refuse(400, "")
        rows: list[dict[str, Any]] = [{"values": row} for row in cut_off(texts, sizes.pop())]
        body: dict[str, Any] = {"embedding": rows[0]} if method == "embedContent" else {"embeddings": rows}
        if is_vertex:
            body["usageMetadata"] = {"promptTokenCount": sum(counts)}
        return Reply(200, body, sum(counts), {"texts": texts, "task": tasks.pop(), "method": method})


@contextmanager
def gemini_emulator() -> Iterator[GeminiEmulator]:
    """On a socket of its own, for any process of this machine: `place.vertex` and `place.by_key` are addresses."""
    service = GeminiEmulator()
    with service.running():
        yield service
