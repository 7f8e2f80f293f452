"""Pinecone's indexes: one for every space, as all vectors of an index have one dimension."""

import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256

from pinecone import ConflictError, Index, IndexModel, Pinecone, PineconeValueError, RetryConfig
from pydantic import Field

from biblio.adapters.vectors.pinecone_errors import translated
from biblio.dsn import Options
from biblio.errors import Misconfigured, Unavailable

ONCE = RetryConfig(max_retries=0)


class PineconeOptions(Options):
    """`cloud` and `region` are where an index is made, `endpoint` is the control plane; `timeout` in seconds, for each
    call, and `ready_timeout` until a new index is there.

    `dimension` and `space` are the embedder's; bootstrap fills them in.
    """

    dimension: int = Field(gt=0, le=20_000)
    space: str
    cloud: str = Field(default="aws", pattern=r"^[a-z0-9-]+$")
    region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]+$")
    endpoint: str = Field(default="https://api.pinecone.io", pattern=r"^https?://[^/?#@\s]+$")
    timeout: float = Field(default=8, gt=0)
    ready_timeout: int = Field(default=120, gt=0)


class Indexes:
    """Those whose names begin with `family`, and this space's own among them."""

    def __init__(self, family: str, key: str, options: PineconeOptions) -> None:
        self._options = options
        self._family = family
        self._own = f"{family}-{sha256(options.space.encode()).hexdigest()[:12]}"
        self._open: dict[str, Index] = {}
        self._lock = threading.Lock()
        try:
            self._client = Pinecone(key, host=options.endpoint, timeout=options.timeout, retry_config=ONCE)
        except PineconeValueError as error:
            raise Misconfigured("The key of the pinecone:// address is none that can be sent.") from error

    def prepare(self) -> None:
        with translated():
            if not self._client.indexes.exists(self._own):
                self._make()
            self._check(self._client.indexes.describe(self._own))

    def own(self, *, anew: bool = False) -> Index:
        """Where it is, is asked once, or `anew`."""
        known = None if anew else self._open.get(self._own)
        if known is not None:
            return known
        with translated():
            model = self._client.indexes.describe(self._own)
            self._check(model)
            return self._opened(model)

    def all(self) -> Iterator[Index]:
        """Of every space that there is."""
        with translated():
            models = [one for one in self._client.indexes.list() if self._is_ours(one.name) and one.status.ready]
        for model in models:
            with translated():
                index = self._opened(model)
            yield index

    def close(self) -> None:
        with self._lock:
            for index in self._open.values():
                index.close()
            self._open.clear()
        self._client.close()

    def _make(self) -> None:
        place = {"deployment_type": "managed", "cloud": self._options.cloud, "region": self._options.region}
        with suppress(ConflictError):  # another one was quicker
            self._client.indexes.create(
                name=self._own,
                dimension=self._options.dimension,
                metric="cosine",
                deployment=place,
                timeout=self._options.ready_timeout,
            )

    def _check(self, model: IndexModel) -> None:
        if not model.status.ready:
            raise Unavailable("Pinecone is still making the index: try again in a minute.", code="INDEX_NOT_READY")
        if model.dimension != self._options.dimension:
            raise Misconfigured(f"Pinecone's index {self._own} holds vectors of another dimension.")

    def _is_ours(self, name: str) -> bool:
        return re.fullmatch(rf"{re.escape(self._family)}-[0-9a-f]{{12}}", name) is not None

    def _opened(self, model: IndexModel) -> Index:
        with self._lock:
            index = self._open.get(model.name)
            if index is None or index.host != model.host:
                index = self._client.index(model.name, host=model.host or "")
                # It would try again by itself, sleep for up to a minute meanwhile, and has no public switch for that.
                vars(index._http._client._transport)["_config"] = ONCE
                self._open[model.name] = index
            return index
