"""How PostgreSQL looks for words: blocks of numbers, an index on them, and points."""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from uuid import uuid4

import numpy as np
import pytest

from biblio.adapters.catalog.postgresql import connect, finder
from biblio.adapters.catalog.postgresql.blocks import AROUND, MARGIN, MOST_TERMS, OWN, Block, blocks_of, keys_of
from biblio.adapters.catalog.postgresql.scoring import (
    ITSELF,
    LENGTH,
    NEXT,
    SATURATION_OF_PAIRS,
    SATURATION_OF_WORDS,
    SOON,
)
from biblio.domain.passages import Passage, passages_of
from biblio.domain.search import Scope
from biblio.domain.video import Video
from biblio.domain.words import asked_terms, held_terms, is_syllabic
from biblio.dsn import Dsn
from biblio.ports.catalog import Catalog
from tests.contracts.catalog_suite import add_video, new_user
from tests.contracts.catalog_talks import find, scores, talk, write
from tests.database import look_into


@pytest.fixture(scope="module")
def dsn(addresses: Mapping[str, str]) -> Dsn:
    return Dsn.parse(addresses["BIBLIO_DATABASE"])


@pytest.fixture(scope="module")
def catalog(dsn: Dsn) -> Iterator[Catalog]:
    catalog = connect(dsn)
    catalog.prepare()
    yield catalog
    catalog.close()


@pytest.fixture
def user(catalog: Catalog) -> str:
    return new_user(catalog)


@dataclass(frozen=True)
class Opened:
    """What is in a block, passage by passage: where each begins (milliseconds), and its terms."""

    starts: list[int]
    terms: list[list[int]]


def _opened(block: Block) -> Opened:
    numbers = np.frombuffer(block.content, dtype="<i4").tolist()
    starts, counts, terms = (
        numbers[: block.shown],
        numbers[block.shown : 2 * block.shown],
        numbers[2 * block.shown :],
    )
    ends = list(accumulate(counts))
    assert len(terms) == ends[-1]
    return Opened(starts, [terms[end - count : end] for end, count in zip(ends, counts, strict=True)])


class TestBlocks:
    @pytest.mark.parametrize("seed", range(8))
    def test_each_passage_is_a_blocks_own_once_and_stands_around_others(self, seed: int) -> None:
        dice = random.Random(seed)
        starts = [float(start) for start in sorted(dice.sample(range(5_000), dice.randrange(1, 300)))]
        passages = [Passage(place, start, start + 1, f"word{place}") for place, start in enumerate(starts)]
        blocks = list(blocks_of("me", passages))
        own = [terms for block in blocks for terms in _opened(block).terms[block.before : block.before + block.own]]
        assert own == [keys_of("me", [f"word{place}"]) for place in range(len(passages))]
        assert [block.number for block in blocks] == list(range(math.ceil(len(passages) / OWN)))
        for block in blocks:
            first = block.number * OWN
            shown = range(first - block.before, first - block.before + block.shown)
            assert _opened(block).starts == [round(starts[place] * 1000) for place in shown]
            assert sorted(block.terms) == sorted({term for terms in _opened(block).terms for term in terms})
            around = {
                place
                for place in range(max(0, first - MARGIN), min(len(passages), first + block.own + MARGIN))
                if starts[first] * 1000 - AROUND <= starts[place] * 1000
                and starts[place] * 1000 <= starts[first + block.own - 1] * 1000 + AROUND
            }
            assert set(shown) == around

    def test_a_passage_of_endless_words_is_cut(self) -> None:
        (block,) = blocks_of("me", [Passage(0, 0.0, 1.0, " ".join(f"w{number}" for number in range(MOST_TERMS * 2)))])
        assert len(block.terms) == len(_opened(block).terms[0]) == MOST_TERMS

    def test_the_numbers_of_two_users_have_nothing_in_common(self) -> None:
        terms = [f"term {number}" for number in range(5_000)]
        mine, yours = keys_of("me", terms), keys_of("you", terms)
        assert mine == keys_of("me", terms)
        assert len(set(mine) & set(yours)) < 5
        assert all(-(2**31) <= key < 2**31 for key in (*mine, *yours))


def test_the_index_on_terms_is_used_by_the_role_that_row_level_security_binds(
    dsn: Dsn, catalog: Catalog, user: str
) -> None:
    """Were the table guarded, each of its rows would be read."""
    write(catalog, add_video(catalog, user), "an index")
    with look_into(dsn, options="-c enable_seqscan=off") as connection:
        query = "EXPLAIN SELECT FROM blocks WHERE terms @> ARRAY[%s]"
        plan = "\n".join(line for (line,) in connection.execute(query, [keys_of(user, ["index"])[0]]))
    assert "blocks_by_term" in plan
    assert "Index Cond" in plan


