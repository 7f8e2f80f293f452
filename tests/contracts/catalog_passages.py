"""What the catalog promises about searchable text: `biblio.ports.passages.Passages`."""

from dataclasses import replace

import pytest

from biblio.domain.passages import Passage
from biblio.domain.transcript import Sentence, Transcript, Word
from biblio.domain.video import Video
from biblio.domain.words import terms_of
from biblio.ports.catalog import Catalog
from tests.contracts.catalog_suite import CatalogSuite, at_once
from tests.contracts.catalog_talks import find, rows_of, talk, write

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


class PassagesContract(CatalogSuite):
    def test_a_generation_is_seen_by_readers_only_after_the_switch(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        first = write(catalog, video, "첫 번째 강의", switch=False)
        with catalog.transaction() as tx:
            assert tx.finder.by_ids(user, first) == {}
            assert tx.videos.transcript(video.id) == ("", ())
        assert find(catalog, user, "강의") == []
        write(catalog, video, "첫 번째 강의")
        second = replace(video, generation=2, meta_info={"passages": 2})
        new = write(catalog, second, "두 번째 강의", "끝", switch=False)
        assert find(catalog, user, "번째 강의") == ["첫 번째 강의"]
        with catalog.transaction() as tx:
            tx.passages.switch(second, talk("두 번째 강의", "끝"))
            assert set(tx.finder.by_ids(user, [*first, *new])) == set(new)
        assert find(catalog, user, "번째 강의")[0] == "두 번째 강의"

    def test_the_script_and_its_segments_belong_to_the_generation_that_readers_see(
        self, catalog: Catalog, video: Video
    ) -> None:
        write(catalog, video, "하나", "둘", "셋")
        second = replace(video, generation=2, meta_info={"엔진": "whisper"})
        write(catalog, second, "one", "two", switch=False)
        with catalog.transaction() as tx:
            assert tx.videos.transcript(video.id) == ("하나 둘 셋", talk("하나", "둘", "셋").sentences)
            tx.passages.switch(second, talk("one", "two"))
            assert tx.videos.transcript(video.id) == ("one two", talk("one", "two").sentences)
            seen = tx.videos.get(video.id)
        assert (seen.language, seen.duration, seen.meta_info) == ("ko", 2000.0, {"엔진": "whisper"})

    def test_a_silent_video_has_no_passages_and_no_language(self, catalog: Catalog, user: str, video: Video) -> None:
        silent = Transcript("", 61.5, (), "whisper", "base")
        with catalog.transaction() as tx:
            tx.passages.write(video, [])
            tx.passages.switch(video, silent)
            seen = tx.videos.get(video.id)
            assert (seen.language, seen.duration) == (None, 61.5)
            assert tx.videos.transcript(video.id) == ("", ())
            assert tx.passages.ids(video.id) == {video.generation: []}
        assert find(catalog, user, video.title) == []

    def test_times_may_be_whole_numbers(self, catalog: Catalog, video: Video) -> None:
        """JSON knows one kind of number, and a transcript may have passed through it."""
        transcript = Transcript("ko", 3, (Sentence("하나", 0, 1.5), Sentence("둘", 1.5, 3)), "whisper", "base")
        with catalog.transaction() as tx:
            tx.passages.write(video, rows_of(video, transcript))
            tx.passages.switch(video, transcript)
            assert tx.videos.transcript(video.id)[1] == transcript.sentences

    def test_words_are_read_with_their_times_where_wanted(self, catalog: Catalog, video: Video) -> None:
        words = (Word('"안녕"', 0.0, 0.5), Word("<b>\\", 0.5, 1.25), Word("🎓", 1.25, 2.0))
        transcript = Transcript(
            "ko", 3.0, (Sentence("…", 0.0, 2.0, words), Sentence("둘", 2.0, 3.0)), "whisper", "base"
        )
        with catalog.transaction() as tx:
            tx.passages.write(video, rows_of(video, transcript))
            tx.passages.switch(video, transcript)
            assert [one.words for one in tx.videos.transcript(video.id, words=True)[1]] == [words, ()]
            assert [one.words for one in tx.videos.transcript(video.id)[1]] == [(), ()]

    def test_thousands_of_sentences_keep_their_order(self, catalog: Catalog, video: Video) -> None:
        texts = [f"문장 {number}번" for number in range(3_000)]
        ids = write(catalog, video, *texts, apart=4.0)
        with catalog.transaction() as tx:
            assert tx.passages.ids(video.id) == {1: ids}
            assert tx.videos.transcript(video.id)[1] == talk(*texts, apart=4.0).sentences

    def test_removing_a_generation_leaves_the_others(self, catalog: Catalog, user: str, indexed: Video) -> None:
        second, third = replace(indexed, generation=2), replace(indexed, generation=3)
        write(catalog, second, "두 번째")
        kept = write(catalog, third, "세 번째", "강의")
        with catalog.transaction() as tx:
            tx.passages.remove(indexed.id, generation=1)
            assert tx.passages.ids(indexed.id).keys() == {2, 3}
            tx.passages.remove(indexed.id, generation=2)
            tx.passages.remove(indexed.id, generation=2)
            assert tx.passages.ids(indexed.id) == {3: kept}
            assert tx.videos.transcript(indexed.id) == ("세 번째 강의", talk("세 번째", "강의").sentences)
        assert find(catalog, user, "번째")[0] == "세 번째"
        with catalog.transaction() as tx:
            tx.passages.remove(indexed.id, generation=3)
            assert tx.passages.ids(indexed.id) == {}
            assert tx.videos.transcript(indexed.id)[1] == ()
        assert find(catalog, user, "번째") == []

    def test_a_generation_in_which_nothing_is_said_is_held_and_removed_as_any_other(
        self, catalog: Catalog, user: str, indexed: Video
    ) -> None:
        """It has the words of its title."""
        write(catalog, replace(indexed, generation=2))
        with catalog.transaction() as tx:
            assert tx.passages.ids(indexed.id)[2] == []
            tx.passages.remove(indexed.id, generation=2)
            assert tx.passages.ids(indexed.id).keys() == {1}

    def test_writing_a_generation_again_replaces_it(self, catalog: Catalog, user: str, indexed: Video) -> None:
        again = write(catalog, indexed, "다시 쓴 문장", switch=False)
        with catalog.transaction() as tx:
            assert tx.passages.ids(indexed.id) == {1: again}
        assert find(catalog, user, "아무것도") == []
        assert find(catalog, user, "문장") == ["다시 쓴 문장"]

    def test_a_reader_sees_the_old_or_the_new_never_a_mixture(self, catalog: Catalog, user: str, video: Video) -> None:
        write(catalog, video, *["옛날 이야기"] * 5)

        def act(number: int) -> set[str]:
            if number == 0:
                new = ["새로운 이야기"] * 5
                write(catalog, replace(video, generation=2), *new)
                with catalog.transaction() as tx:
                    tx.passages.remove(video.id, generation=1)
                return set()
            seen = [find(catalog, user, "이야기") for _ in range(20)]
            assert {len(texts) for texts in seen} == {5}
            assert {len(set(texts)) for texts in seen} == {1}
            return {texts[0] for texts in seen}

        assert set().union(*at_once(6, act)) <= {"옛날 이야기", "새로운 이야기"}
        assert set(find(catalog, user, "이야기")) == {"새로운 이야기"}

    @pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12].encode("unicode_escape").decode())
    def test_hostile_text_is_only_text(self, catalog: Catalog, user: str, video: Video, text: str) -> None:
        (passage_id,) = write(catalog, video, text)
        with catalog.transaction() as tx:
            assert tx.finder.by_ids(user, [passage_id])[passage_id].passage == Passage(0, 0.0, 5.0, text)
            assert tx.videos.transcript(video.id)[0] == text
        assert find(catalog, user, text) == ([text] if terms_of(text) else [])
