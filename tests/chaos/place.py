"""Engines that belong to the chaos tests alone, API processes before them, and eyes behind the API's back."""

import base64
import hashlib
import json
import os
import random
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import boto3
import httpx
import psycopg
from redis import Redis

from biblio.bootstrap import build, engines
from biblio.domain.video import Video
from biblio.dsn import Dsn
from biblio.pipeline.services import Services
from biblio.settings import read_settings
from tests.chaos.fault_proxy import FaultProxy
from tests.database import look_into

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MIB = 1024**2
THRESHOLD = 5 * MIB
"""Files above it come in parts: the least that is a setting."""
BEGINNING = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
EVENT_SECRET = secrets.token_urlsafe(32)
SETTINGS = {
    "BIBLIO_SPEECH": "scripted://",
    "BIBLIO_MULTIPART_THRESHOLD": str(THRESHOLD),
    "BIBLIO_MAX_UPLOADS": "100000",
    "BIBLIO_REQUEST_RATE": "100000",
    "BIBLIO_EVENT_SECRET": EVENT_SECRET,
}
START_SECONDS = 180.0


@dataclass(frozen=True)
class Place:
    """`services` reaches the same engines from this process, as a worker would."""

    addresses: Mapping[str, str]
    services: Services
    user_id: str
    key: str
    folder: Path
    s3: "S3Client"
    """With the bucket's own credentials."""

    @property
    def storage_endpoint(self) -> str:
        return Dsn.parse(self.addresses["BIBLIO_STORAGE"]).options["endpoint"]

    @property
    def bucket(self) -> str:
        return self.services.storage.bucket

    def with_settings(self, **settings: str) -> Services:
        """As `services`, with other settings. To be closed with `close`."""
        return build(read_settings({**SETTINGS, **settings}, defaults=self.addresses))

    def through(self, storage: FaultProxy) -> str:
        """The storage's address for an API whose signed URLs go through the proxy."""
        dsn = Dsn.parse(self.addresses["BIBLIO_STORAGE"])
        return replace(dsn, options={**dsn.options, "public_endpoint": storage.url}).text()

    @contextmanager
    def api(self, port: int | None = None, /, **settings: str) -> Iterator[str]:
        """The URL of an API, a process of its own, with `settings` beside SETTINGS."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BIBLIO_")}
        given = {"BIBLIO_DATA": str(self.folder / "no-data"), **self.addresses, **SETTINGS, **settings}
        port = port or free_port()
        command = [sys.executable, "-m", "biblio", "api", "--port", str(port)]
        with (self.folder / f"api-{port}.log").open("wb") as log:
            process = subprocess.Popen(command, env={**kept, **given}, stdout=log, stderr=log)
        try:
            _wait_until_healthy(process, f"http://127.0.0.1:{port}", Path(log.name))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)

    def http(self, url: str) -> httpx.Client:
        """Calls to the API at `url` with the user's key."""
        return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {self.key}"}, timeout=60, trust_env=False)

    def video(self, video_id: str) -> Video:
        with self.services.catalog.transaction() as tx:
            return tx.videos.get(video_id)

    def jobs(self, video_id: str) -> list[tuple[str, str]]:
        """(step, state) of every job there is of a video."""
        with self.sql() as connection:
            return connection.execute("SELECT step, state FROM jobs WHERE video_id = %s", (video_id,)).fetchall()

    def make_due(self, video_id: str) -> None:
        """The next sweep looks at this upload and, for an hour, at no other."""
        with self.sql() as connection:
            connection.execute("UPDATE uploads SET look_at = now() + interval '1 hour'")
            connection.execute("UPDATE uploads SET look_at = now() WHERE video_id = %s", (video_id,))

    def sql(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return look_into(self.addresses["BIBLIO_DATABASE"])

    def messages(self) -> list[str]:
        """The videos of the messages that wait for the media worker, and which are taken away by this."""
        with self._queue() as queue:
            taken = [json.loads(str(raw)) for raw in reversed(queue.lrange("biblio.media", 0, -1))]
            queue.delete("biblio.media")
        bodies = [json.loads(base64.b64decode(message["body"])) for message in taken]
        return [keywords["payload"]["video_id"] for _, keywords, _ in bodies]

    def _queue(self) -> Redis:
        dsn = Dsn.parse(self.addresses["BIBLIO_QUEUE"])
        return Redis(dsn.host, dsn.port or 6379, db=int(dsn.path), password=dsn.password, decode_responses=True)

    def objects(self, video_id: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=f"videos/{video_id}/")
        return [entry["Key"] for entry in found.get("Contents", [])]

    def unfinished(self, video_id: str) -> list[str]:
        """Storage's ids of the video's multipart uploads that were neither completed nor aborted."""
        found = self.s3.list_multipart_uploads(Bucket=self.bucket, Prefix=f"videos/{video_id}/")
        return [entry["UploadId"] for entry in found.get("Uploads", [])]

    def stored_bytes(self, video_id: str) -> int:
        """Bytes of the parts that an unfinished upload has; a part sent twice is listed twice and counts once."""
        key, s3 = self.video(video_id).key, self.s3
        parts = {
            part["PartNumber"]: part["Size"]
            for upload_id in self.unfinished(video_id)
            for part in s3.list_parts(Bucket=self.bucket, Key=key, UploadId=upload_id).get("Parts", [])
        }
        return sum(parts.values())

    def sha256(self, video_id: str) -> str:
        """Of the object in storage."""
        digest = hashlib.sha256()
        for piece in self.services.storage.read(self.video(video_id).key):
            digest.update(piece)
        return digest.hexdigest()

    def named(self, file_name: str) -> list[str]:
        """The videos of that file name."""
        with self.sql() as connection:
            found = connection.execute("SELECT id::text FROM videos WHERE file_name = %s", (file_name,)).fetchall()
        return [video_id for (video_id,) in found]

    def forget(self, video_id: str) -> None:
        """As if it had never been, so that later trials have less to look through."""
        self.services.storage.remove(f"videos/{video_id}/")
        with self.sql() as connection:
            connection.execute("DELETE FROM uploads WHERE video_id = %s", (video_id,))
            connection.execute("DELETE FROM videos WHERE id = %s", (video_id,))


@contextmanager
def open_place(addresses: Mapping[str, str], folder: Path) -> Iterator[Place]:
    services = build(read_settings(SETTINGS, defaults=addresses))
    for engine in engines(services).values():
        engine.prepare()
    key = secrets.token_urlsafe(32)
    with services.catalog.transaction() as tx:
        user_id = tx.users.add("chaos")
        tx.users.give_key(user_id, key)
    yield Place(addresses, services, user_id, key, folder, _open_s3(Dsn.parse(addresses["BIBLIO_STORAGE"])))
    close(services)


def _open_s3(dsn: Dsn) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=dsn.options["endpoint"],
        aws_access_key_id=dsn.username,
        aws_secret_access_key=dsn.password,
        region_name=dsn.options["region"],
    )


def close(services: Services) -> None:
    for engine in engines(services).values():
        engine.close()


def make_film(path: Path, size: int, seed: object) -> Path:
    """`size` bytes that begin like an MP4 and go on at random, the same for the same `seed`."""
    dice = random.Random(str(seed))
    with path.open("wb") as file:
        file.write(BEGINNING[:size])
        for left in range(size - len(BEGINNING), 0, -MIB):
            file.write(dice.randbytes(min(MIB, left)))
    return path


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait_until_healthy(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    ask = build_opener(ProxyHandler({})).open
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with ask(f"{url}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
        if process.poll() is not None:
            break
    raise AssertionError(f"the API did not start: {log.read_text()[-2000:]}")
