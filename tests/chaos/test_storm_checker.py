"""The checker of the storms can fail: every kind of damage, planted into a library that is whole, is found."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from biblio.bootstrap import build
from biblio.settings import read_settings
from tests.chaos.place import close
from tests.chaos.storm.checker import check_all
from tests.chaos.storm.evidence import Evidence
from tests.chaos.storm.eyes import Eyes
from tests.chaos.storm.faults import Fault
from tests.chaos.storm.faults import Kind as FaultKind
from tests.chaos.storm.films import Film, Kind
from tests.chaos.storm.ground import Ground
from tests.chaos.storm.leftovers import broken, lives_on
from tests.chaos.storm.people import People, Story
from tests.chaos.storm.storm import Weather
from tests.chaos.storm.whole import gather, prepare, whole_ground
from tests.database import look_into

FILMS = (Film(1, Kind.SPEECH, "wav", 75.0), Film(2, Kind.SPEECH, "mp4", 3.8), Film(3, Kind.MUTE, "mp4", 3.8))


class Inside(Eyes):
    """Sees what one open transaction sees."""

    def __init__(self, eyes: Eyes, connection: "psycopg.Connection[Any]") -> None:
        self.bucket, self.s3, self._inside = eyes.bucket, eyes.s3, connection

    def rows(self, query: str, *given: Any) -> list[tuple[Any, ...]]:
        return self._inside.execute(query.encode(), given).fetchall()


@dataclass
class Library:
    """`video` has more passages than one block holds, `other` one."""

    evidence: Evidence
    ground: Ground
    video: str
    other: str

    def found(self, **changed: Any) -> set[str]:
        return {finding.invariant for finding in check_all(replace(self.evidence, **changed))}

    def found_after(self, statement: str) -> set[str]:
        """As if that had happened to the database."""
        with look_into(self.ground.addresses["BIBLIO_DATABASE"], autocommit=False) as connection:
            for one in statement.split("; "):
                connection.execute(one.encode(), {"video": self.video, "other": self.other})
            found = self.found(eyes=Inside(self.evidence.eyes, connection))
            connection.rollback()
        return found


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Three films, and no fault."""
    folder = tmp_path_factory.mktemp("library")
    with whole_ground(folder, "valkey") as (ground, _):
        services = build(read_settings({}, defaults=ground.addresses))
        keys = [key for _, key in prepare(services)]
        ground.start_programs()
        eyes = Eyes(ground.addresses)
        people = People(ground.url, keys, Random(1), folder)
        people.stories += [Story(film, number) for number, film in enumerate(FILMS)]
        for number, story in enumerate(people.stories):
            people.live(story, 0.0, "extract", number)
        calm = eyes.wait_quiet(120)
        ground.stop_programs()
        people.close()
        evidence = gather(ground, people, Weather(calm=calm), services, eyes)
        yield Library(evidence, ground, people.stories[0].video_id, people.stories[1].video_id)
        close(services)


def test_nothing_is_found_in_a_library_that_is_whole(library: Library) -> None:
    assert check_all(library.evidence) == []


