"""The catalog: with object storage, the truth. Everything happens in a transaction, or not at all."""

from contextlib import AbstractContextManager
from typing import Protocol

from biblio.ports.answers import Answers
from biblio.ports.engine import Engine
from biblio.ports.jobs import Jobs
from biblio.ports.passages import Passages
from biblio.ports.uploads import Uploads
from biblio.ports.users import Users
from biblio.ports.videos import Videos
from biblio.ports.workers import Workers


class Transaction(Protocol):
    """Views of one open transaction."""

    @property
    def users(self) -> Users: ...

    @property
    def videos(self) -> Videos: ...

    @property
    def jobs(self) -> Jobs: ...

    @property
    def passages(self) -> Passages: ...

    @property
    def workers(self) -> Workers: ...

    @property
    def uploads(self) -> Uploads: ...

    @property
    def answers(self) -> Answers: ...


class Catalog(Engine, Protocol):
    """- what a transaction wrote is there after it ended, all of it
    - a transaction that raises leaves nothing behind
    - a catalog that is down is unavailable
    """

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Commits at the end of the block, rolls back when the block raises. Raises `Unavailable`."""
