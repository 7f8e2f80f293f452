"""Vectors by OpenAI, and by servers of one's own that speak its protocol (vLLM, TEI, LocalAI).

openai://:key@host:port/v1?model=text-embedding-3-small&dimension=&shorten=&texts_per_call=&tokens_per_call=&…
"""

from collections.abc import Sequence

import openai
from pydantic import BaseModel, Field

from biblio.adapters.embedder.calls import LONGEST_TEXT, Bill, estimate, in_calls, taken, unit_vectors
from biblio.adapters.openai.account import AccountOptions, client_of, limit_of, place_of
from biblio.adapters.openai.errors import translated
from biblio.dsn import Dsn
from biblio.errors import Misconfigured
from biblio.ports.call import CallContext, Unpaced
from biblio.ports.embedder import Embedder, Vector

WHOLE = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
"""Dimension of the models that are known."""


class OpenaiEmbedderOptions(AccountOptions):
    """`dimension` is needed where the model is not known; `shorten`: the service is asked for it. `longest_text` in
    bytes."""

    timeout: float = Field(default=30, gt=0, le=3600)
    dimension: int | None = Field(default=None, ge=1, le=16_000)
    shorten: bool | None = None
    longest_text: int = Field(default=LONGEST_TEXT, ge=100)
    texts_per_call: int = Field(default=2048, ge=1, le=2048)
    tokens_per_call: int = Field(default=300_000, ge=100)
    tokens_per_minute: float | None = Field(default=None, gt=0)


class _Row(BaseModel):
    index: int
    embedding: list[float]


class _Usage(BaseModel):
    prompt_tokens: int


class _Answer(BaseModel):
    data: list[_Row]
    usage: _Usage | None = None


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model]


def connect(dsn: Dsn) -> Embedder:
    """Raises `Misconfigured` for an address without model, host, key or dimension. Calls nothing."""
    return _Openai(dsn, dsn.read_options(OpenaiEmbedderOptions))


class _Openai:
    def __init__(self, dsn: Dsn, options: OpenaiEmbedderOptions) -> None:
        whole = WHOLE.get(options.model)
        dimension = options.dimension or whole
        if dimension is None:
            raise Misconfigured(f"The openai:// address needs the 'dimension' of the model {options.model}.")
        self.dimension = dimension
        self.space = f"openai-{options.model}/{dimension}"
        is_shortened = options.shorten if options.shorten is not None else whole not in (None, dimension)
        self._sent_dimension = dimension if is_shortened else openai.omit
        self._client, self._place, self._options = client_of(dsn, options), place_of(dsn), options
        self.texts_at_once = options.texts_per_call
        self._limit = limit_of("embedder", dsn, options, options.tokens_per_minute)
        self._bill = Bill()

    def embed_documents(self, texts: Sequence[str], *, call: CallContext | None = None) -> list[Vector]:
        sent = [taken(text, self._options.longest_text) for text in texts]
        calls = in_calls(sent, self._options.texts_per_call, self._options.tokens_per_call)
        return [vector for batch in calls for vector in self._embed(batch, call or Unpaced())]

    def embed_question(self, text: str, *, call: CallContext | None = None) -> Vector:
        return self.embed_documents([text], call=call)[0]

    def count_tokens(self, texts: Sequence[str]) -> int:
        """As billed for what this process embedded; for other texts an estimate."""
        return self._bill.total([taken(text, self._options.longest_text) for text in texts])

    def prepare(self) -> None: ...

    def ping(self) -> None:
        """Costs nothing: the list of models. A server without one embeds a word."""
        try:
            with translated(self._place):
                listed = _Models.model_validate_json(self._client.models.with_raw_response.list().content)
        except Misconfigured as error:
            if not isinstance(error.__cause__, openai.NotFoundError):
                raise
            self.embed_question("ping")
            return
        if self._options.model not in {model.id for model in listed.data}:
            raise Misconfigured(f"{self._place} has no model '{self._options.model}'.")

    def close(self) -> None:
        self._client.close()

    def _embed(self, texts: list[str], call: CallContext) -> list[Vector]:
        with call.admit(self._limit, sum(map(estimate, texts))), translated(self._place):
            raw = self._client.embeddings.with_raw_response.create(
                model=self._options.model, input=texts, dimensions=self._sent_dimension, encoding_format="float"
            )
            answer = _Answer.model_validate_json(raw.content)
        rows = [row.embedding for row in sorted(answer.data, key=lambda row: row.index)]
        vectors = unit_vectors(rows, len(texts), self.dimension, self._place)
        if answer.usage:
            self._bill.note(texts, answer.usage.prompt_tokens)
        return vectors