DAMAGE = {
    "a doubled passage": (
        "INSERT INTO passages SELECT gen_random_uuid(), video_id, user_id, generation, 99, start_time, end_time, text "
        "FROM passages WHERE video_id = %(video)s AND position = 0",
        "I2",
    ),
    "a missing passage": ("DELETE FROM passages WHERE video_id = %(video)s AND position = 1", "I2"),
    "another's passages": ("UPDATE passages SET text = 'x' WHERE video_id = %(other)s", "I2"),
    "passages that another user finds": ("UPDATE passages SET user_id = 'x' WHERE video_id = %(other)s", "I2"),
    "an older generation beside the new": (
        "INSERT INTO passages SELECT gen_random_uuid(), video_id, user_id, 0, position, start_time, end_time, text "
        "FROM passages WHERE video_id = %(video)s",
        "I2",
    ),
    "a missing block": ("DELETE FROM blocks WHERE video_id = %(video)s", "I2"),
    "a doubled block": (
        """INSERT INTO blocks SELECT (jsonb_populate_record(b, '{"number": 99}')).* FROM blocks b """
        "WHERE video_id = %(other)s",
        "I2",
    ),
    "blocks of an older generation": (
        """INSERT INTO blocks SELECT (jsonb_populate_record(b, '{"generation": 0}')).* FROM blocks b """
        "WHERE video_id = %(other)s",
        "I2",
    ),
    "words of an older generation": ("UPDATE words SET generation = 0 WHERE video_id = %(other)s", "I2"),
    "a doubled vector": (
        "INSERT INTO vectors SELECT space, gen_random_uuid(), user_id, video_id, generation, metadata, values "
        "FROM vectors WHERE video_id = %(other)s",
        "I2",
    ),
    "a missing vector": ("DELETE FROM vectors WHERE video_id = %(other)s", "I2"),
    "a vector of another space": (
        "CREATE TABLE vectors_of_x PARTITION OF vectors FOR VALUES IN ('x'); "
        "UPDATE vectors SET space = 'x' WHERE video_id = %(other)s",
        "I2",
    ),
    "a vector of no video": (
        "INSERT INTO vectors SELECT space, gen_random_uuid(), user_id, gen_random_uuid(), 1, metadata, values "
        "FROM vectors WHERE video_id = %(other)s",
        "I3",
    ),
    "a vector that no passage belongs to": (
        "UPDATE vectors SET id = gen_random_uuid() WHERE video_id = %(other)s",
        "I3",
    ),
    "a lost video": ("DELETE FROM videos WHERE id = %(other)s", "I1"),
    "a video that stands still": ("UPDATE videos SET status = 'INDEXING' WHERE id = %(other)s", "I1"),
    "a failure that no file deserves": (
        """UPDATE videos SET status = 'FAILED', step = 'embed', failure = '{"code": "X"}' WHERE id = %(other)s""",
        "I1",
    ),
    "a success that no file deserves": (
        "UPDATE videos SET status = 'COMPLETED', failure = NULL WHERE status = 'FAILED'",
        "I1",
    ),
    "another original": ("UPDATE videos SET etag = 'x' WHERE id = %(other)s", "I4"),
    "a result of an attempt that had lost its lease": (
        "UPDATE jobs SET attempt = attempt + 1 WHERE video_id = %(other)s AND step = 'embed'",
        "I5",
    ),
    "a video completed twice in one run": (
        "INSERT INTO video_events SELECT user_id, id + 1000, video_id, kind, status, progress, step, failure, detail, "
        "at FROM video_events WHERE video_id = %(other)s AND status = 'COMPLETED'",
        "I5",
    ),
    "a gap in the events": ("DELETE FROM video_events WHERE id = 2", "events"),
    "progress that goes back": (
        "UPDATE video_events SET progress = 99 WHERE video_id = %(other)s AND status = 'EXTRACTING'",
        "events",
    ),
    "usage that is missing": ("DELETE FROM usage WHERE video_id = %(other)s AND unit = 'tokens_embedded'", "usage"),
    "usage of nothing": (
        "INSERT INTO usage SELECT video_id, 7, unit, user_id, amount, engine, at FROM usage "
        "WHERE video_id = %(other)s",
        "usage",
    ),
    "usage of another amount": (
        "UPDATE usage SET amount = amount * 2 WHERE video_id = %(other)s AND unit = 'bytes_stored'",
        "usage",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_in_the_database_is_found(library: Library, damage: str) -> None:
    statement, invariant = DAMAGE[damage]
    assert invariant in library.found_after(statement)


class TestStorage:
    def test_an_object_of_no_video_is_found(self, library: Library) -> None:
        key = "videos/00000000-0000-4000-8000-000000000000/original.mp4"
        library.evidence.eyes.s3.put_object(Bucket=library.evidence.eyes.bucket, Key=key, Body=b"x")
        assert {"I3", "drift"} <= library.found()
        library.evidence.eyes.s3.delete_object(Bucket=library.evidence.eyes.bucket, Key=key)

    def test_an_artefact_that_no_result_names_is_found(self, library: Library) -> None:
        key = f"videos/{library.video}/generations/1/9/transcript.json"
        library.evidence.eyes.s3.put_object(Bucket=library.evidence.eyes.bucket, Key=key, Body=b"x")
        assert {"I3", "drift"} <= library.found()
        library.evidence.eyes.s3.delete_object(Bucket=library.evidence.eyes.bucket, Key=key)

    def test_an_unfinished_upload_is_found(self, library: Library) -> None:
        s3, place = library.evidence.eyes.s3, {"Bucket": library.evidence.eyes.bucket, "Key": "videos/x/original.mp4"}
        upload = s3.create_multipart_upload(**place)["UploadId"]
        assert "I3" in library.found()
        s3.abort_multipart_upload(**place, UploadId=upload)

    def test_an_original_that_was_replaced_is_found(self, library: Library) -> None:
        eyes = library.evidence.eyes
        place = {"Bucket": eyes.bucket, "Key": f"videos/{library.other}/original.mp4"}
        before = eyes.s3.get_object(**place)["Body"].read()
        eyes.s3.put_object(**place, Body=before + b"x")
        assert {"I4", "drift"} <= library.found()
        eyes.s3.put_object(**place, Body=before)


class TestPaying:
    def paid_again(self, library: Library, folder: Path) -> tuple[Path, dict[str, Any]]:
        """A log in which the first call is there once more, an hour later; that call."""
        lines = library.evidence.calls.read_text().splitlines()
        first = json.loads(lines[0])
        again = [json.dumps({**first, "event": event, "time": first["time"] + 3600}) for event in ("begin", "done")]
        log = folder / "calls"
        log.write_text("\n".join([*lines, *again]) + "\n")
        return log, first

    def test_a_piece_that_was_paid_twice_is_found(self, library: Library, tmp_path: Path) -> None:
        log, _ = self.paid_again(library, tmp_path)
        assert library.found(calls=log) == {"I6"}

    def test_one_whose_worker_was_killed_may_be_paid_again(self, library: Library, tmp_path: Path) -> None:
        log, call = self.paid_again(library, tmp_path)
        kill = Fault(FaultKind.CHILD, 1, at=call["time"] + 1, until=call["time"] + 1, pids={call["pid"]})
        assert library.found(calls=log, faults=[kill]) == set()

    def test_a_kill_of_somebody_else_excuses_nothing(self, library: Library, tmp_path: Path) -> None:
        log, call = self.paid_again(library, tmp_path)
        kill = Fault(FaultKind.CHILD, 1, at=call["time"] + 1, until=call["time"] + 1, pids={1})
        assert library.found(calls=log, faults=[kill]) == {"I6"}

    def test_a_deploy_does_not_excuse_that_a_finished_piece_is_paid_again(
        self, library: Library, tmp_path: Path
    ) -> None:
        log, call = self.paid_again(library, tmp_path)
        stop = Fault(FaultKind.DEPLOY, 1, at=call["time"], until=call["time"] + 9, pids={call["pid"]})
        assert library.found(calls=log, faults=[stop]) == {"I6"}


class TestWhatLivesOn:
    def test_a_temporary_file_is_found(self, library: Library) -> None:
        left = library.ground.temporary / "left"
        left.touch()
        found = lives_on(library.ground, library.evidence.eyes, 0)
        left.unlink()
        assert f"a file: {left}" in found

    def test_a_process_is_found(self, library: Library) -> None:
        sleeper = subprocess.Popen(
            [sys.executable, "-c", "input()"], cwd=library.ground.temporary, stdin=subprocess.PIPE
        )
        found = lives_on(library.ground, library.evidence.eyes, 0)
        sleeper.kill()
        sleeper.wait()
        assert [one for one in found if str(sleeper.pid) in one]

    def test_a_connection_is_found(self, library: Library) -> None:
        close(library.evidence.services)
        assert lives_on(library.ground, library.evidence.eyes) == []
        library.evidence.services.catalog.ping()
        assert lives_on(library.ground, library.evidence.eyes, 0) == ["1 connections to the database"]

    def test_what_was_left_is_told(self, library: Library) -> None:
        assert library.found(left=["a process"]) == {"I7"}


def test_a_defect_in_a_log_is_told(library: Library) -> None:
    assert broken(library.ground) == []
    with (library.ground.folder.logs / "ai-1.log").open("a") as log:
        log.write('{"level": "ERROR", "message": "a job broke"}\n')
    found = broken(library.ground)
    assert len(found) == 1
    assert library.found(broken=found) == {"unforeseen"}


def test_an_answer_that_no_fault_excuses_is_told(library: Library) -> None:
    assert library.found(answers=["500"]) == {"R10"}


def test_a_storm_without_calm_is_told(library: Library) -> None:
    assert library.found(calm=None) == {"I1"}
