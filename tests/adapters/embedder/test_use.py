"""Universal Sentence Encoder, the embedder of a laptop."""

import pytest

from biblio.adapters.embedder.use import LONGEST_TEXT, connect
from biblio.dsn import Dsn
from biblio.errors import Misconfigured
from biblio.ports.embedder import Embedder
from tests.contracts.embedder import EmbedderContract


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return connect(Dsn.parse("use://?threads=1"))


class TestUse(EmbedderContract):
    pass


def test_the_space_names_engine_model_version_and_dimension(embedder: Embedder) -> None:
    assert embedder.space == "use-multilingual-v3@0.2.1/512"


def test_of_a_very_long_text_the_beginning_counts(embedder: Embedder) -> None:
    long = "A transaction keeps a database consistent. " * 1000
    assert embedder.embed_question(long) == embedder.embed_question(long[:LONGEST_TEXT])


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(Misconfigured, match="Did you mean 'threads'"):
        connect(Dsn.parse("use://?thread=2"))
