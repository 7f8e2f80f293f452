"""`biblio worker --queue media`: takes wake-up messages, does jobs in child processes, and sweeps.

A child does the work, so that a media file or model that kills its process does not take the worker with it. What
it needs is loaded and opened in the child, after the fork: a speech model loaded before a fork hangs.
"""

import logging
import os
import secrets
import socket
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from celery.exceptions import CPendingDeprecationWarning
from celery.signals import (
    setup_logging,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutting_down,
)

from biblio import bootstrap
from biblio.adapters.queue.celery_app import celery_app, queue_name, task_name
from biblio.domain.flow import Queue, Step
from biblio.domain.measures import LEADER
from biblio.entrypoints.worker.consumer import LastingConsumer
from biblio.entrypoints.worker.ears import Ears
from biblio.entrypoints.worker.ingestion import IngestionDoor
from biblio.entrypoints.worker.metrics import WorkerMetrics
from biblio.entrypoints.worker.scratch import Scratch
from biblio.entrypoints.worker.stopping import StopSign, clear_up_when_stopped, die, ignore_signals, stop_within
from biblio.entrypoints.worker.wake_up import WakeUp
from biblio.errors import BiblioError, Misconfigured, Unavailable
from biblio.pipeline.lease import Worker
from biblio.pipeline.runner import bury, work
from biblio.pipeline.services import Services
from biblio.pipeline.sweep import announce, look_at_uploads
from biblio.ports.leadership import SWEEP, Leadership
from biblio.settings import Settings

SWEEP_SECONDS = 2.0

log = logging.getLogger(__name__)

Build = Callable[[Settings], Services]


def run_worker(
    settings: Settings,
    queue: Queue,
    *,
    processes: int,
    build: Build = bootstrap.build,
    metrics: WorkerMetrics | None = None,
) -> None:
    """Works until it is told to stop. `processes`: videos at once in this group."""
    warnings.simplefilter("ignore", CPendingDeprecationWarning)  # Celery's, at every lost connection
    if settings.queue is None:
        raise Misconfigured("BIBLIO_QUEUE is not set and no local biblio is running.")
    clear_up_when_stopped()
    group = WorkerGroup(settings, queue, build, metrics or WorkerMetrics())
    group.run(processes)


