"""multilingual-e5-small, for those whose questions are not in the words of the answer."""

import random
import unicodedata
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info

from biblio.adapters.embedder import e5
from biblio.adapters.embedder.e5 import LONGEST_TEXT, connect
from biblio.dsn import Dsn
from biblio.errors import Misconfigured
from biblio.ports.embedder import Embedder
from tests.contracts.embedder import ANSWER, OTHERS, EmbedderContract, nearness


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return connect(Dsn.parse("e5://?threads=1"))


class TestE5(EmbedderContract):
    pass


def test_the_space_names_engine_model_version_and_dimension(embedder: Embedder) -> None:
    assert embedder.space == "multilingual-e5-small-q4@0.3.0/384"


def test_what_has_nothing_to_do_with_each_other_lies_far_apart(embedder: Embedder) -> None:
    answer, *others = embedder.embed_documents([ANSWER, *OTHERS])
    assert max(nearness(answer, other) for other in others) < 0.4
    assert nearness(answer, embedder.embed_question("How do plants feed on light?")) > 0.4


def test_decomposed_hangul_is_the_same_text(embedder: Embedder) -> None:
    text = "트랜잭션의 격리 수준"
    assert embedder.embed_question(unicodedata.normalize("NFD", text)) == embedder.embed_question(text)


def test_of_a_very_long_text_the_beginning_counts(embedder: Embedder) -> None:
    long = "A transaction keeps a database consistent. " * 1000
    assert embedder.embed_question(long) == embedder.embed_question(long[:LONGEST_TEXT])


def test_no_text_breaks_the_tokenizer(embedder: Embedder) -> None:
    """It is C: whatever people may type goes through it."""
    luck = random.Random(7)
    ranges = ((0, 128), (0x1100, 0x1200), (0xAC00, 0xD7A4), (0x300, 0x370), (0xD800, 0xE000), (0x1F300, 0x110000))
    texts = [
        "".join(chr(luck.randrange(*luck.choice(ranges))) for _ in range(luck.choice((1, 5, 40, 300))))
        for _ in range(150)
    ]
    for text, vector in zip(texts, embedder.embed_documents(texts), strict=True):
        assert nearness(vector, vector) == pytest.approx(1, abs=1e-4), ascii(text)
        assert embedder.count_tokens([text]) >= 0


def test_it_leaves_other_engines_their_threads(embedder: Embedder) -> None:
    def threads() -> list[int]:
        return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "openmp"]

    embedder.ping()
    before = threads()
    assert before
    embedder.ping()
    assert threads() == before


def test_a_processor_that_can_not_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "cpuinfo"
    old.write_text("flags\t\t: fpu sse sse2 avx\n")
    monkeypatch.setattr(e5, "CPU", old)
    with pytest.raises(Misconfigured, match="AVX2"):
        connect(Dsn.parse("e5://")).embed_question("왜?")


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(Misconfigured, match="Did you mean 'threads'"):
        connect(Dsn.parse("e5://?thread=2"))
