"""What the catalog promises about uploads and about repeated requests: `ports/uploads.py` and `ports/answers.py`."""

import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from biblio.domain.video import Video
from biblio.errors import InvalidInput, NotFound
from biblio.ports.catalog import Catalog
from tests.contracts.catalog_suite import CatalogSuite, at_once, eventually, new_user


class UploadsContract(CatalogSuite):
    @pytest.fixture
    def upload(self, catalog: Catalog, video: Video) -> str:
        """The id of a video that waits for its bytes."""
        with catalog.transaction() as tx:
            tx.uploads.add(video.id, seconds=3600)
        return video.id

    def test_an_upload_reads_back_as_it_was_added(self, catalog: Catalog, upload: str) -> None:
        with catalog.transaction() as tx:
            found = tx.uploads.get(upload)
            assert (found.video_id, found.upload_id, found.checksums) == (upload, None, None)
            assert not found.is_over
            assert abs(found.expires_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(seconds=30)
            with pytest.raises(NotFound):
                tx.uploads.get(str(uuid4()))

    def test_a_multipart_upload_is_begun_once(self, catalog: Catalog, upload: str) -> None:
        def begin(number: int) -> bool:
            with catalog.transaction() as tx:
                return tx.uploads.begun(upload, f"upload {number}", checksums=number % 2 == 0, instead_of=None)

        won = [number for number, first in enumerate(at_once(12, begin)) if first]
        assert len(won) == 1
        with catalog.transaction() as tx:
            found = tx.uploads.get(upload)
            assert (found.upload_id, found.checksums) == (f"upload {won[0]}", won[0] % 2 == 0)
            assert not tx.uploads.begun(upload, None, checksums=None, instead_of="another")
            assert tx.uploads.begun(upload, None, checksums=None, instead_of=found.upload_id)
            assert tx.uploads.get(upload).upload_id is None

    def test_an_upload_is_over_when_its_time_is_up(self, catalog: Catalog) -> None:
        video_id = str(uuid4())
        with catalog.transaction() as tx:
            assert not tx.uploads.add(video_id, seconds=0.3).is_over

        def is_over() -> bool:
            with catalog.transaction() as tx:
                return tx.uploads.get(video_id).is_over

        assert eventually(5, is_over)

    def test_an_upload_is_silent_a_while_after_its_last_signature_expired(self, catalog: Catalog, upload: str) -> None:
        with catalog.transaction() as tx:
            assert tx.uploads.get(upload).is_silent, "nothing was signed"
            tx.uploads.signed([upload], seconds=-100_000)
            assert tx.uploads.get(upload).is_silent
            tx.uploads.signed([upload], seconds=-1)
            assert not tx.uploads.get(upload).is_silent, "a request may have begun in time and go on"
            tx.uploads.signed([upload], seconds=-100_000)
            assert not tx.uploads.get(upload).is_silent, "what was signed stays signed"

    def test_an_upload_that_was_forgotten_is_remembered_again_when_something_is_signed_for_it(
        self, catalog: Catalog, upload: str
    ) -> None:
        with catalog.transaction() as tx:
            tx.uploads.forget(upload, when_silent=False)
            tx.uploads.signed([upload], seconds=0)
            again = tx.uploads.get(upload)
        assert (again.upload_id, again.is_over, again.is_silent) == (None, True, False)

    def test_nothing_is_signed_for_a_video_that_is_gone(self, catalog: Catalog, video: Video, upload: str) -> None:
        with catalog.transaction() as tx:
            tx.videos.forget(video, {})
            with pytest.raises(NotFound):
                tx.uploads.signed([upload], seconds=60)
            assert tx.uploads.get(upload).is_silent

    def test_due_uploads_are_looked_at_by_one_sweep_at_a_time_seldom_where_nothing_moves(
        self, catalog: Catalog, upload: str
    ) -> None:
        def look(_: int) -> int:
            with catalog.transaction() as tx:
                found = sum(each.video_id == upload for each in tx.uploads.due(limit=10_000))
                time.sleep(0.2)
                return found

        assert sum(at_once(6, look)) == 1
        assert look(0) == 0, "just looked at"
        assert eventually(6, lambda: look(0) == 1)

    def test_a_forgotten_upload_is_gone(self, catalog: Catalog, upload: str) -> None:
        with catalog.transaction() as tx:
            tx.uploads.signed([upload], seconds=1)
            tx.uploads.forget(upload, when_silent=True)
        time.sleep(2.5)
        with catalog.transaction() as tx:
            assert upload not in [each.video_id for each in tx.uploads.due(limit=10_000)], "not before it is silent"
            tx.uploads.forget(upload, when_silent=False)
        with catalog.transaction() as tx, pytest.raises(NotFound):
            tx.uploads.get(upload)


class AnswersContract(CatalogSuite):
    def test_an_answer_is_given_again_for_the_same_request(self, catalog: Catalog, user: str) -> None:
        with catalog.transaction() as tx:
            assert tx.answers.find(user, "key", b"request") is None
            assert tx.answers.keep(user, "key", b"request", {"제목": ["강의", 1, None]})
        with catalog.transaction() as tx:
            assert tx.answers.find(user, "key", b"request") == {"제목": ["강의", 1, None]}
            assert tx.answers.find(user, "another key", b"request") is None
            assert tx.answers.find(new_user(catalog), "key", b"request") is None

    def test_a_key_used_for_another_request_is_refused(self, catalog: Catalog, user: str) -> None:
        with catalog.transaction() as tx:
            tx.answers.keep(user, "key", b"request", {})
            with pytest.raises(InvalidInput) as caught:
                tx.answers.find(user, "key", b"another request")
        assert caught.value.code == "IDEMPOTENCY_KEY_REUSED"

    def test_of_two_answers_kept_at_once_the_first_stays(self, catalog: Catalog, user: str) -> None:
        def keep(number: int) -> bool:
            with catalog.transaction() as tx:
                kept = tx.answers.keep(user, "key", b"request", {"number": number})
                time.sleep(0.1)
                return kept

        first = [number for number, kept in enumerate(at_once(12, keep)) if kept]
        assert len(first) == 1
        with catalog.transaction() as tx:
            assert tx.answers.find(user, "key", b"request") == {"number": first[0]}

    def test_an_answer_is_forgotten_after_a_day(self, catalog: Catalog, user: str) -> None:
        with catalog.transaction() as tx:
            tx.answers.keep(user, "key", b"request", {})
        with catalog.transaction() as tx:
            tx.answers.forget(seconds=24 * 3600)
            assert tx.answers.find(user, "key", b"request") == {}
            tx.answers.forget(seconds=0)
            assert tx.answers.find(user, "key", b"request") is None
