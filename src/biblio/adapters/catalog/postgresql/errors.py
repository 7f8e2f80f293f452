"""The one table that turns PostgreSQL's errors into ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from biblio.errors import AdapterError, Misconfigured, Rejected, Unavailable

DOOR_SHUT = ("password authentication failed", "no password supplied", "no pg_hba.conf entry", "does not exist")
"""Parts of what the server says when it lets nobody in; libpq hands on no SQLSTATE for that."""


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable("The database has no free connection.") from error
    except DBAPIError as error:
        raise _error(error.orig) from error
    except psycopg.Error as error:  # from a connection that is used without SQLAlchemy
        raise _error(error) from error


def _error(error: BaseException | None) -> AdapterError:
    """By SQLSTATE class."""
    state = getattr(error, "sqlstate", None) or ""
    shut_out = not state and any(words in str(error) for words in DOOR_SHUT)
    if shut_out or state.startswith("28") or state == "3D000":
        return Misconfigured("The database refuses this user, password or database name: check BIBLIO_DATABASE.")
    if state.startswith("42"):
        return Misconfigured("The database lacks a table or a right: run `biblio migrate`, or check the user's rights.")
    broken = not state and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    if broken or state.startswith(("08", "25", "40", "53", "55", "57", "58")):
        return Unavailable("The database does not answer, or is busy; it is worth another try.")
    return Rejected(f"The database refused the statement ({state or type(error).__name__}).")
