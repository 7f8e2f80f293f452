"""Browsers sign in with a key or a link, are known by a cookie, and sign out."""

import logging
from collections.abc import Iterator, Mapping
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from biblio.pipeline.sign_in import TOKEN_SECONDS, new_token
from tests.api.conftest import Api, running_api
from tests.contracts.catalog_suite import at_once

SESSION = "/api/session"


@pytest.fixture(scope="module")
def house(addresses: Mapping[str, str]) -> Iterator[Api]:
    with running_api(addresses, REQUEST_RATE="10000") as api:
        yield api


@pytest.fixture
def browser(house: Api) -> Iterator[httpx.Client]:
    """Signed in; what its own page would send along is in its headers."""
    with nobody(house) as http:
        signed = http.post(SESSION, json={"token": new_token(house.services, house.user_id)})
        assert signed.status_code == 200
        http.headers["X-CSRF-Token"] = signed.json()["csrf_token"]
        yield http


def nobody(house: Api) -> httpx.Client:
    return httpx.Client(base_url=house.http.base_url, timeout=60)


def own_key(house: Api) -> str:
    return str(house.http.headers["Authorization"].removeprefix("Bearer "))


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def new_video(http: httpx.Client) -> str:
    answer = http.post("/api/videos", json={"file_name": "lecture.mp4", "file_size": 9})
    return str(answer.raise_for_status().json()["video_id"])


def test_a_key_signs_in_and_the_cookie_is_out_of_reach_of_scripts_and_strangers(house: Api) -> None:
    with nobody(house) as http:
        assert refused(http.get(SESSION)) == (401, "KEY_MISSING")
        signed = http.post(SESSION, json={"key": own_key(house)})
        assert (signed.status_code, set(signed.json())) == (200, {"csrf_token"})
        name, *parts = signed.headers["set-cookie"].split("; ")
        assert name.startswith("biblio_session=")
        assert {part.lower() for part in parts} == {"httponly", "samesite=strict", "path=/", "max-age=2592000"}
        whoami = http.get(SESSION)
        assert whoami.json()["user_id"] == house.user_id
        assert whoami.json()["name"].startswith("user ")
        assert whoami.json()["csrf_token"] == signed.json()["csrf_token"]
        assert "max-age=2592000" in whoami.headers["set-cookie"].lower(), "it lasts as long as the session"
        assert http.get("/api/videos").status_code == 200


def test_a_cookie_given_by_https_never_goes_over_http(house: Api) -> None:
    """A proxy on this machine says how it was asked."""
    with nobody(house) as http:
        signed = http.post(SESSION, json={"key": own_key(house)}, headers={"X-Forwarded-Proto": "https"})
        assert "; secure" in signed.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"key": "nobodys"}, (401, "KEY_UNKNOWN")),
        ({"token": "nobodys"}, (401, "TOKEN_UNKNOWN")),
        ({}, (422, "INVALID_INPUT")),
        ({"key": "a", "token": "b"}, (422, "INVALID_INPUT")),
        ({"key": "열쇠"}, (422, "INVALID_INPUT")),
        ({"key": "x" * 201}, (422, "INVALID_INPUT")),
    ],
)
def test_what_signs_nobody_in(house: Api, body: dict[str, str], problem: tuple[int, str]) -> None:
    with nobody(house) as http:
        answer = http.post(SESSION, json=body)
        assert refused(answer) == problem
        assert "set-cookie" not in answer.headers
        assert not any(secret in answer.text for secret in body.values() if len(secret) > 1)


def test_a_token_works_once_and_of_two_at_once_one_wins(house: Api) -> None:
    token = new_token(house.services, house.user_id)

    def spend(_: int) -> int:
        with nobody(house) as http:
            return http.post(SESSION, json={"token": token}).status_code

    assert sorted(at_once(6, spend)) == [200, *[401] * 5]
    assert spend(0) == 401


