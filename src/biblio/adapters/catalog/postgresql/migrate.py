"""Bring the tables up to date, with Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

import biblio


def migrate(connection: Connection) -> None:
    package = Path(biblio.__file__).parent
    installed = package / "migrations"
    config = Config()
    config.set_main_option(
        "script_location", str(installed if installed.is_dir() else package.parents[1] / "migrations")
    )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
