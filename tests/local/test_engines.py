"""One stack for the whole file: what its engines promise."""

import os
import stat
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from biblio.dsn import Dsn
from biblio.errors import Conflict
from biblio.local.folder import DataFolder
from biblio.local.stack import LocalStack
from tests.database import look_into
from tests.local import processes
from tests.local.conftest import make_stack, s3_client


@pytest.fixture(scope="module")
def database(stack: LocalStack) -> "psycopg.Connection[Any]":
    return look_into(stack.addresses["BIBLIO_DATABASE"])


@pytest.fixture(scope="module")
def storage(stack: LocalStack) -> Any:
    client = s3_client(stack.addresses["BIBLIO_STORAGE"])
    client.create_bucket(Bucket="biblio-video-store")
    return client


def test_the_role_owns_its_database_and_is_no_superuser(database: "psycopg.Connection[Any]") -> None:
    role = database.execute(
        "SELECT rolname, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    assert role == ("biblio", False, False)
    database.execute("CREATE TABLE mine (embedding vector(3))")
    database.execute("INSERT INTO mine VALUES ('[1,2,3]')")
    assert database.execute("SELECT embedding <-> '[1,2,4]' FROM mine").fetchone() == (1.0,)


def test_the_database_speaks_utf8_and_utc(database: "psycopg.Connection[Any]") -> None:
    row = database.execute("SELECT lower('ÄÖ강의'), current_setting('timezone'), version()").fetchone()
    assert row is not None
    assert row[:2] == ("äö강의", "UTC")
    assert row[2].startswith("PostgreSQL 18")


def test_the_database_wants_its_password(stack: LocalStack) -> None:
    address = Dsn.parse(stack.addresses["BIBLIO_DATABASE"])
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(hostaddr="127.0.0.1", port=address.port, user="biblio", dbname="biblio", password="wrong")


def test_valkey_keeps_its_promises(stack: LocalStack) -> None:
    with redis.Redis.from_url(stack.addresses["BIBLIO_QUEUE"], decode_responses=True) as client:
        settings: Any = client.config_get("appendonly", "appendfsync", "maxmemory-policy", "databases")
    assert settings == {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "databases": "2",
    }


def test_queue_and_limiter_are_two_databases(stack: LocalStack) -> None:
    with redis.Redis.from_url(stack.addresses["BIBLIO_QUEUE"]) as queue:
        queue.set("only-here", 1)
    with redis.Redis.from_url(stack.addresses["BIBLIO_LIMITER"]) as limiter:
        assert limiter.get("only-here") is None


def test_valkey_wants_its_password(stack: LocalStack) -> None:
    port = Dsn.parse(stack.addresses["BIBLIO_QUEUE"]).port
    with redis.Redis("127.0.0.1", port or 0) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_a_presigned_upload_can_be_read_in_parts(storage: Any) -> None:
    body = os.urandom(6 * 1024 * 1024)
    place = {"Bucket": "biblio-video-store", "Key": "video/강의 1.mp4"}
    signed = {**place, "ContentLength": len(body), "ContentType": "video/mp4"}
    url = storage.generate_presigned_url("put_object", Params=signed, ExpiresIn=60)
    request = urllib.request.Request(url, body, {"Content-Type": "video/mp4"}, method="PUT")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    part = storage.get_object(**place, Range="bytes=5000000-5000099")["Body"].read()
    assert part == body[5_000_000:5_000_100]


def test_a_multipart_upload_works(storage: Any) -> None:
    place = {"Bucket": "biblio-video-store", "Key": "parts"}
    upload = storage.create_multipart_upload(**place)["UploadId"]
    bodies = [b"a" * 5 * 1024 * 1024, b"b"]
    parts = [
        {"PartNumber": n, "ETag": storage.upload_part(**place, UploadId=upload, PartNumber=n, Body=body)["ETag"]}
        for n, body in enumerate(bodies, 1)
    ]
    storage.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})
    assert storage.head_object(**place)["ContentLength"] == 5 * 1024 * 1024 + 1


@pytest.mark.parametrize(
    ("part", "path"),
    [("master", "/dir/assign"), ("master", "/col/delete?collection=biblio-video-store"), ("filer", "/buckets/")],
)
def test_seaweedfs_answers_only_signed_requests(stack: LocalStack, folder: DataFolder, part: str, path: str) -> None:
    import json

    port = json.loads((folder.run / "ports.json").read_text())[f"seaweedfs-{part}.port"]
    with pytest.raises(urllib.error.HTTPError, match="40"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}")


def test_everything_listens_on_loopback_only(stack: LocalStack, folder: DataFolder) -> None:
    listening = [address for process in processes.of(folder) for address in processes.listening(process)]
    assert len(listening) >= 9
    assert {address.ip for address in listening} == {"127.0.0.1"}


def test_no_secret_shows_in_a_command_or_the_configuration(stack: LocalStack, folder: DataFolder) -> None:
    secrets = [path.read_text() for path in folder.secrets.iterdir()]
    assert len(secrets) >= 5
    shown = [" ".join(process.cmdline()) for process in processes.of(folder)]
    assert any("weed" in line for line in shown)
    assert any("valkey-server" in line for line in shown)
    assert any("postgres" in line for line in shown)
    shown += [(folder.run / "supervisord.conf").read_text(), *(log.read_text() for log in folder.logs.iterdir())]
    assert not [line for line in shown for secret in secrets if secret in line]


def test_only_its_owner_may_enter_or_read(stack: LocalStack, folder: DataFolder) -> None:
    parts = [folder.path, *folder.path.iterdir()]
    private = [
        *folder.secrets.iterdir(),
        *folder.run.iterdir(),
        *folder.seaweedfs.glob("*.[jt]*"),
        folder.valkey / "valkey.conf",
    ]
    open_to_others = [path for path in [*parts, *private] if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert open_to_others == []


def test_the_running_stack_is_found_and_refuses_a_second(stack: LocalStack, folder: DataFolder) -> None:
    running = DataFolder(folder.path).read_addresses()
    assert running is not None
    assert running.addresses == stack.addresses
    with pytest.raises(Conflict) as caught:
        make_stack(DataFolder(folder.path)).start()
    assert caught.value.code == "ALREADY_RUNNING"
    assert str(os.getpid()) in caught.value.message


def test_its_working_files_stay_in_the_folder(stack: LocalStack, folder: DataFolder) -> None:
    started = {"postgres", "valkey", "seaweedfs", "logs", "run", "secrets"}
    assert {path.name for path in folder.path.iterdir()} == started
    assert Path(folder.logs / "postgres.log").stat().st_size > 0
