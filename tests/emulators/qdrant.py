"""Qdrant's REST API as its client library speaks it, in strict mode: what has no payload index is not filtered by.

A write that is not waited for is acknowledged, and shows after `patience` seconds.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.faults import Fault
from tests.emulators.json_service import Call, Json, JsonHandler, JsonService, Point, Points, Refusal

MOST_BYTES = 32 * 1024 * 1024
"""Of a request, as a server's default is."""


@dataclass
class Collection:
    config: Json
    points: Points
    indexes: dict[str, Any] = field(default_factory=dict)


class QdrantEmulator(JsonService):
    def __init__(self, faults: list[Fault] | None = None) -> None:
        super().__init__(_Handler, faults)
        self.collections: dict[str, Collection] = {}
        self.patience = 0.5

    @property
    def address(self) -> str:
        return f"qdrant://:{self.key}@127.0.0.1:{self.server_address[1]}"

    def respond(self, call: Call) -> Json:
        if call.size > MOST_BYTES:
            raise Refusal(413, "Payload too large")
        for pattern, answer in ROUTES.items():
            if match := re.fullmatch(pattern, f"{call.method} {call.path}"):
                return {"result": answer(self, call, *match.groups()), "status": "ok", "time": 0.001}
        raise Refusal(404, "Not found")

    def collection(self, name: str) -> Collection:
        if name not in self.collections:
            raise Refusal(404, f"Not found: Collection `{name}` doesn't exist!")
        return self.collections[name]

    def _listed(self, _: Call) -> Json:
        return {"collections": [{"name": name} for name in self.collections]}

    def _exists(self, _: Call, name: str) -> Json:
        return {"exists": name in self.collections}

    def _created(self, call: Call, name: str) -> bool:
        if name in self.collections:
            raise Refusal(409, f"Wrong input: Collection `{name}` already exists!")
        self.collections[name] = Collection(call.body, Points(call.body["vectors"]["size"]))
        return True

    def _described(self, _: Call, name: str) -> Json:
        collection = self.collection(name)
        params = {"vectors": collection.config["vectors"]}
        hnsw = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000, **collection.config["hnsw_config"]}
        optimizer = {"deleted_threshold": 0.2, "vacuum_min_vector_number": 1000, "default_segment_number": 0}
        config = {"params": params, "hnsw_config": hnsw, "optimizer_config": {**optimizer, "flush_interval_sec": 5}}
        schema = {
            key: {"data_type": kind if isinstance(kind, str) else kind["type"], "points": 0}
            for key, kind in collection.indexes.items()
        }
        state = {"status": "green", "optimizer_status": "ok", "segments_count": 1, "config": config}
        return {**state, "points_count": len(collection.points.by_id), "payload_schema": schema}

    def _indexed(self, call: Call, name: str) -> Json:
        indexes, body = self.collection(name).indexes, call.body
        return self._written(call, lambda: indexes.__setitem__(body["field_name"], body["field_schema"]))

    def _upserted(self, call: Call, name: str) -> Json:
        points = self.collection(name).points
        read = [points.read(one["id"], one["vector"], one["payload"]) for one in call.body["points"]]
        return self._written(call, lambda: points.put(read))

    def _deleted(self, call: Call, name: str) -> Json:
        collection = self.collection(name)
        keep = _keeps(call.body["filter"], collection)
        return self._written(call, lambda: collection.points.drop(keep))

    def _queried(self, call: Call, name: str) -> Json:
        collection, body = self.collection(name), call.body
        keep, fields = _keeps(body["filter"], collection), body["with_payload"]
        near = collection.points.nearest(body["query"]["nearest"], keep, body["limit"])
        return {"points": [{**_shown(point, fields), "version": 1, "score": score} for score, point in near]}

    def _scrolled(self, call: Call, name: str) -> Json:
        collection, body = self.collection(name), call.body
        keep, after = _keeps(body.get("filter"), collection), body.get("offset") or ""
        found = collection.points.where(lambda point: point.id >= after and keep(point))
        page, rest = found[: body["limit"]], found[body["limit"] :]
        shown = [_shown(point, body["with_payload"]) for point in page]
        return {"points": shown, "next_page_offset": rest[0].id if rest else None}

    def _written(self, call: Call, act: Callable[[], None]) -> Json:
        is_waited_for = call.query.get("wait") == "true"
        self.write(act, 0.0 if is_waited_for else self.patience)
        return {"operation_id": 1, "status": "completed" if is_waited_for else "acknowledged"}


ROUTES: dict[str, Callable[..., Any]] = {
    r"GET /collections": QdrantEmulator._listed,
    r"GET /collections/([^/]+)/exists": QdrantEmulator._exists,
    r"GET /collections/([^/]+)": QdrantEmulator._described,
    r"PUT /collections/([^/]+)": QdrantEmulator._created,
    r"PUT /collections/([^/]+)/index": QdrantEmulator._indexed,
    r"PUT /collections/([^/]+)/points": QdrantEmulator._upserted,
    r"POST /collections/([^/]+)/points/delete": QdrantEmulator._deleted,
    r"POST /collections/([^/]+)/points/query": QdrantEmulator._queried,
    r"POST /collections/([^/]+)/points/scroll": QdrantEmulator._scrolled,
}


class _Handler(JsonHandler):
    def refuse(self, refusal: Refusal) -> None:
        self.answer(refusal.status, {"status": {"error": refusal.message}, "time": 0.001})


@contextmanager
def qdrant_emulator() -> Iterator[str]:
    """Its address, for this process and others."""
    emulator = QdrantEmulator()
    with emulator.running():
        yield emulator.address


def _shown(point: Point, fields: list[str]) -> Json:
    return {"id": point.id, "payload": {key: point.about[key] for key in fields}}


def _keeps(chosen: Json | None, collection: Collection) -> Callable[[Point], bool]:
    wanted = [_test(one, collection) for one in (chosen or {}).get("must") or ()]
    unwanted = [_test(one, collection) for one in (chosen or {}).get("must_not") or ()]
    return lambda point: all(test(point) for test in wanted) and not any(test(point) for test in unwanted)


def _test(condition: Json, collection: Collection) -> Callable[[Point], bool]:
    if "has_id" in condition:
        ids = set(condition["has_id"])
        return lambda point: point.id in ids
    key, match = condition["key"], condition["match"]
    if key not in collection.indexes:
        raise Refusal(400, f'Bad request: Index required but not found for "{key}"')
    values = set(match["any"] if "any" in match else [match["value"]])
    return lambda point: point.about.get(key) in values
