"""What Google's signed addresses hold to, and who signs them."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from biblio.adapters.storage.gcs import connect
from biblio.dsn import Dsn
from biblio.errors import Misconfigured, Unavailable
from biblio.ports.storage import Storage
from tests.adapters.storage.altered import altered
from tests.adapters.storage.gcs_place import storage_at
from tests.contracts.multipart import begin, put
from tests.contracts.storage import send
from tests.emulators.faults import Fault
from tests.emulators.gcs import Gcs, running_gcs
from tests.emulators.gcs_accounts import EMAIL, OUTSIDE_TOKEN


@pytest.fixture(scope="module")
def gcs() -> Iterator[Gcs]:
    with running_gcs() as server, storage_at(server) as storage:
        storage.prepare()
        yield server


@pytest.fixture
def storage(gcs: Gcs) -> Iterator[Storage]:
    with storage_at(gcs) as storage:
        yield storage


def test_a_signature_names_length_type_hash_and_its_time(storage: Storage) -> None:
    digest = sha256(b"12345").hexdigest()
    upload = storage.sign_upload("a", size=5, content_type="video/mp4", seconds=300, sha256=digest)
    query = parse_qs(urlsplit(upload.url).query)
    assert query["X-Goog-SignedHeaders"] == [
        "content-type;host;x-goog-content-length-range;x-goog-content-sha256;x-goog-if-generation-match"
    ]
    assert dict(upload.headers) == {
        "Content-Type": "video/mp4",
        "x-goog-if-generation-match": "0",
        "x-goog-content-length-range": "5,5",
        "x-goog-content-sha256": digest,
    }
    signed_at = datetime.strptime(query["X-Goog-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert 0 <= (signed_at - upload.expires_at).total_seconds() + 300 <= 1


def test_a_signed_part_names_length_and_hash(storage: Storage) -> None:
    for digest, named in (
        (None, "host;x-goog-content-length-range"),
        (sha256(b"abc").hexdigest(), "x-goog-content-sha"),
    ):
        part = storage.multipart.sign_part("a", "id", 7, size=3, seconds=300, sha256=digest)
        query = parse_qs(urlsplit(part.url).query)
        assert named in query["X-Goog-SignedHeaders"][0]
        assert (query["partNumber"], query["uploadId"], query["X-Goog-Expires"]) == (["7"], ["id"], ["300"])
        assert part.headers.get("x-goog-content-sha256") == digest


def test_what_is_signed_cannot_be_left_out_or_changed(storage: Storage) -> None:
    upload = storage.sign_upload("strict/a", size=5, content_type="video/mp4", seconds=60)
    changed = {"x-goog-content-length-range": "0,9999", "x-goog-if-generation-match": "1", "Content-Type": "text/html"}
    for name, value in changed.items():
        assert send(upload, b"12345", {**upload.headers, name: value}) == 403
        assert send(upload, b"12345", {one: given for one, given in upload.headers.items() if one != name}) == 400
    assert send(upload, b"12345", {**upload.headers, "x-goog-acl": "public-read"}) == 403
    assert send(upload, b"12345") == 200


def test_signed_urls_point_at_the_public_endpoint_and_calls_go_to_the_inner_one(gcs: Gcs) -> None:
    public = gcs.url.replace("127.0.0.1", "localhost")
    with storage_at(gcs, public_endpoint=public) as storage:
        upload = storage.sign_upload("two/a", size=3, content_type="video/mp4", seconds=60)
        assert upload.url.startswith(f"{public}/biblio-video-store/two/a?")
        assert send(upload, b"abc") == 200
        download = storage.sign_download("two/a", file_name="a.mp4", content_type="video/mp4", seconds=60)
        assert httpx.get(download.url).content == b"abc"
        assert httpx.get(download.url.replace(public, gcs.url)).status_code == 403
        part = put(storage, "two/b", begin(storage, "two/b"), 1, b"abc")
        assert part.url.startswith(f"{public}/")
    with storage_at(gcs, public_endpoint="http://nowhere.invalid") as alone:
        assert alone.stat("two/a").size == 3
        assert alone.remove("two/") == 1


def test_without_an_endpoint_addresses_are_googles_own(gcs: Gcs) -> None:
    address = f"gs://lectures?credentials={gcs.key_file}"
    upload = connect(Dsn.parse(address)).sign_upload("a", size=5, content_type="video/mp4", seconds=300)
    assert upload.url.startswith("https://storage.googleapis.com/lectures/a?")


def test_credentials_are_googles_own_where_none_are_stated(gcs: Gcs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(gcs.key_file))
    storage = connect(Dsn.parse(f"gs://biblio-video-store?endpoint={gcs.url}"))
    storage.ping()
    assert send(storage.sign_upload("own/a", size=1, content_type="a/b", seconds=9), b"x") == 200
    storage.remove("own/")


@pytest.fixture
def without_key(gcs: Gcs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Federated identity: a token of another cloud is changed for one of Google's. The address that relies on it."""
    (tmp_path / "token").write_text(OUTSIDE_TOKEN)
    about = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/locations/global/workforcePools/pool/providers/other",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{gcs.url}/token",
        "credential_source": {"file": str(tmp_path / "token")},
    }
    (tmp_path / "adc.json").write_text(json.dumps(about))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "adc.json"))
    return f"gs://biblio-video-store?project=lectures&endpoint={gcs.url}&iam_endpoint={gcs.url}"


