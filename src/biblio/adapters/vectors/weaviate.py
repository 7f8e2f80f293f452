"""Vectors in Weaviate: a collection for every space, and in it a tenant for every user, with an index of its own.

Tenants are what Weaviate keeps users apart by: each is stored and searched by itself. Schema goes over HTTP, all else
over gRPC. Source: https://docs.weaviate.io/weaviate/manage-collections/multi-tenancy
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any, TypeVar

from pydantic import Field
from weaviate import WeaviateClient
from weaviate.classes.config import ConsistencyLevel
from weaviate.classes.data import DataObject
from weaviate.classes.query import Filter, MetadataQuery, Sort
from weaviate.collections import Collection
from weaviate.exceptions import UnexpectedStatusCodeError

from biblio.adapters.vectors.weaviate_client import Door, OncePerCall
from biblio.adapters.vectors.weaviate_errors import is_answer, partial_failure, translated
from biblio.adapters.vectors.weaviate_schema import VECTOR, add_collection, is_fit
from biblio.domain.search import EVERYWHERE, Scope
from biblio.dsn import Dsn, Options, require_sendable
from biblio.errors import AdapterError, Misconfigured, Rejected, Unavailable
from biblio.ports.embedder import Vector
from biblio.ports.vectors import Near, Owner, VectorRecord

T = TypeVar("T")
Objects = Collection[Any, Any]

PAGE = 1_000
"""Objects of one answer, where all are wanted. Weaviate gives at most 10,000 (QUERY_MAXIMUM_RESULTS)."""

LARGEST = 3.4e38
"""Numbers are kept with 32 bits."""

OWNER = ["user_id", "video_id", "generation"]


class WeaviateOptions(Options):
    """`dimension` and `space` are the embedder's; bootstrap fills them in."""

    dimension: int = Field(gt=0, le=65_535)
    space: str
    grpc_host: str = ""
    grpc_port: int = Field(default=50_051, gt=0, le=65_535)
    prefix: str = Field(default="Biblio", pattern="^[A-Z][A-Za-z0-9]{0,39}$")
    replicas: int = Field(default=1, ge=1)
    batch_size: int = Field(default=500, ge=1, le=10_000)
    timeout: float = Field(default=10.0, gt=0)
    write_timeout: float = Field(default=60.0, gt=0)


class WeaviateStore:
    def __init__(self, door: Door, options: WeaviateOptions) -> None:
        self._door = door
        self._options = options
        self._prefix = f"{options.prefix}_"
        self._name = self._prefix + sha256(options.space.encode()).hexdigest()[:12]
        self._is_prepared = False

    def prepare(self) -> None:
        with translated():
            client = self._door.client()
            if not client.collections.exists(self._name):
                self._add_space(client)
            self._must_be_fit(client)

    def ping(self) -> None:
        with translated():
            client = self._door.client()
            self._must_be_fit(client)
            client.collections.use(self._name).tenants.get_by_names(["nobody"])  # over gRPC, which has its own port

    def close(self) -> None:
        self._door.close()

    def upsert(self, owner: Owner, records: Sequence[VectorRecord]) -> None:
        for record in records:
            self._must_be_fine(record.values)
        with translated():
            if not self._is_prepared:  # else Weaviate would make up a collection without tenants
                self._must_be_fit(self._door.client())
            objects = self._objects(self._name, _tenant(owner.user_id))
            for first in range(0, len(records), self._options.batch_size):
                self._insert(objects, owner, records[first : first + self._options.batch_size])

    def search(self, user_id: str, question: Vector, *, limit: int, scope: Scope = EVERYWHERE) -> list[Near]:
        self._must_be_fine(question)
        only = None if scope.only is None else sorted(set(scope.only) - set(scope.without))
        if only == []:
            return []
        video = Filter.by_property("video_id")
        inside = [video.contains_any(only)] if only else [video.not_equal(one) for one in scope.without]
        return self._near(user_id, question, limit, Filter.all_of(inside) if inside else None)

    def similarities(self, user_id: str, question: Vector, ids: Sequence[str]) -> dict[str, float]:
        self._must_be_fine(question)
        found: dict[str, float] = {}
        for first in range(0, len(ids), PAGE):
            asked = list(ids[first : first + PAGE])
            near = self._near(user_id, question, len(asked), Filter.by_id().contains_any(asked))
            found |= {hit.id: hit.similarity for hit in near}
        return found

    def remove(self, user_id: str, video_id: str, *, generation: int | None = None) -> None:
        where = [Filter.by_property("video_id").equal(video_id)]
        if generation is not None:
            where.append(Filter.by_property("generation").equal(generation))
        with translated():
            for name in self._door.client().collections.list_all():
                if name.startswith(self._prefix):
                    self._asked(name, _tenant(user_id), lambda objects: _delete(objects, where))

    def ids(self, user_id: str, video_id: str) -> dict[int, list[str]]:
        with translated():
            of_video = self._asked(self._name, _tenant(user_id), lambda objects: _of_video(objects, video_id))
        found: dict[int, list[str]] = {}
        for vector_id, generation in sorted((of_video or {}).items()):
            found.setdefault(generation, []).append(vector_id)
        return found

    def owners(self) -> Iterator[Owner]:
        with translated():
            tenants = list(self._door.client().collections.use(self._name).tenants.get())
        for tenant in tenants:
            with translated():
                owners = self._asked(self._name, tenant, _owners)
            yield from owners or ()

    def _near(self, user_id: str, question: Vector, limit: int, inside: Any) -> list[Near]:
        def ask(objects: Objects) -> list[Near]:
            answer = objects.query.near_vector(
                list(question),
                limit=limit,
                filters=inside,
                target_vector=VECTOR,
                return_metadata=MetadataQuery(distance=True),
                return_properties=["video_id", "generation"],
            )
            return [_hit(one) for one in answer.objects]

        with translated():
            near = self._asked(self._name, _tenant(user_id), ask) or []
        return sorted(near, key=lambda hit: (-hit.similarity, hit.id))

    def _insert(self, objects: Objects, owner: Owner, records: Sequence[VectorRecord]) -> None:
        about = {"user_id": owner.user_id, "video_id": owner.video_id, "generation": owner.generation}
        answer = objects.data.insert_many(
            [
                DataObject(
                    uuid=record.id,
                    vector={VECTOR: list(record.values)},
                    properties={**about, "start": float(record.start), "end": float(record.end), "text": record.text},
                )
                for record in records
            ]
        )
        if answer.errors:
            reasons = [error.message for error in answer.errors.values()]
            raise partial_failure(reasons, len(reasons), len(records))

    def _objects(self, collection: str, tenant: str) -> Objects:
        found = self._door.client().collections.use(collection)
        return found.with_tenant(tenant).with_consistency_level(ConsistencyLevel.QUORUM)  # reads see what was written

    def _asked(self, collection: str, tenant: str, ask: Callable[[Objects], T]) -> T | None:
        """The answer; None where this user has never had a vector, which Weaviate takes for an error."""
        try:
            return ask(self._objects(collection, tenant))
        except AdapterError as error:
            if not is_answer(error):
                raise
            client = self._door.client()
            if not client.collections.exists(collection):
                raise self._missing() from error
            if client.collections.use(collection).tenants.exists(tenant):
                raise
            return None

    def _add_space(self, client: WeaviateClient) -> None:
        try:
            add_collection(client, self._name, self._options.space, self._options.replicas)
        except UnexpectedStatusCodeError:
            if not client.collections.exists(self._name):  # somebody else was faster
                raise

    def _must_be_fit(self, client: WeaviateClient) -> None:
        if not client.collections.exists(self._name):
            raise self._missing()
        if not is_fit(client, self._name):
            raise Misconfigured(f"Weaviate's collection {self._name} is not as biblio makes it: delete or rename it.")
        self._is_prepared = True

    def _missing(self) -> Misconfigured:
        return Misconfigured(f"Weaviate has no collection {self._name}: `biblio migrate` makes it.")

    def _must_be_fine(self, vector: Vector) -> None:
        """Weaviate learns the dimension from a user's first vector."""
        if len(vector) != self._options.dimension or not all(abs(value) <= LARGEST for value in vector):
            raise Rejected("A vector has the wrong dimension, or holds what is no number.", code="BAD_VECTOR")


