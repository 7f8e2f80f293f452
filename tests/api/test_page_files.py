"""What browsers get of the page: addresses, caching, compression, and what the page may do."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from biblio.entrypoints.api.page_files import PageFiles
from tests.api.conftest import Api

HTML, SCRIPT, PICTURE = (
    b"<!doctype html>" + b"<p>biblio</p>" * 99,
    b"const words = 1;" * 99,
    b"\x89PNG" + bytes(range(256)),
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[TestClient]:
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "index.html").write_bytes(HTML)
    (tmp_path / "icon.png").write_bytes(PICTURE)
    (tmp_path / "secret.key").write_bytes(b"no file of the page")
    (assets / "index-4f2a.js").write_bytes(SCRIPT)
    (assets / "index-4f2a.js.br").write_bytes(b"brotli")
    (tmp_path.parent / "outside.txt").write_bytes(b"outside")
    with TestClient(Starlette(routes=[Mount("/", PageFiles(tmp_path))])) as client:
        client.headers["Accept-Encoding"] = "identity"
        yield client


@pytest.mark.parametrize("path", ["/", "/videos/550e8400-e29b-41d4-a716-446655440000?t=83.2", "/search?q=강의", "/a/b"])
def test_every_address_of_the_page_is_its_index(site: TestClient, path: str) -> None:
    answer = site.get(path)
    assert (answer.status_code, answer.content) == (200, HTML)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "immutable" not in answer.headers.get("cache-control", "")
    assert site.head(path).headers["content-length"] == str(len(HTML))


@pytest.mark.parametrize(
    "path",
    [
        "/favicon.ico",
        "/assets/index-old.js",
        "/assets/",
        "/secret.key",
        "/..%2Foutside.txt",
        "/assets/index-4f2a.js.br",
    ],
)
def test_a_file_that_is_none_of_the_pages_is_not_there(site: TestClient, path: str) -> None:
    assert site.get(path).status_code == 404


def test_the_page_takes_nothing(site: TestClient) -> None:
    answer = site.post("/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_assets_are_kept_for_good(site: TestClient) -> None:
    answer = site.get("/assets/index-4f2a.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0", "gzip"),
        ("GZIP", "gzip"),
        ("br; q=0.000, *", None),
        ("identity", None),
        ("", None),
    ],
)
def test_the_smallest_form_that_a_browser_takes_is_sent(site: TestClient, accepted: str, encoding: str | None) -> None:
    with site.stream("GET", "/assets/index-4f2a.js", headers={"Accept-Encoding": accepted}) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert (gzip.decompress(body) if encoding == "gzip" else body) == (b"brotli" if encoding == "br" else SCRIPT)


def test_a_picture_is_not_compressed_again(site: TestClient) -> None:
    answer = site.get("/icon.png", headers={"Accept-Encoding": "gzip"})
    assert (answer.content, "content-encoding" in answer.headers) == (PICTURE, False)


def test_what_a_browser_has_already_is_not_sent_again(site: TestClient) -> None:
    first = site.get("/", headers={"Accept-Encoding": "gzip"})
    again = site.get("/", headers={"Accept-Encoding": "gzip", "If-None-Match": f'"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert site.get("/", headers={"If-None-Match": first.headers["etag"]}).status_code == 200, "in another form"


def test_a_page_that_was_not_built_says_so(tmp_path: Path) -> None:
    with TestClient(Starlette(routes=[Mount("/", PageFiles(tmp_path))])) as client:
        answer = client.get("/")
    assert answer.status_code == 404
    assert "tools/build_page" in answer.text


def test_what_runs_goes_on_with_the_page_it_began_with(site: TestClient, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("another")
    assert site.get("/").content == HTML


def test_the_page_loads_nothing_from_anywhere_but_here_and_storage(api: Api) -> None:
    answer = api.http.get("/videos/550e8400-e29b-41d4-a716-446655440000")
    assert answer.headers["cache-control"] == "no-cache"
    rules = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    storage = api.services.storage.sign_download("videos/x", file_name="x", content_type="video/mp4", seconds=9).url
    place = storage.split("/videos/")[0].rsplit("/", 1)[0]
    host = str(api.http.base_url).removeprefix("http://").rstrip("/")
    assert rules == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"'self' blob: {place}",
        "media-src": f"blob: {place}",
        "connect-src": f"'self' {place} ws://{host} wss://{host}",
        "font-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    forged = api.http.get("/", headers={"Host": "a;script-src *"})
    assert "*" not in forged.headers.get("content-security-policy", "")


def test_a_call_that_does_not_exist_is_no_page(api: Api) -> None:
    for path in ("/api/nonsense", "/api/videos/x/nonsense", "/api", "/api/"):
        assert api.http.get(path).json()["code"] == "NOT_FOUND", path
