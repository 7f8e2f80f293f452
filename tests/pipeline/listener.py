"""A process that hears a video, to be killed."""

import sys
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

from biblio.bootstrap import build
from biblio.domain.flow import Queue, Status
from biblio.pipeline import runner
from biblio.pipeline.lease import Worker
from biblio.pipeline.services import Services
from biblio.settings import read_settings


def start_listener(settings: Mapping[str, str], video_id: str, name: str) -> BaseProcess:
    """It forks off a process that has loaded what this one has, but has opened nothing: so it starts at once."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, *(module for module in sys.modules if module.startswith("biblio."))])
    process = context.Process(target=listen, args=(dict(settings), video_id, name), daemon=True)
    process.start()
    return process


def listen(settings: Mapping[str, str], video_id: str, name: str) -> None:
    services = build(read_settings(settings))
    while _is_unheard(services, video_id):
        runner.work(services, Queue.AI, Worker(name))


def _is_unheard(services: Services, video_id: str) -> bool:
    with services.catalog.transaction() as tx:
        return tx.videos.get(video_id).status is Status.TRANSCRIBING
