import math
import random
import time
from collections.abc import Sequence
from itertools import accumulate

import pytest

from biblio.domain.passages import AROUND, Passage, in_context, passage_id, passages_of
from biblio.domain.transcript import Sentence


def _said(*lengths: float, pause: float = 0.0, text: str = "열 글자쯤 되는 말.") -> tuple[Passage, ...]:
    """Sentences of so many seconds, one after the other."""
    starts = list(accumulate((length + pause for length in lengths), initial=0.0))[:-1]
    return passages_of([Sentence(text, start, start + length) for start, length in zip(starts, lengths, strict=True)])


def _axes(count: int) -> list[list[float]]:
    """A direction of its own for each."""
    return [[float(place == own) for place in range(count)] for own in range(count)]


def _length(vector: Sequence[float]) -> float:
    return math.sqrt(sum(value * value for value in vector))


def _mixed_in(vector: Sequence[float]) -> set[int]:
    """Whose directions are in it."""
    return {place for place, value in enumerate(vector) if value > 1e-9}


def _slowly(passages: Sequence[Passage], vectors: Sequence[Sequence[float]]) -> list[list[float]]:
    """As it is explained, each from all the others."""
    mixed = []
    for one, own in zip(passages, vectors, strict=True):
        around = [0.0] * len(own)
        for other, vector in zip(passages, vectors, strict=True):
            before = other.position <= one.position and one.start - other.start <= AROUND
            after = other.position > one.position and other.end - one.end <= AROUND
            if before or after:
                around = [value + len(other.text) * each for value, each in zip(around, vector, strict=True)]
        both = [mine + theirs / _length(around) for mine, theirs in zip(own, around, strict=True)]
        mixed.append([value / _length(both) for value in both])
    return mixed


def test_each_sentence_is_a_passage() -> None:
    said = [Sentence("앞", 0, 5), Sentence("뒤", 600, 605.5)]
    assert passages_of(said) == (Passage(0, 0, 5, "앞"), Passage(1, 600, 605.5, "뒤"))
    assert passages_of([]) == ()


def test_an_id_is_the_same_for_every_attempt_and_of_no_other_passage() -> None:
    places = [(video, generation, position) for video in "ab" for generation in (1, 2, 11) for position in range(20)]
    ids = [passage_id(*place) for place in places]
    assert len(set(ids)) == len(places)
    assert ids == [passage_id(*place) for place in places]


def test_vectors_in_context_are_of_unit_length() -> None:
    passages, dice = _said(*[4.0] * 50), random.Random(1)
    vectors = [[dice.uniform(-1, 1) for _ in range(8)] for _ in passages]
    assert [_length(one) for one in in_context(passages, vectors)] == pytest.approx([1.0] * 50)


def test_nothing_said_has_no_vectors() -> None:
    assert list(in_context([], [])) == []


def test_a_sentence_without_surroundings_keeps_its_vector() -> None:
    passages = _said(5, 5, 5, pause=2 * AROUND)
    for vector, own in zip(in_context(passages, _axes(3)), _axes(3), strict=True):
        assert vector == pytest.approx(own)


def test_what_begins_shortly_before_or_ends_shortly_after_is_mixed_in() -> None:
    passages = _said(*[AROUND / 4] * 13)
    mixed = [_mixed_in(vector) for vector in in_context(passages, _axes(13))]
    assert mixed[6] == set(range(2, 11))
    assert mixed[0] == set(range(5))
    assert mixed[12] == set(range(8, 13))


def test_half_of_a_vector_is_its_own() -> None:
    passages = _said(*[4.0] * 3)
    first, second, third = _axes(3)
    mixed = list(in_context(passages, [first, second, third]))
    alike = 1 / math.sqrt(3)
    assert mixed[1] == pytest.approx(
        [value / _length([alike, 1 + alike, alike]) for value in (alike, 1 + alike, alike)]
    )
    assert list(in_context(passages, [second, second, second])) == [pytest.approx(second)] * 3


def test_what_is_long_says_more_about_the_surroundings_than_a_short_yes() -> None:
    passages = [
        Passage(0, 0, 1, "네."),
        Passage(1, 1, 5, "여기"),
        Passage(2, 5, 12, "이것은 아주 길고 자세한 설명입니다."),
    ]
    short, _, long = list(in_context(passages, _axes(3)))[1]
    assert long == pytest.approx(short * len(passages[2].text) / len(passages[0].text))


def test_one_endless_sentence_is_mixed_with_nothing_that_ends_long_after_it() -> None:
    passages = _said(5, 300, 5)
    mixed = [_mixed_in(vector) for vector in in_context(passages, _axes(3))]
    assert mixed == [{0}, {0, 1, 2}, {2}]


@pytest.mark.parametrize("seed", range(10))
def test_it_is_as_if_each_had_been_compared_with_all_others(seed: int) -> None:
    dice = random.Random(seed)
    lengths = [dice.choice((0.2, 1, 4, 14, 19.9, 41, 300)) for _ in range(dice.randrange(1, 60))]
    said = _said(*lengths, pause=dice.choice((0, 0.5, 9)))
    passages = [Passage(one.position, one.start, one.end, "x" * dice.randrange(1, 99)) for one in said]
    vectors = [[dice.uniform(-1, 1) for _ in range(4)] for _ in passages]
    for quick, slow in zip(in_context(passages, vectors), _slowly(passages, vectors), strict=True):
        assert quick == pytest.approx(slow, abs=1e-9)


def test_thousands_of_sentences_take_as_long_each_as_a_few() -> None:
    """Of a day of talk, all within reach of each other or not."""

    def seconds(count: int, length: float) -> float:
        passages = _said(*[length] * count)
        vectors = [[1.0, 0.0, 0.5]] * count
        began = time.process_time()
        assert sum(1 for _ in in_context(passages, vectors)) == count
        return time.process_time() - began

    for length in (5.0, 0.001):
        assert seconds(16_000, length) < 16 * (seconds(4_000, length) + 0.05)
