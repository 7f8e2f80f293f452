import random

import pytest

from biblio.domain.passages import Passage
from biblio.domain.search import (
    NEIGHBOURS,
    PAIRS_OF_SYLLABLES,
    SURROUNDINGS,
    TOLD_BY_MEANING,
    TOLD_BY_WORDS,
    UNRELATED,
    WHOLE_WORDS,
    Found,
    Hit,
    Mode,
    Moment,
    Reason,
    found_of,
    grouped,
    ranked,
    score,
    weighing_of,
)

BOTH = (PAIRS_OF_SYLLABLES, WHOLE_WORDS)
WORDS, MEANING = Reason.WORDS, Reason.MEANING


def _hit(
    start: float = 0.0, video_id: str = "a", *, words: float = 0.0, meaning: float = 0.0, text: str = "an index"
) -> Hit:
    passage = Passage(int(start), start, start + 5, text)
    return Hit(f"{video_id} {start}", video_id, f"title {video_id}", passage, meaning, words)


def _starts(videos: list[list[Hit]]) -> list[list[float]]:
    return [[hit.start for hit in video] for video in videos]


class TestWeighing:
    def test_what_is_asked_in_syllables_is_weighed_by_them(self) -> None:
        korean, other = (
            ("트랜잭션이 뭐죠", "GPU를", "中文", "index 색인"),
            ("what is an index", "мир", "2 + 2", "", "🎓"),
        )
        assert [weighing_of(question) for question in korean] == [PAIRS_OF_SYLLABLES] * 4
        assert [weighing_of(question) for question in other] == [WHOLE_WORDS] * 5

    def test_a_score_is_between_none_and_all_and_grows_with_both(self) -> None:
        for one in BOTH:
            assert one.score(0, 0) == 0
            assert one.score(1, 1) == pytest.approx(1)
            steps = [number / 20 for number in range(21)]
            for fixed in (0.0, 0.3, 1.0):
                by_words = [one.score(step, fixed) for step in steps]
                by_meaning = [one.score(fixed, step) for step in steps]
                assert by_words == sorted(by_words)
                assert by_meaning == sorted(set(by_meaning))

    def test_a_question_few_of_whose_words_are_said_counts_by_its_meaning(self) -> None:
        for one in BOTH:
            assert one.score(one.cutoff / 2, 0.5) == one.score(0, 0.5)
            assert one.score(0.4, 0) < 0.4 * one.score(1, 0), "less than in proportion"

    def test_what_means_the_contrary_is_no_worse_than_what_means_nothing(self) -> None:
        for one in BOTH:
            assert one.score(0.5, -0.7) == one.score(0.5, 0)

    def test_pairs_of_syllables_tell_more_than_whole_words(self) -> None:
        assert PAIRS_OF_SYLLABLES.score(0.8, 0.2) > PAIRS_OF_SYLLABLES.score(0.2, 0.8)
        assert WHOLE_WORDS.score(0.3, 0.8) > WHOLE_WORDS.score(0.5, 0.3)


class TestRanking:
    @pytest.mark.parametrize(
        ("mode", "best"), [(Mode.SEMANTIC, "meaning"), (Mode.KEYWORD, "words"), (Mode.HYBRID, "both")]
    )
    def test_the_mode_says_what_counts(self, mode: Mode, best: str) -> None:
        hits = {
            "words": _hit(0, words=1.0, meaning=0.1),
            "meaning": _hit(100, words=0.1, meaning=0.9),
            "both": _hit(200, words=0.99, meaning=0.8),
        }
        assert ranked(list(hits.values()), mode, PAIRS_OF_SYLLABLES)[0] == hits[best]

    def test_a_question_in_another_language_keeps_the_order_of_meaning(self) -> None:
        near = [_hit(number * 100.0, meaning=0.9 - number / 10) for number in range(4)]
        random.Random(1).shuffle(near)
        for weighing in BOTH:
            assert [hit.start for hit in ranked(near, Mode.HYBRID, weighing)] == [0, 100, 200, 300]

    def test_equal_hits_come_in_a_fixed_order(self) -> None:
        hits = [_hit(50, "b", meaning=0.5), _hit(0, "b", meaning=0.5), _hit(99, "a", meaning=0.5)]
        for _ in range(5):
            random.Random(2).shuffle(hits)
            places = [(hit.video_id, hit.start) for hit in ranked(hits, Mode.HYBRID, WHOLE_WORDS)]
            assert places == [("a", 99), ("b", 0), ("b", 50)]

    def test_what_has_nothing_to_do_with_the_question_is_left_out(self) -> None:
        said, near = _hit(0, words=0.01), _hit(100, meaning=UNRELATED)
        far, contrary = _hit(200, meaning=UNRELATED - 0.01), _hit(300, meaning=-0.5)
        for mode in (Mode.HYBRID, Mode.SEMANTIC):
            assert {hit.start for hit in ranked([far, said, contrary, near], mode, WHOLE_WORDS)} == {0, 100}


