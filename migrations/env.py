"""Alembic runs inside the transaction that the catalog adapter opened."""

from alembic import context

from biblio.adapters.catalog.postgresql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
