"""What every vector store promises: one test for each line of `biblio.ports.vectors.VectorStore`.

An adapter's class supplies the fixtures

- `vectors`: prepared, of dimension `DIMENSION`
- `elsewhere`: another space of the same engine, not prepared
- `absent`: a store whose engine is not there
- `crowded`: lets the engine search a user with more than `CROWD` vectors as it searches one with very many
"""

import math
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from biblio.domain.search import EVERYWHERE, Scope
from biblio.errors import Rejected, Unavailable
from biblio.ports.vectors import Near, Owner, VectorRecord, VectorStore
from tests.contracts.catalog_suite import at_once

DIMENSION = 8
CROWD = 200
NEARLY = 1e-3
"""Stores may keep numbers with 16 bits."""


def _axis(number: int, angle: float = 0.0) -> list[float]:
    """A unit vector along one axis, turned by so many radians towards the next one."""
    vector = [0.0] * DIMENSION
    vector[number], vector[(number + 1) % DIMENSION] = math.cos(angle), math.sin(angle)
    return vector


def _record(values: list[float], text: str = "트랜잭션 \"'\\\t\n🎓") -> VectorRecord:
    return VectorRecord(str(uuid4()), values, 1.5, 20.25, text)


class VectorsContract:
    @pytest.fixture
    def owner(self, vectors: VectorStore) -> Owner:
        vectors.prepare()
        return _owner()

    def test_what_was_upserted_is_found_nearest_first(self, vectors: VectorStore, owner: Owner) -> None:
        angles = [0.9, 0.1, 2.5, 0.4, math.pi]
        records = [_record(_axis(0, angle)) for angle in angles]
        vectors.upsert(owner, records)
        found = vectors.search(owner.user_id, _axis(0), limit=10)
        assert [hit.id for hit in found] == [records[number].id for number in (1, 3, 0, 2, 4)]
        assert [hit.similarity for hit in found] == pytest.approx([math.cos(a) for a in sorted(angles)], abs=NEARLY)
        assert {(hit.video_id, hit.generation) for hit in found} == {(owner.video_id, owner.generation)}
        assert vectors.search(owner.user_id, _axis(0), limit=2) == found[:2]
        assert vectors.ids(owner.user_id, owner.video_id) == {1: sorted(record.id for record in records)}

    def test_similarity_does_not_depend_on_length(self, vectors: VectorStore, owner: Owner) -> None:
        vectors.upsert(owner, [_record([7.0 * value for value in _axis(0, 0.5)])])
        (hit,) = vectors.search(owner.user_id, [0.01 * value for value in _axis(0)], limit=1)
        assert hit.similarity == pytest.approx(math.cos(0.5), abs=NEARLY)

    def test_upserting_the_same_ids_twice_leaves_one_of_each(self, vectors: VectorStore, owner: Owner) -> None:
        records = [_record(_axis(number)) for number in range(3)]
        moved = [VectorRecord(record.id, _axis(5), 0, 1, "moved") for record in records[:1]]
        vectors.upsert(owner, records)
        vectors.upsert(owner, records[1:] + moved)
        assert vectors.ids(owner.user_id, owner.video_id) == {1: sorted(record.id for record in records)}
        found = vectors.search(owner.user_id, _axis(5), limit=10)
        assert [hit.id for hit in found if hit.similarity > 0.99] == [records[0].id]

    def test_two_workers_may_upsert_the_same_ids_at_once(self, vectors: VectorStore, owner: Owner) -> None:
        records = [_record(_axis(number % DIMENSION)) for number in range(200)]
        at_once(4, lambda _: vectors.upsert(owner, records))
        assert vectors.ids(owner.user_id, owner.video_id) == {1: sorted(record.id for record in records)}

    def test_upserting_nothing_is_no_error(self, vectors: VectorStore, owner: Owner) -> None:
        vectors.upsert(owner, [])
        assert vectors.ids(owner.user_id, owner.video_id) == {}
        assert vectors.search(owner.user_id, _axis(0), limit=3) == []

    def test_a_user_never_finds_another_users_vectors(self, vectors: VectorStore, owner: Owner) -> None:
        other = _owner()
        theirs, mine = _record(_axis(0)), _record(_axis(0, 1.0))
        vectors.upsert(owner, [theirs])
        vectors.upsert(other, [mine])
        assert [hit.id for hit in vectors.search(other.user_id, _axis(0), limit=10)] == [mine.id]
        assert vectors.search(other.user_id, _axis(0), limit=10, scope=Scope(only=(owner.video_id,))) == []
        assert vectors.similarities(other.user_id, _axis(0), [theirs.id, mine.id]).keys() == {mine.id}
        assert vectors.ids(other.user_id, owner.video_id) == {}
        vectors.remove(other.user_id, owner.video_id)
        assert len(vectors.search(owner.user_id, _axis(0), limit=10)) == 1

    def test_a_search_in_a_scope_finds_only_what_is_in_it(self, vectors: VectorStore, owner: Owner) -> None:
        videos = [Owner(owner.user_id, str(uuid4()), 1) for _ in range(3)]
        for video in videos:
            vectors.upsert(video, [_record(_axis(0)), _record(_axis(1))])
        first, second, third = (video.video_id for video in videos)
        assert len(vectors.search(owner.user_id, _axis(0), limit=10)) == 6
        for scope, inside in (
            (Scope(only=(first, second)), [first, second]),
            (Scope(without=(first,)), [second, third]),
            (Scope(only=(first, second), without=(first, third)), [second]),
            (Scope(without=(first, second, third)), []),
            (Scope(only=()), []),
            (Scope(only=(str(uuid4()),)), []),
        ):
            found = vectors.search(owner.user_id, _axis(0), limit=10, scope=scope)
            assert sorted(hit.video_id for hit in found) == sorted(inside * 2)

    def test_the_similarity_of_known_vectors_is_told_nothing_of_unknown_ones(
        self, vectors: VectorStore, owner: Owner
    ) -> None:
        angles = {str(uuid4()): number / 3 for number in range(9)}
        vectors.upsert(owner, [VectorRecord(one, _axis(0, angle), 0, 1, "a") for one, angle in angles.items()])
        asked = list(angles)[2:7]
        told = vectors.similarities(owner.user_id, _axis(0), [*asked, str(uuid4())])
        assert told == pytest.approx({one: math.cos(angles[one]) for one in asked}, abs=NEARLY)
        near = vectors.search(owner.user_id, _axis(0), limit=9)
        assert {hit.id: hit.similarity for hit in near if hit.id in told} == pytest.approx(told, abs=1e-6)
        assert vectors.similarities(owner.user_id, _axis(0), []) == {}

    def test_vectors_of_two_spaces_are_never_compared_and_are_removed_together(
        self, vectors: VectorStore, elsewhere: VectorStore, owner: Owner
    ) -> None:
        """Vectors of two embedders may have the same dimension and nothing else in common."""
        elsewhere.prepare()
        here, there = _record(_axis(0)), _record(_axis(0))
        both = str(uuid4())
        vectors.upsert(owner, [here, VectorRecord(both, _axis(1), 0, 1, "a")])
        elsewhere.upsert(owner, [there, VectorRecord(both, _axis(0), 0, 1, "a")])
        assert {hit.id for hit in vectors.search(owner.user_id, _axis(0), limit=9)} == {here.id, both}
        assert {hit.id for hit in elsewhere.search(owner.user_id, _axis(0), limit=9)} == {there.id, both}
        for store, cosine in ((vectors, 0.0), (elsewhere, 1.0)):
            told = store.similarities(owner.user_id, _axis(0), [here.id, there.id, both])
            assert len(told) == 2
            assert told[both] == pytest.approx(cosine, abs=NEARLY)
            assert list(store.owners()).count(owner) == 1
        assert vectors.ids(owner.user_id, owner.video_id) == {1: sorted([here.id, both])}
        vectors.remove(owner.user_id, owner.video_id, generation=1)
        assert elsewhere.ids(owner.user_id, owner.video_id) == {}
        elsewhere.upsert(owner, [there])
        vectors.remove(owner.user_id, owner.video_id)
        assert elsewhere.search(owner.user_id, _axis(0), limit=3) == []

    def test_a_small_user_gets_all_their_hits_beside_a_large_one(
        self, vectors: VectorStore, owner: Owner, crowded: Callable[[], None]
    ) -> None:
        luck = random.Random(7)
        large = [_record([*_axis(0, luck.uniform(0, 0.1))], "near") for _ in range(5_000)]
        for first in range(0, len(large), 500):
            vectors.upsert(Owner("large " + owner.user_id, str(uuid4()), 1), large[first : first + 500])
        mine = [_record(_axis(0, 1.0 + number / 10)) for number in range(5)]
        vectors.upsert(owner, mine)
        for _ in range(2):
            found = vectors.search(owner.user_id, _axis(0), limit=50)
            assert [hit.id for hit in found] == [record.id for record in mine]
            crowded()

    def test_of_very_many_vectors_nearly_all_of_the_nearest_are_found(
        self, vectors: VectorStore, owner: Owner, crowded: Callable[[], None]
    ) -> None:
        """Beside somebody who has as many in the same places; in a scope too."""
        dice = random.Random(11)
        videos = [Owner(owner.user_id, str(uuid4()), 1) for _ in range(4)]
        for video in (*videos, _owner()):
            vectors.upsert(video, [_record([dice.gauss(0, 1) for _ in range(DIMENSION)]) for _ in range(4 * CROWD)])
        scopes = (EVERYWHERE, Scope(without=(videos[0].video_id,)), Scope(only=(videos[1].video_id,)))
        asked = [([dice.gauss(0, 1) for _ in range(DIMENSION)], scope) for scope in scopes for _ in range(10)]

        def answers() -> list[list[Near]]:
            return [vectors.search(owner.user_id, question, limit=50, scope=scope) for question, scope in asked]

        exact = answers()
        crowded()
        quick = answers()
        for hits in quick:
            assert [hit.similarity for hit in hits] == sorted((hit.similarity for hit in hits), reverse=True)
        kept = sum(len(set(one) & set(other)) for one, other in zip(exact, quick, strict=True))
        assert sum(map(len, quick)) == sum(map(len, exact)) == 50 * len(asked)
        assert kept >= 0.95 * sum(map(len, exact))

    def test_removing_a_generation_leaves_the_others(self, vectors: VectorStore, owner: Owner) -> None:
        kept = _record(_axis(0))
        vectors.upsert(owner, [_record(_axis(0)), _record(_axis(1))])
        vectors.upsert(Owner(owner.user_id, owner.video_id, 2), [kept])
        for _ in range(2):
            vectors.remove(owner.user_id, owner.video_id, generation=1)
            assert vectors.ids(owner.user_id, owner.video_id) == {2: [kept.id]}
        (hit,) = vectors.search(owner.user_id, _axis(0), limit=10)
        assert (hit.id, hit.generation) == (kept.id, 2)

    def test_removing_a_video_removes_all_its_generations_and_may_be_repeated(
        self, vectors: VectorStore, owner: Owner
    ) -> None:
        beside = Owner(owner.user_id, str(uuid4()), 1)
        vectors.upsert(beside, [_record(_axis(0))])
        for generation in (1, 2, 3):
            vectors.upsert(Owner(owner.user_id, owner.video_id, generation), [_record(_axis(generation))])
        for _ in range(2):
            vectors.remove(owner.user_id, owner.video_id)
            assert vectors.ids(owner.user_id, owner.video_id) == {}
        assert len(vectors.search(owner.user_id, _axis(0), limit=10)) == 1

    @pytest.mark.parametrize("length", [0, 1, DIMENSION - 1, DIMENSION + 1])
    def test_a_vector_of_the_wrong_dimension_is_rejected(self, vectors: VectorStore, owner: Owner, length: int) -> None:
        with pytest.raises(Rejected):
            vectors.upsert(owner, [_record(_axis(0)), _record([0.5] * length)])
        vectors.upsert(owner, [_record(_axis(0))])
        with pytest.raises(Rejected):
            vectors.search(owner.user_id, [0.5] * length, limit=3)

    def test_every_owner_of_vectors_is_named(self, vectors: VectorStore, owner: Owner) -> None:
        owners = [owner, replace(owner, generation=2), Owner(owner.user_id, str(uuid4()), 1), _owner()]
        for one in owners:
            vectors.upsert(one, [_record(_axis(0)), _record(_axis(1))])
        vectors.upsert(_owner(), [])
        mine = {one.user_id for one in owners}
        assert Counter(one for one in vectors.owners() if one.user_id in mine) == Counter(owners), "each of them once"
        vectors.remove(owner.user_id, owner.video_id, generation=1)
        assert owner not in set(vectors.owners())
        assert owners[1] in set(vectors.owners())

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_what_is_no_number_is_rejected(self, vectors: VectorStore, owner: Owner, value: float) -> None:
        with pytest.raises(Rejected):
            vectors.upsert(owner, [_record([value] + [0.5] * (DIMENSION - 1))])
        assert vectors.ids(owner.user_id, owner.video_id) == {}

    def test_preparing_may_be_repeated_and_by_many_at_once(self, vectors: VectorStore, owner: Owner) -> None:
        vectors.upsert(owner, [_record(_axis(0))])
        at_once(8, lambda _: vectors.prepare())
        vectors.ping()
        assert len(vectors.search(owner.user_id, _axis(0), limit=3)) == 1

    def test_many_threads_share_one_store(self, vectors: VectorStore, owner: Owner) -> None:
        def round_trip(number: int) -> bool:
            mine, record = Owner(owner.user_id, str(uuid4()), 1), _record(_axis(number % DIMENSION))
            vectors.upsert(mine, [record])
            found = vectors.search(mine.user_id, record.values, limit=1, scope=Scope(only=(mine.video_id,)))
            return [hit.id for hit in found] == [record.id]

        assert all(at_once(24, round_trip))

    def test_a_store_that_is_down_is_unavailable(self, absent: VectorStore) -> None:
        for call in (absent.ping, absent.prepare):
            began = time.monotonic()
            with pytest.raises(Unavailable):
                call()
            assert time.monotonic() - began < 10


def _owner() -> Owner:
    return Owner(f"user {uuid4().hex}", str(uuid4()), 1)
