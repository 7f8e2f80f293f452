"""Weaviate's own client: connected when it is first used, and never trying twice."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import grpc
from weaviate import WeaviateClient
from weaviate.auth import AuthApiKey
from weaviate.classes.init import AdditionalConfig, Timeout
from weaviate.config import GrpcConfig
from weaviate.connect import ConnectionParams

from biblio.adapters.vectors.weaviate_errors import translated, translation
from biblio.errors import Misconfigured

# At its usual level it writes whole objects to the log, what was said included.
logging.getLogger("weaviate-client").setLevel(logging.CRITICAL)

CHANNEL = [
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),  # two minutes else, in which a server that is back is not asked
    # A server takes pings from every five minutes on. What helps is that a connection on which nothing is acknowledged
    # is given up: without keepalive only the system does that, after a quarter of an hour.
    ("grpc.keepalive_time_ms", 300_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]


class Door:
    """One client for all threads. `timeout` and `write_timeout` are seconds, for each answer."""

    def __init__(self, params: ConnectionParams, key: str | None, timeout: float, write_timeout: float) -> None:
        self._params, self._key = params, key
        self._timeout = Timeout(query=timeout, insert=write_timeout, init=timeout)
        self._client: WeaviateClient | None = None
        self._lock = threading.Lock()

    def client(self) -> WeaviateClient:
        if self._client is not None:
            return self._client
        fresh = self._connected()  # outside the lock: nobody waits for another's time-out
        with self._lock:
            if self._client is None:
                self._client = fresh
                return fresh
            kept = self._client
        fresh.close()
        return kept

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connected(self) -> WeaviateClient:
        client = WeaviateClient(
            connection_params=self._params,
            auth_client_secret=AuthApiKey(self._key) if self._key else None,
            additional_config=AdditionalConfig(timeout=self._timeout, grpc_config=GrpcConfig(channel_options=CHANNEL)),
            skip_init_checks=True,  # they ask a package index for a newer client
        )
        try:
            with translated():
                client.connect()
        except KeyError as error:
            raise Misconfigured("What answers is no Weaviate: check BIBLIO_VECTORS.") from error
        finally:
            if not client.is_connected():
                client.close()
        return client


class OncePerCall(ConnectionParams):
    """Where Weaviate is. The client repeats what fails with UNAVAILABLE for up to a minute, and keeps no status of what
    fails otherwise; so errors become ours before it sees them."""

    def _grpc_channel(self, *given: Any, **named: Any) -> Any:
        return grpc.intercept_channel(super()._grpc_channel(*given, **named), _Translator())


class _Translator(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]  # grpcio has no types
    def intercept_unary_unary(self, continuation: Callable[[Any, Any], Any], details: Any, request: Any) -> Any:
        outcome = continuation(details, request)
        error = outcome.exception()
        if isinstance(error, grpc.RpcError):
            raise translation(error) from error
        return outcome
