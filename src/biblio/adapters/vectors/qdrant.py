"""Vectors in Qdrant: a collection for every space, in it one graph for every user, who is its tenant.

Numbers are kept with 16 bits. Every write is waited for: else Qdrant says that it has taken note, and is not yet
searched. Source: https://qdrant.tech/documentation/guides/multiple-partitions
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from pydantic import Field
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from biblio.adapters.vectors.dimension import checked
from biblio.adapters.vectors.qdrant_door import Door, Folder, Server
from biblio.adapters.vectors.qdrant_errors import translated
from biblio.domain.search import EVERYWHERE, Scope
from biblio.dsn import Dsn, Options, require_sendable
from biblio.errors import Misconfigured, Unavailable
from biblio.ports.embedder import Vector
from biblio.ports.vectors import Near, Owner, VectorRecord

BATCH, PAGE = 256, 2_000
"""Points of one request: written, read."""

LINKS, BUILD_WIDTH, SEARCH_WIDTH = 16, 200, 256
"""HNSW's m (of each tenant's graph), ef_construct and hnsw_ef."""

PORT = 6333

INDEXED: dict[str, models.PayloadSchemaType | models.KeywordIndexParams] = {
    "user": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
    "video": models.PayloadSchemaType.KEYWORD,
    "generation": models.PayloadSchemaType.INTEGER,
}
"""What is filtered by; servers in strict mode, as Qdrant's cloud, filter by nothing else."""


