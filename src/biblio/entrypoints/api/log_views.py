"""What sockets show of the event log, and how far each has come. Blocking, as the catalog is."""

import time
import uuid
from collections.abc import Sequence
from typing import Protocol

from biblio.domain.flow import WORKING, Status
from biblio.entrypoints.api import shapes
from biblio.entrypoints.api.shaping import event_shape, outlook_shape
from biblio.errors import InvalidInput, NotFound
from biblio.pipeline.services import Services
from biblio.ports.catalog import Transaction
from biblio.ports.events import Event, Outlook

BATCH = 200
REFRESH_SECONDS = 5.0
"""So often the outlook of a video is looked at: others move, too, without any event of it."""
PATIENCE_SECONDS = 30.0
"""The log is read even without news: something between us and the database may swallow them."""


class LogView(Protocol):
    """`cursor` is the id of the newest event that was told. `is_over`: nothing will ever follow."""

    cursor: int
    is_over: bool

    @property
    def patience(self) -> float:
        """To be read again after so many seconds, news or not."""

    def read(self) -> list[str]:
        """What follows, as JSON. Empty when there is nothing; else it is to be read again at once."""


class UserLog:
    """Every event of all of a user's videos, each once; without `after`, from now on.

    Raises `InvalidInput` UNKNOWN_EVENT for an `after` that no event has yet.
    """

    patience = PATIENCE_SECONDS

    def __init__(self, services: Services, user_id: str, after: int | None) -> None:
        self._services, self._user_id = services, user_id
        self.is_over = False
        with services.catalog.transaction() as tx:
            self.cursor = _begin(tx, user_id, after)

    def read(self) -> list[str]:
        with self._services.catalog.transaction() as tx:
            events = tx.events.after(self._user_id, self.cursor, limit=BATCH)
        if events:
            self.cursor = events[-1].id
        return [shapes.VideoEvent.model_validate(event_shape(event)).model_dump_json() for event in events]


class VideoLog:
    """The events of one video above `after`, each once; the newest one with its outlook.

    Raises `NotFound`, unless the log has still to tell of the video's end; and as `UserLog`.
    """

    patience = PATIENCE_SECONDS

    def __init__(self, services: Services, user_id: str, after: int, *, video_id: str) -> None:
        self._services, self._user_id, self._video_id = services, user_id, video_id
        self.is_over = False
        with services.catalog.transaction() as tx:
            self.cursor = _begin(tx, user_id, after)
            if not _is_uuid(video_id) or not self._events(tx):
                tx.videos.get(video_id, user_id=user_id)

    def read(self) -> list[str]:
        with self._services.catalog.transaction() as tx:
            events = self._events(tx)
            outlook = _outlook(tx, self._user_id, self._video_id) if events else Outlook()
        if events:
            self.cursor, self.is_over = events[-1].id, events[-1].status is Status.DELETING
        return _messages(events, outlook)

    def _events(self, tx: Transaction) -> Sequence[Event]:
        return tx.events.after(self._user_id, self.cursor, limit=BATCH, video_id=self._video_id)


class VideoBoard:
    """How a video stands: its newest event at first, then every further one; and the newest again when only its outlook
    has changed. Raises `NotFound`."""

    def __init__(self, services: Services, user_id: str, *, video_id: str) -> None:
        self._services, self._user_id, self._video_id = services, user_id, video_id
        self.is_over = False
        with services.catalog.transaction() as tx:
            self._newest = _newest(tx, user_id, video_id)
        self.cursor = self._newest.id
        self._told: Outlook | None = None
        self._look_at = 0.0

    @property
    def patience(self) -> float:
        return REFRESH_SECONDS if self._newest.status in WORKING else PATIENCE_SECONDS

    def read(self) -> list[str]:
        with self._services.catalog.transaction() as tx:
            events = tx.events.after(self._user_id, self.cursor, limit=BATCH, video_id=self._video_id)
            if not events and time.monotonic() < self._look_at:
                return []
            outlook = _outlook(tx, self._user_id, self._video_id)
        self._look_at = time.monotonic() + self.patience
        if not events and outlook != self._told:
            events = [self._newest]
        if events:
            self._newest, self._told, self.cursor = events[-1], outlook, events[-1].id
            self.is_over = self._newest.status is Status.DELETING
        return _messages(events, outlook)


def _begin(tx: Transaction, user_id: str, after: int | None) -> int:
    last = tx.events.last(user_id)
    if after is not None and after > last:
        raise InvalidInput(f"There is no event {after} yet: the newest is {last}.", code="UNKNOWN_EVENT", last=last)
    return last if after is None else after


def _newest(tx: Transaction, user_id: str, video_id: str) -> Event:
    """The video's newest event; made up of the video itself where it is older than the log."""
    last = tx.events.last(user_id)
    video = tx.videos.get(video_id, user_id=user_id)
    state = (video.status, video.progress, video.step, video.failure)
    newest, after = Event(last, user_id, video_id, "status", video.updated_at, *state, {}), 0
    while events := tx.events.after(user_id, after, limit=BATCH, video_id=video_id):
        newest, after = events[-1], events[-1].id
    return newest


def _outlook(tx: Transaction, user_id: str, video_id: str) -> Outlook:
    try:
        return tx.events.outlook(tx.videos.get(video_id, user_id=user_id))
    except NotFound:
        return Outlook()


def _messages(events: Sequence[Event], outlook: Outlook) -> list[str]:
    """Only the last one is about now."""
    return [_message(event, outlook if event is events[-1] else Outlook()) for event in events]


def _message(event: Event, outlook: Outlook) -> str:
    return shapes.StatusMessage.model_validate({**event_shape(event), **outlook_shape(outlook)}).model_dump_json()


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
