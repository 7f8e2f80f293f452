"""Starts the engines and programs of one data folder in order, watches them, and stops them."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from threading import Event
from typing import Self

from biblio.errors import Unavailable
from biblio.local import orphans, postgres, seaweedfs, valkey
from biblio.local.folder import DataFolder
from biblio.local.loopback_ports import LoopbackPorts, wanted_port
from biblio.local.program import Engine, Program, nothing
from biblio.local.readiness import wait_ready
from biblio.local.supervisor import UNREACHABLE, Supervisor
from biblio.local.supervisor_log import Ended

ORPHAN_SECONDS = 3.0
PROGRAM_STOP_SECONDS = 5  # with the engines' 3 and a second for the rest, everything is down within 10
ENGINE_STOP_SECONDS = 3.5

Programs = Callable[[Mapping[str, str], int], Sequence[Program]]
Prepare = Callable[[Mapping[str, str]], None]


def _silent(_line: str) -> None:
    """For callers that want no events."""


def _capped(program: Program) -> Program:
    return replace(program, stop_seconds=min(program.stop_seconds, PROGRAM_STOP_SECONDS))


class LocalStack:
    """Everything `biblio up` runs. A context manager: entering starts, leaving stops.

    `programs(addresses, api_port)` is asked once, before anything runs; `prepare(addresses)` is called when the engines
    answer and no program runs yet. An engine whose addresses are all in `given` is not started. `on_event` gets one
    line of text at a time. With `arrivals`, a path of the API, storage that is started here posts to it what arrives,
    and `addresses` has the secret. Start from a thread that lives as long as the stack.
    """

    def __init__(
        self,
        folder: DataFolder,
        *,
        port: int | None = None,
        programs: Programs,
        prepare: Prepare,
        on_event: Callable[[str], None] = _silent,
        given: Mapping[str, str] | None = None,
        arrivals: str | None = None,
    ) -> None:
        self.addresses: Mapping[str, str] = {}  # BIBLIO_* to address, from `start` on
        self.api_port = 0
        self._folder = folder
        self._port = port
        self._ask_programs = programs
        self._prepare = prepare
        self._say = on_event
        self._arrivals = arrivals
        self._given = {name: address for name, address in (given or {}).items() if address}
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when everything answers; on any error everything is stopped again.

        Raises `Conflict` (ALREADY_RUNNING, PORT_TAKEN), `Misconfigured`, or `Unavailable` (START_FAILED) with the last
        lines of the log of what failed.
        """
        with ExitStack() as undo:
            undo.enter_context(self._folder.lock())
            self._end_orphans()
            try:
                self._start(undo)
            except OSError as error:
                raise Unavailable(f"The start failed: {error}", code="START_FAILED") from error
            self._undo = undo.pop_all()

    def stop(self) -> None:
        """Ends everything within 10 s, whatever ignores its signal too; does nothing when not started."""
        self._undo.close()

    def watch(self, stop: Event) -> None:
        """Says what dies and is started again, until `stop` is set. Raises `Unavailable` when supervisord dies."""
        while not stop.wait(1.0):
            for ended in self._supervisor.news():
                self._say(self._sentence(ended))
            if not self._supervisor.alive:
                self._say("the supervisor ended, stopping everything")
                self.stop()
                raise Unavailable("supervisord ended unexpectedly; everything was stopped.", code="SUPERVISOR_GONE")

    def _sentence(self, ended: Ended) -> str:
        label = self._labels.get(ended.name, ended.name)
        if ended.gave_up:
            return f"{label} gave up ({ended.how}); its log is {self._folder.logs / ended.name}.log"
        return f"{label} ended ({ended.how}), starting again"

    def _end_orphans(self) -> None:
        count = orphans.end(self._folder.path, ORPHAN_SECONDS)
        if count:
            self._say(f"ended {count} processes that an earlier run had left behind")

    def _start(self, undo: ExitStack) -> None:
        ports = LoopbackPorts(self._folder)
        undo.callback(ports.release)
        self.api_port = wanted_port(self._port) if self._port is not None else ports.take("api")
        engines = self._engines(ports)
        started = {name: address for engine in engines for name, address in engine.addresses.items()}
        self.addresses = {**started, **self._given}
        programs = self._ask_programs(self.addresses, self.api_port)
        self._run(engines, [_capped(program) for program in programs], undo)
        ports.release()
        self._folder.write_addresses(self.addresses, f"http://127.0.0.1:{self.api_port}" if programs else "")

    def _engines(self, ports: LoopbackPorts) -> list[Engine]:
        events_to = f"http://127.0.0.1:{self.api_port}{self._arrivals}" if self._arrivals else None
        # Slowest first: the others start in its shadow.
        engines = (
            (partial(seaweedfs.engine, events_to=events_to), {"BIBLIO_STORAGE"}),
            (valkey.engine, {"BIBLIO_QUEUE", "BIBLIO_LIMITER"}),
            (postgres.engine, {"BIBLIO_DATABASE"}),
        )
        return [make(self._folder, ports) for make, names in engines if not names <= self._given.keys()]

    def _run(self, engines: Sequence[Engine], programs: Sequence[Program], undo: ExitStack) -> None:
        all_programs = [*(engine.program for engine in engines), *programs]
        self._labels = {program.name: program.label for program in all_programs}
        self._supervisor = Supervisor(self._folder, all_programs)
        undo.callback(self._stop, engines, programs)
        self._supervisor.start()
        for engine in engines:
            engine.prepare()
            self._supervisor.run(engine.program.name)
        wait_ready(self._supervisor, [(engine.program, engine.finish) for engine in engines], self._say)
        self._prepare(self.addresses)
        for program in programs:
            self._supervisor.run(program.name)
        wait_ready(self._supervisor, [(program, nothing) for program in programs], self._say)

    def _stop(self, engines: Sequence[Engine], programs: Sequence[Program]) -> None:
        try:
            with contextlib.suppress(*UNREACHABLE):
                self._supervisor.stop_programs([program.name for program in programs], PROGRAM_STOP_SECONDS + 0.5)
                self._supervisor.stop_programs([engine.program.name for engine in engines], ENGINE_STOP_SECONDS)
        finally:
            self._supervisor.stop()
            orphans.end(self._folder.path, patience=0.5)
            for engine in engines:
                engine.clean()
