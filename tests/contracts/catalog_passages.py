"""What the catalog promises about searchable text: `biblio.ports.passages.Passages`."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import pytest

from biblio.domain.flow import Status
from biblio.domain.passages import Passage
from biblio.domain.search import Hit, terms_of
from biblio.domain.transcript import Sentence, Transcript
from biblio.domain.video import Video
from biblio.ports.catalog import Catalog
from biblio.ports.passages import IndexedPassage
from tests.contracts.catalog_suite import CatalogSuite, add_video, at_once, new_user

TALK = ("트랜잭션은 모두 되거나 아무것도 안 됩니다.", "An index makes reading fast.", "오늘은 책을 읽습니다.")

HOSTILE = [
    "it's \"quoted\" ' '' '''",
    "back\\slash \\' \\\\ \\u0041 \\x",
    "tabs\tand\r\nlines\u2028\u2029",
    "a & b | !c <-> (d):* e:ABCD",
    "'; DROP TABLE videos; --",
    "%s %(name)s {0} :name $1 ?",
    "🎓👩‍👩‍👧 \u202e right to left \u200b",
    "İstanbul ẞ ﬃ é é 한글 한글",
    "日本語 中文 العربية ไทย _ __ _a_",
    "가" * 100_000,
    "x" * 100_000,
    "".join(chr(0xAC00 + i % 11_172) for i in range(100_000)),
    " ".join(f"word{i}" for i in range(12_000)),
    "",
    "…!?",
]


def _talk(*texts: str) -> Transcript:
    sentences = tuple(Sentence(text, i * 20.0, i * 20.0 + 20) for i, text in enumerate(texts))
    return Transcript("ko", 20.0 * len(texts), sentences, "whisper", "base")


def _rows(transcript: Transcript) -> list[IndexedPassage]:
    """One passage for each sentence."""
    said = enumerate(transcript.sentences)
    return [IndexedPassage(str(uuid4()), Passage(i, s.start, s.end, (s,))) for i, s in said]


def _write(catalog: Catalog, video: Video, *texts: str, switch: bool = True) -> list[str]:
    """Ids of the passages written."""
    transcript = _talk(*texts)
    rows = _rows(transcript)
    with catalog.transaction() as tx:
        tx.passages.write(video, transcript, rows)
        if switch:
            tx.passages.switch(video, transcript)
    return [row.id for row in rows]


def _find(catalog: Catalog, user: str, question: str, video_ids: Sequence[str] | None = None) -> list[str]:
    with catalog.transaction() as tx:
        return [hit.text for hit in tx.passages.by_terms(user, terms_of(question), limit=10, video_ids=video_ids)]


class PassagesContract(CatalogSuite):
    @pytest.fixture
    def indexed(self, catalog: Catalog, video: Video) -> Video:
        _write(catalog, video, *TALK)
        return video

    def test_a_generation_is_seen_by_readers_only_after_the_switch(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        first = _write(catalog, video, "첫 번째 강의", switch=False)
        with catalog.transaction() as tx:
            assert tx.passages.by_ids(user, first) == {}
            assert tx.videos.transcript(video.id) == ("", ())
        assert _find(catalog, user, "강의") == []
        _write(catalog, video, "첫 번째 강의")
        second = replace(video, generation=2, meta_info={"passages": 2})
        new = _write(catalog, second, "두 번째 강의", "끝", switch=False)
        assert _find(catalog, user, "강의") == ["첫 번째 강의"]
        with catalog.transaction() as tx:
            tx.passages.switch(second, _talk("두 번째 강의", "끝"))
            assert set(tx.passages.by_ids(user, [*first, *new])) == set(new)
        assert _find(catalog, user, "강의") == ["두 번째 강의"]

    def test_the_script_and_its_segments_belong_to_the_generation_that_readers_see(
        self, catalog: Catalog, video: Video
    ) -> None:
        _write(catalog, video, "하나", "둘", "셋")
        second = replace(video, generation=2, meta_info={"엔진": "whisper"})
        _write(catalog, second, "one", "two", switch=False)
        with catalog.transaction() as tx:
            assert tx.videos.transcript(video.id) == ("하나 둘 셋", _talk("하나", "둘", "셋").sentences)
            tx.passages.switch(second, _talk("one", "two"))
            assert tx.videos.transcript(video.id) == ("one two", _talk("one", "two").sentences)
            seen = tx.videos.get(video.id)
        assert (seen.language, seen.duration, seen.meta_info) == ("ko", 40.0, {"엔진": "whisper"})

    def test_a_silent_video_has_no_passages_and_no_language(self, catalog: Catalog, user: str, video: Video) -> None:
        silent = Transcript("", 61.5, (), "whisper", "base")
        with catalog.transaction() as tx:
            tx.passages.write(video, silent, [])
            tx.passages.switch(video, silent)
            seen = tx.videos.get(video.id)
            assert (seen.language, seen.duration) == (None, 61.5)
            assert tx.videos.transcript(video.id) == ("", ())
            assert tx.passages.ids(video.id) == {}

    def test_times_may_be_whole_numbers(self, catalog: Catalog, video: Video) -> None:
        """JSON knows one kind of number, and a transcript may have passed through it."""
        transcript = Transcript("ko", 3, (Sentence("하나", 0, 1.5), Sentence("둘", 1.5, 3)), "whisper", "base")
        with catalog.transaction() as tx:
            tx.passages.write(video, transcript, _rows(transcript))
            tx.passages.switch(video, transcript)
            assert tx.videos.transcript(video.id)[1] == transcript.sentences

    @pytest.mark.parametrize("particle", ["", "은", "이", "을", "의", "에서는", "이라고", "들까지도"])
    @pytest.mark.parametrize("word", ["트랜잭션", "서버", "책"])
    def test_a_korean_word_is_found_with_any_particle_behind_it(
        self, catalog: Catalog, user: str, video: Video, word: str, particle: str
    ) -> None:
        _write(catalog, video, f"오늘 배울 {word}{particle} 중요합니다.", "다음 시간에 만나요.")
        for question in (word, f"{word} 중요"):
            assert _find(catalog, user, question)[:1] == [f"오늘 배울 {word}{particle} 중요합니다."]

    def test_any_of_the_terms_is_enough_and_more_of_them_come_first(self, catalog: Catalog, indexed: Video) -> None:
        _write(catalog, indexed, "an index here", "index and table", "nothing at all", "index, table, view")
        found = _find(catalog, indexed.user_id, "INDEX table View?")
        assert found == ["index, table, view", "index and table", "an index here"]

    def test_a_hit_says_where_it_stands(self, catalog: Catalog, indexed: Video) -> None:
        (sentence,) = _talk(*TALK).sentences[1:2]
        with catalog.transaction() as tx:
            hits = tx.passages.by_terms(indexed.user_id, ["index"], limit=10)
            (passage_id,) = tx.passages.ids(indexed.id)[1][1:2]
            known = tx.passages.by_ids(indexed.user_id, [passage_id, str(uuid4())])
        assert hits == [Hit(indexed.id, indexed.title, 20.0, 40.0, (sentence,))]
        assert known == {passage_id: hits[0]}

    def test_a_user_never_finds_another_users_passages(self, catalog: Catalog, indexed: Video) -> None:
        other = new_user(catalog)
        with catalog.transaction() as tx:
            ids = tx.passages.ids(indexed.id)[1]
            assert len(tx.passages.by_ids(indexed.user_id, ids)) == len(TALK)
            assert tx.passages.by_ids(other, ids) == {}
        assert _find(catalog, indexed.user_id, "트랜잭션") == [TALK[0]]
        assert _find(catalog, other, "트랜잭션") == []
        assert _find(catalog, other, "트랜잭션", [indexed.id]) == []

    def test_a_video_being_deleted_is_found_no_longer(self, catalog: Catalog, indexed: Video) -> None:
        with catalog.transaction() as tx:
            ids = tx.passages.ids(indexed.id)[1]
            tx.videos.update(indexed.id, status=Status.DELETING)
            assert tx.passages.by_ids(indexed.user_id, ids) == {}
        assert _find(catalog, indexed.user_id, "트랜잭션") == []

    def test_a_search_inside_videos_finds_only_theirs(self, catalog: Catalog, user: str, indexed: Video) -> None:
        other = add_video(catalog, user)
        _write(catalog, other, "다른 트랜잭션")
        assert len(_find(catalog, user, "트랜잭션")) == 2
        assert _find(catalog, user, "트랜잭션", [other.id]) == ["다른 트랜잭션"]
        assert _find(catalog, user, "트랜잭션", []) == []

    def test_removing_a_generation_leaves_the_others(self, catalog: Catalog, indexed: Video) -> None:
        second, third = replace(indexed, generation=2), replace(indexed, generation=3)
        _write(catalog, second, "두 번째")
        kept = _write(catalog, third, "세 번째", "강의")
        with catalog.transaction() as tx:
            tx.passages.remove(indexed.id, generation=1)
            assert tx.passages.ids(indexed.id).keys() == {2, 3}
            tx.passages.remove(indexed.id, generation=2)
            tx.passages.remove(indexed.id, generation=2)
            assert tx.passages.ids(indexed.id) == {3: kept}
            assert tx.videos.transcript(indexed.id) == ("세 번째 강의", _talk("세 번째", "강의").sentences)
            tx.passages.remove(indexed.id, generation=3)
            assert tx.passages.ids(indexed.id) == {}
            assert tx.videos.transcript(indexed.id)[1] == ()

    def test_writing_a_generation_again_replaces_it(self, catalog: Catalog, user: str, indexed: Video) -> None:
        again = _write(catalog, indexed, "다시 쓴 강의", switch=False)
        with catalog.transaction() as tx:
            assert tx.passages.ids(indexed.id) == {1: again}
        assert _find(catalog, user, "트랜잭션") == []
        assert _find(catalog, user, "강의") == ["다시 쓴 강의"]

    def test_a_reader_sees_the_old_or_the_new_never_a_mixture(self, catalog: Catalog, user: str, video: Video) -> None:
        _write(catalog, video, *["옛날 강의"] * 5)

        def act(number: int) -> set[str]:
            if number == 0:
                new = ["새로운 강의"] * 5
                _write(catalog, replace(video, generation=2), *new)
                with catalog.transaction() as tx:
                    tx.passages.remove(video.id, generation=1)
                return set()
            seen = [_find(catalog, user, "강의") for _ in range(20)]
            assert {len(texts) for texts in seen} == {5}
            assert {len(set(texts)) for texts in seen} == {1}
            return {texts[0] for texts in seen}

        assert set().union(*at_once(6, act)) <= {"옛날 강의", "새로운 강의"}
        assert set(_find(catalog, user, "강의")) == {"새로운 강의"}

    @pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12].encode("unicode_escape").decode())
    def test_hostile_text_is_only_text(self, catalog: Catalog, user: str, video: Video, text: str) -> None:
        (passage_id,) = _write(catalog, video, text)
        with catalog.transaction() as tx:
            assert tx.passages.by_ids(user, [passage_id])[passage_id].text == text
            assert tx.videos.transcript(video.id)[0] == text
        assert _find(catalog, user, text) == ([text] if terms_of(text) else [])

    def test_terms_that_no_question_makes_are_only_terms(self, catalog: Catalog, indexed: Video) -> None:
        with catalog.transaction() as tx:
            for term in ("'", "\\", "'index'", "index' | 'a", "in:*", "!index", "a b", " ", "", "\\'", "x" * 5_000):
                assert tx.passages.by_terms(indexed.user_id, [term], limit=10) == []
            assert tx.passages.by_terms(indexed.user_id, [], limit=10) == []
            many = [f"nothing{i}" for i in range(5_000)]
            assert tx.passages.by_terms(indexed.user_id, many, limit=10) == []
