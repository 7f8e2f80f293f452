"""What a Weaviate holds: collections, their tenants, and each one's objects. Searched one by one, so completely."""

import re
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from weaviate.proto.v1 import base_pb2, batch_pb2, search_get_pb2

Clause = base_pb2.Filters
Values = NDArray[np.float32]

COMPARED: dict[Any, Callable[[Any, Any], bool]] = {
    Clause.OPERATOR_EQUAL: lambda mine, asked: bool(mine == asked),
    Clause.OPERATOR_NOT_EQUAL: lambda mine, asked: bool(mine != asked),
    Clause.OPERATOR_GREATER_THAN_EQUAL: lambda mine, asked: bool(mine >= asked),
    Clause.OPERATOR_CONTAINS_ANY: lambda mine, asked: mine in asked.values,
}


class Refusal(Exception):
    """Weaviate's own words; over gRPC with the status UNKNOWN."""


@dataclass(frozen=True)
class Object:
    id: str
    properties: dict[str, Any]
    values: Values
    """Of length 1, or 0."""


@dataclass(frozen=True)
class Hit:
    object: Object
    distance: float | None = None


Objects = dict[str, Object]


class Shelf:
    """`most` is QUERY_MAXIMUM_RESULTS. `classes` are as the schema has them, `tenants` by collection and name."""

    def __init__(self) -> None:
        self.classes: dict[str, dict[str, Any]] = {}
        self.tenants: dict[str, dict[str, Objects]] = {}
        self.most = 10_000
        self.lock = threading.RLock()

    def add_class(self, schema: dict[str, Any]) -> None:
        if schema["class"] in self.classes:
            raise Refusal(f"class name {schema['class']} already exists")
        self.classes[schema["class"]] = schema
        self.tenants[schema["class"]] = {}

    def tenant(self, collection: str, tenant: str) -> Objects:
        if collection not in self.classes:
            raise Refusal(f"could not find class {collection} in schema")
        if tenant not in self.tenants[collection]:
            raise Refusal(f'explorer: list class: search: object search at index: tenant not found: "{tenant}"')
        return self.tenants[collection][tenant]

    def put(self, sent: batch_pb2.BatchObject) -> None:
        """Raises `Refusal`, which is this object's alone."""
        if sent.collection not in self.classes:  # made up, and not with tenants
            self.add_class({"class": sent.collection, "properties": [], "vectorizer": "none"})
        tenancy = self.classes[sent.collection].get("multiTenancyConfig", {})
        if not tenancy.get("enabled"):
            raise Refusal(f"class {sent.collection} has multi-tenancy disabled, but request was with tenant")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", sent.tenant):
            raise Refusal("tenant name should only contain alphanumeric characters, underscore (_), and hyphen (-)")
        if tenancy["autoTenantCreation"]:
            self.tenants[sent.collection].setdefault(sent.tenant, {})
        objects = self.tenant(sent.collection, sent.tenant)
        objects[sent.uuid] = self._read(sent, next(iter(objects.values()), None))

    def _read(self, sent: batch_pb2.BatchObject, other: Object | None) -> Object:
        UUID(sent.uuid)
        (vector,) = sent.vectors
        if vector.name not in self.classes[sent.collection]["vectorConfig"]:
            raise Refusal(f"vector {vector.name} not found in class config")
        values = unit(vector.vector_bytes)
        if other and len(values) != len(other.values):
            raise Refusal(
                f"insert to vector index: new node has a vector with length {len(values)}. "
                f"Existing nodes have vectors with length {len(other.values)}"
            )
        kinds = {one["name"]: one["dataType"][0] for one in self.classes[sent.collection]["properties"]}
        given = dict(sent.properties.non_ref_properties.items())
        if unknown := given.keys() - kinds.keys():
            raise Refusal(f"no such prop with name {unknown}")
        return Object(sent.uuid, {name: _typed(kinds[name], value) for name, value in given.items()}, values)

    def matching(self, collection: str, objects: Objects, clause: Clause | None) -> list[Object]:
        return list(objects.values() if clause is None else filter(self._test(collection, clause), objects.values()))

    def search(self, request: search_get_pb2.SearchRequest) -> list[Hit]:
        limit = request.limit or 10
        if limit + request.offset > self.most:
            raise Refusal("query maximum results exceeded")
        if request.after and (request.HasField("filters") or request.sort_by):
            raise Refusal("cursor api: filter, sort and near cannot be used with after or limit parameters")
        objects = self.tenant(request.collection, request.tenant)
        found = self.matching(request.collection, objects, request.filters if request.HasField("filters") else None)
        if request.HasField("near_vector"):
            return self._nearest(request, found, limit + request.offset)[request.offset :]
        return [Hit(one) for one in _listed(found, request)[request.offset :][:limit]]

    def _nearest(self, request: search_get_pb2.SearchRequest, objects: list[Object], most: int) -> list[Hit]:
        near = request.near_vector
        targets = list(near.targets.target_vectors)
        if targets != list(self.classes[request.collection]["vectorConfig"]):
            raise Refusal(f"vector {targets} not found in class config")
        asked = unit(near.vectors[0].vector_bytes)
        if not objects:
            return []
        if len(asked) != len(objects[0].values):
            raise Refusal(f"vector lengths don't match: {len(objects[0].values)} vs {len(asked)}")
        distances = 1 - np.stack([one.values for one in objects]) @ asked
        nearest = np.argsort(distances, kind="stable")[:most]
        return [Hit(objects[number], float(distances[number])) for number in nearest]

    def _test(self, collection: str, clause: Clause) -> Callable[[Object], bool]:
        if clause.operator in (Clause.OPERATOR_AND, Clause.OPERATOR_OR):
            every: Callable[[Iterable[bool]], bool] = all if clause.operator == Clause.OPERATOR_AND else any
            tests = [self._test(collection, each) for each in clause.filters]
            return lambda one: every(test(one) for test in tests)
        if clause.operator not in COMPARED:
            raise Refusal(f"unknown filter operator {clause.operator}")
        compare, name = COMPARED[clause.operator], clause.target.property
        asked = getattr(clause, str(clause.WhichOneof("test_value")))
        if name == "_id":
            return lambda one: compare(one.id, asked)
        self._must_be_indexed(collection, name)
        return lambda one: compare(one.properties[name], asked)

    def _must_be_indexed(self, collection: str, name: str) -> None:
        properties = {each["name"]: each for each in self.classes[collection]["properties"]}
        if name not in properties:
            raise Refusal(f"no such prop with name '{name}' found in class '{collection}' in the schema")
        if not properties[name]["indexFilterable"]:
            raise Refusal(f"Filtering by property '{name}' requires inverted index.")


def _listed(found: list[Object], request: search_get_pb2.SearchRequest) -> list[Object]:
    """In the order of their ids, as they are stored; in another one if asked for."""
    after = sorted((one for one in found if one.id > request.after), key=lambda one: one.id)
    for order in reversed(request.sort_by):
        after.sort(key=lambda one: one.properties[order.path[0]], reverse=not order.ascending)
    return after


def unit(packed: bytes) -> Values:
    values = np.asarray(struct.unpack(f"{len(packed) // 4}f", packed), dtype=np.float32)
    length = float(np.linalg.norm(values))
    return values / np.float32(length) if length else values


def _typed(kind: str, value: Any) -> Any:
    """Numbers come as doubles."""
    wanted: dict[str, type] = {"int": int, "number": float, "text": str}
    if not isinstance(value, str if kind == "text" else float):
        raise Refusal(f"invalid {kind} property: {type(value).__name__}")
    return wanted[kind](value)
