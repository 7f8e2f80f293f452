"""What every embedder promises (ports/embedder.py). An adapter's test file says only how to build it."""

import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from biblio.ports.embedder import Embedder, Vector

ANSWER = "Photosynthesis turns sunlight, water and carbon dioxide into sugar inside the leaves of a plant."
OTHERS = (
    "The stock market fell sharply after the central bank raised interest rates.",
    "Our train to the coast was cancelled because of heavy snow on the line.",
    "A transaction keeps a database consistent even when the power fails.",
)
ODD = ("", " ", "\n\n", "\x00", "a\x00b", "\ud800", "\U0001f600" * 50, "x" * 1_000_000, "가나다 " * 50_000, "\u200b")


def nearness(left: Vector, right: Vector) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


class EmbedderContract:
    """Needs the fixture `embedder`."""

    def test_vectors_are_of_unit_length_and_of_the_stated_dimension(self, embedder: Embedder) -> None:
        for vector in [*embedder.embed_documents([ANSWER, *OTHERS]), embedder.embed_question("왜?")]:
            assert len(vector) == embedder.dimension
            assert math.hypot(*vector) == pytest.approx(1, abs=1e-5)

    def test_the_order_of_vectors_is_the_order_of_texts(self, embedder: Embedder) -> None:
        texts = [f"{text} {number}" for number in range(20) for text in OTHERS]
        together = embedder.embed_documents(texts)
        for index in (0, 1, 31, 32, 33, 59):
            alone = embedder.embed_documents([texts[index]])[0]
            assert nearness(together[index], alone) == pytest.approx(1, abs=1e-4)

    def test_no_texts_give_no_vectors(self, embedder: Embedder) -> None:
        assert embedder.embed_documents([]) == []

    def test_a_korean_question_lies_nearer_to_its_english_answer_than_to_other_english_sentences(
        self, embedder: Embedder
    ) -> None:
        question = embedder.embed_question("식물은 햇빛으로 어떻게 양분을 만드나요?")
        answer, *others = embedder.embed_documents([ANSWER, *OTHERS])
        assert nearness(question, answer) > max(nearness(question, other) for other in others)

    @pytest.mark.parametrize("text", ODD, ids=lambda text: ascii(text[:3]))
    def test_any_text_is_embedded(self, embedder: Embedder, text: str) -> None:
        for vector in (embedder.embed_question(text), embedder.embed_documents([text, "plain"])[0]):
            assert len(vector) == embedder.dimension
            assert all(math.isfinite(value) for value in vector)

    def test_tokens_are_counted_as_the_engine_counts_them(self, embedder: Embedder) -> None:
        counts = [embedder.count_tokens([text]) for text in (ANSWER, *OTHERS)]
        assert embedder.count_tokens([]) == 0
        assert embedder.count_tokens([ANSWER, *OTHERS]) == sum(counts)
        for text, count in zip((ANSWER, *OTHERS), counts, strict=True):
            assert len(text.split()) <= count <= len(text), "a token is a word or a part of one"
        assert embedder.count_tokens([ANSWER + " " + OTHERS[0]]) > max(counts)
        assert embedder.count_tokens(["식물은 햇빛으로 양분을 만듭니다."]) >= 4

    @pytest.mark.parametrize("text", ODD, ids=lambda text: ascii(text[:3]))
    def test_the_tokens_of_any_text_are_counted(self, embedder: Embedder, text: str) -> None:
        assert embedder.count_tokens([text, "plain"]) >= embedder.count_tokens([text]) >= 0

    def test_tokens_are_counted_by_several_threads_at_once(self, embedder: Embedder) -> None:
        alone = embedder.count_tokens([ANSWER])
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(embedder.count_tokens, [[ANSWER]] * 16)) == {alone}

    def test_the_space_names_the_dimension_and_stays_the_same(self, embedder: Embedder) -> None:
        assert str(embedder.dimension) in embedder.space
        assert embedder.space == embedder.space.strip()

    def test_several_threads_may_ask_at_once(self, embedder: Embedder) -> None:
        alone = embedder.embed_question(ANSWER)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(embedder.embed_question, [ANSWER] * 16))
        assert all(nearness(alone, answer) == pytest.approx(1, abs=1e-4) for answer in answers)

    def test_preparing_and_asking_may_be_repeated(self, embedder: Embedder) -> None:
        for _ in range(2):
            embedder.prepare()
            embedder.ping()
