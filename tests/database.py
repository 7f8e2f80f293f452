"""A look into the database behind biblio's back."""

from typing import Any

import psycopg

from biblio.dsn import Dsn


def look_into(address: str | Dsn, **more: Any) -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection of its own, committing each statement, that sees everybody's rows."""
    dsn = Dsn.parse(address) if isinstance(address, str) else address
    return psycopg.connect(
        host=dsn.host,
        port=dsn.port,
        user=dsn.username,
        password=dsn.password,
        dbname=dsn.path,
        **{"autocommit": True, "options": "-c biblio.user=*", **more},
    )
