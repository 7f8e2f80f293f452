"""What the catalog promises about whole libraries, large ones too: `biblio.ports.finder.Finder`."""

import random
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from biblio.domain.flow import Status
from biblio.domain.search import Filters, Scope
from biblio.domain.video import Video
from biblio.ports.catalog import Catalog
from tests.contracts.catalog_suite import CatalogSuite, add_video, ids_of, new_user
from tests.contracts.catalog_talks import find, talk, write


def suggest(catalog: Catalog, user: str, typed: str, limit: int = 10) -> list[str]:
    with catalog.transaction() as tx:
        return tx.finder.suggest(user, typed, limit=limit)


class LibraryContract(CatalogSuite):
    def test_a_large_library_is_searched_like_a_small_one(
        self, catalog: Catalog, user: str, large: Callable[[], None]
    ) -> None:
        questions = _library(catalog, user)
        small = [find(catalog, user, question, limit=5) for question in questions]
        large()
        again = [find(catalog, user, question, limit=5) for question in questions]
        assert [texts[:2] for texts in again] == [texts[:2] for texts in small]
        kept = sum(len(set(one) & set(other)) for one, other in zip(small, again, strict=True))
        assert kept >= 0.9 * sum(map(len, small))

    def test_a_large_library_is_searched_for_titles_too(
        self, catalog: Catalog, user: str, large: Callable[[], None]
    ) -> None:
        _library(catalog, user)
        titled = add_video(catalog, user, title="Thermodynamik für Anfänger")
        write(catalog, titled, "the first sentence", "the second sentence")
        small = find(catalog, user, "thermodynamik")
        large()
        assert set(find(catalog, user, "thermodynamik")) == set(small) == {"the first sentence", "the second sentence"}

    def test_a_large_library_is_searched_for_the_title_that_says_most(
        self, catalog: Catalog, user: str, large: Callable[[], None]
    ) -> None:
        """Though all of them say some of it."""
        for number in range(60):
            write(catalog, add_video(catalog, user, title=f"Lecture {number}"), "the first sentence")
        write(catalog, add_video(catalog, user, title="Lecture on thermodynamics"), "another first sentence")
        for _ in range(2):
            assert find(catalog, user, "lecture thermodynamics", limit=1) == ["another first sentence"]
            large()

    def test_a_large_library_is_searched_as_if_what_is_not_visible_were_not_there(
        self, catalog: Catalog, user: str, large: Callable[[], None]
    ) -> None:
        """It is being deleted, or is an older or a newer generation."""
        gone, shown = (add_video(catalog, user, title=title) for title in ("gone", "shown"))
        write(catalog, gone, *["the index of an index"] * 4_000, apart=50.0)
        write(catalog, shown, *["the index of an index"] * 4_000, apart=50.0)
        write(catalog, replace(shown, generation=2), "an index at last", *["filler"] * 20)
        with catalog.transaction() as tx:
            tx.videos.update(gone.id, status=Status.DELETING)
        for _ in range(2):
            assert find(catalog, user, "index") == ["an index at last"]
            large()

    def test_a_large_library_is_searched_in_a_scope_like_a_small_one(
        self, catalog: Catalog, user: str, large: Callable[[], None]
    ) -> None:
        """What is frequent elsewhere may be rare there."""
        for _ in range(40):
            write(catalog, add_video(catalog, user, title="elsewhere"), *["the index of an index"] * 60)
        inside = add_video(catalog, user, title="inside")
        write(catalog, inside, *[f"filler {number} word{number % 7}" for number in range(1_500)], "now the index")
        scope = Scope(only=(inside.id,))
        small = find(catalog, user, "an index", scope)
        large()
        assert find(catalog, user, "an index", scope) == small == ["now the index"]

    def test_a_large_library_is_searched_for_what_says_two_frequent_words(
        self, catalog: Catalog, user: str, large: Callable[[], None]
    ) -> None:
        both = _frequent(catalog, user)
        for size in ("small", "large"):
            assert set(find(catalog, user, "index lock", limit=2)) == both, size
            large()

    def test_a_large_library_is_searched_for_frequent_words_beside_one_that_nobody_says(
        self, catalog: Catalog, user: str, large: Callable[[], None]
    ) -> None:
        _frequent(catalog, user)
        for size in ("small", "large"):
            found = find(catalog, user, "semaphores of index")
            assert len(found) == 10, size
            assert all("index" in text for text in found), size
            large()

    def test_filters_choose_videos(self, catalog: Catalog, user: str) -> None:
        now = datetime.now(UTC)
        titles = ("Databases 50%", "데이터_베이스", "data\\bases", "DATABASES")
        videos = [
            add_video(catalog, user, title=title, created_at=now - timedelta(days=number))
            for number, title in enumerate(titles)
        ]
        for number, video in enumerate(videos):
            said = replace(talk("a", "b"), language=("ko", "en")[number % 2], duration=100.0 * number)
            with catalog.transaction() as tx:
                tx.passages.switch(video, said)
        add_video(catalog, user, title="not indexed")
        for filters, chosen in (
            (Filters(), (0, 1, 2, 3)),
            (Filters(language="en"), (1, 3)),
            (Filters(language="de"), ()),
            (Filters(since=now - timedelta(days=1)), (0, 1)),
            (Filters(until=now - timedelta(days=1)), (2, 3)),
            (Filters(since=now - timedelta(days=2), until=now), (1, 2)),
            (Filters(shortest=100.0), (1, 2, 3)),
            (Filters(longest=100.0), (0, 1)),
            (Filters(shortest=100.0, longest=200.0), (1, 2)),
            (Filters(shortest=100.5, longest=199.5), ()),
            (Filters(title="databases"), (0, 3)),
            (Filters(title="%"), (0,)),
            (Filters(title="_"), (1,)),
            (Filters(title="\\"), (2,)),
            (Filters(title="데이터_"), (1,)),
            (Filters(title="'; --"), ()),
            (Filters(language="en", title="databases", longest=300.0), (3,)),
        ):
            with catalog.transaction() as tx:
                found = tx.finder.where(user, filters)
            assert sorted(found) == sorted(ids_of(videos[number] for number in chosen)), filters

    @pytest.mark.parametrize(
        ("typed", "word"),
        [
            ("ㄷ", "데이터"),
            ("데", "데이터"),
            ("뎅", "데이터"),
            ("데잍", "데이터"),
            ("데이터", "데이터"),
            ("ㄷㅇ", "데이터"),
            ("ㄷㅇㅌ", "데이터"),
            ("이자", "이자"),
            ("in", "index"),
            ("INDEX", "index"),
            ("Ind", "index"),
            (unicodedata.normalize("NFD", "데이"), "데이터"),
        ],
    )
    def test_words_are_suggested_from_their_first_letter_on(
        self, catalog: Catalog, user: str, video: Video, typed: str, word: str
    ) -> None:
        """Of a Korean syllable too, and of each syllable."""
        write(catalog, video, "데이터가 있고, 데이터는 많고, 이자는 이자가 없습니다.", "An Index!")
        assert suggest(catalog, user, typed)[:1] == [word]

    def test_words_are_suggested_the_most_frequent_first(self, catalog: Catalog, user: str, video: Video) -> None:
        other = add_video(catalog, user, title="other")
        write(catalog, video, "index index indexes", "indices")
        write(catalog, other, "indices indices", "inner")
        assert suggest(catalog, user, "in") == ["indices", "index", "inner", "indexes"]
        assert suggest(catalog, user, "in", limit=2) == ["indices", "index"]
        assert suggest(catalog, user, "inde") == ["index", "indexes"]

    def test_words_are_suggested_of_what_the_user_sees_alone(self, catalog: Catalog, user: str, indexed: Video) -> None:
        stranger = new_user(catalog)
        assert suggest(catalog, user, "잠") == ["잠금은"]
        assert suggest(catalog, stranger, "잠") == []
        write(catalog, replace(indexed, generation=2), "잠수함 이야기", switch=False)
        assert suggest(catalog, user, "잠") == ["잠금은"]
        write(catalog, replace(indexed, generation=2), "잠수함 이야기")
        assert suggest(catalog, user, "잠") == ["잠수함"]
        with catalog.transaction() as tx:
            tx.passages.remove(indexed.id, generation=1)
        assert suggest(catalog, user, "잠") == ["잠수함"]
        with catalog.transaction() as tx:
            tx.videos.update(indexed.id, status=Status.DELETING)
        assert suggest(catalog, user, "잠") == []

    @pytest.mark.parametrize("typed", ["", " ", "%", "_", "'", "\\", "-- ", "🎓", "\U0010ffff", "없는말", "x" * 10_000])
    def test_what_no_word_begins_with_suggests_nothing(
        self, catalog: Catalog, user: str, indexed: Video, typed: str
    ) -> None:
        assert suggest(catalog, user, typed) == []


