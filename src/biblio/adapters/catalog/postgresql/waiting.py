"""The order in which waiting jobs are served: users take turns; of one user's jobs, first what is furthest down the
road, then what has waited longest."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, text, tuple_

from biblio.adapters.catalog.postgresql.rows import COLUMNS
from biblio.adapters.catalog.postgresql.tables import jobs, turns, videos
from biblio.domain.flow import Queue, Step, is_upkeep

NOW = func.clock_timestamp()
OPEN = text("jobs.state IN ('READY', 'RUNNING')")
"""Said as in the index, so that PostgreSQL sees that it may use that."""
PAST_BELIEF = timedelta(hours=2)
"""No pause or lease is as long: one that ends later was begun before the database's clock was set back."""
READY = and_(
    jobs.c.state == "READY",
    or_(jobs.c.not_before.is_(None), jobs.c.not_before <= NOW, jobs.c.not_before > NOW + PAST_BELIEF),
)
LEASE_PAST_BELIEF = timedelta(minutes=5)
EXPIRED = and_(jobs.c.state == "RUNNING", ~jobs.c.lease_until.between(NOW, NOW + LEASE_PAST_BELIEF))
WAITING = and_(OPEN, or_(READY, EXPIRED))
SINCE = func.coalesce(func.extract("epoch", NOW - jobs.c.claimed_at), 0.0)
"""Seconds that the attempt which holds a job has lasted."""
CURRENT = and_(videos.c.id == jobs.c.video_id, videos.c.generation == jobs.c.generation)
LINE = (jobs.c.place, jobs.c.created_at, jobs.c.video_id)
"""A user's own line in a queue."""

_UPKEEP = [step.value for step in Step if is_upkeep(step)]


def next_in(queue: Queue, *, passing_by: bool) -> Select[Any]:
    """The video to be served next, its row locked, and its `job_step`; `passing_by` what somebody else has locked.

    Users come in their order, and only of the first who has a job that can be had, one is locked.
    """
    since = func.min(jobs.c.created_at).label("since")
    present = select(jobs.c.user_id, since).where(OPEN, jobs.c.queue == queue).group_by(jobs.c.user_id).subquery()
    turn = and_(turns.c.user_id == present.c.user_id, turns.c.queue == queue)
    in_turn = (
        select(present.c.user_id)
        .select_from(present.outerjoin(turns, turn))
        .order_by(turns.c.served_at.asc().nulls_first(), present.c.since)
        .subquery("in_turn")
    )
    first = (
        select(*COLUMNS, jobs.c.step.label("job_step"))
        .select_from(jobs.join(videos, CURRENT))
        .where(WAITING, jobs.c.queue == queue, jobs.c.user_id == in_turn.c.user_id)
        .order_by(*LINE)
        .limit(1)
        .with_for_update(of=videos, skip_locked=passing_by)
        .lateral("first")
    )
    return select(*first.c).select_from(in_turn.join(first, text("true"))).limit(1)


def position_of(connection: Connection, video_id: str, generation: int) -> int | None:
    """How many turns from now (from 1) a worker takes the video up; None when it waits for none."""
    of_road = and_(jobs.c.video_id == video_id, jobs.c.generation == generation, jobs.c.step.not_in(_UPKEEP))
    mine = connection.execute(select(jobs.c.queue, jobs.c.user_id, *LINE).where(of_road, WAITING)).first()
    if mine is None:
        return None
    ahead = tuple_(*LINE) <= tuple(mine[2:])
    lines = {user: line for user, *line in connection.execute(_lines(mine.queue, ahead))}
    _, round_, turn = lines.pop(mine.user_id, (1, 1, 0))
    # Whose turn comes before ours has one more of them until we are served.
    before = (min(count, round_ - (other > turn)) for count, _, other in lines.values())
    return int(round_ + sum(before))


def _lines(queue: str, ahead: ColumnElement[bool]) -> Select[Any]:
    """By user: how many jobs wait, how many of them `ahead`, and which place the user's turn has."""
    served = and_(turns.c.user_id == jobs.c.user_id, turns.c.queue == jobs.c.queue)
    order = [func.max(turns.c.served_at).asc().nulls_first(), func.min(jobs.c.created_at)]
    return (
        select(jobs.c.user_id, func.count(), func.count().filter(ahead), func.row_number().over(order_by=order))
        .select_from(jobs.outerjoin(turns, served))
        .where(WAITING, jobs.c.queue == queue)
        .group_by(jobs.c.user_id)
    )
