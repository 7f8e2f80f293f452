"""Weaviate's gRPC: batches, searches, deletions, tenants. Misbehaves on order."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import grpc
from weaviate.proto.v1 import (
    batch_delete_pb2,
    batch_pb2,
    properties_pb2,
    search_get_pb2,
    tenants_pb2,
    weaviate_pb2_grpc,
)

from tests.emulators.weaviate_shelf import Hit, Object, Refusal, Shelf

T = TypeVar("T")


@dataclass
class Trouble:
    """For the next `times` calls of a `method` that matches.

    They wait for `seconds`; end with `code`, if `after` then only when all is done; and of a batch, `objects` are not
    written: the reason by position. Of a deletion, so many fail.
    """

    method: str
    code: grpc.StatusCode | None = None
    details: str = "as ordered"
    times: int = 1
    seconds: float = 0.0
    after: bool = False
    objects: dict[int, str] = field(default_factory=dict)
    failed: int = 0


class Servicer(weaviate_pb2_grpc.WeaviateServicer):
    """`calls` has each method in order; `troubles` are meant to be added to. Nothing waits once it has `ended`."""

    def __init__(self, shelf: Shelf, key: str) -> None:
        self._shelf, self._key = shelf, key
        self._lock = threading.Lock()
        self.ended = threading.Event()
        self.troubles: list[Trouble] = []
        self.calls: list[str] = []

    def Search(self, request: search_get_pb2.SearchRequest, context: Any) -> search_get_pb2.SearchReply:
        def search(_: Trouble) -> search_get_pb2.SearchReply:
            names = list(request.properties.non_ref_properties)
            return search_get_pb2.SearchReply(results=[_result(hit, names) for hit in self._shelf.search(request)])

        return self._serve("Search", context, search)

    def BatchObjects(self, request: batch_pb2.BatchObjectsRequest, context: Any) -> batch_pb2.BatchObjectsReply:
        def write(trouble: Trouble) -> batch_pb2.BatchObjectsReply:
            reasons = dict(trouble.objects)
            for number, sent in enumerate(request.objects):
                try:
                    if number not in reasons:
                        self._shelf.put(sent)
                except Refusal as error:
                    reasons[number] = str(error)
            errors = [batch_pb2.BatchObjectsReply.BatchError(index=at, error=why) for at, why in reasons.items()]
            return batch_pb2.BatchObjectsReply(errors=errors)

        return self._serve("BatchObjects", context, write)

    def BatchDelete(self, request: batch_delete_pb2.BatchDeleteRequest, context: Any) -> Any:
        def delete(trouble: Trouble) -> batch_delete_pb2.BatchDeleteReply:
            objects = self._shelf.tenant(request.collection, request.tenant)
            found = self._shelf.matching(request.collection, objects, request.filters)[: self._shelf.most]
            gone = found[trouble.failed :]
            for one in gone:
                del objects[one.id]
            return batch_delete_pb2.BatchDeleteReply(
                matches=len(found), successful=len(gone), failed=len(found) - len(gone)
            )

        return self._serve("BatchDelete", context, delete)

    def TenantsGet(self, request: tenants_pb2.TenantsGetRequest, context: Any) -> tenants_pb2.TenantsGetReply:
        def get(_: Trouble) -> tenants_pb2.TenantsGetReply:
            if request.collection not in self._shelf.classes:
                raise Refusal(f"get tenants: class {request.collection} not found")
            wanted = set(request.names.values) if request.HasField("names") else None
            names = [name for name in self._shelf.tenants[request.collection] if wanted is None or name in wanted]
            status = tenants_pb2.TENANT_ACTIVITY_STATUS_HOT
            tenants = [tenants_pb2.Tenant(name=name, activity_status=status) for name in names]
            return tenants_pb2.TenantsGetReply(tenants=tenants)

        return self._serve("TenantsGet", context, get)

    def _serve(self, method: str, context: Any, serve: Callable[[Trouble], T]) -> T:
        trouble = self._due(method)
        self.ended.wait(trouble.seconds)
        if ("authorization", f"Bearer {self._key}") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "anonymous access not enabled")
        if trouble.code and not trouble.after:
            context.abort(trouble.code, trouble.details)
        try:
            with self._shelf.lock:
                reply = serve(trouble)
        except Refusal as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        if trouble.code:
            context.abort(trouble.code, trouble.details)
        return reply

    def _due(self, method: str) -> Trouble:
        """Notes the call."""
        with self._lock:
            self.calls.append(method)
            due = (one for one in self.troubles if one.times and re.fullmatch(one.method, method))
            trouble = next(due, Trouble(method))
            trouble.times -= 1
            return trouble


def _result(hit: Hit, names: list[str]) -> search_get_pb2.SearchResult:
    one_id = UUID(hit.object.id)
    metadata = search_get_pb2.MetadataResult(id=str(one_id), id_as_bytes=one_id.bytes)
    if hit.distance is not None:
        metadata.distance, metadata.distance_present = hit.distance, True
    fields = {name: _value(hit.object, name) for name in names}
    properties = search_get_pb2.PropertiesResult(non_ref_props=properties_pb2.Properties(fields=fields))
    return search_get_pb2.SearchResult(metadata=metadata, properties=properties)


def _value(one: Object, name: str) -> properties_pb2.Value:
    value = one.properties[name]
    if isinstance(value, int):
        return properties_pb2.Value(int_value=value)
    return (
        properties_pb2.Value(number_value=value) if isinstance(value, float) else properties_pb2.Value(text_value=value)
    )