def test_a_token_that_is_too_old_signs_nobody_in(house: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert TOKEN_SECONDS <= 24 * 3600
    monkeypatch.setattr("biblio.pipeline.sign_in.TOKEN_SECONDS", 0)
    with nobody(house) as http:
        answer = http.post(SESSION, json={"token": new_token(house.services, house.user_id)})
        assert refused(answer) == (401, "TOKEN_UNKNOWN")


def test_a_cookie_is_worth_nothing_after_its_time(house: Api) -> None:
    session_id = uuid4().hex
    with house.services.catalog.transaction() as tx:
        tx.sessions.open(house.user_id, session_id, seconds=0)
    with nobody(house) as http:
        http.cookies.set("biblio_session", session_id)
        assert refused(http.get("/api/videos")) == (401, "KEY_MISSING")


def test_signing_out_ends_the_session_and_its_copies(house: Api, browser: httpx.Client) -> None:
    copy = browser.cookies["biblio_session"]
    out = browser.delete(SESSION)
    assert out.status_code == 204
    assert 'biblio_session=""' in out.headers["set-cookie"]
    assert "biblio_session" not in browser.cookies
    with nobody(house) as http:
        http.cookies.set("biblio_session", copy)
        for path in (SESSION, "/api/videos"):
            assert refused(http.get(path)) == (401, "KEY_MISSING")
        assert refused(http.delete(SESSION)) == (401, "KEY_MISSING")


def test_signing_in_anew_ends_the_session_before(house: Api, browser: httpx.Client) -> None:
    before = browser.cookies["biblio_session"]
    browser.post(SESSION, json={"key": own_key(house)}).raise_for_status()
    assert browser.cookies["biblio_session"] != before
    with nobody(house) as http:
        http.cookies.set("biblio_session", before)
        assert refused(http.get(SESSION)) == (401, "KEY_MISSING")


def test_what_changes_something_needs_the_token_of_the_own_page(house: Api, browser: httpx.Client) -> None:
    video_id = new_video(browser)
    with nobody(house) as other:
        other.post(SESSION, json={"key": own_key(house)}).raise_for_status()
        theirs = other.get(SESSION).json()["csrf_token"]
    proof = browser.headers.pop("X-CSRF-Token")
    wrongs: list[dict[bytes, bytes]] = [{}, *({b"X-CSRF-Token": one} for one in (b"", theirs.encode(), b"\xe9"))]
    for wrong in wrongs:
        for method, path in (
            ("POST", "/api/videos"),
            ("PATCH", f"/api/videos/{video_id}"),
            ("DELETE", f"/api/videos/{video_id}"),
            ("DELETE", SESSION),
        ):
            body = {"title": "changed"} if method != "DELETE" else None
            assert refused(browser.request(method, path, json=body, headers=wrong)) == (403, "CSRF_TOKEN_WRONG")
    assert browser.get(f"/api/videos/{video_id}").json()["title"] == "lecture"
    assert browser.head(SESSION).status_code in (200, 405)
    changed = browser.patch(f"/api/videos/{video_id}", json={"title": "changed"}, headers={"X-CSRF-Token": proof})
    assert changed.json()["title"] == "changed"


def test_a_key_wins_over_a_cookie_and_needs_no_token(house: Api, browser: httpx.Client) -> None:
    del browser.headers["X-CSRF-Token"]
    with house.stranger() as stranger:
        theirs = new_video(stranger)
        key = {"Authorization": stranger.headers["Authorization"]}
    assert browser.patch(f"/api/videos/{theirs}", json={"title": "new"}, headers=key).status_code == 200
    assert refused(browser.get("/api/videos", headers={"Authorization": "Bearer x"})) == (401, "KEY_UNKNOWN")


def test_another_users_video_is_not_there_for_a_cookie_either(house: Api, browser: httpx.Client) -> None:
    with house.stranger() as stranger:
        theirs = new_video(stranger)
    assert refused(browser.get(f"/api/videos/{theirs}")) == (404, "VIDEO_NOT_FOUND")
    assert refused(browser.delete(f"/api/videos/{theirs}")) == (404, "VIDEO_NOT_FOUND")
    assert theirs not in browser.get("/api/videos?limit=100").text


def test_no_other_page_signs_a_browser_in(house: Api) -> None:
    with nobody(house) as http:
        for origin in ("https://evil.example", "null", f"{http.base_url}1"):
            answer = http.post(SESSION, json={"key": own_key(house)}, headers={"Origin": origin})
            assert refused(answer) == (403, "ORIGIN_NOT_ALLOWED")
        own = {"Origin": str(http.base_url).rstrip("/")}
        assert http.post(SESSION, json={"key": own_key(house)}, headers=own).status_code == 200


def test_a_socket_of_the_own_page_needs_no_key_and_one_of_any_other_is_refused(
    house: Api, browser: httpx.Client
) -> None:
    own = str(browser.base_url).rstrip("/")
    cookie = {"Cookie": f"biblio_session={browser.cookies['biblio_session']}"}
    video_id = new_video(browser)
    for path in ("/api/events?after=0", f"/api/videos/{video_id}/status/ws"):
        address = own.replace("http", "ws", 1) + path
        with connect(address, additional_headers={**cookie, "Origin": own}, proxy=None) as socket:
            assert "video_id" in str(socket.recv(timeout=10))
        for origin in ({"Origin": "https://evil.example"}, {"Origin": own.rsplit(":", 1)[0] + ":1"}, {}):
            with (
                pytest.raises(InvalidStatus) as caught,
                connect(address, additional_headers={**cookie, **origin}, proxy=None),
            ):
                pass
            assert caught.value.response.status_code == 403
            assert b"ORIGIN_NOT_ALLOWED" in caught.value.response.body
    with (
        pytest.raises(InvalidStatus) as caught,
        connect(address, additional_headers={"Cookie": "biblio_session=old", "Origin": own}, proxy=None),
    ):
        pass
    assert caught.value.response.status_code == 401


def test_no_secret_gets_into_the_log(house: Api, caplog: pytest.LogCaptureFixture) -> None:
    token = new_token(house.services, house.user_id)
    with caplog.at_level(logging.DEBUG), nobody(house) as http:
        proof = http.post(SESSION, json={"token": token}).json()["csrf_token"]
        session_id = http.cookies["biblio_session"]
        http.get(SESSION)
        http.post(SESSION, json={"token": token})
        http.post(SESSION, json={"key": own_key(house)})
    server = [record for record in caplog.records if record.name.startswith("biblio")]
    assert any("/api/session" in record.getMessage() for record in server)
    said = "\n".join(f"{record.getMessage()} {vars(record)}" for record in server)
    assert [secret for secret in (token, session_id, proof, own_key(house)) if secret in said] == []


def test_who_tries_keys_is_held_back(addresses: Mapping[str, str]) -> None:
    with running_api(addresses, REQUEST_RATE="1") as api, nobody(api) as http:
        answers = [http.post(SESSION, json={"key": uuid4().hex}).status_code for _ in range(8)]
    assert answers[:3] == [401] * 3
    assert answers[-1] == 429
