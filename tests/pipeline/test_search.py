"""A question in, moments out: on real words and vectors."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from biblio.domain.flow import Status
from biblio.domain.search import Filters, Mode, Scope
from biblio.errors import InvalidInput, Unavailable
from biblio.pipeline.search import search
from biblio.ports.vectors import Owner, VectorRecord
from tests.lectures import PACE, add_lecture
from tests.pipeline.road import Road

SAID = (
    "오늘은 데이터베이스를 배웁니다.",
    "트랜잭션은 모두 되거나 아무것도 안 됩니다.",
    "고양이는 아침마다 창가에서 햇볕을 쬡니다.",
    "여름에는 수박이 맛있습니다.",
    "주말에는 산에 올라갑니다.",
)


def found(road: Road, user: str, typed: str, **options: Any) -> list[list[str]]:
    """What is said in the moments of each video."""
    answer = search(road.services, user, typed, **options)
    return [[moment.text for moment in video.moments] for video in answer.found]


@pytest.mark.parametrize("mode", Mode)
def test_by_words_by_meaning_and_by_both_the_sentence_is_found(road: Road, user: str, mode: Mode) -> None:
    video = add_lecture(road.services, user, "강의", *SAID)
    (first,) = search(road.services, user, "트랜잭션은 모두 되거나 아무것도", mode=mode).found
    assert (first.video_id, first.title) == (video.id, "강의")
    assert first.moments[0].start == PACE
    assert first.moments[0].text.startswith(SAID[1])


def test_by_words_alone_nothing_is_embedded(road: Road, user: str) -> None:
    class Away:
        def embed_question(self, _text: str, **_more: object) -> None:
            raise Unavailable("It is away.")

    away: Any = Away()
    add_lecture(road.services, user, "강의", *SAID)
    services = replace(road.services, embedder=away)
    assert search(services, user, "수박", mode=Mode.KEYWORD).found
    for mode in (Mode.HYBRID, Mode.SEMANTIC):
        with pytest.raises(Unavailable):
            search(services, user, "수박", mode=mode)


def test_a_vector_that_the_catalog_does_not_know_is_no_hit(road: Road, user: str) -> None:
    video = add_lecture(road.services, user, "강의", *SAID)
    before = search(road.services, user, "수박이 맛있습니다")
    nearest = road.services.embedder.embed_question("수박이 맛있습니다")
    for generation in (1, 2):
        owner = Owner(user, video.id, generation)
        road.services.vectors.upsert(owner, [VectorRecord(str(uuid4()), nearest, 0.0, 1.0, "nobody said this")])
    assert search(road.services, user, "수박이 맛있습니다") == before


def test_no_more_videos_and_moments_come_than_asked_for(road: Road, user: str) -> None:
    apart = ("트랜잭션이 무엇인지 봅시다.", *SAID[2:], *SAID[2:])
    for number in range(3):
        add_lecture(road.services, user, f"강의 {number}", *apart * 4)
    moments = found(road, user, "트랜잭션", limit=2, moments=3, mode=Mode.KEYWORD)
    assert [len(one) for one in moments] == [3, 3]
    assert all(text.startswith("트랜잭션") for one in moments for text in one)


def test_what_the_filters_leave_out_and_what_the_scope_leaves_out_is_left_out(road: Road, user: str) -> None:
    korean = add_lecture(road.services, user, "수박", "수박이 맛있습니다.")
    english = add_lecture(road.services, user, "수박", "수박이 달콤합니다.", language="en")

    def ids(**options: Any) -> set[str]:
        return {one.video_id for one in search(road.services, user, "수박", **options).found}

    assert ids() == {korean.id, english.id}
    assert ids(filters=Filters(language="en")) == {english.id}
    assert ids(filters=Filters(language="en"), scope=Scope(only=(korean.id,))) == set()
    assert ids(filters=Filters(language="en"), scope=Scope(only=(korean.id, english.id))) == {english.id}
    assert ids(filters=Filters(title="수박"), scope=Scope(without=(korean.id,))) == {english.id}
    with road.services.catalog.transaction() as tx:
        tx.videos.update(english.id, status=Status.DELETING)
    assert ids(filters=Filters(language="en")) == set()


def test_exact_words_come_alone_where_somebody_says_them(road: Road, user: str) -> None:
    add_lecture(road.services, user, "가", "수박이 아주 맛있습니다.")
    add_lecture(road.services, user, "나", "아주 맛있는 수박입니다.")
    answer = search(road.services, user, '"아주맛있"')
    assert {one.title for one in answer.found} == {"가", "나"}
    assert not answer.relaxed
    assert [one.title for one in search(road.services, user, '"수박이 아주"').found] == ["가"]
    assert [one.title for one in search(road.services, user, '수박 -"맛있는 수박"').found] == ["가"]
    relaxed = search(road.services, user, '"아주 수박이"')
    assert relaxed.relaxed
    assert {one.title for one in relaxed.found} == {"가", "나"}
    assert search(road.services, user, '"아주 수박이" -수박').found == ()


def test_pages_show_every_video_once(road: Road, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though each search brings in but a few passages."""
    monkeypatch.setattr("biblio.pipeline.search.CANDIDATES", 3)
    titles = {f"강의 {number}" for number in range(9)}
    for title in titles:
        add_lecture(road.services, user, title, "수박이 맛있습니다.")
    seen: list[str] = []
    cursor = None
    while cursor is not None or not seen:
        answer = search(road.services, user, "수박", limit=2, cursor=cursor)
        seen += [one.title for one in answer.found]
        cursor = answer.next
        assert len(seen) <= 9
    assert sorted(seen) == sorted(titles)


def test_a_library_that_was_shown_whole_has_no_next_page(road: Road, user: str) -> None:
    assert search(road.services, user, "수박").next is None
    add_lecture(road.services, user, "강의", *SAID)
    assert search(road.services, user, "수박", limit=1).next is None


@pytest.mark.parametrize("typed", ["x" * 1_001, "ㅅ" + "x" * 1_000, "word ㅅ" * 200])
def test_an_endless_question_is_refused_while_it_is_typed_too(road: Road, user: str, typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        search(road.services, user, typed)
    assert refused.value.code == "QUESTION_TOO_LONG"
