import random
from itertools import pairwise

import pytest

from biblio.domain.passages import LONGEST, SHORTEST, passages_of
from biblio.domain.transcript import Sentence


def _said(*lengths: float) -> list[Sentence]:
    """Sentences of so many seconds, one right after the other."""
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    pairs = enumerate(zip(starts, lengths, strict=True))
    return [Sentence(f"문장 {i}.", start, start + length) for i, (start, length) in pairs]


def test_passages_are_long_enough_to_mean_something_and_short_enough_to_land_on() -> None:
    passages = passages_of(_said(*[4.0] * 100))
    assert {passage.end - passage.start for passage in passages[:-1]} == {16.0}
    assert all(SHORTEST <= passage.end - passage.start <= LONGEST for passage in passages[:-1])


def test_passages_overlap_by_one_sentence() -> None:
    passages = passages_of(_said(*[6.0] * 20))
    assert len(passages) > 5
    assert all(before.sentences[-1] == after.sentences[0] for before, after in pairwise(passages))
    assert not any(set(before.sentences[:-1]) & set(after.sentences[1:]) for before, after in pairwise(passages))


@pytest.mark.parametrize("seed", range(20))
def test_every_sentence_is_in_some_passage_and_passages_go_forward(seed: int) -> None:
    luck = random.Random(seed)
    said = _said(*[luck.choice((0.2, 1, 4, 14, 19.9, 39, 41, 300)) for _ in range(luck.randrange(1, 80))])
    passages = passages_of(said)
    assert {sentence for passage in passages for sentence in passage.sentences} == set(said)
    assert [passage.position for passage in passages] == list(range(len(passages)))
    starts = [passage.start for passage in passages]
    assert starts == sorted(set(starts))
    assert all(p.end - p.start <= LONGEST for p in passages if len(p.sentences) > 1)


def test_one_endless_sentence_is_a_passage_alone() -> None:
    passages = passages_of(_said(5, 300, 5))
    assert [[sentence.text for sentence in passage.sentences] for passage in passages] == [
        ["문장 0."],
        ["문장 1."],
        ["문장 2."],
    ]


def test_a_short_talk_is_one_passage() -> None:
    (passage,) = passages_of(_said(2, 3))
    assert (passage.position, passage.start, passage.end, passage.text) == (0, 0.0, 5.0, "문장 0. 문장 1.")


def test_a_silence_ends_a_passage() -> None:
    said = [Sentence("앞", 0, 5), Sentence("뒤", 600, 605)]
    assert [passage.sentences for passage in passages_of(said)] == [(said[0],), (said[1],)]


def test_nothing_said_is_no_passage() -> None:
    assert passages_of([]) == ()
