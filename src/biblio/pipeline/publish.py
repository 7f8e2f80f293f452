"""Tell a worker of a job, after the transaction that wished for it."""

import logging
from dataclasses import replace

from biblio.domain.flow import Step
from biblio.domain.measures import PUBLISHED
from biblio.domain.video import Job, Video, job_of
from biblio.errors import RateLimited, Unavailable
from biblio.pipeline.services import Services

log = logging.getLogger(__name__)


def publish(services: Services, video: Video, step: Step) -> None:
    send(services, job_of(video, step))


def send(services: Services, job: Job) -> bool:
    """Whether the broker has it. One that is down costs time, not the job: `sweep` sends it later."""
    try:
        with services.tracer.span(f"publish {job.step}", job.video_id):
            services.queue.publish(replace(job, bucket=services.storage.bucket))
            with services.catalog.transaction() as tx:
                tx.outbox.told(job)
    except (Unavailable, RateLimited) as error:
        services.meter.observe(PUBLISHED, step=job.step, told="no")
        log.warning("%s of video %s could not be announced, will try again: %s", job.step, job.video_id, error)
        return False
    services.meter.observe(PUBLISHED, step=job.step, told="yes")
    return True
