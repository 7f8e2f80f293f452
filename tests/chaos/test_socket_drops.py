"""Live sockets dropped at random moments while the log grows: what clients hear is the log, event for event."""

import random
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import psutil
import pytest

from biblio.client import Client
from biblio.client.live import Live, follow, open_live
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
        self._api.enter_context(self._place.api(self._port))

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


@dataclass
class Audience:
    """Who listens to a user: to the whole log, to it from some moment on, and to one video."""

    user: User
    url: str

    def __post_init__(self) -> None:
        client = Client(self.url, self.user.key)
        self.whole = Follower(client.events(0, patience=PATIENCE))
        self.tail = Follower(client.events(patience=PATIENCE))
        self.one = Follower(follow(self._live, 0, PATIENCE))
        self.all = (self.whole, self.tail, self.one)

    def _live(self, after: int | None) -> AbstractContextManager[Live]:
        return open_live(self.url, self.user.key, f"/api/videos/{self.user.videos[0]}/status/ws", after)

    def heard(self) -> int:
        return sum(len(one.heard) for one in self.all)

    def check(self, seed: int) -> int:
        """That each has heard just what the log says; how much that is."""
        log, of_one = self.user.log(), self.user.log(self.user.videos[0])
        assert self.whole.end(log[-1]["event_id"]) == log, f"seed {seed}"
        tail = self.tail.end(log[-1]["event_id"])
        assert tail == log[tail[0]["event_id"] - 1 :], f"seed {seed}"
        told = self.one.end(of_one[-1]["event_id"])
        assert [{name: message[name] for name in log[0]} for message in told] == of_one, f"seed {seed}"
        assert {message["video_id"] for message in self.whole.heard} == set(self.user.videos)
        return len(log)


@pytest.mark.timeout(900)
def test_what_clients_hear_is_the_log(
    place: Place, line: Line, socket_seed: int, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    drops = request.config.getoption("--socket-drops")
    users, over = [User(place), User(place)], threading.Event()
    audiences = [Audience(user, line.proxy.url) for user in users]
    # Two write for each user at once: who commits last has the higher number all the same.
    writers = [
        threading.Thread(target=_write, args=(user, seed, over), daemon=True) for seed, user in enumerate(users * 2)
    ]
    for thread in writers:
        thread.start()
    for follower in (one for audience in audiences for one in audience.all):
        follower.begin()
    cost = _drop(line, audiences, drops, random.Random(socket_seed + 1))
    over.set()
    for thread in writers:
        thread.join()
    place.services.catalog.ping()
    events = sum(audience.check(socket_seed) for audience in audiences)
    with capsys.disabled():
        print(f"\nseed {socket_seed}: {drops} drops, {cost} connections lost, {events} events, each heard once")


def _drop(line: Line, audiences: Sequence[Audience], drops: int, dice: random.Random) -> int:
    """How many connections it cost."""
    cost = dropped = 0
    while dropped < drops:
        if dice.random() < 0.7:  # else they are as likely as not on their way back
            _let_hear(audiences)
        time.sleep(dice.uniform(0, 0.3))
        lost = line.drop()
        cost, dropped = cost + lost, dropped + bool(lost)
    return cost


def _let_hear(audiences: Sequence[Audience]) -> None:
    """Until somebody has heard something more: on a slow machine nobody would ever get far."""
    before, deadline = sum(one.heard() for one in audiences), time.monotonic() + CATCH_UP_SECONDS
    while sum(one.heard() for one in audiences) == before and time.monotonic() < deadline:
        time.sleep(0.01)


def _write(user: User, seed: int, over: threading.Event) -> None:
    dice = random.Random(seed)
    while not over.wait(dice.uniform(0, 0.06)):
        user.happen(dice)
