"""What the catalog promises about lists of videos: `biblio.ports.videos.Videos.page`."""

import base64
import json
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from biblio.domain.flow import Status
from biblio.domain.listing import Chosen, Sort
from biblio.domain.video import Video
from biblio.errors import InvalidInput
from biblio.ports.catalog import Catalog
from tests.contracts.catalog_suite import CatalogSuite, add_video, ids_of, new_user, pages_of

TITLES = ("Éclair", "lecture 10", "Lecture 2", "강의 10", "강의 2", "나중에", "가장 먼저", "LECTURE 2", "100% _sure_")
IN_ORDER = ["100% _sure_", "LECTURE 2", "Lecture 2", "lecture 10", "Éclair", "가장 먼저", "강의 2", "강의 10", "나중에"]
LENGTHS = (61.5, None, 60.25, 0.0, 60.25, None, 3600.0, 7.0, 60.25)
NOBODYS = "5e7ccd27-2e98-4e27-a5a4-789b89895376"


def cursor_of(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def decomposed(text: str) -> str:
    """As macOS writes file names."""
    return unicodedata.normalize("NFD", text)


class ListsContract(CatalogSuite):
    @pytest.fixture
    def shelf(self, catalog: Catalog, user: str) -> list[Video]:
        """Videos of all titles and lengths; some came at the same moment."""
        now, other = datetime.now(UTC), new_user(catalog)
        moments = [now - timedelta(seconds=second) for second in (3, 1, 1, 1, 2, 5, 4, 9, 8)]
        rows = zip(TITLES, LENGTHS, moments, strict=True)
        for title, length, moment in (*rows, ("another user's", 1.0, now)):
            owner = other if title.startswith("another") else user
            add_video(catalog, owner, title=title, duration=length, created_at=moment, updated_at=moment)
        return [video for page in pages_of(catalog, user, 100) for video in page]

    @pytest.mark.parametrize("limit", [1, 2, 4, 100])
    @pytest.mark.parametrize("sort", Sort)
    def test_a_list_goes_in_any_order_that_is_asked_for_page_by_page_each_video_once(
        self, catalog: Catalog, user: str, shelf: list[Video], sort: Sort, limit: int
    ) -> None:
        pages = pages_of(catalog, user, limit, sort=sort)
        listed = [video for page in pages for video in page]
        assert {len(page) for page in pages[:-1]} <= {limit}
        assert sorted(ids_of(listed)) == sorted(ids_of(shelf))
        lengths = [video.duration for video in listed]
        known = [length for length in LENGTHS if length is not None]
        wanted: dict[Sort, tuple[list[Any], list[Any]]] = {
            Sort.NEWEST: ([one.created_at for one in listed], sorted((one.created_at for one in shelf), reverse=True)),
            Sort.OLDEST: ([one.created_at for one in listed], sorted(one.created_at for one in shelf)),
            Sort.UPDATED: ([one.updated_at for one in listed], sorted((one.updated_at for one in shelf), reverse=True)),
            Sort.LONGEST: (lengths, [*sorted(known, reverse=True), None, None]),
            Sort.SHORTEST: (lengths, [*sorted(known), None, None]),
            Sort.TITLE: ([one.title.casefold() for one in listed], [title.casefold() for title in IN_ORDER]),
        }
        assert wanted[sort][0] == wanted[sort][1]

    @pytest.mark.parametrize("sort", Sort)
    def test_a_video_added_or_removed_between_two_pages_moves_no_other(
        self, catalog: Catalog, user: str, shelf: list[Video], sort: Sort
    ) -> None:
        everything = [video for page in pages_of(catalog, user, 100, sort=sort) for video in page]
        with catalog.transaction() as tx:
            first = tx.videos.page(user, limit=4, sort=sort)
            tx.videos.forget(first.videos[-1], {})
            add_video(catalog, user, title="Lecture 3", duration=60.25)
            rest = tx.videos.page(user, limit=100, sort=sort, cursor=first.next)
        assert set(ids_of(everything[4:])) <= set(ids_of(rest.videos))
        assert not set(ids_of(first.videos)) & set(ids_of(rest.videos))

    def test_a_new_title_moves_a_video_at_once(self, catalog: Catalog, user: str, shelf: list[Video]) -> None:
        with catalog.transaction() as tx:
            tx.videos.update(shelf[0].id, title="000")
            assert tx.videos.page(user, limit=1, sort=Sort.TITLE).videos[0].id == shelf[0].id
            assert ids_of(tx.videos.page(user, limit=9, chosen=Chosen(title="000")).videos) == [shelf[0].id]

    @pytest.mark.parametrize(
        ("part", "found"),
        [
            ("lecture", 3),
            ("TURE 2", 2),
            ("강의", 2),
            (decomposed("강의"), 2),
            ("ÉCLAIR", 1),
            (decomposed("éclair"), 1),
            ("%", 1),
            ("_", 1),
            ("\\", 0),
            ("\x00", 0),
            ("", 9),
            ("' OR 1=1 --", 0),
        ],
    )
    def test_a_list_holds_titles_with_a_part_whatever_its_capitals_and_form(
        self, catalog: Catalog, user: str, shelf: list[Video], part: str, found: int
    ) -> None:
        with catalog.transaction() as tx:
            page = tx.videos.page(user, limit=100, chosen=Chosen(title=part), count=True)
        assert (len(page.videos), page.total) == (found, found)

    def test_a_list_holds_what_is_chosen_and_no_other(self, catalog: Catalog, user: str, shelf: list[Video]) -> None:
        wanted = {
            add_video(catalog, user, status=status, language=language, title="Chosen").id
            for status in (Status.FAILED, Status.CANCELED)
            for language in ("ko", "ko")
        }
        add_video(catalog, user, status=Status.FAILED, language="en", title="Chosen")
        add_video(catalog, user, status=Status.FAILED, language="ko", title="other")
        add_video(catalog, user, status=Status.COMPLETED, language="ko", title="Chosen")
        chosen = Chosen(frozenset([Status.FAILED, Status.CANCELED]), title="chosen", language="ko")
        listed = [video for page in pages_of(catalog, user, 3, chosen=chosen) for video in page]
        assert set(ids_of(listed)) == wanted
        with catalog.transaction() as tx:
            assert tx.videos.page(user, limit=9, chosen=Chosen(language="\x00")).videos == ()

    def test_a_list_counts_all_that_is_chosen_when_asked(self, catalog: Catalog, user: str, shelf: list[Video]) -> None:
        add_video(catalog, user, status=Status.DELETING)
        with catalog.transaction() as tx:
            assert tx.videos.page(user, limit=2).total is None
            first = tx.videos.page(user, limit=2, count=True)
            assert (first.total, len(first.videos)) == (len(shelf), 2)
            assert tx.videos.page(user, limit=2, cursor=first.next, count=True).total == len(shelf)

    @pytest.mark.parametrize(
        "cursor",
        [
            *("", "x", "!!!", "\x00", "쪽", "2", base64.b64encode(b"\xff\xfe").decode(), "MjAyNi0wMS0wMSBub3BlCg=="),
            *(cursor_of(), cursor_of("title"), cursor_of("title", 1, NOBODYS), cursor_of("title", "a", "x")),
            *(cursor_of("title", "\x00", NOBODYS), cursor_of("title", "\ud800", NOBODYS)),
            *(cursor_of("newest", "2026-01-01T00:00:00+00:00", NOBODYS), cursor_of("title", "a", NOBODYS, 1)),
            base64.urlsafe_b64encode(b"[" * 6000).decode(),
        ],
    )
    def test_a_cursor_that_was_never_given_is_invalid(self, catalog: Catalog, user: str, cursor: str) -> None:
        with catalog.transaction() as tx, pytest.raises(InvalidInput) as caught:
            tx.videos.page(user, limit=2, sort=Sort.TITLE, cursor=cursor)
        assert caught.value.code == "INVALID_CURSOR"
