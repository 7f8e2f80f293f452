"""Pinecone's REST API as its client library speaks it: control plane, and the vectors of serverless indexes.

What exceeds one of the service's limits is refused. Writes show after `lag` seconds.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.faults import Fault
from tests.emulators.json_service import Call, Json, JsonHandler, JsonService, Point, Points, Refusal

MOST_BYTES, MOST_VECTORS, MOST_METADATA, MOST_DELETED, PAGE = 2_000_000, 1_000, 40_000, 1_000, 100


@dataclass
class Index:
    described: Json
    dimension: int
    namespaces: dict[str, Points] = field(default_factory=dict)


class PineconeEmulator(JsonService):
    """`ready`: whether new indexes are, at once."""

    def __init__(self, faults: list[Fault] | None = None) -> None:
        super().__init__(_Handler, faults)
        self.indexes: dict[str, Index] = {}
        self.ready = True

    @property
    def address(self) -> str:
        return f"pinecone://:{self.key}@biblio?endpoint={self.url}"

    def respond(self, call: Call) -> Json:
        for pattern, answer in ROUTES.items():
            if match := re.fullmatch(pattern, f"{call.method} {call.path}"):
                return answer(self, call, *match.groups())
        raise Refusal(404, "Not found")

    def index(self, name: str) -> Index:
        if name not in self.indexes:
            raise Refusal(404, f"Resource {name} not found")
        return self.indexes[name]

    def _listed(self, _: Call) -> Json:
        return {"indexes": [index.described for index in self.indexes.values()]}

    def _described(self, _: Call, name: str) -> Json:
        return self.index(name).described

    def _created(self, call: Call) -> Json:
        name, schema = call.body["name"], call.body["schema"]
        if name in self.indexes:
            raise Refusal(409, "Resource already exists")
        described = {
            "name": name,
            "host": f"{self.url}/at/{name}",
            "status": {"ready": self.ready, "state": "Ready" if self.ready else "Initializing"},
            "schema": schema,
            "deployment": {"environment": "emulated", **call.body["deployment"]},
            "deletion_protection": "disabled",
            "tags": None,
        }
        self.indexes[name] = Index(described, schema["fields"]["_values"]["dimension"])
        return described

    def _upserted(self, call: Call, name: str) -> Json:
        index, rows = self.index(name), call.body["vectors"]
        if call.size > MOST_BYTES or not 0 < len(rows) <= MOST_VECTORS:
            raise Refusal(400, "Upsert request exceeds the maximum of 2 MB or 1000 vectors")
        points = Points(index.dimension)
        read = [points.read(_id(row), row["values"], _metadata(row)) for row in rows]
        namespace = call.body.get("namespace") or "__default__"
        self.write(lambda: index.namespaces.setdefault(namespace, points).put(read))
        return {"upsertedCount": len(rows)}

    def _queried(self, call: Call, name: str) -> Json:
        index, body = self.index(name), call.body
        points = index.namespaces.get(body["namespace"]) or Points(index.dimension)
        near = points.nearest(body["vector"], _keeps(body.get("filter") or {}), body["topK"])
        matches = [{"id": point.id, "score": score, "values": []} for score, point in near]
        return {"matches": matches, "namespace": body["namespace"], "usage": {"readUnits": 1}}

    def _ids(self, call: Call, name: str) -> Json:
        points = self.index(name).namespaces.get(call.query["namespace"])
        prefix = call.query.get("prefix", "")
        found = [point.id for point in points.where(lambda point: point.id.startswith(prefix))] if points else []
        page, after = _page(found, call)
        return {"vectors": [{"id": one} for one in page], **after, "namespace": call.query["namespace"]}

    def _deleted(self, call: Call, name: str) -> Json:
        points, ids = self.index(name).namespaces.get(call.body["namespace"]), set(call.body["ids"])
        if points is None:
            raise Refusal(404, "Namespace not found")
        if len(ids) > MOST_DELETED:
            raise Refusal(400, "Too many IDs to delete")
        self.write(lambda: points.drop(lambda point: point.id in ids))
        return {}

    def _namespaces(self, call: Call, name: str) -> Json:
        spaces, prefix = self.index(name).namespaces, call.query.get("prefix", "")
        page, after = _page(sorted(one for one in spaces if one.startswith(prefix)), call)
        described = [{"name": one, "record_count": len(spaces[one].by_id)} for one in page]
        return {"namespaces": described, "total_count": len(spaces), **after}


ROUTES: dict[str, Callable[..., Json]] = {
    r"GET /indexes": PineconeEmulator._listed,
    r"POST /indexes": PineconeEmulator._created,
    r"GET /indexes/([^/]+)": PineconeEmulator._described,
    r"POST /at/([^/]+)/vectors/upsert": PineconeEmulator._upserted,
    r"POST /at/([^/]+)/query": PineconeEmulator._queried,
    r"GET /at/([^/]+)/vectors/list": PineconeEmulator._ids,
    r"POST /at/([^/]+)/vectors/delete": PineconeEmulator._deleted,
    r"GET /at/([^/]+)/namespaces": PineconeEmulator._namespaces,
}


class _Handler(JsonHandler):
    def refuse(self, refusal: Refusal) -> None:
        self.answer(refusal.status, {"code": 3, "message": refusal.message, "details": []})


@contextmanager
def pinecone_emulator() -> Iterator[str]:
    """Its address, for this process and others."""
    emulator = PineconeEmulator()
    with emulator.running():
        yield emulator.address


def _id(row: Json) -> str:
    if not row["id"].isascii() or not 0 < len(row["id"]) <= 512:
        raise Refusal(400, "Vector ID must be ASCII, of 1 to 512 characters")
    return str(row["id"])


def _metadata(row: Json) -> Json:
    metadata: Json = row.get("metadata") or {}
    size = sum(len(str(part).encode()) for pair in metadata.items() for part in pair)
    if size > MOST_METADATA or any(value is None for value in metadata.values()):
        raise Refusal(400, "Metadata size is above the limit of 40960 bytes per vector, or a value is null")
    return metadata


def _page(found: list[str], call: Call) -> tuple[list[str], Json]:
    limit, after = int(call.query.get("limit", PAGE)), call.query.get("paginationToken", "")
    rest = [one for one in found if one > after]
    page = rest[: min(limit, PAGE)]
    return page, {"pagination": {"next": page[-1]}} if len(rest) > len(page) else {}


def _keeps(chosen: dict[str, dict[str, list[Any]]]) -> Callable[[Point], bool]:
    tests: list[tuple[str, bool, set[Any]]] = [
        (key, sign == "$in", set(values)) for key, signs in chosen.items() for sign, values in signs.items()
    ]
    return lambda point: all((point.about.get(key) in values) is wanted for key, wanted, values in tests)
