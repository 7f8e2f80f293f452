"""A Weaviate that speaks its own HTTP (schema) and gRPC (the rest) on loopback, and misbehaves on order."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import urlsplit

import grpc
from weaviate.proto.v1 import weaviate_pb2_grpc

from tests.emulators.faults import CUT, DROP, FaultyServer, Handler
from tests.emulators.weaviate_grpc import Servicer
from tests.emulators.weaviate_shelf import Refusal, Shelf

KEY = "weaviate-key-of-tests"
VERSION = "1.32.4"
MESSAGE = 10 * 1024 * 1024
"""Bytes. Larger messages are refused."""

# What a server adds to a collection; the client needs it.
INDEX: dict[str, Any] = {
    "cleanupIntervalSeconds": 300,
    "dynamicEfMin": 100,
    "dynamicEfMax": 500,
    "dynamicEfFactor": 8,
    "ef": -1,
    "efConstruction": 128,
    "filterStrategy": "sweeping",
    "flatSearchCutoff": 40_000,
    "maxConnections": 32,
    "skip": False,
    "vectorCacheMaxObjects": 1_000_000_000_000,
    "distance": "cosine",
}
DEFAULTS: dict[str, Any] = {
    "invertedIndexConfig": {
        "bm25": {"b": 0.75, "k1": 1.2},
        "cleanupIntervalSeconds": 60,
        "stopwords": {"preset": "en", "additions": None, "removals": None},
    },
    "multiTenancyConfig": {"enabled": False, "autoTenantCreation": False, "autoTenantActivation": False},
    "replicationConfig": {"factor": 1, "asyncEnabled": False, "deletionStrategy": "NoAutomatedResolution"},
    "shardingConfig": {
        "virtualPerPhysical": 128,
        "desiredCount": 1,
        "actualCount": 1,
        "desiredVirtualCount": 128,
        "actualVirtualCount": 128,
        "key": "_id",
        "strategy": "hash",
        "function": "murmur3",
    },
}


class Weaviate(FaultyServer):
    """`faults` and `calls` are HTTP's, as of every `FaultyServer`; gRPC's are the servicer's."""

    def __init__(self) -> None:
        super().__init__(_Handler, [])
        self.shelf = Shelf()
        self.servicer = Servicer(self.shelf, KEY)
        self.version = VERSION
        self.grpc_port = 0

    @property
    def address(self) -> str:
        return f"weaviate://:{KEY}@127.0.0.1:{self.server_address[1]}?grpc_port={self.grpc_port}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        options = [("grpc.max_receive_message_length", MESSAGE), ("grpc.so_reuseport", 0)]
        server = grpc.server(ThreadPoolExecutor(32), options=options)
        weaviate_pb2_grpc.add_WeaviateServicer_to_server(self.servicer, server)  # type: ignore[no-untyped-call]
        self.grpc_port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with self.running():
            yield
        self.servicer.ended.set()
        server.stop(None).wait()


@contextmanager
def running_weaviate() -> Iterator[Weaviate]:
    emulator = Weaviate()
    with emulator.serving():
        yield emulator


@contextmanager
def weaviate_emulator() -> Iterator[str]:
    """Its address, for other processes too."""
    with running_weaviate() as emulator:
        yield emulator.address


class _Handler(Handler):
    @property
    def weaviate(self) -> Weaviate:
        return cast(Weaviate, self.server)

    def _any(self) -> None:
        path = urlsplit(self.path).path
        fault = self.weaviate.fault_for(f"{self.command} {path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault and fault.status == DROP:
            self.close_connection = True
        elif fault and fault.status == CUT:
            self._cut()
        elif fault:
            self.answer(fault.status, fault.body, fault.headers)
        elif self.headers["Authorization"] != f"Bearer {KEY}":
            self.answer(401, {"code": 401, "message": "anonymous access not enabled, please provide an auth scheme"})
        else:
            with self.weaviate.shelf.lock:
                self._route(path.split("/")[2:], json.loads(body) if body else {})

    do_GET = do_POST = do_HEAD = _any

    def _route(self, path: list[str], body: dict[str, Any]) -> None:
        shelf = self.weaviate.shelf
        match path:
            case ["meta"]:
                self.answer(200, {"version": self.weaviate.version, "grpcMaxMessageSize": MESSAGE, "modules": {}})
            case ["schema"] if self.command == "POST":
                self._create(body)
            case ["schema"]:
                self.answer(200, {"classes": list(shelf.classes.values())})
            case ["schema", name] if name in shelf.classes:
                self.answer(200, shelf.classes[name])
            case ["schema", name, "tenants", tenant] if tenant in shelf.tenants.get(name, {}):
                self.send(200, b"", "application/json")
            case _:
                self.send(404, b"", "application/json")

    def _create(self, schema: dict[str, Any]) -> None:
        for vector in schema.get("vectorConfig", {}).values():
            vector["vectorIndexConfig"] = INDEX | vector["vectorIndexConfig"]
        for one in schema["properties"]:
            is_text = one["dataType"] == ["text"]
            one |= {"indexFilterable": True, "indexSearchable": is_text, "indexRangeFilters": False} | one
        try:
            self.weaviate.shelf.add_class(DEFAULTS | schema)
            self.answer(200, schema)
        except Refusal as error:
            self.answer(422, {"error": [{"message": str(error)}]})

    def _cut(self) -> None:
        """Half an answer."""
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b'{"version": ')
        self.wfile.flush()
        self.close_connection = True
