"""A service that speaks OpenAI's protocol over HTTP: transcriptions, embeddings, the list of models.

It is as strict as the real one: key, model, size of file, length of texts.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from biblio.adapters.speech.openai_names import LANGUAGES, NAMES
from biblio.domain.transcript import Word
from tests.emulators.hearing import Ear, seconds_of, tones
from tests.emulators.meaning import meant, tokens_in
from tests.emulators.paid_service import PaidHandler, PaidService, Reply, fields_of

KEY = "sk-of-the-emulator"
SPEECH, PLAIN_SPEECH, EMBEDDER = "whisper-1", "gpt-transcribe", "text-embedding-3-small"
MODELS = {SPEECH: 0, PLAIN_SPEECH: 0, EMBEDDER: 1536, "text-embedding-3-large": 3072}
SEGMENT = 4
"""Words of a segment."""
MOST_BYTES, MOST_TEXTS, MOST_TOKENS, LONGEST_TEXT = 25 * 1024**2, 2048, 300_000, 8192
TRANSCRIPTIONS, EMBEDDINGS = "/v1/audio/transcriptions", "/v1/embeddings"


class OpenaiEmulator(PaidService):
    """`ear` hears. `tells_words` False: like many servers, it gives segments only."""

    def __init__(self, ear: Ear) -> None:
        super().__init__(_Handler)
        self.ear = ear
        self.tells_words = True

    @property
    def address(self) -> str:
        return f"openai://:{KEY}@127.0.0.1:{self.server_address[1]}/v1"

    @property
    def speech(self) -> str:
        return f"{self.address}?model={SPEECH}"

    @property
    def embedder(self) -> str:
        return f"{self.address}?model={EMBEDDER}"


class _Handler(PaidHandler):
    @property
    def openai(self) -> OpenaiEmulator:
        return cast(OpenaiEmulator, self.server)

    def failure(self, status: int, reason: str) -> dict[str, Any]:
        said = f"Refused for {reason or status}."
        return {"error": {"message": said, "type": "error", "param": None, "code": reason or None}}

    def reply(self, path: str, body: bytes) -> Reply:
        if self.headers["Authorization"] != f"Bearer {KEY}":
            return self._refuse(401, "invalid_api_key")
        if path == TRANSCRIPTIONS and self.command == "POST":
            return self._transcribe(*fields_of(self.headers["Content-Type"], body))
        if path == EMBEDDINGS and self.command == "POST":
            return self._embed(json.loads(body))
        if path == "/v1/models":
            return Reply(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS]})
        return self._refuse(404, "")

    def _refuse(self, status: int, reason: str) -> Reply:
        return Reply(status, self.failure(status, reason))

    def _transcribe(self, fields: dict[str, list[str]], file: bytes) -> Reply:
        model, form = fields["model"][0], fields.get("response_format", ["json"])[0]
        language = next(iter([*fields.get("language", ()), *fields.get("languages[]", ())]), None)
        if MODELS.get(model) != 0:
            return self._refuse(404, "model_not_found")
        if len(file) > MOST_BYTES:
            return self._refuse(413, "")
        if form != ("verbose_json" if model == SPEECH else "json") or language not in (None, *LANGUAGES):
            return self._refuse(400, "unsupported_value")
        seconds = seconds_of(file)
        words, heard = self.openai.ear(file, language)
        text = _said(words).strip()
        body: dict[str, Any] = {"text": text, "usage": {"type": "duration", "seconds": seconds}}
        if form == "json":
            body["languages"] = [{"code": heard}] if heard else []
        else:
            grains = fields.get("timestamp_granularities[]", ["segment"])
            body |= {"task": "transcribe", "language": NAMES.get(heard, ""), "duration": seconds}
            body |= self._times(words, grains)
        return Reply(200, body, seconds, {"language": language, "model": model, "bytes": len(file)})

    def _times(self, words: Sequence[Word], grains: Sequence[str]) -> dict[str, Any]:
        """Words bare of punctuation and blanks, as the real service lists them."""
        times: dict[str, Any] = {}
        if "segment" in grains:
            times["segments"] = [
                {"id": number, "start": group[0].start, "end": group[-1].end, "text": _said(group)}
                for number, group in enumerate(_groups(words))
            ]
        if "word" in grains and self.openai.tells_words:
            bare = [(word.text.strip(" ,.?!"), word.start, word.end) for word in words]
            times["words"] = [{"word": text, "start": start, "end": end} for text, start, end in bare]
        return times

    def _embed(self, asked: dict[str, Any]) -> Reply:
        size = MODELS.get(asked["model"])
        if not size:
            return self._refuse(404, "model_not_found")
        texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
        counts = [tokens_in(text) for text in texts]
        too_much = len(texts) > MOST_TEXTS or sum(counts) > MOST_TOKENS or max(counts) > LONGEST_TEXT
        if too_much or "" in texts:
            return self._refuse(400, "invalid_input")
        vectors = meant(texts, asked.get("dimensions") or size)
        data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
        usage = {"prompt_tokens": sum(counts), "total_tokens": sum(counts)}
        # The protocol promises an index, not an order.
        body = {"object": "list", "model": asked["model"], "data": data[::-1], "usage": usage}
        return Reply(200, body, sum(counts), {"texts": texts, "dimensions": asked.get("dimensions")})


def _groups(words: Sequence[Word]) -> list[Sequence[Word]]:
    return [words[first : first + SEGMENT] for first in range(0, len(words), SEGMENT)]


def _said(words: Sequence[Word]) -> str:
    return "".join(word.text for word in words)


@contextmanager
def openai_emulator(ear: Ear = tones) -> Iterator[OpenaiEmulator]:
    """On a socket of its own, for any process of this machine: `place.speech` and `place.embedder` are addresses."""
    service = OpenaiEmulator(ear)
    with service.running():
        yield service
