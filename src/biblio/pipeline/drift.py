"""One video in all stores: what one of them holds and another does not."""

from collections.abc import Iterator
from dataclasses import dataclass

from biblio.domain import keys
from biblio.domain.flow import ROAD, WORKING, Status, Step
from biblio.domain.video import Video
from biblio.errors import Conflict, NotFound, QuotaExceeded
from biblio.pipeline.cleanup import is_stale, stale_artefacts, unfinished_writes
from biblio.pipeline.publish import publish
from biblio.pipeline.reprocess import reprocess
from biblio.pipeline.services import Services
from biblio.ports.catalog import Transaction


@dataclass(frozen=True)
class Drift:
    """`what` is wrong with `where` (a video, an object, a generation of vectors); `mended` False: still so."""

    what: str
    where: str
    mended: bool = False


def drifts_of(services: Services, video: Video, mend: bool) -> Iterator[Drift]:
    """Work that is under way is none; what comes and goes while it is compared, neither."""
    if video.status is Status.UPLOADING:
        yield from _check_upload(services, video, mend)
    elif video.status in WORKING or video.status is Status.DELETING:
        yield from _check_road(services, video, mend)
    elif video.has_arrived:
        yield from _check_original(services, video)
        yield from _check_index(services, video, mend)
        yield from _check_leftovers(services, video, mend)


def _check_upload(services: Services, video: Video, mend: bool) -> Iterator[Drift]:
    """Whatever is being sent is looked at until it has ended."""
    with services.catalog.transaction() as tx:
        try:
            tx.uploads.get(video.id)
        except NotFound:
            if tx.videos.get(video.id).status is not Status.UPLOADING:
                return
            if mend:
                tx.uploads.add(video.id, seconds=services.limits.upload_lifetime)
            yield Drift("stands still", f"video {video.id}", mend)


def _check_road(services: Services, video: Video, mend: bool) -> Iterator[Drift]:
    """Whatever is on its road has a step that is to be done."""
    try:
        with services.catalog.transaction() as tx:
            video = tx.videos.get(video.id, lock=True)
            step = None if tx.holdings.open_steps(video) else _next_step(tx, video)
            if step is not None and mend:
                tx.jobs.request(video, step)
    except NotFound:
        return  # deleted meanwhile
    if step is not None:
        if mend:
            publish(services, video, step)
        yield Drift("stands still", f"video {video.id}", mend)


def _next_step(tx: Transaction, video: Video) -> Step | None:
    if video.status is Status.DELETING:
        return Step.DELETE
    done = tx.jobs.results(video, video.generation)
    return next((stage.step for stage in ROAD if stage.step not in done), None) if video.status in WORKING else None


def _check_original(services: Services, video: Video) -> Iterator[Drift]:
    """It can't be made again: whoever has it may upload it anew."""
    try:
        if services.storage.stat(video.key).etag != video.etag:
            yield Drift("original was replaced", f"object {video.key}")
    except NotFound:
        if _is_unchanged(services, video):
            yield Drift("original is missing", f"object {video.key}")


def _check_index(services: Services, video: Video, mend: bool) -> Iterator[Drift]:
    """What readers see stands in rows and vectors, id by id, and what it was made of lies in storage."""
    if video.indexed_generation is None:
        return
    lost = _lost_results(services, video)
    differs = _index_differs(services, video)
    if not (lost or differs) or not _is_unchanged(services, video):
        return
    mended = mend and _begin_again(services, video, min(lost, key=_place, default=_index_step(services, video)))
    if differs:
        yield Drift("rows and vectors differ", f"video {video.id}", mended)
    for key in sorted(key for keys_ in lost.values() for key in keys_):
        yield Drift("result is missing", f"object {key}", mended)


def _lost_results(services: Services, video: Video) -> dict[Step, set[str]]:
    """Keys that results name and under which nothing lies, by the step that left them."""
    prefix = keys.video_prefix(video.id)
    with services.catalog.transaction() as tx:
        runs = [tx.jobs.results(video, one) for one in (video.generation, video.indexed_generation) if one is not None]
    there = {one.key for one in services.storage.inventory.objects(prefix)}
    lost: dict[Step, set[str]] = {}
    for step, result in (pair for run in runs for pair in run.items()):
        named = {text for text in result.values() if isinstance(text, str) and text.startswith(prefix)}
        if named - there:
            lost.setdefault(step, set()).update(named - there)
    return lost


def _index_differs(services: Services, video: Video) -> bool:
    with services.catalog.transaction() as tx:
        rows = tx.passages.ids(video.id).get(video.indexed_generation or 0, [])
    vectors = services.vectors.ids(video.user_id, video.id).get(video.indexed_generation or 0, [])
    return set(rows) != set(vectors) or len(rows) != video.meta_info.get("passages", len(rows))


def _place(step: Step) -> int:
    return [stage.step for stage in ROAD].index(step)


def _index_step(services: Services, video: Video) -> Step:
    """Vectors of another embedder can't be used any more."""
    return Step.INDEX if video.meta_info.get("embedder") == services.space else Step.EMBED


def _begin_again(services: Services, video: Video, first: Step) -> bool:
    for step in (first, Step.EXTRACT):
        try:
            reprocess(services, video.user_id, video.id, step=step)
        except Conflict:
            continue
        except (NotFound, QuotaExceeded):
            return False
        return True
    return False


def _check_leftovers(services: Services, video: Video, mend: bool) -> Iterator[Drift]:
    """Generations and artefacts that nobody reads, where no cleanup is on its way."""
    with services.catalog.transaction() as tx:
        coming = Step.CLEANUP in tx.holdings.open_steps(video)
        rows = tx.passages.ids(video.id)
    vectors = services.vectors.ids(video.user_id, video.id)
    stale = [f"generation {one} of video {video.id}" for one in sorted({*rows, *vectors}) if is_stale(video, one)]
    stale += [f"object {key}" for key in stale_artefacts(services, video)]
    stale += [f"upload {key}" for key, _ in unfinished_writes(services, video)]
    if not stale or coming or not _is_unchanged(services, video):
        return
    if mend:
        with services.catalog.transaction() as tx:
            tx.jobs.request(video, Step.CLEANUP)
        publish(services, video, Step.CLEANUP)
    yield from (Drift("nobody reads it", where, mend) for where in stale)


def _is_unchanged(services: Services, video: Video) -> bool:
    """Else it was put on its road meanwhile, and what was compared was not of one moment."""
    try:
        with services.catalog.transaction() as tx:
            now = tx.videos.get(video.id)
    except NotFound:
        return False
    return (now.generation, now.status) == (video.generation, video.status)
