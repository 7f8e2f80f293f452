"""Whose rows a transaction sees. Row level security (migration 0004) holds even where a query forgets its user.

Every transaction says for whom it is; one that says nothing sees no row at all. Source:
https://www.postgresql.org/docs/current/ddl-rowsecurity.html
"""

import logging
from typing import Any

import psycopg
from sqlalchemy import Connection, text

EVERYBODY = "*"
"""What workers and upkeep are for."""

log = logging.getLogger(__name__)

_ENTER = text("SELECT set_config('biblio.user', :user, true)")


def enter(connection: Connection, user: str) -> None:
    """Until the transaction ends: the connection goes back to the pool without it."""
    connection.execute(_ENTER, {"user": user})


def warn_if_unbound(connection: "psycopg.Connection[Any]", _record: object) -> None:
    """A superuser is bound by nothing: then only the queries keep users apart. For a process's first connection."""
    query = "SELECT rolname FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)"
    for (role,) in connection.execute(query):
        log.warning("the database role %s is a superuser, or may bypass row level security: give biblio its own", role)
    connection.rollback()
