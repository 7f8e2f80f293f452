"""Uploads that are taken up where they were left."""

import hashlib
import os
from pathlib import Path

import pytest

from biblio.client import Client
from biblio.client.fingerprint import SAMPLE, fingerprint
from biblio.client.source import Source
from biblio.errors import Unavailable
from tests.client.conftest import PART, QUICK
from tests.client.test_multipart import COUNT, is_whole
from tests.emulators.biblio_api import KEY, ApiEmulator
from tests.emulators.faults import CUT, DROP, Fault


def break_off(
    api: ApiEmulator, client: Client, film: Path, language: str | None = None, title: str | None = None
) -> str:
    """The id of an upload of which parts 1 to 5 have arrived, or nothing where it is one PUT."""
    api.faults.append(Fault("PUT .*(/6|-[0-9]{12})", CUT, times=99, after=1000))
    with pytest.raises(Unavailable):
        client.upload(film, retries=QUICK, parallel=1, language=language, title=title)
    api.faults.clear()
    api.storage.transfers.clear()
    return list(api.videos)[-1]


def test_only_what_is_missing_is_sent(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    video_id = break_off(in_parts, client, film)
    heard: list[int] = []
    opened: list[tuple[str, int]] = []
    client.upload(film, on_progress=heard.append, on_open=lambda *found: opened.append(found))
    assert is_whole(in_parts, film)
    assert opened == [(video_id, 5 * PART)]
    assert min(heard) >= 5 * PART
    assert in_parts.storage.sent(video_id) == dict.fromkeys(range(6, COUNT + 1), 1)


def test_another_device_goes_on_too(in_parts: ApiEmulator, client: Client, film: Path, tmp_path: Path) -> None:
    break_off(in_parts, client, film)
    copy = tmp_path / "copy of it.mp4"
    copy.write_bytes(film.read_bytes())
    with Client(in_parts.url, KEY) as elsewhere:
        elsewhere.upload(copy)
    assert is_whole(in_parts, film)


def test_another_is_begun_for_other_wishes(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    first = break_off(in_parts, client, film, language="ko", title="강의")
    other = [
        client.upload(film, language="ko", title="다른 강의"),
        client.upload(film, language="en", title="강의"),
        client.upload(film, title="강의"),
        client.upload(film, language="ko", model="fast"),
        client.upload(film, language="ko", mime_type="video/x-matroska"),
    ]
    assert first not in {accepted["video_id"] for accepted in other}
    assert client.upload(film, language="ko", title=" 강의")["video_id"] == first


def test_another_is_begun_for_another_file(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    first = break_off(in_parts, client, film)
    with film.open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"changed")
    assert client.upload(film)["video_id"] != first


def test_a_change_between_the_samples_is_seen_by_the_digest_of_the_whole(
    api: ApiEmulator, client: Client, film: Path
) -> None:
    film.write_bytes(os.urandom(8_000_000))
    first = break_off(api, client, film)
    with film.open("r+b") as file:
        file.seek(2_000_000)
        file.write(b"changed")
    (prints,) = {video["fingerprint"] for video in api.videos.values()}
    with Source(film) as source:
        assert fingerprint(source) == prints
    assert client.upload(film)["video_id"] != first


def test_a_single_put_goes_on_with_a_fresh_address(api: ApiEmulator, client: Client, film: Path) -> None:
    api.url_seconds = 60
    first = break_off(api, client, film)
    opened: list[tuple[str, int]] = []
    assert client.upload(film, on_open=lambda *found: opened.append(found))["video_id"] == first
    assert opened == [(first, 0)]
    assert len(api.videos) == 1


def test_what_the_server_completed_by_itself_is_not_sent_again(
    in_parts: ApiEmulator, client: Client, film: Path
) -> None:
    first = client.upload(film)["video_id"]
    in_parts.videos[first]["acknowledged"] = "false"  # as if the client had died before it could say so
    sent, opened = len(in_parts.storage.transfers), list[tuple[str, int]]()
    assert client.upload(film, on_open=lambda *found: opened.append(found))["video_id"] == first
    assert opened == [(first, film.stat().st_size)]
    assert len(in_parts.storage.transfers) == sent
    assert client.upload(film)["video_id"] != first, "a second copy, as wanted"


def test_parts_of_what_the_file_was_before_are_sent_anew(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    film.write_bytes(os.urandom(20 * PART))
    first = break_off(in_parts, client, film)
    in_parts.videos[first]["sha256"] = None  # as of a file too large for it
    with film.open("r+b") as file:
        file.seek(SAMPLE)  # in the fifth part, which has arrived, and in no sample
        file.write(b"changed")
    assert client.upload(film)["video_id"] == first
    assert is_whole(in_parts, film)


def test_what_arrived_before_the_file_changed_is_not_taken_for_it(
    in_parts: ApiEmulator, client: Client, film: Path
) -> None:
    first = client.upload(film)["video_id"]
    in_parts.videos[first].update(acknowledged="false", sha256=None)  # nothing that it could be compared with
    assert client.upload(film)["video_id"] != first  # the emulator's videos are older than any file


def test_parts_begun_without_checksums_go_on_without(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    with Source(film) as source:
        created = client.create_video(film.name, source.size, fingerprint=fingerprint(source))
    client.sign_parts(created["video_id"], [1])
    assert client.upload(film)["video_id"] == created["video_id"]
    assert is_whole(in_parts, film)


def test_cuts_at_any_byte_cost_one_part_each(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    cuts = [Fault(f"PUT .*/{number}", CUT, after=number * 20_001 % PART) for number in range(1, COUNT)]
    in_parts.faults.extend(cuts)
    client.upload(film, retries=QUICK)
    assert is_whole(in_parts, film)
    received = sum(transfer.received for transfer in in_parts.storage.transfers)
    assert received == 3_000_000 + sum(cut.after or 0 for cut in cuts)


def test_a_server_that_stays_away_leaves_the_upload_open(
    in_parts: ApiEmulator, client: Client, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("biblio.client.waiting.PATIENCE", 0.5)
    in_parts.faults.append(Fault("POST .*upload/parts", DROP, times=999))
    with pytest.raises(Unavailable, match="goes on where it stopped"):
        client.upload(film)
    in_parts.faults.clear()
    client.upload(film)
    assert is_whole(in_parts, film)


@pytest.mark.parametrize("size", [0, 1, 3 * SAMPLE, 3 * SAMPLE + 1, 5_000_001])
def test_the_fingerprint_is_of_the_size_and_three_samples(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    middle = size // 2
    samples = content[:SAMPLE] + content[middle : middle + SAMPLE] + content[size - SAMPLE :]
    expected = hashlib.sha256(f"{size}\n".encode() + (content if size <= 3 * SAMPLE else samples))
    with Source(path) as source:
        assert fingerprint(source) == expected.hexdigest()
