"""`biblio worker --queue media`: takes job messages, runs their steps in a child process, and sweeps.

A child does the work, so that a media file or model that kills its process does not take the worker with it. What
it needs is loaded and opened in the child, after the fork: a speech model loaded before a fork hangs.
"""

import logging
import os
import socket
import threading
from typing import Any

from celery import Celery
from celery.signals import worker_process_shutdown, worker_ready, worker_shutting_down

from biblio.adapters.queue.celery_queue import celery_app, task_name
from biblio.bootstrap import build, engines
from biblio.domain.flow import DELETION, ROAD, Queue, Step
from biblio.entrypoints.worker.message import read_message
from biblio.errors import BiblioError, InvalidInput, Misconfigured
from biblio.pipeline.runner import run
from biblio.pipeline.services import Services
from biblio.pipeline.sweep import sweep
from biblio.settings import Settings

SWEEP_SECONDS = 2.0

log = logging.getLogger(__name__)


def run_worker(settings: Settings, queue: Queue, *, processes: int) -> None:
    """Works until it is told to stop. `processes`: videos at once in this group."""
    if settings.queue is None:
        raise Misconfigured("BIBLIO_QUEUE is not set and no local biblio is running.")
    app = celery_app(settings.queue)
    _register(app, settings)
    _keep_watch(settings, queue)
    app.Worker(
        queues=[queue.value],
        pool="prefork",
        concurrency=processes,
        hostname=f"{queue}-{os.getpid()}@{socket.gethostname()}",
        loglevel="INFO",
        optimization="fair",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    ).start()


def _register(app: Celery, settings: Settings) -> None:
    # Built before the fork and used only after it: connecting opens nothing yet, and a child need not import it all.
    services = build(settings)
    for stage in (*ROAD, DELETION):
        _register_step(app, stage.step, services)

    def close(**_: Any) -> None:
        for engine in engines(services).values():
            engine.close()

    worker_process_shutdown.connect(close, weak=False)


def _register_step(app: Celery, step: Step, services: Services) -> None:
    def work(**message: Any) -> None:
        try:
            run(services, read_message(message), step)
        except InvalidInput as error:
            log.error("a message for %s is not one of ours and was dropped: %s", step, error)
        except BiblioError as error:
            log.warning("%s is left to the sweep: %s", step, error)
        except Exception:
            # The lease ends by itself and the sweep takes the job up again, counting the attempt.
            log.exception("%s broke", step)

    app.task(name=task_name(step))(work)


def _keep_watch(settings: Settings, queue: Queue) -> None:
    """From the worker's own process: say that it lives, and sweep."""
    over = threading.Event()

    def watch() -> None:
        services = build(settings)
        name = f"{queue}-{socket.gethostname()}-{os.getpid()}"
        while True:
            try:
                with services.catalog.transaction() as tx:
                    tx.workers.seen(name, queue)
                sweep(services)
            except BiblioError as error:
                log.warning("the watch could not look: %s", error)
            if over.wait(SWEEP_SECONDS):
                return

    def start(**_: Any) -> None:
        threading.Thread(target=watch, name="watch", daemon=True).start()

    def stop(**_: Any) -> None:
        over.set()

    worker_ready.connect(start, weak=False)
    worker_shutting_down.connect(stop, weak=False)