def connect(dsn: Dsn) -> WeaviateStore:
    options = dsn.read_options(WeaviateOptions)
    is_secure = dsn.scheme == "weaviates"
    port = dsn.port or (443 if is_secure else 8_080)
    if not dsn.host:
        raise Misconfigured("A weaviate:// address names a host: weaviate://:key@host:port.")
    if dsn.username:  # it would be shown
        raise Misconfigured("Weaviate's key stands behind a colon: weaviate://:key@host:port.")
    require_sendable(dsn.password, dsn.scheme)
    grpc_host = options.grpc_host or dsn.host
    if (grpc_host, options.grpc_port) == (dsn.host, port):
        raise Misconfigured("Weaviate speaks gRPC at a port of its own: set the option 'grpc_port', or 'grpc_host'.")
    params = OncePerCall.from_params(dsn.host, port, is_secure, grpc_host, options.grpc_port, is_secure)
    return WeaviateStore(Door(params, dsn.password, options.timeout, options.write_timeout), options)


def _tenant(user_id: str) -> str:
    """Weaviate takes 64 letters, digits, hyphens; a user may be called anything."""
    return f"user-{sha256(user_id.encode()).hexdigest()[:40]}"


def _hit(one: Any) -> Near:
    about = one.properties
    return Near(str(one.uuid), about["video_id"], about["generation"], 1 - one.metadata.distance)


def _delete(objects: Objects, where: list[Any]) -> None:
    """Weaviate deletes at most 10,000 at once."""
    while (done := objects.data.delete_many(Filter.all_of(where))).matches:
        if done.failed or not done.successful:
            raise Unavailable(f"Weaviate did not delete {done.failed} of {done.matches} vectors; try again.")


def _of_video(objects: Objects, video_id: str) -> dict[str, int]:
    """Generation by id. Weaviate's cursor knows no filter, and its offsets end at 10,000: so page by page in order of
    time, each from where the last one ended."""
    found: dict[str, int] = {}
    since, size = -1.0, 0
    while True:
        where = Filter.by_property("video_id").equal(video_id) & Filter.by_property("start").greater_or_equal(since)
        page = objects.query.fetch_objects(
            filters=where, sort=Sort.by_property("start"), limit=PAGE, return_properties=["generation", "start"]
        ).objects
        found |= {str(one.uuid): int(one.properties["generation"]) for one in page}
        if len(page) < PAGE or len(found) == size:
            return found
        since, size = float(page[-1].properties["start"]), len(found)


def _owners(objects: Objects) -> set[Owner]:
    held = objects.iterator(return_properties=OWNER, cache_size=PAGE)
    return {Owner(*(one.properties[name] for name in OWNER)) for one in held}
