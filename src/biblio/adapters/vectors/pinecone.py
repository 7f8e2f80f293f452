"""Vectors in Pinecone's serverless indexes: an index for every space, in it a namespace for every user.

A vector's id is `video#generation#id`, so that a video's are listed, and then deleted, by what their ids begin with.
What was written shows after a while: seconds, as a rule. Sources: https://docs.pinecone.io/reference/api/database-limits,
https://docs.pinecone.io/guides/index-data/data-modeling
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote

from pinecone import Index, NotFoundError

from biblio.adapters.vectors.dimension import checked
from biblio.adapters.vectors.pinecone_errors import translated
from biblio.adapters.vectors.pinecone_index import Indexes, PineconeOptions
from biblio.domain.search import EVERYWHERE, Scope
from biblio.dsn import Dsn
from biblio.errors import Misconfigured, Unavailable
from biblio.ports.embedder import Vector
from biblio.ports.vectors import Near, Owner, VectorRecord

MOST_WRITTEN, MOST_BYTES, MOST_LISTED, MOST_DELETED, MOST_FOUND = 1_000, 1_900_000, 100, 1_000, 10_000
"""Of one request. A list in a filter may be as long as what is found, and all of a request may have 2 MB."""

LONGEST_TEXT = 30_000
"""Bytes; of all metadata Pinecone takes 40 kB. Readers are shown the catalog's text."""

NAMESPACE = "user:"

Row = dict[str, Any]


class PineconeStore:
    def __init__(self, indexes: Indexes, dimension: int) -> None:
        self._indexes = indexes
        self._dimension = dimension

    def prepare(self) -> None:
        self._indexes.prepare()

    def ping(self) -> None:
        index = self._indexes.own(anew=True)
        with translated():
            index.list_namespaces_paginated(limit=1)

    def close(self) -> None:
        self._indexes.close()

    def upsert(self, owner: Owner, records: Sequence[VectorRecord]) -> None:
        rows, namespace = [self._row(owner, record) for record in records], _namespace(owner.user_id)
        index = self._indexes.own()
        for batch in _batches(rows):
            with translated():
                taken = index.upsert(vectors=batch, namespace=namespace).upserted_count
            if taken != len(batch):
                raise Unavailable(f"Pinecone took {taken} of {len(batch)} vectors.", code="WRITE_NOT_DONE")

    def search(self, user_id: str, question: Vector, *, limit: int, scope: Scope = EVERYWHERE) -> list[Near]:
        vector = checked(question, self._dimension)
        outside = {"$nin": list(scope.without)} if scope.without else {}
        if scope.only is None:
            return self._nearest(user_id, vector, limit, {"video": outside} if outside else None)
        near: list[Near] = []
        for part in _cut(scope.only, MOST_FOUND):
            near += self._nearest(user_id, vector, limit, {"video": {"$in": part, **outside}})
        return sorted(near, key=lambda one: -one.similarity)[:limit]

    def similarities(self, user_id: str, question: Vector, ids: Sequence[str]) -> dict[str, float]:
        vector = checked(question, self._dimension)
        near: list[Near] = []
        for part in _cut(ids, MOST_FOUND):
            near += self._nearest(user_id, vector, len(part), {"passage": {"$in": part}})
        return {one.id: one.similarity for one in near}

    def remove(self, user_id: str, video_id: str, *, generation: int | None = None) -> None:
        prefix, namespace = _prefix(video_id, generation), _namespace(user_id)
        for index in self._indexes.all():
            for ids in _cut(list(_listed(index, namespace, prefix)), MOST_DELETED):
                with translated(), suppress(NotFoundError):  # another one was quicker
                    index.delete(ids=ids, namespace=namespace)

    def ids(self, user_id: str, video_id: str) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for vector_id in _listed(self._indexes.own(), _namespace(user_id), _prefix(video_id)):
            _, generation, passage = vector_id.split("#")
            found.setdefault(int(generation), []).append(passage)
        return {generation: sorted(ids) for generation, ids in found.items()}

    def owners(self) -> Iterator[Owner]:
        index = self._indexes.own()
        for namespace in _namespaces(index):
            seen: Owner | None = None
            for vector_id in _listed(index, namespace):  # in order, so an owner's stand together
                video_id, generation, _ = vector_id.split("#")
                owner = Owner(unquote(namespace.removeprefix(NAMESPACE)), video_id, int(generation))
                if owner != seen:
                    seen = owner
                    yield owner

    def _row(self, owner: Owner, record: VectorRecord) -> Row:
        text = record.text.encode()[:LONGEST_TEXT].decode(errors="ignore")
        whose = {"user": owner.user_id, "video": owner.video_id, "generation": owner.generation}
        return {
            "id": _prefix(owner.video_id, owner.generation) + record.id,
            # As exact as the 32 bits they are kept with, in half of the letters.
            "values": [float(format(value, ".7g")) for value in checked(record.values, self._dimension)],
            "metadata": {"start": record.start, "end": record.end, "text": text, "passage": record.id, **whose},
        }

    def _nearest(self, user_id: str, vector: list[float], limit: int, chosen: Row | None) -> list[Near]:
        index = self._indexes.own()
        with translated(), suppress(NotFoundError):  # a user nothing was written for has no namespace
            answer = index.query(
                vector=vector, top_k=min(limit, MOST_FOUND), namespace=_namespace(user_id), filter=chosen
            )
            return [_near(match.id, match.score) for match in answer.matches]
        return []


