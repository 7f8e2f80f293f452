"""One storm: videos on their road, faults that strike them, and calm at the end."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from amqp.exceptions import AMQPError
from kombu import Connection
from kombu.exceptions import KombuError
from redis import Redis
from redis.exceptions import RedisError

from biblio.dsn import Dsn
from tests.chaos.storm.eyes import Eyes
from tests.chaos.storm.faults import AT_POINTS, Fault, Kind, PointDeck, deck
from tests.chaos.storm.ground import Ground, Own
from tests.chaos.storm.people import People
from tests.chaos.storm.points import Orders

TICK = 0.05
IN_FLIGHT = 7
"""Videos that are kept on their road."""
MOST_ORDERS = 6
"""Points at which somebody is waited for at a time."""
ORDER_SECONDS = 12.0
"""After which a point where nobody came is given up for another one."""
STANDSTILL = 13.0
"""Seconds: longer than a lease."""
DISK_SECONDS, CLOCK_SECONDS, STOP_SECONDS = 6.0, 12.0, 12.0
ROLL_SECONDS = 15.0
CALM_SECONDS = 240.0
QUEUES = ("biblio.media", "biblio.ai", "biblio.index")


@dataclass
class Order:
    fault: Fault
    point: str
    given: float


@dataclass
class Weather:
    """What came of it. `calm`: seconds from the last fault until everything was done; None when it never was."""

    faults: list[Fault] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    calm: float | None = None
    seconds: float = 0.0


class Storm:
    """`pace`: seconds between two faults, on average. `say` gets a line now and then."""

    def __init__(
        self, ground: Ground, people: People, eyes: Eyes, dice: random.Random, pace: float, say: Callable[[str], None]
    ) -> None:
        self._ground, self._people, self._eyes, self._say = ground, people, eyes, say
        self._dice, self._pace = dice, pace
        self._orders, self._points = Orders(ground.orders), PointDeck(dice)
        self._open: list[Order] = []
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._weather = Weather()
        self._in_flight = 0
        self._looked = 0.0

    def blow(self, runs: int, *, without: tuple[Kind, ...] = (), seconds: float = 3600.0) -> Weather:
        began = time.monotonic()
        coming = deck(runs, self._dice, without=without)
        self._wait_for_work()
        next_at = time.monotonic()
        while (coming or self._open) and time.monotonic() - began < seconds:
            self._tick(traffic=True)
            if coming and time.monotonic() >= next_at and self._in_flight > 0 and len(self._open) < MOST_ORDERS:
                self._strike(coming.pop(0))
                next_at = time.monotonic() + self._pace * self._dice.uniform(0.3, 1.7)
        for order in self._open:
            self._orders.withdraw(order.point)
        self._weather.calm = self._calm()
        self._weather.seconds = time.monotonic() - began
        return self._weather

    def _wait_for_work(self) -> None:
        deadline = time.monotonic() + 60
        while self._in_flight < 3:
            assert time.monotonic() < deadline, "no video comes onto its road"
            self._tick(traffic=True)

    def _tick(self, *, traffic: bool) -> None:
        self._ground.tend(lambda: self._dice.uniform(0, 2))
        self._collect()
        for due in [one for one in self._later if one[0] <= time.monotonic()]:
            self._later.remove(due)
            due[1]()
        if time.monotonic() - self._looked > 0.4:
            self._looked = time.monotonic()
            seen = self._eyes.in_flight()
            self._in_flight = seen if seen is not None else self._in_flight
            if traffic and seen is not None and seen + self._people.uploading < IN_FLIGHT + 6 and seen < IN_FLIGHT:
                self._people.begin()
        time.sleep(TICK)

    def _collect(self) -> None:
        for fired in self._orders.fired():
            order = next((one for one in self._open if one.point == fired.point), None)
            if order is None:
                continue
            self._open.remove(order)
            order.fault.strikes(fired, self._in_flight)
            if order.fault.kind is Kind.STILL:
                order.fault.until = order.fault.at + STANDSTILL
                self._after(STANDSTILL, lambda pid=fired.pid: _signal(pid, signal.SIGCONT))  # type: ignore[misc]
            self._done(order.fault)
        for order in [one for one in self._open if time.monotonic() - one.given > ORDER_SECONDS]:
            # One that stays taken was taken by a process that died of another fault before it could say so.
            if not self._orders.withdraw(order.point) and time.monotonic() - order.given < 2 * ORDER_SECONDS:
                continue
            self._weather.missed.append(order.point)
            self._open.remove(order)
            self._order(order.fault)

    def _strike(self, fault: Fault) -> None:
        if fault.kind in AT_POINTS:
            self._order(fault)
            return
        fault.at, fault.in_flight = time.time(), self._in_flight
        fault.until = fault.at
        acts: dict[Kind, Callable[[Fault], None]] = {
            Kind.GROUP: self._kill_group,
            Kind.CHILD: self._kill_child,
            Kind.BROKER: lambda fault: self._kill(fault, "rabbitmq" if self._ground.rabbit else "valkey"),
            Kind.EMPTY: self._empty_broker,
            Kind.POSTGRES: lambda fault: self._kill(fault, "postgres"),
            Kind.STORAGE: lambda fault: self._kill(fault, "seaweedfs"),
            Kind.DISK: self._fill_disk,
            Kind.CLOCK: self._turn_clock,
            Kind.DEPLOY: self._deploy,
        }
        acts[fault.kind](fault)
        self._done(fault)

    def _done(self, fault: Fault) -> None:
        self._weather.faults.append(fault)
        self._say(f"{len(self._weather.faults):4} {fault}, {fault.in_flight} videos in flight")

    def _order(self, fault: Fault) -> None:
        taken = {order.point for order in self._open}
        point = next(point for point in iter(lambda: self._points.draw(fault.kind), None) if point not in taken)
        self._open.append(Order(fault, point, time.monotonic()))
        self._orders.give(point, AT_POINTS[fault.kind][0])
        self._lead_to(point)

    def _lead_to(self, point: str) -> None:
        """What comes by itself is waited for; what people set going, they are made to wish."""
        place, *words = point.split()
        if place == "delete" or words[:1] == ["request"]:
            step = place if place == "delete" else words[1]
            self._people.begin() if step == "extract" else self._people.provoke(step)
        elif place == "api":
            self._people.begin()

    def _kill(self, fault: Fault, name: str) -> None:
        being = self._ground.beings[name]
        deadline = time.monotonic() + 60
        while not being.is_ready() and time.monotonic() < deadline:  # it was struck just now
            self._tick(traffic=False)
        fault.at = fault.until = time.time()
        being.kill()
        self._until_ready(fault, name)

    def _until_ready(self, fault: Fault, name: str) -> None:
        """It is away until it answers; looked at now and then."""

        def look() -> None:
            if self._ground.beings[name].is_ready():
                fault.until = time.time()
            else:
                fault.until = float("inf")
                self._after(0.5, look)

        self._after(0.5, look)

    def _busy_worker(self) -> Own:
        """One that has something in its hands, where there is one."""
        living = [worker for worker in self._ground.workers if not worker.has_ended()]
        busy = [worker for worker in living if self._eyes.work_of(worker.pids())]
        return self._dice.choice(busy or living or self._ground.workers)

    def _kill_group(self, fault: Fault) -> None:
        worker = self._busy_worker()
        fault.point = worker.name
        fault.victims = self._eyes.work_of(worker.pids())
        fault.at = time.time()
        fault.pids = worker.kill()
        fault.until = time.time()  # it worked until then

    def _kill_child(self, fault: Fault) -> None:
        worker = self._busy_worker()
        children = sorted(_children(worker.pid))
        if children:
            pid = self._dice.choice(children)
            fault.point, fault.pids = f"{worker.name}'s child", {pid}
            fault.victims = self._eyes.work_of({pid})
            fault.at = time.time()
            _signal(pid, signal.SIGKILL)
            fault.until = time.time()

    def _empty_broker(self, fault: Fault) -> None:
        dsn = Dsn.parse(self._ground.addresses["BIBLIO_QUEUE"])
        with suppress(RedisError, KombuError, AMQPError, OSError):  # one that is away just now is emptied by nobody
            if self._ground.rabbit is None:
                with Redis(dsn.host, dsn.port or 6379, password=dsn.password, socket_timeout=2) as client:
                    client.flushall()
            else:
                with Connection(dsn.text(), connect_timeout=3) as connection:
                    for queue in QUEUES:
                        connection.default_channel.queue_purge(queue)  # type: ignore[attr-defined]  # AMQP's own

    def _fill_disk(self, fault: Fault) -> None:
        ballast = self._ground.temporary / "ballast"
        subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=1M"], capture_output=True)
        fault.until = fault.at + DISK_SECONDS
        self._after(DISK_SECONDS, lambda: ballast.unlink(missing_ok=True))

    def _turn_clock(self, fault: Fault) -> None:
        """A worker starts with the right time, and then its clock jumps."""
        worker, offset = self._busy_worker(), self._ground.folder.path / "clock"
        offset.write_text("0")
        fault.point, fault.pids = worker.name, worker.kill()
        fault.victims = self._eyes.work_of(fault.pids)
        worker.environment = {"LD_PRELOAD": str(self._ground.clock), "STORM_CLOCK": str(offset)}
        fault.until = fault.at + 6 + CLOCK_SECONDS
        jump = self._dice.choice(("3600", "-3600"))
        self._after(5, lambda: self._jump(fault, worker, offset, jump))
        self._after(5 + CLOCK_SECONDS, lambda: fault.pids.update(worker.kill()))

    def _jump(self, fault: Fault, worker: Own, offset: Path, jump: str) -> None:
        fault.pids |= worker.pids()
        _replace(offset, jump)

    def _deploy(self, fault: Fault) -> None:
        """One worker of each queue, and the others when those are back."""
        for worker in self._ground.workers:
            pause = 0.0 if worker.name.endswith("-1") else ROLL_SECONDS
            self._after(pause, lambda worker=worker: self._stop(fault, worker))  # type: ignore[misc]

    def _stop(self, fault: Fault, worker: Own) -> None:
        if not worker.has_ended():
            fault.pids |= worker.pids()
            fault.until = time.time() + STOP_SECONDS
            worker.terminate()

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._later.append((time.monotonic() + seconds, act))

    def _calm(self) -> float | None:
        """Nobody strikes any more, nor begins anything new."""
        self._say("the last fault struck; waiting until everything is done")
        last = time.monotonic()
        while self._later or self._people.uploading or not (self._ground.is_whole() and self._eyes.is_quiet()):
            self._tick(traffic=False)
            if time.monotonic() - last > CALM_SECONDS:
                return None
        return time.monotonic() - last


def _children(pid: int) -> list[int]:
    with suppress(psutil.NoSuchProcess):
        return [child.pid for child in psutil.Process(pid).children()]
    return []


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _replace(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.rename(path)
