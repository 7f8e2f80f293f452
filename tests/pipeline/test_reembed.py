"""Another embedder's vectors are made beside the present ones; whoever asks by one of them never meets the other's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from biblio.adapters.vectors.pgvector import connect
from biblio.domain.video import Video
from biblio.dsn import Dsn
from biblio.pipeline.delete import request_deletion
from biblio.pipeline.reembed import reembed
from biblio.pipeline.search import search
from biblio.pipeline.services import Services, space_of
from biblio.ports.call import CallContext
from biblio.ports.embedder import Embedder, Vector
from tests.lectures import add_lecture
from tests.pipeline.road import Road, open_road

SAID = ("트랜잭션은 모두 되거나 아무것도 안 됩니다.", "색인은 찾아보기와 같습니다.", "오늘은 책을 읽습니다.")


class Backwards:
    """Another model: the same encoder, whose numbers come the other way round. Nothing of the two may be compared."""

    def __init__(self, encoder: Embedder) -> None:
        self._encoder = encoder
        self.space = f"backwards-{encoder.space}"
        self.dimension, self.texts_at_once = encoder.dimension, encoder.texts_at_once

    def embed_documents(self, texts: Sequence[str], *, call: CallContext | None = None) -> list[Vector]:
        return [vector[::-1] for vector in self._encoder.embed_documents(texts)]

    def embed_question(self, text: str, *, call: CallContext | None = None) -> Vector:
        return self._encoder.embed_question(text)[::-1]

    def count_tokens(self, texts: Sequence[str]) -> int:
        return self._encoder.count_tokens(texts)

    def prepare(self) -> None: ...

    def ping(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture(scope="module")
def road(own_addresses: Mapping[str, str]) -> Iterator[Road]:
    """Of its own, since it is walked through for every user's vectors."""
    with open_road(own_addresses) as road:
        yield road


@pytest.fixture
def new(road: Road) -> Iterator[Services]:
    embedder = Backwards(road.services.embedder)
    options = {"space": space_of(embedder), "dimension": str(embedder.dimension)}
    vectors = connect(replace(Dsn.parse(road.addresses["BIBLIO_DATABASE"]), scheme="pgvector", options=options))
    vectors.prepare()
    yield replace(road.services, embedder=embedder, vectors=vectors)
    vectors.close()


def _made(services: Services, new: Services, video: Video) -> list[int]:
    return [one.vectors for one in reembed(services, new) if one.video.id == video.id]


def test_the_other_space_is_filled_once_and_searched_alone(road: Road, user: str, new: Services) -> None:
    video = add_lecture(road.services, user, "강의", *SAID)
    before = search(road.services, user, "트랜잭션")
    assert search(new, user, "색인").found[0].moments[0].text.startswith(SAID[1])  # by words alone
    assert new.vectors.search(user, new.embedder.embed_question("색인"), limit=9) == []
    assert _made(road.services, new, video) == [len(SAID)]
    assert _made(road.services, new, video) == [0]
    assert search(road.services, user, "트랜잭션") == before
    found = new.vectors.search(user, new.embedder.embed_question("색인은 찾아보기"), limit=9)
    assert len(found) == len(SAID)
    old = road.services.vectors.search(user, road.services.embedder.embed_question("색인은 찾아보기"), limit=9)
    assert [one.id for one in found] == [one.id for one in old]
    assert found[0].similarity == pytest.approx(old[0].similarity, abs=1e-3)


def test_a_deleted_video_leaves_no_vector_in_either_space(road: Road, user: str, new: Services) -> None:
    video = add_lecture(road.services, user, "강의", *SAID)
    assert _made(road.services, new, video) == [len(SAID)]
    request_deletion(road.services, user, video.id)
    road.finish()
    for services in (road.services, new):
        assert services.vectors.ids(user, video.id) == {}
