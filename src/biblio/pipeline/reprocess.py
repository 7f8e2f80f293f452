"""Put a video on the road again, from a chosen step and with other options. Readers see the old index until the new."""

from typing import Any

from biblio.domain.flow import ROAD, WORKING, Status, Step, first_stage, is_upkeep, overall_progress, steps_before
from biblio.domain.video import Options, Video
from biblio.errors import Conflict, InvalidInput
from biblio.pipeline.publish import publish
from biblio.pipeline.quota import check_quota
from biblio.pipeline.services import Services
from biblio.ports.catalog import Transaction


def reprocess(
    services: Services, user_id: str, video_id: str, *, step: Step | None = None, options: Options | None = None
) -> Video:
    """From `step` on; None: from where other `options` count, else where the last run stopped, else from the first.

    Raises `NotFound`, `InvalidInput` and `Conflict` (ALREADY_PROCESSING, NOT_UPLOADED, STEP_NOT_REACHED).
    """
    if options is not None:
        services.speech.check(options.language, options.model)
    with services.catalog.transaction() as tx:
        video = tx.videos.get(video_id, user_id=user_id, lock=True)
        _check(video)
        begin = _checked(step, options) or _best_step(tx, video, options)
        results = _results_before(tx, video, begin)
        if Step.TRANSCRIBE not in results:
            check_quota(services, tx, user_id)
        tx.videos.update(
            video_id,
            status=Status.PENDING,
            generation=video.generation + 1,
            step=None,
            failure=None,
            progress=overall_progress(begin, 0.0),
            options=options or video.options,
        )
        video = tx.videos.get(video_id)
        tx.jobs.request(video, begin, results=results)
    publish(services, video, begin)
    return video


def _check(video: Video) -> None:
    if video.status in WORKING:
        raise Conflict("The video is being processed: wait, or cancel that first.", code="ALREADY_PROCESSING")
    if not video.has_arrived:
        raise Conflict(f"The file of this video never arrived: it is {video.status}.", code="NOT_UPLOADED")


def _checked(step: Step | None, options: Options | None) -> Step | None:
    if step is not None and is_upkeep(step):
        raise InvalidInput(f"'{step}' is no step of the road.", code="INVALID_STEP")
    if options is not None and step in (Step.EMBED, Step.INDEX):
        raise InvalidInput(f"Language and model mean nothing to '{step}': begin earlier.", code="INVALID_STEP")
    return step


def _best_step(tx: Transaction, video: Video, options: Options | None) -> Step:
    first = first_stage().step
    if options is not None and options != video.options:
        return Step.TRANSCRIBE if _found(tx, video, Step.TRANSCRIBE) is not None else first
    if video.status is Status.COMPLETED:
        return first
    if video.failure is not None and video.failure.code == "STALE_VECTORS":
        return Step.EMBED
    done = tx.jobs.results(video, video.generation)
    return next((stage.step for stage in ROAD if stage.step not in done), first)


def _results_before(tx: Transaction, video: Video, begin: Step) -> dict[Step, dict[str, Any]]:
    found = _found(tx, video, begin)
    if found is None:
        message = f"No earlier run came as far as '{begin}': begin earlier."
        raise Conflict(message, code="STEP_NOT_REACHED")
    return found


def _found(tx: Transaction, video: Video, begin: Step) -> dict[Step, dict[str, Any]] | None:
    """What the steps before it left, in the last run or in the one that readers see."""
    needed = steps_before(begin)
    for generation in (video.generation, video.indexed_generation):
        results = tx.jobs.results(video, generation) if generation is not None else {}
        if all(step in results for step in needed):
            return {step: results[step] for step in needed}
    return None
