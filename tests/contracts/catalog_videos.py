"""What the catalog promises about videos: `biblio.ports.videos.Videos`."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from biblio.domain.flow import Status, Step
from biblio.domain.listing import Chosen
from biblio.domain.video import Failure, Options, Video
from biblio.errors import Conflict, InvalidInput, NotFound
from biblio.ports.catalog import Catalog
from tests.contracts.catalog_suite import CatalogSuite, add_video, at_once, ids_of, made_up, new_user, pages_of


class VideosContract(CatalogSuite):
    def test_a_video_reads_back_as_it_was_added(self, catalog: Catalog, user: str) -> None:
        plain = add_video(catalog, user, options=Options(), status=Status.UPLOADING)
        full = add_video(
            catalog,
            user,
            title="따옴표 \" ' \\ 🎓 <b>",
            status=Status.FAILED,
            generation=7,
            progress=42,
            step=Step.TRANSCRIBE,
            failure=Failure(Step.TRANSCRIBE, "NO_SOUND", "소리가 없습니다."),
            etag='"0123"',
            part_size=8 * 1024**2,
            sha256="ab" * 32,
            fingerprint="cd" * 32,
            acknowledged=True,
            duration=5400.25,
            language="ko",
            meta_info={"passages": 3, "엔진": ["whisper", None, 0.5]},
        )
        with catalog.transaction() as tx:
            assert tx.videos.get(plain.id) == plain
            assert tx.videos.get(full.id, user_id=user) == full

    def test_a_video_is_added_once_and_for_a_user_who_is_there(self, catalog: Catalog, user: str, video: Video) -> None:
        for wrong, error, code in (
            (replace(video, title="another"), Conflict, "VIDEO_EXISTS"),
            (replace(video, user_id=new_user(catalog)), Conflict, "VIDEO_EXISTS"),
            (made_up("nobody"), InvalidInput, "UNKNOWN_USER"),
        ):
            with pytest.raises(error) as caught, catalog.transaction() as tx:
                tx.videos.add(wrong)
            assert caught.value.code == code
        with catalog.transaction() as tx:
            assert tx.videos.get(video.id) == video
            assert tx.events.last(user) == 1

    def test_a_user_never_reads_another_users_video(self, catalog: Catalog, video: Video) -> None:
        other = new_user(catalog)
        with catalog.transaction() as tx:
            with pytest.raises(NotFound) as theirs:
                tx.videos.get(video.id, user_id=other)
            with pytest.raises(NotFound) as missing:
                tx.videos.get(str(uuid4()), user_id=other)
            assert tx.videos.page(other, limit=10).videos == ()
        assert (theirs.value.message, theirs.value.code) == (missing.value.message, missing.value.code)

    @pytest.mark.parametrize("name", ["", "1", "../etc", "' OR 1=1 --", "\x00", "🎓", "{" + str(UUID(int=7)) + "}"])
    def test_what_is_no_id_is_not_found(self, catalog: Catalog, name: str) -> None:
        with catalog.transaction() as tx, pytest.raises(NotFound):
            tx.videos.get(name)

    def test_a_video_being_deleted_is_hidden_from_its_user(self, catalog: Catalog, user: str, video: Video) -> None:
        with catalog.transaction() as tx:
            assert tx.videos.update(video.id, status=Status.DELETING)
        with catalog.transaction() as tx:
            with pytest.raises(NotFound):
                tx.videos.get(video.id, user_id=user)
            assert tx.videos.page(user, limit=10).videos == ()
            assert tx.videos.page(user, limit=10, chosen=Chosen(frozenset([Status.DELETING]))).videos == ()
            assert tx.videos.get(video.id).status is Status.DELETING

    @pytest.mark.parametrize("limit", [1, 3, 7, 8])
    def test_a_list_goes_newest_first_page_by_page_each_video_once(
        self, catalog: Catalog, user: str, limit: int
    ) -> None:
        now = datetime.now(UTC)
        moments = [now - timedelta(seconds=second) for second in (3, 1, 1, 1, 2, 5, 4)]  # three at the same moment
        videos = [add_video(catalog, user, created_at=moment) for moment in moments]
        add_video(catalog, new_user(catalog))
        pages = pages_of(catalog, user, limit)
        listed = [video for page in pages for video in page]
        assert {len(page) for page in pages[:-1]} <= {limit}
        assert sorted(ids_of(listed)) == sorted(ids_of(videos))
        assert [video.created_at for video in listed] == sorted(moments, reverse=True)

    def test_a_video_added_between_two_pages_moves_nothing(self, catalog: Catalog, user: str) -> None:
        now = datetime.now(UTC)
        videos = [add_video(catalog, user, created_at=now - timedelta(seconds=second)) for second in range(4)]
        with catalog.transaction() as tx:
            first = tx.videos.page(user, limit=2)
        add_video(catalog, user)
        with catalog.transaction() as tx:
            second = tx.videos.page(user, limit=2, cursor=first.next)
        assert ids_of(first.videos + second.videos) == ids_of(videos)
        assert second.next is None

    def test_an_update_happens_only_in_the_stated_status(self, catalog: Catalog, video: Video) -> None:
        def move(number: int) -> bool:
            with catalog.transaction() as tx:
                return tx.videos.update(video.id, when=Status.PENDING, status=Status.EXTRACTING, title=str(number))

        moved = at_once(16, move)
        assert moved.count(True) == 1
        with catalog.transaction() as tx:
            after = tx.videos.get(video.id)
            assert not tx.videos.update(video.id, when=Status.PENDING, title="late")
            assert not tx.videos.update(str(uuid4()), title="nobody's")
        assert after.updated_at > video.updated_at
        assert after == replace(
            video, status=Status.EXTRACTING, title=str(moved.index(True)), updated_at=after.updated_at
        )

    def test_a_locked_video_waits_for_its_transaction(self, catalog: Catalog, video: Video) -> None:
        def add_one(_: int) -> None:
            with catalog.transaction() as tx:
                seen = tx.videos.get(video.id, user_id=video.user_id, lock=True)
                time.sleep(0.02)
                tx.videos.update(video.id, progress=seen.progress + 1)

        at_once(10, add_one)
        with catalog.transaction() as tx:
            assert tx.videos.get(video.id).progress == 10

    def test_an_update_sets_and_clears_every_kind_of_field(self, catalog: Catalog, video: Video) -> None:
        failure = Failure(Step.INDEX, "X", "…")
        with catalog.transaction() as tx:
            assert tx.videos.update(video.id, failure=failure, step=Step.INDEX, options=Options(model="fast"))
            changed = tx.videos.get(video.id)
            assert (changed.failure, changed.step, changed.options) == (failure, Step.INDEX, Options(model="fast"))
            assert tx.videos.update(video.id, failure=None, step=None, etag=None)
            changed = tx.videos.get(video.id)
            assert (changed.failure, changed.step, changed.etag) == (None, None, None)

    def test_a_forgotten_video_leaves_a_receipt_and_nothing_else(
        self, catalog: Catalog, indexed: Video, stored: Callable[[], dict[str, list[str]]]
    ) -> None:
        receipt = {"objects": 3, "vectors": 2, "note": "영수증"}
        with catalog.transaction() as tx:
            tx.jobs.request(indexed, Step.DELETE)
        tables = stored()
        assert len([name for name, rows in tables.items() if any(indexed.id in row for row in rows)]) > 2
        with catalog.transaction() as tx:
            rows = tx.videos.forget(indexed, receipt)
            with pytest.raises(NotFound):
                tx.videos.get(indexed.id)
        (left,) = [row for rows in stored().values() for row in rows if indexed.id in row]
        assert "영수증" in left
        assert rows == {"videos": 1, "jobs": 1, "video_events": 1, "passages": 3, "blocks": 1, "words": 14}
        with catalog.transaction() as tx:
            assert tx.passages.ids(indexed.id) == {}
            assert tx.videos.transcript(indexed.id) == ("", ())
            assert set(tx.videos.forget(indexed, receipt).values()) == {0}
            kept = tx.holdings.receipt(indexed.id)
        assert kept is not None
        assert kept.removed == {**receipt, "rows": rows}, "the first receipt stays"

    def test_the_script_and_its_segments_are_empty_until_the_video_is_indexed(
        self, catalog: Catalog, video: Video
    ) -> None:
        with catalog.transaction() as tx:
            assert tx.videos.transcript(video.id) == ("", ())
