"""Uploads over a line that breaks again and again, at any byte (R16): the real command, API and storage.

Every cut is drawn by seed. After `kill` a person types the same command again; the others the command survives:
`reset` is a TCP reset of the connection that carries the byte, `expire` a line that stands still until every signed
address is out of date, `stale` a request that reaches storage only after its address is.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from biblio.domain.flow import Status
from tests.chaos.fault_proxy import FaultProxy, Link
from tests.chaos.place import MIB, Place, make_film, sha256_of

PART = 8 * MIB
MOST_CUTS = 10  # of one film
UPLOAD_SECONDS = 2
STANDSTILL = UPLOAD_SECONDS + 0.2
LEG_SECONDS = 120.0
SETTLE_SECONDS = 5.0
HEADS = 32 * 1024
"""Bytes of request lines and headers, for every cut and every run of the command."""
GAPS = (1 / 4, 1 / 2, 1, 3 / 2)
"""Parts that pass at most before a cut: few, so that one film bears many cuts. Now and then it is half of the film, so
that cuts fall into every part, and also where a client that grows bolder sends most at once."""
WEIGHTS = {"kill": 4, "reset": 4, "expire": 1, "stale": 1}


@dataclass(frozen=True)
class Traffic:
    """Films of `parts` parts on a line whose every connection pauses for `delay` seconds after 128 KiB."""

    parts: int
    delay: float

    @property
    def size(self) -> int:
        return self.parts * PART - 12_345


LINES = (Traffic(5, 0.0), Traffic(13, 0.003))
"""As fast as the machine, and one that many parts at once would have to share."""


@dataclass
class Cut:
    kind: str
    gap: int
    """Bytes that pass before it."""


@dataclass
class Line:
    """A client's way: to the API, and to storage at the address that the API signs for."""

    place: Place
    api: FaultProxy
    storage: FaultProxy


@contextmanager
def open_line(place: Place) -> Iterator[Line]:
    with FaultProxy(place.storage_endpoint) as storage:
        settings = {"BIBLIO_STORAGE": place.through(storage), "BIBLIO_UPLOAD_SECONDS": str(UPLOAD_SECONDS)}
        with place.api(**settings) as url, FaultProxy(url) as api:
            yield Line(place, api, storage)


