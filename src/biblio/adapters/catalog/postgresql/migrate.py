"""Bring the tables up to date, with Alembic."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import biblio
from biblio.adapters.catalog.postgresql.row_security import EVERYBODY, enter


def migrate(connection: Connection) -> None:
    enter(connection, EVERYBODY)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def lags_behind(connection: Connection) -> bool:
    """Whether there are migrations to be made. What a newer program has migrated is good enough for this one."""
    current = MigrationContext.configure(connection).get_current_revision()
    return current is None or current in _older()


@cache
def _older() -> frozenset[str]:
    """Every revision but the last."""
    script = ScriptDirectory.from_config(_config())
    return frozenset(one.revision for one in script.walk_revisions()) - set(script.get_heads())


def _config() -> Config:
    package = Path(biblio.__file__).parent
    installed = package / "migrations"
    config = Config()
    config.set_main_option(
        "script_location", str(installed if installed.is_dir() else package.parents[1] / "migrations")
    )
    return config
