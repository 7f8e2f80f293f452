"""Tables of another version than the program's."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from biblio.adapters.catalog.postgresql import connect
from biblio.dsn import Dsn
from biblio.errors import Misconfigured

MIGRATIONS = Path(__file__).parents[3] / "migrations"


def change(dsn: Dsn, act: Callable[[Connection], object]) -> None:
    engine = sqlalchemy.create_engine(dsn.text())
    with engine.begin() as connection:
        act(connection)
    engine.dispose()


def upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


def test_tables_that_lag_behind_are_told_and_those_of_a_newer_program_are_good_enough(empty: Dsn) -> None:
    catalog = connect(empty)
    change(empty, upgrade)
    with pytest.raises(Misconfigured, match="biblio migrate") as caught:
        catalog.ping()
    assert caught.value.code == "NOT_MIGRATED"
    catalog.prepare()
    catalog.ping()
    change(empty, lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    catalog.ping()
    catalog.close()
