"""The catalog: with object storage, the truth. Everything happens in a transaction, or not at all."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol, Self

from biblio.ports.answers import Answers
from biblio.ports.engine import Engine
from biblio.ports.events import Events
from biblio.ports.finder import Finder
from biblio.ports.gauges import Gauging
from biblio.ports.holdings import Holdings
from biblio.ports.jobs import Jobs
from biblio.ports.leadership import Leadership
from biblio.ports.outbox import Outbox
from biblio.ports.passages import Passages
from biblio.ports.sessions import Sessions
from biblio.ports.uploads import Uploads
from biblio.ports.usage import UsageLog
from biblio.ports.users import Users
from biblio.ports.videos import Videos
from biblio.ports.workers import Workers


class Transaction(Protocol):
    """Views of one open transaction."""

    @property
    def users(self) -> Users: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def videos(self) -> Videos: ...

    @property
    def jobs(self) -> Jobs: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def events(self) -> Events: ...

    @property
    def holdings(self) -> Holdings: ...

    @property
    def usage(self) -> UsageLog: ...

    @property
    def passages(self) -> Passages: ...

    @property
    def finder(self) -> Finder: ...

    @property
    def workers(self) -> Workers: ...

    @property
    def uploads(self) -> Uploads: ...

    @property
    def answers(self) -> Answers: ...

    @property
    def gauges(self) -> Gauging: ...


class Catalog(Engine, Protocol):
    """- what a transaction wrote is there after it ended, all of it
    - a transaction that raises leaves nothing behind
    - what a snapshot reads is of one moment
    - a catalog that is down is unavailable
    - whoever listens hears of every event after its transaction ended
    - as one user sees it, nothing of any other user is there
    """

    def of(self, user_id: str) -> Self:
        """The same catalog as one user sees it, whatever a query asks for. Jobs and workers are everybody's."""

    def transaction(self, *, snapshot: bool = False) -> AbstractContextManager[Transaction]:
        """Commits at the end of the block, rolls back when the block raises. Raises `Unavailable`.

        With `snapshot`, for readers: whatever it reads is as it was when it first read.
        """

    def listen(self, *, seconds: float) -> AbstractContextManager[Iterator[str | None]]:
        """Ids of users to whom something happened, as it happens; None after `seconds` of quiet.

        Raises `Unavailable`.
        """

    def leadership(self, name: str) -> Leadership:
        """Stand for election among all who give the same name."""
