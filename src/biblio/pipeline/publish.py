"""Tell a worker of a job, after the transaction that wished for it."""

import logging
from dataclasses import replace

from biblio.domain.flow import Step
from biblio.domain.video import Job, Video
from biblio.errors import RateLimited, Unavailable
from biblio.pipeline.services import Services

log = logging.getLogger(__name__)


def publish(services: Services, video: Video, step: Step) -> None:
    send(services, Job(step, video.id, video.user_id, "", video.key, video.options))


def send(services: Services, job: Job) -> None:
    """A broker that is down costs time, not the job: the catalog remembers it and `sweep` sends it later."""
    try:
        services.queue.publish(replace(job, bucket=services.storage.bucket))
    except (Unavailable, RateLimited) as error:
        log.warning("%s of video %s could not be announced, will try again: %s", job.step, job.video_id, error)
        return
    with services.catalog.transaction() as tx:
        tx.jobs.told(job)
