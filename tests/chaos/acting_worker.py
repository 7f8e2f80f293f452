"""A real worker, but for its audio extractor: `python -m tests.chaos.acting_worker QUEUE PROCESSES BOOK ACK_AFTER`."""

import gc
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from kombu.transport.redis import Channel

from biblio.bootstrap import build
from biblio.domain.flow import Queue
from biblio.entrypoints.logs import set_up_logs
from biblio.entrypoints.worker.consumer import LastingConsumer
from biblio.entrypoints.worker.worker import run_worker
from biblio.pipeline.services import Services
from biblio.settings import Settings, read_settings
from tests.chaos.acting import Stage


def main(queue: str, processes: str, book: str, ack_after: str) -> None:
    def act(settings: Settings) -> Services:
        return replace(build(settings), audio=Stage(Path(book)))

    set_up_logs()
    LastingConsumer.ack_after = float(ack_after)
    redis: Any = Channel
    redis.unacked_restore_interval = 1  # so that Redis' time-out, where a test scales it, is soon acted upon
    redis.unacked_restore_throttle = 1
    threading.Thread(target=grow_deaf, args=(Path(book).with_name("deaf"),), daemon=True).start()
    run_worker(read_settings(), Queue(queue), processes=int(processes), build=act)


def grow_deaf(order: Path) -> None:
    """Whenever the file appears the broker forgets, without a word, that this worker listens."""
    while True:
        time.sleep(0.1)
        if not order.exists():
            continue
        consumer = next(one for one in gc.get_objects() if isinstance(one, LastingConsumer))
        consumer.hub.call_soon(consumer.task_consumer.cancel)
        order.unlink()


if __name__ == "__main__":
    main(*sys.argv[1:])