@dataclass
class Sending:
    """One film on its way, and the cuts that are still to come."""

    line: Line
    film: Path
    size: int
    label: str
    cuts: list[Cut]
    done: list[Cut] = field(default_factory=list)
    worst: float = 0.0
    """Bytes sent in vain in one run of the command, in parts per cut."""

    def run(self) -> None:
        """Raises AssertionError where anything is not as promised."""
        api_bytes, legs = self.line.api.up, 1
        while not self._leg():
            legs += 1
        video_id = self._video_id()
        place = self.line.place
        assert place.sha256(video_id) == sha256_of(self.film), self.label
        assert place.video(video_id).status is Status.PENDING, self.label
        assert len(place.jobs(video_id)) == 1, self.label
        assert place.unfinished(video_id) == [], self.label
        asked = self.line.api.up - api_bytes
        assert asked < HEADS * (legs + len(self.done)), f"{self.label}: {asked} bytes to the API"
        place.forget(video_id)

    def _leg(self) -> bool:
        """One run of the command, until it is killed or has ended. Whether the film has arrived."""
        storage, cuts_before, sent_before = self.line.storage, len(self.done), self.line.storage.up
        stored_before = self._stored()
        self._arm()
        self._process = self._start()
        _, errors = self._process.communicate(timeout=LEG_SECONDS)
        storage.disarm()
        code = self._process.returncode
        assert code in (0, -signal.SIGKILL), f"{self.label}: exit {code} after {self.done[cuts_before:]}: {errors}"
        self._wait_until(lambda: storage.open == 0)
        cuts = len(self.done) - cuts_before
        allowed = cuts * PART + (cuts + 1) * HEADS

        def wasted() -> int:
            stored = self.size if code == 0 else self._stored()
            return storage.up - sent_before - (stored - stored_before)

        self._wait_until(lambda: wasted() <= allowed)  # storage may need a moment for what it has got
        self.worst = max(self.worst, wasted() / PART / max(cuts, 1))
        told = f"{wasted()} bytes sent in vain in a run with {self.done[cuts_before:]}"
        assert wasted() <= allowed, f"{self.label}: {told}"
        return code == 0

    def _start(self) -> "subprocess.Popen[str]":
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BIBLIO_")}
        place = self.line.place
        environment |= {"BIBLIO_URL": self.line.api.url, "BIBLIO_API_KEY": place.key}
        command = [sys.executable, "-m", "biblio", "ingest", "--json", str(self.film)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def _arm(self) -> None:
        if not self.cuts:
            return
        act = partial(self._cut, self.cuts[0])
        if self.cuts[0].kind == "stale":
            self.line.storage.at_request(b"PUT ", act)
        else:
            self.line.storage.at_byte(self.cuts[0].gap, act)

    def _cut(self, cut: Cut, link: Link) -> None:
        self.done.append(self.cuts.pop(0))
        if cut.kind == "kill":
            self._process.kill()
            return  # armed anew with the next run: what the dead one had sent already is no cut of a line
        if cut.kind == "reset":
            link.reset()
        else:
            self.line.storage.hold(STANDSTILL)
        self._arm()

    def _stored(self) -> int:
        return self.line.place.stored_bytes(self._video_id()) if self._video_ids() else 0

    def _video_id(self) -> str:
        (video_id,) = self._video_ids()
        return video_id

    def _video_ids(self) -> list[str]:
        return self.line.place.named(self.film.name)

    def _wait_until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        while not holds() and time.monotonic() < deadline:
            time.sleep(0.05)


def draw(dice: random.Random, parts: int, most: int) -> list[Cut]:
    kinds = dice.choices(list(WEIGHTS), weights=list(WEIGHTS.values()), k=min(most, MOST_CUTS))
    return [Cut(kind, dice.randint(1, int(PART * dice.choice([*GAPS, parts / 2])))) for kind in kinds]


def send_films(place: Place, folder: Path, seed: int, traffic: Traffic, cuts: int) -> list[Sending]:
    """Films one after another, until `cuts` cuts were made; one that arrives before its last leaves it to the next."""
    sent: list[Sending] = []
    with open_line(place) as line:
        line.storage.delay = traffic.delay
        while (left := cuts - sum(len(one.done) for one in sent)) > 0:
            name = f"{seed}-{traffic.parts}-{len(sent)}"
            film = make_film(folder / f"film-{name}.mp4", traffic.size, name)
            drawn = draw(random.Random(name), traffic.parts, left)
            sent.append(Sending(line, film, traffic.size, f"--upload-seed {seed}, film {name}", drawn))
            sent[-1].run()
            film.unlink()
    return sent


@pytest.mark.timeout(3600)
def test_every_cut_upload_resumes_and_no_part_is_sent_twice_without_need(
    place: Place, seed: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    cuts: int = request.config.getoption("--upload-cuts")
    shares = [cuts // len(LINES) + (number < cuts % len(LINES)) for number in range(len(LINES))]
    send = partial(send_films, place, tmp_path, seed)
    with ThreadPoolExecutor(len(LINES)) as pool:
        sent = [one for films in pool.map(send, LINES, shares) for one in films]
    kinds = Counter(cut.kind for one in sent for cut in one.done)
    worst = max(one.worst for one in sent)
    print(f"--upload-seed {seed}: {kinds.total()} cuts {dict(kinds)} of {len(sent)} films, all whole; ", end="")
    print(f"at most {worst:.2f} parts sent again per cut")
    assert kinds.total() == cuts
