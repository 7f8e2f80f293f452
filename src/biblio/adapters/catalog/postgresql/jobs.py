"""Jobs: outbox and lease in one row, every change one guarded UPDATE by the database's clock.

A video's row is always locked before its jobs' rows, so that two workers can't wait for each other.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, and_, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from biblio.adapters.catalog.postgresql.events import PostgresEvents
from biblio.adapters.catalog.postgresql.rows import COLUMNS, video_of
from biblio.adapters.catalog.postgresql.tables import jobs, turns, videos
from biblio.adapters.catalog.postgresql.waiting import CURRENT, NOW, SINCE, WAITING, next_in
from biblio.domain.flow import Queue, Step, is_upkeep, stage_of, steps_of
from biblio.domain.video import Video
from biblio.errors import LeaseLost
from biblio.ports.jobs import Claim

MOST_LOSSES = 20
"""Candidates that may be snatched away before a claim gives up; the next message or sweep asks again."""
LOST = "Another worker has this step now, or the video was canceled, deleted or begun anew."


class PostgresJobs:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def request(self, video: Video, step: Step, *, results: dict[Step, dict[str, Any]] | None = None) -> None:
        self._connection.execute(select(videos.c.id).where(videos.c.id == video.id).with_for_update())
        for before, result in (results or {}).items():
            self._connection.execute(_row(video, before, state="DONE", result=result).on_conflict_do_nothing())
        if is_upkeep(step):
            # A worker whose claim became void may still write until it notices, and clearing up comes after that.
            let_go = select(func.max(jobs.c.lease_until)).where(jobs.c.video_id == video.id, jobs.c.state == "VOID")
            ready = {"state": "READY", "not_before": let_go.scalar_subquery()}
            anew = {**ready, "told_at": None, "lease_until": None, "created_at": NOW}
            self._connection.execute(
                _row(video, step, **ready).on_conflict_do_update(
                    index_elements=["video_id", "generation", "step"], set_={**anew, "tries": 0, "deaths": 0}
                )
            )
        else:
            self._connection.execute(_row(video, step, state="READY").on_conflict_do_nothing())

    def claim(self, queue: Queue, owner: str, *, seconds: float) -> Claim | None:
        for _ in range(MOST_LOSSES):
            # What somebody else holds is passed by; where there is nothing else, it is waited for.
            found = self._first(queue, passing_by=True) or self._first(queue, passing_by=False)
            if found is None:
                return None
            video, step = found
            if claim := self._take(video, step, owner, seconds):
                self._serve(video.user_id, queue)
                return claim
        return None

    def renew(
        self,
        claim: Claim,
        *,
        seconds: float,
        progress: int = 0,
        checkpoint: dict[str, Any] | None = None,
        anew: bool = True,
    ) -> None:
        self._lock(claim)
        shown = update(videos).where(videos.c.id == claim.video.id, videos.c.progress < progress)
        if self._connection.execute(shown.values(progress=progress, updated_at=NOW)).rowcount:
            PostgresEvents(self._connection).add(claim.video, "status")
        saved: dict[str, Any] = {} if checkpoint is None else {"checkpoint": checkpoint}
        if saved and anew:
            saved |= {"tries": 1, "deaths": 0}
        self._fenced(claim, update(jobs).values(lease_until=NOW + timedelta(seconds=seconds), **saved))

    def end(
        self, claim: Claim, *, result: dict[str, Any] | None, retry_after: float | None = None, counted: bool = True
    ) -> None:
        self._lock(claim)
        ended: dict[str, Any] = {"lease_until": None, "worked": jobs.c.worked + SINCE}
        if result is not None:
            ended |= {"state": "DONE", "result": result, "ended_at": NOW}
        elif retry_after is not None:
            later = NOW + timedelta(seconds=retry_after)
            tries = jobs.c.tries if counted else jobs.c.tries - 1
            ended |= {"state": "READY", "told_at": None, "not_before": later, "tries": tries}
        else:
            ended |= {"state": "FAILED", "ended_at": NOW}
        self._fenced(claim, update(jobs).values(**ended))

    def bury(self, owner: str) -> Sequence[Video]:
        held = and_(jobs.c.owner == owner, jobs.c.state == "RUNNING")
        query = select(*COLUMNS).join(jobs, CURRENT).where(held)
        # In one order for all, of users too: whoever notes these deaths takes the users' rows one by one.
        rows = self._connection.execute(query.order_by(videos.c.user_id, videos.c.id).with_for_update(of=videos))
        buried = [video_of(row) for row in rows]
        freed = {"state": "READY", "lease_until": None, "told_at": None, "deaths": jobs.c.deaths + 1}
        freed["worked"] = jobs.c.worked + SINCE
        self._connection.execute(update(jobs).where(held).values(**freed))
        return buried

    def results(self, video: Video, generation: int) -> dict[Step, dict[str, Any]]:
        done = and_(jobs.c.video_id == video.id, jobs.c.generation == generation, jobs.c.state == "DONE")
        rows = self._connection.execute(select(jobs.c.step, jobs.c.result).where(done))
        return {Step(step): result for step, result in rows}

    def _first(self, queue: Queue, *, passing_by: bool) -> tuple[Video, Step] | None:
        row = self._connection.execute(next_in(queue, passing_by=passing_by)).one_or_none()
        return (video_of(row), Step(row.job_step)) if row is not None else None

    def _take(self, video: Video, step: Step, owner: str, seconds: float) -> Claim | None:
        state = self._connection.scalar(select(jobs.c.state).where(_is(video, step)))
        left = func.coalesce(func.extract("epoch", jobs.c.lease_until - jobs.c.claimed_at), 0.0)
        taken = (
            update(jobs)
            .where(_is(video, step), WAITING)
            .values(
                state="RUNNING",
                attempt=jobs.c.attempt + 1,
                tries=jobs.c.tries + 1,
                owner=owner,
                lease_until=NOW + timedelta(seconds=seconds),
                claimed_at=NOW,
                worked=jobs.c.worked + case((jobs.c.state == "RUNNING", left), else_=0.0),
            )
            .returning(jobs.c.attempt, jobs.c.tries, jobs.c.deaths, jobs.c.checkpoint)
        )
        row = self._connection.execute(taken).one_or_none()
        if row is None:
            return None
        results = self.results(video, video.generation)
        return Claim(video, step, results=results, takes_over=state == "RUNNING", **row._mapping)

    def _serve(self, user_id: str, queue: Queue) -> None:
        turn = insert(turns).values(user_id=user_id, queue=queue, served_at=NOW)
        self._connection.execute(
            turn.on_conflict_do_update(index_elements=["user_id", "queue"], set_={"served_at": NOW})
        )

    def _lock(self, claim: Claim) -> None:
        """Hold the video's row; a video that began another generation meanwhile voids the claim."""
        current = and_(videos.c.id == claim.video.id, videos.c.generation == claim.video.generation)
        if self._connection.scalar(select(videos.c.id).where(current).with_for_update()) is None:
            raise LeaseLost(LOST)

    def _fenced(self, claim: Claim, change: Update) -> None:
        """Only the attempt that holds the job may change it."""
        mine = and_(_is(claim.video, claim.step), jobs.c.attempt == claim.attempt, jobs.c.state == "RUNNING")
        if self._connection.execute(change.where(mine)).rowcount == 0:
            raise LeaseLost(LOST)


def _row(video: Video, step: Step, **values: Any) -> Any:
    queue = stage_of(step).queue
    place = steps_of(queue).index(step)
    whose = {"video_id": video.id, "user_id": video.user_id, "generation": video.generation}
    return insert(jobs).values(**whose, step=step, queue=queue, place=place, **values)


def _is(video: Video, step: Step) -> ColumnElement[bool]:
    return and_(jobs.c.video_id == video.id, jobs.c.generation == video.generation, jobs.c.step == step)
