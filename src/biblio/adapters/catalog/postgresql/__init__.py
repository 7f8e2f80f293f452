"""The catalog in PostgreSQL, through SQLAlchemy Core."""

from biblio.adapters.catalog.postgresql.catalog import connect

__all__ = ["connect"]
