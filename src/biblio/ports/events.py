"""The event log: whatever happened to a user's videos, in order. Status and its sockets are views of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from biblio.domain.flow import Status, Step
from biblio.domain.video import Failure, Video


@dataclass(frozen=True)
class Event:
    """What a video looked like after something happened to it. `id` counts a user's events from 1, without a gap.

    `kind` is `status` for a change of status, step, progress or failure, `title` for a new title; else it names what
    happened to an attempt at `step`: `begun`, `retry`, `waiting`, `resumed`, `lost`, `died`, with `detail`.
    """

    id: int
    user_id: str
    video_id: str
    kind: str
    at: datetime
    status: Status
    progress: int
    step: Step | None
    failure: Failure | None
    detail: dict[str, Any]


@dataclass(frozen=True)
class Outlook:
    """`seconds_left` of work, as far as it can be told; `queue_position` counts from 1 while a worker is waited for;
    `waits_for` is "quota" while a service may not be asked, or will not answer."""

    seconds_left: float | None = None
    queue_position: int | None = None
    waits_for: str | None = None


class Events(Protocol):
    """- every change of a status, step, progress or failure is an event
    - a user's events are numbered without a gap, in the order in which they became visible
    - a user never sees another user's events
    - a transaction that raises leaves no event
    - who waits for quota is told so until it goes on or is begun again
    - the events of a forgotten video are gone, but for its deletion
    """

    def add(self, video: Video, kind: str, **detail: Any) -> None:
        """Note what happened, beside the video's state as it is now in this transaction."""

    def after(self, user_id: str, event_id: int, *, limit: int, video_id: str | None = None) -> Sequence[Event]:
        """The user's events above an id, oldest first."""

    def last(self, user_id: str) -> int:
        """The id of a user's newest event; 0 when there is none."""

    def outlook(self, video: Video) -> Outlook:
        """How long it may still take."""