class TestGrouping:
    def test_hits_are_grouped_by_video_best_first_and_no_more_than_asked_for(self) -> None:
        hits = [_hit(0, "b"), _hit(0, "a"), _hit(100, "b"), _hit(0, "c"), _hit(200, "b"), _hit(100, "a")]
        assert _starts(grouped("x", hits, 2, 5)) == [[0, 100, 200], [0, 100]]
        assert _starts(grouped("x", hits, 9, 1)) == [[0], [0], [0]]
        assert [video[0].video_id for video in grouped("x", hits, 2, 2)] == ["b", "a"]
        assert grouped("x", [], 5, 5) == []

    def test_neighbours_are_one_place_which_begins_with_the_better_one(self) -> None:
        hits = [
            _hit(100, meaning=0.9),
            _hit(100 + NEIGHBOURS - 1, meaning=0.8),
            _hit(100 - NEIGHBOURS + 1, meaning=0.7),
        ]
        assert _starts(grouped("x", hits, 5, 5)) == [[100]]
        assert _starts(grouped("x", [*hits, _hit(100 + NEIGHBOURS, meaning=0.5)], 5, 5)) == [[100, 100 + NEIGHBOURS]]
        assert _starts(grouped("x", [hits[0], _hit(101, "b")], 5, 5)) == [[100], [101]], "another video is no neighbour"

    def test_many_neighbours_do_not_melt_a_whole_talk_into_one_place(self) -> None:
        hits = [_hit(float(start), meaning=0.9) for start in range(0, 100, 5)]
        assert _starts(grouped("x", hits, 5, 50)) == [[float(start) for start in range(0, 100, 10)]]

    def test_a_passage_that_says_nothing_of_the_question_itself_belongs_to_the_one_beside_it(self) -> None:
        """It was found by what is said around it."""
        said = _hit(100, words=0.9, text="the index")
        beside = _hit(100 + SURROUNDINGS - 1, words=0.5, text="then it is fast")
        assert _starts(grouped("index", [said, beside], 5, 5)) == [[100]]
        for other in (
            _hit(130, words=0.5, text="another index"),
            _hit(130, words=0.5, meaning=TOLD_BY_MEANING, text="it makes reading fast"),
            _hit(130, words=0.1, meaning=0.3, text="it makes reading fast"),
            _hit(100 + SURROUNDINGS, words=0.5, text="then it is fast"),
            _hit(130, "b", words=0.5, text="then it is fast"),
        ):
            assert sum(map(len, grouped("index", [said, other], 5, 5))) == 2, other


class TestMoments:
    TEXTS = (Passage(7, 70, 75, "트랜잭션은 원자적입니다."), Passage(8, 76, 80, "끝."))

    def found(self, hit: Hit, mode: Mode = Mode.HYBRID, question: str = "트랜잭션") -> Moment:
        found = found_of(question, [hit], {hit.id: self.TEXTS}, mode, PAIRS_OF_SYLLABLES)
        assert (found.video_id, found.title) == ("a", "title a")
        (moment,) = found.moments
        return moment

    def test_a_moment_begins_with_the_sentence_that_answers_and_reads_on(self) -> None:
        moment = self.found(_hit(70, words=0.9, meaning=0.5))
        assert (moment.start, moment.end, moment.text) == (70, 80, "트랜잭션은 원자적입니다. 끝.")
        assert [moment.text[start:end] for start, end in moment.highlights] == ["트랜잭션"]

    def test_a_score_is_shown_from_0_to_1(self) -> None:
        hit = _hit(words=0.7, meaning=0.4)
        assert self.found(hit).score == round(score(hit, Mode.HYBRID, PAIRS_OF_SYLLABLES), 4)
        assert self.found(_hit(words=1.7, meaning=0.9)).score == 1
        assert self.found(_hit(words=1.2), Mode.KEYWORD).score == 1
        assert self.found(_hit(meaning=-0.3), Mode.SEMANTIC).score == 0

    def test_by_its_meaning_alone_no_word_is_marked(self) -> None:
        assert self.found(_hit(meaning=0.5), Mode.SEMANTIC).highlights == ()

    @pytest.mark.parametrize(
        ("words", "meaning", "reasons"),
        [
            (TOLD_BY_WORDS, TOLD_BY_MEANING, (WORDS, MEANING)),
            (TOLD_BY_WORDS, TOLD_BY_MEANING - 0.01, (WORDS,)),
            (TOLD_BY_WORDS - 0.01, TOLD_BY_MEANING, (MEANING,)),
            (0.2, 0.1, (WORDS,)),
            (0.1, 0.2, (MEANING,)),
        ],
    )
    def test_a_moment_says_why_it_was_found(self, words: float, meaning: float, reasons: tuple[Reason, ...]) -> None:
        hit = _hit(words=words, meaning=meaning)
        assert self.found(hit).matched == reasons
        assert self.found(hit, Mode.KEYWORD).matched == (WORDS,)
        assert self.found(hit, Mode.SEMANTIC).matched == (MEANING,)

    def test_each_place_of_a_video_is_a_moment_in_the_same_order(self) -> None:
        hits = [_hit(70), _hit(10), _hit(40)]
        found = found_of("index", hits, {hits[0].id: self.TEXTS}, Mode.HYBRID, WHOLE_WORDS)
        assert isinstance(found, Found)
        assert [moment.start for moment in found.moments] == [70, 10, 40]
        assert [moment.end for moment in found.moments] == [80, 15, 45], "at least the passage itself is read"