@dataclass(frozen=True)
class Told:
    """As PostgreSQL is told, computed from all passages by hand. `library` by title."""

    library: Mapping[str, Sequence[Passage]]
    question: Sequence[str]

    def points(self) -> list[float]:
        everything = [(title, one) for title, passages in self.library.items() for one in passages]
        windows = [self._around(title, one) for title, one in everything]
        usual = sum(sum(map(self._length, window)) for window in windows) / len(windows)
        many = {term: sum(term in held_terms(one.text) for _, one in everything) for term in self.question}
        rarity = {term: math.log(1 + (len(everything) - n + 0.5) / (n + 0.5)) for term, n in many.items()}
        points = []
        for (title, one), window in zip(everything, windows, strict=True):
            length = 1 - LENGTH + LENGTH * sum(map(self._length, window)) / usual
            around = 0.0
            for term, rare in rarity.items():
                often = sum(term in held_terms(other.text) for other in window) + (term in held_terms(title))
                sated = SATURATION_OF_PAIRS if is_syllabic(term) else SATURATION_OF_WORDS
                around += rare * often * (sated + 1) / (often + sated * length)
            itself = sum(rare * self._said(term, title, one) for term, rare in rarity.items())
            points.append((ITSELF * itself + around) / (1 + ITSELF) / sum(rarity.values()))
        return points

    def _said(self, term: str, title: str, one: Passage) -> float:
        then = self.library[title][one.position + 1 : one.position + 2]
        soon = any(term in held_terms(other.text) for other in then if (other.start - one.start) * 1000 <= SOON)
        return 1.0 if term in held_terms(one.text) else NEXT * soon

    def _around(self, title: str, one: Passage) -> list[Passage]:
        return [other for other in self.library[title] if abs(other.start - one.start) * 1000 <= AROUND]

    def _length(self, one: Passage) -> int:
        return len(set(held_terms(one.text)))


def _library(dice: random.Random) -> dict[str, list[str]]:
    words = ["인덱스", "테이블", "index", "table", "잠금", "lock", "책", "the", "a", "이것은", "봅시다", "그래서"]
    return {
        title: [" ".join(dice.choices(words, k=dice.randrange(1, 7))) for _ in range(dice.randrange(1, 70))]
        for title in ("잠금 이야기", "an index", "nothing")
    }


def _write_all(catalog: Catalog, user: str, library: Mapping[str, Sequence[str]], apart: float) -> list[str]:
    """Ids, in order."""
    videos = [add_video(catalog, user, title=title) for title in library]
    return [one for video in videos for one in write(catalog, video, *library[video.title], apart=apart)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("question", ["인덱스와 테이블", "the index of a table", "책", "잠금 lock 그래서"])
def test_points_are_those_of_bm25(catalog: Catalog, user: str, seed: int, question: str) -> None:
    dice = random.Random(seed)
    library, apart = _library(dice), dice.choice((3.0, 7.0, 39.0, 100.0))
    ids = _write_all(catalog, user, library, apart)
    told = Told(
        {title: passages_of(talk(*texts, apart=apart).sentences) for title, texts in library.items()},
        asked_terms(question),
    )
    points = scores(catalog, user, question, limit=1_000)
    assert [points.get(one, 0.0) for one in ids] == pytest.approx(told.points(), abs=1e-6)


class TestLarge:
    """A library of which a sample tells how rare words are."""

    @pytest.fixture
    def video(self, catalog: Catalog, user: str) -> Video:
        """More blocks than are looked through, and a few words that only some of them hold."""
        video = add_video(catalog, user, title="plain")
        texts = [f"filler {'often ' * (number % 3 == 0)}word{number % 50}" for number in range(200 * OWN)]
        for number in range(0, 200 * OWN, 40 * OWN):
            texts[number + 5] += " needle"
        write(catalog, video, *texts, apart=20.0)
        return video

    @pytest.fixture(autouse=True)
    def _few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(finder, "WHOLE", 50)

    def test_the_rarest_word_leads_there(self, catalog: Catalog, user: str, video: Video) -> None:
        assert len(scores(catalog, user, "often needle", limit=1_000)) > 5
        found = find(catalog, user, "often needle")
        assert [text.endswith("needle") for text in found] == [True] * 5 + [False] * 5

    def test_points_are_nearly_those_of_a_small_one(
        self, catalog: Catalog, user: str, video: Video, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sampled = scores(catalog, user, "often needle word7")
        monkeypatch.setattr(finder, "WHOLE", 1_000)
        whole = scores(catalog, user, "often needle word7", also=list(sampled))
        assert sampled == pytest.approx({one: whole[one] for one in sampled}, rel=0.15)

    def test_whatever_is_asked_about_gets_its_points(self, catalog: Catalog, user: str, video: Video) -> None:
        """Though no rare word leads there: the vectors found it."""
        with catalog.transaction() as tx:
            ids = tx.passages.ids(video.id)[1]
        points = scores(catalog, user, "needle often", limit=1, also=[ids[1000], ids[1001], str(uuid4())])
        assert {ids[1000], ids[1001]} < points.keys()
        assert len(points) == 3

    def test_a_word_that_nobody_says_leads_nowhere(self, catalog: Catalog, user: str, video: Video) -> None:
        assert scores(catalog, user, "unheard") == {}
        assert scores(catalog, user, "unheard needle")

    def test_what_is_left_out_and_what_is_old_is_not_found(self, catalog: Catalog, user: str, video: Video) -> None:
        other = add_video(catalog, user, title="other")
        (passage_id,) = write(catalog, other, "a needle")
        assert list(scores(catalog, user, "needle", Scope(without=(video.id,)))) == [passage_id]
        write(catalog, replace(video, generation=2), *["filler"] * 100 * OWN)
        assert list(scores(catalog, user, "needle")) == [passage_id]

    def test_the_number_of_blocks_is_estimated_from_the_smallest_lots(self, catalog: Catalog, user: str) -> None:
        @dataclass(frozen=True)
        class Row:
            many: int
            last: int

        dice = random.Random(3)
        for many in (500, 5_000, 50_000):
            lots = sorted(dice.randrange(-(2**31), 2**31) for _ in range(many))
            assert finder._estimate(Row(401, lots[400])) == pytest.approx(many, rel=0.15)