def test_credentials_without_a_key_sign_through_iam(gcs: Gcs, without_key: str) -> None:
    storage = connect(Dsn.parse(f"{without_key}&signer={EMAIL}"))
    storage.ping()
    upload = storage.sign_upload("iam/a", size=1, content_type="a/b", seconds=9)
    assert gcs.calls[-1] == f"POST /v1/projects/-/serviceAccounts/{EMAIL}:signBlob"
    assert send(upload, b"x") == 200
    storage.remove("iam/")
    for status, kind in ((503, Unavailable), (403, Misconfigured)):
        gcs.faults.append(Fault(r"POST /v1/.*", status, reason="no"))
        with pytest.raises(kind):
            storage.sign_upload("iam/a", size=1, content_type="a/b", seconds=9)


def test_credentials_without_a_key_and_a_signer_are_misconfigured(without_key: str) -> None:
    storage = connect(Dsn.parse(without_key))
    storage.ping()
    with pytest.raises(Misconfigured, match="'signer'"):
        storage.sign_upload("iam/a", size=1, content_type="a/b", seconds=9)


def test_credentials_of_somebody_else_are_misconfigured(gcs: Gcs, tmp_path: Path) -> None:
    with running_gcs() as other:
        content = json.loads(other.key_file.read_text())
    path = tmp_path / "other.json"
    path.write_text(json.dumps({**content, "token_uri": f"{gcs.url}/token"}))
    with storage_at(gcs, credentials=str(path)) as storage:
        upload = storage.sign_upload("a", size=1, content_type="a/b", seconds=9)
        assert send(upload, b"x") == 403
        for call in (storage.ping, storage.prepare):
            with pytest.raises(Misconfigured):
                call()


@pytest.mark.parametrize("content", [None, "", "{}", '{"type": "service_account", "private_key": "hidden-words"}'])
def test_a_key_file_that_cannot_be_used_is_misconfigured(gcs: Gcs, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    with storage_at(gcs, credentials=str(path)) as storage, pytest.raises(Misconfigured, match=r"key\.json") as caught:
        storage.ping()
    assert "hidden-words" not in repr(caught.value)


def test_missing_credentials_are_misconfigured(gcs: Gcs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent")
    with pytest.raises(Misconfigured, match="'credentials'"):
        connect(Dsn.parse(f"gs://bucket?endpoint={gcs.url}")).ping()


def test_storage_on_this_machine_is_reached_around_a_proxy(gcs: Gcs, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with storage_at(gcs) as storage:
        storage.ping()


def test_an_address_works_in_another_process(gcs: Gcs) -> None:
    program = (
        "import io, sys; from biblio.adapters.registry import connect; from biblio.dsn import Dsn;"
        "storage = connect('storage', Dsn.parse(sys.argv[1]));"
        "print(storage.write('far/a', io.BytesIO(b'abc'), content_type='a/b').etag)"
    )
    done = subprocess.run([sys.executable, "-c", program, gcs.address], capture_output=True, text=True, check=True)
    with storage_at(gcs) as storage:
        assert storage.stat("far/a").etag == done.stdout.strip()
        storage.remove("far/")


def test_an_unknown_option_is_refused(gcs: Gcs) -> None:
    with pytest.raises(Misconfigured, match="Did you mean 'endpoint'"):
        connect(altered(Dsn.parse(gcs.address), end_point="http://127.0.0.1:1"))


@pytest.mark.parametrize(
    "address",
    [
        "gs://",
        "gs://Bucket",
        "gs://bucket/folder",
        "gs://bucket:80",
        "gs://key:hidden-words@bucket",
        "gs://bucket?endpoint=127.0.0.1:8333",
        "gs://bucket?endpoint=http://key:hidden-words@127.0.0.1",
        "gs://bucket?origins=biblio.example",
        "gs://bucket?read_timeout=0",
    ],
)
def test_an_address_without_sense_is_misconfigured(address: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        connect(Dsn.parse(address))
    assert "hidden-words" not in str(caught.value)


def test_no_secret_shows(gcs: Gcs, storage: Storage) -> None:
    storage.ping()
    key = json.loads(gcs.key_file.read_text())["private_key"].splitlines()[1]
    base64.b64decode(key)
    assert key not in repr(storage) + str(storage) + str(vars(storage))
    assert [token for token in gcs.account.tokens if token in repr(storage) + str(vars(storage))] == []
