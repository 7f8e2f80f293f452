import time
import unicodedata

import pytest

from biblio.domain.search import Found, Hit, Mode, coverage, fuse, group, highlights, terms_of
from biblio.domain.transcript import Sentence


def _hit(
    text: str,
    start: float = 0.0,
    video_id: str = "a",
    semantic: float | None = None,
    keyword: float | None = None,
    end: float | None = None,
) -> Hit:
    until = start + 20 if end is None else end
    return Hit(video_id, f"title {video_id}", start, until, (Sentence(text, start, until),), semantic, keyword)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("트랜잭션은", ("트랜", "랜잭", "잭션", "션은")),
        ("Index, INDEXES! don't", ("index", "indexes", "don", "t")),
        ("GPU가 2배", ("gpu", "가", "2", "배")),
        ("3.5 snake_case", ("3", "5", "snake", "case")),
        ("Straße", ("strasse",)),
        (unicodedata.normalize("NFD", "책은"), ("책은",)),
        ("'a' | b & !c:*\\ \x00", ("a", "b", "c")),
        ("…!? 🎓 _", ()),
    ],
)
def test_terms_are_pairs_of_hangul_syllables_and_whole_words(text: str, terms: tuple[str, ...]) -> None:
    assert terms_of(text) == terms


@pytest.mark.parametrize(
    ("question", "text", "share"),
    [
        ("트랜잭션", "트랜잭션은 중요합니다", 1.0),
        ("index table", "an INDEX", 0.5),
        ("책", "책을 읽습니다", 1.0),
        ("책", "잡지를 읽습니다", 0.0),
        ("index", "indexes", 0.0),
        ("", "anything", 0.0),
    ],
)
def test_coverage_is_the_share_of_the_questions_terms(question: str, text: str, share: float) -> None:
    assert coverage(terms_of(question), text) == share


def test_fusing_makes_one_hit_of_a_passage_found_twice() -> None:
    (hit,) = fuse("index", [_hit("an index", semantic=0.6)], [_hit("an index")], Mode.HYBRID)
    assert (hit.semantic, hit.keyword) == (0.6, 1.0)


def test_fusing_weighs_meaning_and_words_alike() -> None:
    both, meaning, words = _hit("index", 0, semantic=0.5), _hit("색인", 100, semantic=0.9), _hit("index", 200)
    far = _hit("other", 300, semantic=0.1)
    hits = fuse("index", [meaning, both, far], [both, words], Mode.HYBRID)
    assert [hit.start for hit in hits] == [0, 200, 100, 300]
    # Found by words only: it is not nearer in meaning than the last that the other search brought in.
    assert hits[1].semantic == 0.1


@pytest.mark.parametrize(("mode", "best"), [(Mode.SEMANTIC, 100), (Mode.KEYWORD, 0), (Mode.HYBRID, 0)])
def test_the_mode_says_what_counts(mode: Mode, best: float) -> None:
    hits = fuse("index", [_hit("색인", 100, semantic=0.9), _hit("index", 0, semantic=0.2)], [], mode)
    assert hits[0].start == best


def test_a_question_in_another_language_keeps_the_order_of_meaning() -> None:
    near = [_hit(f"text {number}", number * 100, semantic=0.9 - number / 10) for number in range(4)]
    assert [hit.start for hit in fuse("트랜잭션이 뭐죠", near, [], Mode.HYBRID)] == [0, 100, 200, 300]


def test_equal_hits_come_in_a_fixed_order() -> None:
    hits = [_hit("x", 50, "b", 0.5), _hit("x", 0, "b", 0.5), _hit("x", 99, "a", 0.5)]
    places = [(hit.video_id, hit.start) for hit in fuse("x", hits, [], Mode.HYBRID)]
    assert places == [("a", 99), ("b", 0), ("b", 50)]


def test_no_hits_are_no_hits() -> None:
    assert fuse("x", [], [], Mode.HYBRID) == []
    assert group("x", [], Mode.HYBRID, 5) == []


def test_hits_are_grouped_by_video_best_first_and_no_more_than_asked_for() -> None:
    hits = [_hit("x", 0, "b", 0.9), _hit("x", 0, "a", 0.8), _hit("x", 100, "b", 0.7), _hit("x", 0, "c", 0.6)]
    found = group("x", hits, Mode.SEMANTIC, 2)
    assert [(video.video_id, video.title, [m.score for m in video.moments]) for video in found] == [
        ("b", "title b", [0.9, 0.7]),
        ("a", "title a", [0.8]),
    ]


def test_hits_that_overlap_are_one_moment_and_neighbours_are_two() -> None:
    hits = [_hit("x", 20, semantic=0.9), _hit("x", 35, semantic=0.8), _hit("x", 5, semantic=0.7), _hit("x", 40)]
    (video,) = group("x", hits, Mode.SEMANTIC, 5)
    assert [moment.start for moment in video.moments] == [20, 40]


def test_a_moment_begins_with_the_sentence_that_answers() -> None:
    said = (Sentence("안녕하세요.", 0, 5), Sentence("트랜잭션은 원자적입니다.", 5, 12), Sentence("끝.", 12, 20))
    hit = Hit("a", "t", 0, 20, said, 0.5, 1.0)
    (video,) = group("트랜잭션", [hit], Mode.HYBRID, 5)
    (moment,) = video.moments
    assert (moment.start, moment.end, moment.text) == (5, 20, "트랜잭션은 원자적입니다. 끝.")
    assert [moment.text[a:b] for a, b in moment.highlights] == ["트랜잭션"]
    assert moment.score == 0.75
    (other,) = group("transaction", [hit], Mode.HYBRID, 5)
    assert other.moments[0].start == 0
    assert isinstance(other, Found)


@pytest.mark.parametrize(
    ("question", "text", "marked"),
    [
        ("트랜잭션", "트랜잭션은 트랜잭션이다", ["트랜잭션", "트랜잭션"]),
        ("트랜잭션은 뭐죠", "이 트랜잭션을 보세요", ["트랜잭션"]),
        ("index", "Index, indexes, INDEX!", ["Index", "INDEX"]),
        ("gpu", "GPU가 빠르다", ["GPU"]),
        ("책", "책은 좋고 정책은 싫다", ["책"]),
        ("transaktion", "Die Straße und ﬁ İ: Transaktion", ["Transaktion"]),
        ("데이터 데이터베이스", "데이터베이스", ["데이터베이스"]),
        ("c++ (a|b) [x", "a+b .* c++", ["a", "b", "c"]),
        ("없다", "nothing here", []),
        ("", "text", []),
    ],
)
def test_highlights_are_ranges_of_the_text(question: str, text: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in highlights(question, text)] == marked


def test_highlights_never_overlap_and_go_forward() -> None:
    ranges = highlights("가나다 나다라 다라", "가나다라 가나다라마 다라")
    assert all(before[1] < after[0] for before, after in zip(ranges, ranges[1:], strict=False))


def test_an_endless_question_costs_no_more_than_its_length() -> None:
    """Of 50 moments, each without a single match."""
    question, text = "가나다라마바사아자차" * 100, "흐르는 강물은 되돌아오지 않는다. " * 40
    began = time.process_time()
    for _ in range(50):
        assert highlights(question, text) == ()
        assert highlights("words " * 166, text) == ()
    assert time.process_time() - began < 2.0, "with patterns it took twelve seconds"
