"""The one table that turns psycopg's errors into ours, by SQLSTATE class."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import TimeoutError as PoolTimeout

from biblio.errors import AdapterError, Misconfigured, Rejected, Unavailable

DOOR_SHUT = ("password authentication failed", "no password supplied", "no pg_hba.conf entry", "does not exist")
"""Parts of what the server says when it lets nobody in; libpq hands on no SQLSTATE for that."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise ours for any error of the driver or of its pool."""
    try:
        yield
    except (psycopg.Error, PoolTimeout) as error:
        raise _error(error) from error


def _error(error: psycopg.Error | PoolTimeout) -> AdapterError:
    state = getattr(error, "sqlstate", None) or ""
    if state == "42501" or state == "0A000" or state == "58P01":
        return Misconfigured("The database has no pgvector, or this user may not add it: CREATE EXTENSION vector.")
    shut_out = not state and any(words in str(error) for words in DOOR_SHUT)
    if shut_out or state.startswith(("28", "3D", "42")):
        return Misconfigured("The vector table is missing, or the database refuses this user: check BIBLIO_VECTORS.")
    if state.startswith("22") or state == "23514":
        return Rejected("A vector has the wrong dimension, or holds what is no number.", code="BAD_VECTOR")
    if state.startswith("23"):
        return Rejected("The vector store refused a row.")
    return Unavailable("The vector database does not answer, or is busy; it is worth another try.")