def connect(dsn: Dsn) -> PineconeStore:
    """`pinecone://:key@name`: indexes whose names begin with `name`. Raises `Misconfigured`."""
    options = dsn.read_options(PineconeOptions)
    if dsn.username or not dsn.password:
        raise Misconfigured("The key of a pinecone:// address stands behind a colon: pinecone://:key@name.")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", dsn.host) or dsn.path or dsn.port is not None:
        raise Misconfigured("A pinecone:// address names its indexes: pinecone://:key@name, up to 32 of a-z, 0-9, '-'.")
    return PineconeStore(Indexes(dsn.host, dsn.password, options), options.dimension)


def _namespace(user_id: str) -> str:
    return NAMESPACE + quote(user_id, safe="")


def _prefix(video_id: str, generation: int | None = None) -> str:
    return f"{video_id}#" if generation is None else f"{video_id}#{generation}#"


def _near(vector_id: str, score: float) -> Near:
    video_id, generation, passage = vector_id.split("#")
    return Near(passage, video_id, int(generation), score)


def _listed(index: Index, namespace: str, prefix: str | None = None) -> Iterator[str]:
    """Ids, page by page."""
    after: str | None = None
    while True:
        with translated():
            try:
                page = index.list_paginated(
                    prefix=prefix, namespace=namespace, limit=MOST_LISTED, pagination_token=after
                )
            except NotFoundError:  # there is no such namespace
                return
        yield from (item.id for item in page.vectors if item.id)
        after = page.pagination.next if page.pagination else None
        if not after:
            return


def _namespaces(index: Index) -> Iterator[str]:
    after: str | None = None
    while True:
        with translated():
            page = index.list_namespaces_paginated(prefix=NAMESPACE, limit=MOST_LISTED, pagination_token=after)
        yield from (one.name for one in page.namespaces)
        after = page.pagination.next if page.pagination else None
        if not after:
            return


def _batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """As many at once as Pinecone takes."""
    batch: list[Row] = []
    room = MOST_BYTES
    for row in rows:
        size = len(json.dumps(row, ensure_ascii=False).encode()) + 2
        if batch and (size > room or len(batch) == MOST_WRITTEN):
            yield batch
            batch, room = [], MOST_BYTES
        batch.append(row)
        room -= size
    if batch:
        yield batch


def _cut(values: Sequence[str], size: int) -> Iterator[list[str]]:
    return (list(values[first : first + size]) for first in range(0, len(values), size))
