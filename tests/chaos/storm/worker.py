"""A real worker that may be struck at every named point: `python -m tests.chaos.storm.worker QUEUE ORDERS`."""

import sys
from pathlib import Path

from biblio.bootstrap import build
from biblio.domain.flow import Queue
from biblio.entrypoints.logs import set_up_logs
from biblio.entrypoints.worker.worker import run_worker
from biblio.pipeline.services import Services
from biblio.settings import Settings, read_settings
from tests.chaos.storm.points import Points
from tests.chaos.storm.watched import watched


def main(queue: str, orders: str) -> None:
    def build_watched(settings: Settings) -> Services:
        return watched(build(settings), Points(Path(orders), "sweep"))

    set_up_logs()
    run_worker(read_settings(), Queue(queue), processes=1, build=build_watched)


if __name__ == "__main__":
    main(*sys.argv[1:])
