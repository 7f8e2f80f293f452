"""What a storm and its checker see behind the system's back: the database's rows, storage's objects."""

import time
from collections.abc import Mapping
from typing import Any

import boto3
import psycopg

from biblio.dsn import Dsn
from tests.database import look_into

ON_THE_ROAD = "status IN ('PENDING', 'EXTRACTING', 'TRANSCRIBING', 'EMBEDDING', 'INDEXING', 'DELETING')"


class Eyes:
    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._database = addresses["BIBLIO_DATABASE"]
        storage = Dsn.parse(addresses["BIBLIO_STORAGE"])
        self.bucket = storage.host
        self.s3: Any = boto3.client(
            "s3",
            endpoint_url=storage.options["endpoint"],
            aws_access_key_id=storage.username,
            aws_secret_access_key=storage.password,
            region_name=storage.options["region"],
        )

    def rows(self, query: str, *given: Any) -> list[tuple[Any, ...]]:
        """Raises `psycopg.OperationalError` while the database is away."""
        with look_into(self._database, connect_timeout=2, application_name="eyes") as connection:
            return connection.execute(query.encode(), given).fetchall()

    def count(self, query: str, *given: Any) -> int:
        return int(self.rows(query, *given)[0][0])

    def in_flight(self) -> int | None:
        """Videos on their road; None while nobody can say."""
        try:
            return self.count(f"SELECT count(*) FROM videos WHERE {ON_THE_ROAD}")
        except psycopg.OperationalError:
            return None

    def is_quiet(self) -> bool:
        """Nothing is to be done, nor done."""
        try:
            jobs = self.count("SELECT count(*) FROM jobs j JOIN videos v ON v.id = j.video_id AND v.generation = j.generation WHERE state IN ('READY', 'RUNNING')")  # fmt: skip  # noqa: E501
        except psycopg.OperationalError:
            return False
        return jobs == 0 and self.in_flight() == 0

    def work_of(self, pids: set[int]) -> list[tuple[str, str]]:
        """Videos and steps that these processes hold; owners are named queue-host-parent-random/child."""
        try:
            held = self.rows("SELECT video_id::text, step, owner FROM jobs WHERE state = 'RUNNING'")
        except psycopg.OperationalError:
            return []
        return [(video, step) for video, step, owner in held if int(owner.rpartition("/")[2]) in pids]

    def wait_quiet(self, seconds: float) -> float | None:
        """Seconds it took; None when it never was."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if self.is_quiet():
                return time.monotonic() - began
            time.sleep(0.5)
        return None
