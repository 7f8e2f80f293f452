"""Vectors by Gemini: `google://project/location?model=gemini-embedding-001&dimension=768` by Vertex AI, or
`google://?key=…` by the Gemini API.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from google.genai.types import Content, EmbedContentConfig, EmbedContentResponse, Part
from pydantic import Field, field_validator

from biblio.adapters.embedder.calls import Bill, estimate, in_calls, taken, unit_vectors
from biblio.adapters.embedder.google_client import client_of
from biblio.adapters.embedder.google_errors import translated
from biblio.domain.rate_limit import RateLimit
from biblio.dsn import Dsn, Options, require_sendable
from biblio.errors import Misconfigured
from biblio.ports.call import CallContext, Unpaced
from biblio.ports.embedder import Embedder, Vector

MODELS = ("gemini-embedding-001",)
"""Those that are told by a task type what a text is. Later ones want to be told inside the text."""
DIMENSIONS = (768, 1536, 3072)
DOCUMENT, QUESTION = "RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY"


AT_VERTEX, BY_KEY = 1, 100
"""Texts of a call where the address says nothing: of gemini-embedding-001 Vertex AI takes one by its documentation."""


class GoogleEmbedderOptions(Options):
    """`credentials`: key file of a service account. `endpoint`: a URL. `timeout` in seconds."""

    model: str = MODELS[0]
    dimension: int = DIMENSIONS[0]
    key: str | None = Field(default=None, repr=False, min_length=1)
    credentials: Path | None = None
    endpoint: str | None = None
    timeout: float = Field(default=30, gt=0, le=3600)
    texts_per_call: int | None = Field(default=None, ge=1, le=250)
    tokens_per_call: int = Field(default=20_000, ge=100)
    calls_per_minute: float | None = Field(default=None, gt=0)
    tokens_per_minute: float | None = Field(default=None, gt=0)
    at_once: int | None = Field(default=None, ge=1)

    @field_validator("model")
    @classmethod
    def _is_known_model(cls, model: str) -> str:
        if model not in MODELS:
            raise ValueError(f"known are {', '.join(MODELS)}")
        return model

    @field_validator("dimension")
    @classmethod
    def _is_known_dimension(cls, dimension: int) -> int:
        if dimension not in DIMENSIONS:
            raise ValueError(f"known are {', '.join(map(str, DIMENSIONS))}")
        return dimension


def connect(dsn: Dsn) -> Embedder:
    """Raises `Misconfigured` for an address that is neither a project and location nor a key. Calls nothing."""
    options = dsn.read_options(GoogleEmbedderOptions)
    if options.key is None and (not dsn.host or not dsn.path or "/" in dsn.path):
        raise Misconfigured("The address of Gemini is google://project/location, or google://?key=….")
    if options.key and (dsn.host or options.credentials):
        raise Misconfigured("A google:// address has a key, or a project and location: not both.")
    require_sendable(options.key, dsn.scheme)
    return _Google(dsn, options)


class _Google:
    def __init__(self, dsn: Dsn, options: GoogleEmbedderOptions) -> None:
        self.dimension = options.dimension
        self.space = f"google-{options.model}/{options.dimension}"
        self._options = options
        self.texts_at_once = options.texts_per_call or (BY_KEY if options.key else AT_VERTEX)
        account = {"api_key": options.key} if options.key else {"project": dsn.host, "location": dsn.path}
        self._client = client_of(account, options.endpoint, options.credentials, options.timeout)
        name = f"embedder:google:{dsn.host or 'gemini-api'}"
        self._limit = RateLimit(name, options.calls_per_minute, options.tokens_per_minute, options.at_once)
        self._bill = Bill()

    def embed_documents(self, texts: Sequence[str], *, call: CallContext | None = None) -> list[Vector]:
        calls = in_calls(list(map(taken, texts)), self.texts_at_once, self._options.tokens_per_call)
        return [vector for batch in calls for vector in self._embed(batch, DOCUMENT, call or Unpaced())]

    def embed_question(self, text: str, *, call: CallContext | None = None) -> Vector:
        return self._embed([taken(text)], QUESTION, call or Unpaced())[0]

    def count_tokens(self, texts: Sequence[str]) -> int:
        """As billed for what this process embedded; for other texts an estimate."""
        return self._bill.total(list(map(taken, texts)))

    def prepare(self) -> None: ...

    def ping(self) -> None:
        """Costs nothing: it asks for the model's description."""
        with translated():
            self._client.models.get(model=self._options.model)

    def close(self) -> None:
        self._client.close()

    def _embed(self, texts: list[str], task: str, call: CallContext) -> list[Vector]:
        config = EmbedContentConfig(task_type=task, output_dimensionality=self.dimension)
        # A content each: of bare texts some models make one vector together.
        contents: Any = [Content(role="user", parts=[Part(text=text)]) for text in texts]
        with call.admit(self._limit, sum(map(estimate, texts))), translated():
            answer = self._client.models.embed_content(model=self._options.model, contents=contents, config=config)
        rows = [one.values or [] for one in answer.embeddings or ()]
        vectors = unit_vectors(rows, len(texts), self.dimension, "Google")
        self._note(texts, answer)
        return vectors

    def _note(self, texts: list[str], answer: EmbedContentResponse) -> None:
        told = [one.statistics.token_count if one.statistics else None for one in answer.embeddings or ()]
        each = [int(count) for count in told if count is not None]
        if len(each) == len(texts):
            self._bill.note_each(texts, each)
        elif answer.usage_metadata and answer.usage_metadata.prompt_token_count:
            self._bill.note(texts, answer.usage_metadata.prompt_token_count)