def _library(catalog: Catalog, user: str) -> list[str]:
    """Ten hours of talk, in each of which a rare thing is named twice; questions for it."""
    dice, questions = random.Random(7), []
    syllables = "가나다라마바사아자차카타파하고노도로모보소오조초코토포호"
    words = ["".join(dice.choice(syllables) for _ in range(3)) for _ in range(400)]
    often = [1 / (rank + 5) for rank in range(len(words))]
    for number in range(12):
        texts = [" ".join(dice.choices(words, often, k=6)) for _ in range(150)]
        rare = "".join(chr(0xB000 + 3 * number + place) for place in range(3))
        texts[20 + number] += f" {rare} needle{number} 말입니다"
        texts[90 + number] += f" {rare} 말입니다"
        write(catalog, add_video(catalog, user, title=f"talk {number}"), *texts, apart=20.0)
        questions += [f"{rare} needle{number}", f"{rare} needle{number} {words[number]} {words[5]}"]
    return questions


def _frequent(catalog: Catalog, user: str) -> set[str]:
    """A long talk, of which one half says one word all the time, the other another; where it says both, in either."""
    dice, both = random.Random(5), {"the index needs a lock, first", "the index needs a lock, then"}
    texts = [f"filler{dice.randrange(600)} word{dice.randrange(600)}" for _ in range(4_800)]
    for place in range(0, len(texts), 12):
        texts[place] += " index" if place < 2_400 else " lock"
    for text, place in zip(sorted(both), (1_207, 3_607), strict=True):
        texts[place] = text
    write(catalog, add_video(catalog, user, title="a long talk"), *texts, apart=50.0)
    return both