class WorkerGroup:
    """A parent, which only waits and watches, and its children, which work."""

    def __init__(self, settings: Settings, queue: Queue, build: Build, metrics: WorkerMetrics) -> None:
        assert settings.queue is not None
        self._settings, self._queue, self._build, self._metrics = settings, queue, build, metrics
        # Told from every other that ever was: in containers, the same process ids come again and again.
        self._name = f"{queue}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._stop = StopSign()
        self._over = threading.Event()
        self._deaths: SimpleQueue[int] = SimpleQueue()
        self._leads = False
        self._scratch = Scratch()
        self._app = celery_app(settings.queue)
        # Built before the fork and used only after it: nothing is opened yet, and a child need not import it all.
        self._services = bootstrap.metered(build(settings), metrics.of_children)
        for step in Step:
            self._app.task(name=task_name(step), Request=WakeUp)(self._take_up)

    def run(self, processes: int) -> None:
        self._scratch.enter()  # Celery's pool writes temporary files too
        setup_logging.connect(_keep_logs, weak=False)
        worker_process_init.connect(self._enter_child, weak=False)
        worker_process_shutdown.connect(self._leave_child, weak=False)
        worker_ready.connect(self._begin_watch, weak=False)
        worker_shutting_down.connect(self._begin_stop, weak=False)
        LastingConsumer.on_death = self._deaths.put
        self._celery = self._worker(processes)
        try:
            self._celery.start()
        finally:
            self._over.set()

    def _worker(self, processes: int) -> Any:
        return self._app.Worker(
            queues=[queue_name(self._queue)],
            pool="prefork",
            concurrency=processes,
            hostname=f"{self._name}@{socket.gethostname()}",
            consumer_cls=LastingConsumer,
            loglevel="INFO",
            quiet=True,
            optimization="fair",
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )

    def _take_up(self, **_: Any) -> None:
        """In a child: whatever is next in the queue, for as long as there is anything. A message says no more."""
        ignore_signals()
        worker = Worker(self._owner(os.getpid()), self._stop.is_up, die)
        try:
            while not self._stop.is_up() and work(self._services, self._queue, worker):
                pass
        except BiblioError as error:
            log.warning("no job can be taken up, the sweep tells of them again: %s", error)
        except Exception:
            # The lease ends by itself, and the job is taken up again, counting the attempt.
            log.exception("a job broke")

    def _owner(self, pid: int) -> str:
        return f"{self._name}/{pid}"

    def _enter_child(self, **_: Any) -> None:
        self._metrics.enter_child()
        self._scratch.enter()

    def _leave_child(self, **_: Any) -> None:
        bootstrap.close(self._services)

    def _begin_stop(self, **_: Any) -> None:
        self._over.set()
        stop_within(self._stop, self._settings.stop_seconds)

    def _begin_watch(self, **_: Any) -> None:
        self._metrics.begin()
        services = bootstrap.metered(self._build(self._settings), self._metrics.own)
        # Apart, because each may have to wait for another engine that does not answer.
        self._keep("watch", partial(self._watch, services))
        ears = Ears(lambda: self._celery.consumer, partial(services.queue.waiting, self._queue))
        self._keep("ears", partial(self._listen, ears))
        self._keep("sweep", partial(self._lead, services, services.catalog.leadership(SWEEP)))
        self._keep("uploads", partial(self._look_at_uploads, services))
        if self._queue is Queue.MEDIA and self._settings.queue is not None:
            app = celery_app(self._settings.queue)
            self._keep("ingestion", IngestionDoor(app, self._settings.queue, services, self._over).serve)

    def _keep(self, name: str, act: Callable[[], None]) -> None:
        """Do it again and again in a thread, whatever happens, until it is over."""

        def go_on() -> None:
            while not self._over.is_set():
                try:
                    act()
                except BiblioError as error:
                    log.warning("%s: %s", name, error)
                    self._over.wait(SWEEP_SECONDS)
                except Exception:
                    log.exception("%s broke and goes on", name)
                    self._over.wait(SWEEP_SECONDS)

        threading.Thread(target=go_on, name=name, daemon=True).start()

    def _watch(self, services: Services) -> None:
        """Say that it lives, and clear up behind those that do not; but what a dead child held is freed at once."""
        try:
            pid = self._deaths.get(timeout=SWEEP_SECONDS)
        except Empty:
            with services.catalog.transaction() as tx:
                tx.workers.seen(self._name, self._queue)
            self._scratch.remove_left_behind()
        else:
            self._bury(services, pid)

    def _listen(self, ears: Ears) -> None:
        self._over.wait(SWEEP_SECONDS)
        with suppress(Unavailable):  # a broker that is away is looked for by the consumer itself
            ears.check()

    def _bury(self, services: Services, pid: int) -> None:
        log.warning("process %d died at work", pid)
        self._scratch.remove(pid)
        try:
            bury(services, self._owner(pid))
        except BiblioError:
            self._deaths.put(pid)
            raise

    def _lead(self, services: Services, leadership: Leadership) -> None:
        """Tell of jobs, if it is this worker that leads."""
        self._over.wait(SWEEP_SECONDS)
        self._leads = leadership.is_mine()
        services.meter.observe(LEADER, self._leads)
        if self._leads:
            announce(services)
            self._let_others_lead(services, leadership)

    def _look_at_uploads(self, services: Services) -> None:
        self._over.wait(SWEEP_SECONDS)
        if self._leads:
            look_at_uploads(services)

    def _let_others_lead(self, services: Services, leadership: Leadership) -> None:
        """Where the broker is out of this worker's reach alone, another can tell of jobs."""
        try:
            services.queue.waiting(self._queue)
        except Unavailable:
            leadership.resign()
            raise


def _keep_logs(**_: Any) -> None:
    """Celery would set up logs of its own where nobody answers this call."""
