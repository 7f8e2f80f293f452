"""What all embedders that are services share."""

import pytest

from biblio.adapters.embedder.calls import LONGEST_TEXT, REMEMBERED, Bill, estimate, in_calls, taken, unit_vectors
from biblio.errors import Misconfigured, Unavailable
from tests.adapters.embedder.services import ENGLISH, KOREAN


def test_calls_are_full_and_under_both_limits_and_in_order() -> None:
    texts = [f"{number} " + "가" * (number % 50) for number in range(500)]
    for most_texts, most_tokens in ((7, 10_000), (500, 300), (100, 1_000)):
        calls = list(in_calls(texts, most_texts, most_tokens))
        assert [text for call in calls for text in call] == texts
        assert all(len(call) <= most_texts for call in calls)
        assert all(sum(len(text.encode()) + 1 for text in call) <= most_tokens for call in calls)
        for call, after in zip(calls, calls[1:], strict=False):
            is_full = len(call) == most_texts
            assert is_full or sum(len(text.encode()) + 1 for text in [*call, after[0]]) > most_tokens


def test_a_text_above_the_limit_goes_alone() -> None:
    assert list(in_calls(["a", "b" * 100, "c"], 10, 50)) == [["a"], ["b" * 100], ["c"]]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("", "."),
        (" \n", "."),
        ("\x00", "."),
        ("a\x00b", "a b"),
        ("\ud800", "?"),
        ("가" * 9000, "가" * (LONGEST_TEXT // 3)),
    ],
    ids=ascii,
)
def test_a_text_is_sent_whole_or_its_beginning_and_never_empty(text: str, sent: str) -> None:
    assert taken(text) == sent


def test_an_estimate_is_rather_too_high() -> None:
    """tiktoken's cl100k_base finds 15 and 21 tokens in these."""
    assert 15 <= estimate(ENGLISH) <= 30
    assert 21 <= estimate(KOREAN) <= 42
    assert estimate("😀😀") == 6


def test_what_a_call_cost_is_shared_out_without_a_rest() -> None:
    bill, texts = Bill(), [ENGLISH, KOREAN, "x"]
    before = bill.total(texts)
    bill.note(texts, 37)
    assert bill.total(texts) == 37 != before
    assert bill.total([ENGLISH]) + bill.total([KOREAN]) + bill.total(["x"]) == 37
    assert bill.total([*texts, "new"]) == 37 + estimate("new")


def test_a_bill_forgets_what_is_long_ago() -> None:
    bill = Bill()
    bill.note_each([ENGLISH], [1000])
    bill.note_each([str(number) for number in range(REMEMBERED)], [1] * REMEMBERED)
    assert bill.total([ENGLISH]) == estimate(ENGLISH)


def test_half_an_answer_and_vectors_of_another_size_are_noticed() -> None:
    assert unit_vectors([[3.0, 4.0], [0.0, 0.0]], 2, 2, "It") == [[0.6, 0.8], [1.0, 0.0]]
    with pytest.raises(Unavailable, match="1 of 2"):
        unit_vectors([[1.0]], 2, 1, "It")
    with pytest.raises(Unavailable, match="1 of 2"):
        unit_vectors([[], [1.0]], 2, 1, "It")
    with pytest.raises(Misconfigured, match="dimension=3"):
        unit_vectors([[1.0]], 1, 3, "It")