class QdrantOptions(Options):
    """`collection` begins the names of all collections; `timeout` is in whole seconds, for each call.

    `dimension` and `space` are the embedder's; bootstrap fills them in.
    """

    dimension: int = Field(gt=0, le=65_536)
    space: str
    collection: str = Field(default="biblio", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    timeout: int = Field(default=8, gt=0)


class QdrantStore:
    def __init__(self, door: Door, options: QdrantOptions) -> None:
        self._door = door
        self._dimension = options.dimension
        self._family = options.collection + "_"
        self._collection = self._family + sha256(options.space.encode()).hexdigest()[:12]

    def prepare(self) -> None:
        with self._client() as client:
            if not client.collection_exists(self._collection):
                self._create(client)
            info = self._described(client)
            for field, schema in () if self._door.is_local else INDEXED.items():
                if field not in info.payload_schema:
                    client.create_payload_index(self._collection, field, schema, wait=True)

    def ping(self) -> None:
        with self._client() as client:
            self._described(client)

    def close(self) -> None:
        self._door.close()

    def upsert(self, owner: Owner, records: Sequence[VectorRecord]) -> None:
        points = [self._point(owner, record) for record in records]
        with self._client() as client:
            for first in range(0, len(points), BATCH):
                done = client.upsert(self._collection, points[first : first + BATCH], wait=True)
                _expect_completed(done)

    def search(self, user_id: str, question: Vector, *, limit: int, scope: Scope = EVERYWHERE) -> list[Near]:
        vector = checked(question, self._dimension)
        if scope.only == ():
            return []
        only = [] if scope.only is None else [_is_in(scope.only)]
        chosen = _of({"user": user_id}, *only, without=scope.without)
        return self._nearest(vector, chosen, limit, width=max(limit, SEARCH_WIDTH))

    def similarities(self, user_id: str, question: Vector, ids: Sequence[str]) -> dict[str, float]:
        vector = checked(question, self._dimension)
        if not ids:
            return {}
        chosen = _of({"user": user_id}, models.HasIdCondition(has_id=list(ids)))
        return {near.id: near.similarity for near in self._nearest(vector, chosen, len(ids))}

    def remove(self, user_id: str, video_id: str, *, generation: int | None = None) -> None:
        wanted = {"user": user_id, "video": video_id, "generation": generation}
        chosen = models.FilterSelector(filter=_of(wanted))
        with self._client() as client:
            for collection in client.get_collections().collections:
                if re.fullmatch(rf"{self._family}[0-9a-f]{{12}}", collection.name):
                    _expect_completed(client.delete(collection.name, chosen, wait=True))

    def ids(self, user_id: str, video_id: str) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for point in self._points(_of({"user": user_id, "video": video_id}), ["generation"]):
            found.setdefault(_payload(point)["generation"], []).append(str(point.id))
        return {generation: sorted(ids) for generation, ids in found.items()}

    def owners(self) -> Iterator[Owner]:
        seen = set()
        for point in self._points(None, ["user", "video", "generation"]):
            payload = _payload(point)
            owner = Owner(payload["user"], payload["video"], payload["generation"])
            if owner not in seen:
                seen.add(owner)
                yield owner

    def _point(self, owner: Owner, record: VectorRecord) -> models.PointStruct:
        whose = {"user": owner.user_id, "video": owner.video_id, "generation": owner.generation}
        payload = {"start": record.start, "end": record.end, "text": record.text, **whose}
        return models.PointStruct(id=record.id, vector=checked(record.values, self._dimension), payload=payload)

    def _nearest(self, vector: list[float], chosen: models.Filter, limit: int, width: int | None = None) -> list[Near]:
        """By the graph, so `width` wide, or exactly. A folder has no graph and warns of whoever speaks of one."""
        params = models.SearchParams(hnsw_ef=width, exact=width is None)
        with self._client() as client:
            answer = client.query_points(
                self._collection,
                query=vector,
                query_filter=chosen,
                search_params=None if self._door.is_local else params,
                limit=limit,
                with_payload=["video", "generation"],
            )
        return [
            Near(str(point.id), _payload(point)["video"], _payload(point)["generation"], point.score)
            for point in answer.points
        ]

    def _points(self, chosen: models.Filter | None, fields: list[str]) -> Iterator[models.Record]:
        """Page by page, and nothing held between two of them."""
        after: Any = None
        while True:
            with self._client() as client:
                page, after = client.scroll(
                    self._collection, chosen, limit=PAGE, offset=after, with_payload=fields, with_vectors=False
                )
            yield from page
            if after is None:
                return

    def _create(self, client: QdrantClient) -> None:
        """No graph over everybody (m = 0), but one for each tenant."""
        try:
            client.create_collection(
                self._collection,
                vectors_config=models.VectorParams(
                    size=self._dimension, distance=models.Distance.COSINE, datatype=models.Datatype.FLOAT16
                ),
                hnsw_config=models.HnswConfigDiff(m=0, payload_m=LINKS, ef_construct=BUILD_WIDTH),
            )
        except UnexpectedResponse as error:
            if error.status_code != 409:  # another one was quicker
                raise

    def _described(self, client: QdrantClient) -> models.CollectionInfo:
        info = client.get_collection(self._collection)
        vectors = info.config.params.vectors
        if not isinstance(vectors, models.VectorParams) or vectors.size != self._dimension:
            raise Misconfigured(f"Qdrant's collection {self._collection} holds vectors of another dimension.")
        return info

    @contextmanager
    def _client(self) -> Iterator[QdrantClient]:
        with translated(), self._door.client() as client:
            yield client


def connect(dsn: Dsn) -> QdrantStore:
    """At a server, or in a folder where the address names no host. Raises `Misconfigured`."""
    options = dsn.read_options(QdrantOptions)
    if dsn.username:
        raise Misconfigured(f"The key of a {dsn.scheme}:// address stands behind a colon: {dsn.scheme}://:key@host.")
    require_sendable(dsn.password, dsn.scheme)
    if dsn.host:
        scheme = "https" if dsn.scheme == "qdrants" else "http"
        url = f"{scheme}://{dsn.host}:{dsn.port or PORT}"
        return QdrantStore(Server(url, dsn.path, dsn.password, options.timeout), options)
    if dsn.scheme == "qdrants" or dsn.password or not dsn.path:
        raise Misconfigured(
            "A qdrant:// address names a server or a folder: qdrant://:key@host:6333, qdrant:///folder."
        )
    return QdrantStore(Folder(dsn.path if dsn.path == ":memory:" else "/" + dsn.path), options)


def _of(wanted: Mapping[str, str | int | None], *more: models.Condition, without: Sequence[str] = ()) -> models.Filter:
    """The points of one user; whoever asks for any says whose."""
    conditions: list[models.Condition] = [
        models.FieldCondition(key=key, match=models.MatchValue(value=value))
        for key, value in wanted.items()
        if value is not None
    ]
    return models.Filter(must=[*conditions, *more], must_not=[_is_in(without)] if without else None)


def _is_in(videos: Sequence[str]) -> models.FieldCondition:
    return models.FieldCondition(key="video", match=models.MatchAny(any=list(videos)))


def _payload(point: models.Record | models.ScoredPoint) -> dict[str, Any]:
    return point.payload or {}


def _expect_completed(done: models.UpdateResult) -> None:
    if done.status is not models.UpdateStatus.COMPLETED:
        raise Unavailable("Qdrant took note of a write and did not end it in time.", code="WRITE_NOT_DONE")
