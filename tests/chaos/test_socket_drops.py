"""Live sockets dropped at random moments while the log grows: what clients hear is the log, event for event."""

import random
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import psutil
import pytest

from biblio.client import Client
from biblio.client.live import follow, open_live
from biblio.domain.flow import Status
from biblio.errors import BiblioError, Unavailable
from biblio.pipeline.upload import NewVideo, begin_upload
from tests.api.conftest import log_of
from tests.chaos.fault_proxy import FaultProxy, Link
from tests.chaos.place import Place, free_port

PATIENCE = 60.0
CATCH_UP_SECONDS = 60.0
HANDSHAKE = 400
"""Bytes, about."""
VIDEOS = 3


@pytest.fixture
def socket_seed(request: pytest.FixtureRequest) -> int:
    given: int | None = request.config.getoption("--socket-seed")
    return given if given is not None else random.SystemRandom().randrange(1_000_000)


@dataclass
class User:
    """Somebody with a few videos to whom something happens all the time."""

    place: Place
    id: str = ""
    key: str = field(default_factory=lambda: uuid4().hex)
    videos: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        services = self.place.services
        with services.catalog.transaction() as tx:
            self.id = tx.users.add(f"follower {self.key}")
            tx.users.give_key(self.id, self.key)
            for _ in range(VIDEOS):
                video, _ = begin_upload(services, tx, self.id, NewVideo("강의.mp4", 9))
                self.videos.append(video.id)

    def happen(self, dice: random.Random) -> None:
        """One to three events, or none where the transaction is given up."""
        with suppress(Unavailable, _GivenUp), self.place.services.catalog.transaction() as tx:
            for video_id in dice.sample(self.videos, dice.randint(1, VIDEOS)):
                tx.videos.update(video_id, status=Status.TRANSCRIBING, progress=dice.randint(0, 99))
            if dice.random() < 0.1:
                raise _GivenUp

    def log(self, video_id: str | None = None) -> list[dict[str, Any]]:
        return log_of(self.place.services, self.id, video_id=video_id)


class _GivenUp(Exception):
    pass


class Follower:
    """Hears `messages` in a thread of its own until it has heard of event `last`."""

    def __init__(self, messages: Iterable[Any]) -> None:
        self.heard: list[dict[str, Any]] = []
        self.error: BiblioError | None = None
        self._messages, self._last = messages, 2**63
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()

    def _hear(self) -> None:
        try:
            for message in self._messages:
                self.heard.append(message)
                if message["event_id"] >= self._last:
                    return
        except BiblioError as error:
            self.error = error

    def begin(self) -> None:
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while not self.heard and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.heard, self.error

    def end(self, last: int) -> list[dict[str, Any]]:
        self._last = last
        if not self.heard or self.heard[-1]["event_id"] < last:
            self._thread.join(CATCH_UP_SECONDS)
        assert self.error is None
        return self.heard


class Line:
    """The way from the clients to an API that may be ended and started anew on the same port."""

    def __init__(self, place: Place, dice: random.Random) -> None:
        self._place, self._dice, self._port = place, dice, free_port()
        self._api = ExitStack()
        self._start()
        self.proxy = FaultProxy(f"http://127.0.0.1:{self._port}")

    def drop(self) -> int:
        """How many connections it cost."""
        kind = self._dice.choices(["reset", "close", "handshake", "database", "stop", "kill"], [56, 21, 12, 9, 1, 1])[0]
        if kind == "handshake":
            self.proxy.at_byte(self._dice.randint(1, HANDSHAKE), Link.reset)
        if kind in ("stop", "kill"):
            return self._restart(kind)
        if kind == "database":
            self._end_backends()
        return self.proxy.cut(Link.close if kind == "close" else Link.reset) if kind != "database" else 0

    def _restart(self, kind: str) -> int:
        cost = self.proxy.open
        if kind == "kill":
            for child in psutil.Process().children():
                if str(self._port) in child.cmdline():
                    child.kill()
        self._api.close()
        self._start()
        return cost

    def _start(self) -> None:
        self._api.enter_context(self._place.api(port=self._port))

    def _end_backends(self) -> None:
        """Of whoever listens, or of everybody: the API, and those who write."""
        listening = "AND query LIKE 'LISTEN%'" if self._dice.random() < 0.5 else ""
        with self._place.sql() as connection:
            connection.execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'biblio' {listening}"
            )

    def close(self) -> None:
        self._api.close()


@pytest.fixture
def line(place: Place, socket_seed: int) -> Iterator[Line]:
    line = Line(place, random.Random(socket_seed))
    with line.proxy:
        yield line
    line.close()


@pytest.mark.timeout(900)
def test_what_clients_hear_is_the_log(
    place: Place, line: Line, socket_seed: int, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    drops = request.config.getoption("--socket-drops")
    users, dice = [User(place), User(place)], random.Random(socket_seed + 1)
    over = threading.Event()
    writers = [
        threading.Thread(target=_write, args=(user, seed, over), daemon=True) for seed, user in enumerate(users * 2)
    ]
    clients = [Client(line.proxy.url, user.key) for user in users]
    whole = [Follower(client.events(0, patience=PATIENCE)) for client in clients]
    tails = [Follower(client.events(patience=PATIENCE)) for client in clients]
    video_id = users[0].videos[0]
    one = Follower(follow(lambda after: _live(line, users[0], video_id, after), 0, PATIENCE))
    for thread in writers:
        thread.start()
    for follower in (*whole, *tails, one):
        follower.begin()
    cost = dropped = 0
    while dropped < drops:
        if dice.random() < 0.7:  # else they are as likely as not on their way back
            _let_hear(*whole, *tails, one)
        time.sleep(dice.uniform(0, 0.3))
        lost = line.drop()
        cost, dropped = cost + lost, dropped + bool(lost)
    over.set()
    for thread in writers:
        thread.join()
    place.services.catalog.ping()
    logs = [user.log() for user in users]
    with capsys.disabled():
        print(f"\nseed {socket_seed}: {dropped} drops, {cost} connections lost, {sum(map(len, logs))} events")
    for user, follower, tail, log in zip(users, whole, tails, logs, strict=True):
        last = log[-1]["event_id"]
        assert follower.end(last) == log, f"seed {socket_seed}"
        began = tail.end(last)[0]["event_id"]
        assert tail.heard == log[began - 1 :], f"seed {socket_seed}"
        assert {message["video_id"] for message in follower.heard} == set(user.videos)
    expected = users[0].log(video_id)
    told = one.end(expected[-1]["event_id"])
    assert [{name: message[name] for name in expected[0]} for message in told] == expected, f"seed {socket_seed}"


def _let_hear(*followers: Follower) -> None:
    """Until somebody has heard something more: on a slow machine nobody would ever get far."""
    before, deadline = sum(len(one.heard) for one in followers), time.monotonic() + CATCH_UP_SECONDS
    while sum(len(one.heard) for one in followers) == before and time.monotonic() < deadline:
        time.sleep(0.01)


def _live(line: Line, user: User, video_id: str, after: int | None) -> Any:
    return open_live(line.proxy.url, user.key, f"/api/videos/{video_id}/status/ws", after)


def _write(user: User, seed: int, over: threading.Event) -> None:
    dice = random.Random(seed)
    while not over.wait(dice.uniform(0, 0.06)):
        user.happen(dice)
