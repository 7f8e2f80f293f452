"""The token bucket in Valkey."""

import socket
import threading
import traceback
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from uuid import uuid4

import pytest
from redis import Redis

from biblio.adapters.limiter.token_bucket import connect
from biblio.dsn import Dsn
from biblio.errors import BiblioError, Misconfigured, Unavailable
from tests.contracts.limiter import LimiterContract, OpenLimiter
from tests.contracts.limiter_turns import LimiterTurnsContract


@pytest.fixture
def dsn(addresses: Mapping[str, str]) -> Dsn:
    return Dsn.parse(addresses["BIBLIO_LIMITER"])


@pytest.fixture
def server(dsn: Dsn) -> Redis:
    return Redis(host=dsn.host, port=dsn.port or 6379, db=int(dsn.path), password=dsn.password, decode_responses=True)


class TestTokenBucket(LimiterContract, LimiterTurnsContract):
    @pytest.fixture
    def open_limiter(self, dsn: Dsn) -> OpenLimiter:
        return partial(connect, dsn)


def test_the_key_of_a_bucket_goes_once_the_bucket_would_be_full(dsn: Dsn, server: Redis) -> None:
    bucket = uuid4().hex
    connect(dsn).take(bucket, amount=3, capacity=10, per_second=0.5)
    assert 6_000 < int(str(server.pttl(f"biblio:bucket:{bucket}"))) <= 7_000


def test_a_server_that_lost_its_scripts_is_given_them_again(dsn: Dsn, server: Redis) -> None:
    limiter, bucket = connect(dsn), uuid4().hex
    assert limiter.take(bucket, amount=1, capacity=1, per_second=0.01) == 0.0
    server.script_flush()
    assert limiter.take(bucket, amount=1, capacity=1, per_second=0.01) > 0.0


def test_a_connection_the_server_closed_is_opened_again(dsn: Dsn, server: Redis) -> None:
    limiter = connect(dsn)
    limiter.ping()
    server.client_kill_filter(_type="normal", skipme=True)
    limiter.ping()


def test_a_server_that_is_away_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    limiter = connect(Dsn("redis", "127.0.0.1", port))
    for call in (limiter.ping, limiter.prepare, partial(limiter.take, "b", amount=1, capacity=1, per_second=1)):
        with pytest.raises(Unavailable):
            call()


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        limiter = connect(Dsn("redis", "127.0.0.1", silent.getsockname()[1], options={"timeout": "0.3"}))
        with pytest.raises(Unavailable):
            limiter.ping()


@pytest.mark.parametrize("said", ["MISCONF Errors writing to the AOF file: No space left on device", "BUSY A script."])
def test_a_server_that_cannot_write_just_now_is_unavailable(said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_answer, args=(server, f"-{said}\r\n".encode()), daemon=True).start()
        limiter = connect(Dsn("redis", "127.0.0.1", server.getsockname()[1]))
        with pytest.raises(Unavailable):
            limiter.ping()


def test_a_wrong_password_is_misconfigured_and_shown_nowhere(dsn: Dsn) -> None:
    limiter = connect(replace(dsn, password="wrong-pass-phrase"))
    with pytest.raises(Misconfigured) as caught:
        limiter.ping()
    assert "wrong-pass-phrase" not in _everything_shown(caught.value) + repr(limiter)


def test_an_unknown_option_is_refused(dsn: Dsn) -> None:
    with pytest.raises(Misconfigured, match="Did you mean 'timeout'"):
        connect(replace(dsn, options={"time_out": "3"}))


@pytest.mark.parametrize("address", ["redis://", "redis://127.0.0.1/zero"])
def test_an_address_without_sense_is_misconfigured(address: str) -> None:
    with pytest.raises(Misconfigured):
        connect(Dsn.parse(address))


def _everything_shown(error: BiblioError) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


def _answer(server: socket.socket, said: bytes) -> None:
    """The same to everything."""
    line, _ = server.accept()
    with line:
        while line.recv(4096):
            line.sendall(said)
