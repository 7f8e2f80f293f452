"""What the catalog promises to whoever looks for passages: `biblio.ports.finder.Finder`."""

import unicodedata
from dataclasses import replace
from uuid import uuid4

import pytest

from biblio.domain.flow import Status
from biblio.domain.passages import Passage
from biblio.domain.search import EVERYWHERE, Filters, Hit, Scope
from biblio.domain.video import Video
from biblio.ports.catalog import Catalog
from tests.contracts.catalog_suite import CatalogSuite, add_video, new_user
from tests.contracts.catalog_talks import TALK, find, scores, write

LONELY = "다른 말은 아무 상관이 없습니다."


class FinderContract(CatalogSuite):
    @pytest.mark.parametrize("particle", ["", "은", "이", "을", "의", "에서는", "이라고", "들까지도"])
    @pytest.mark.parametrize("word", ["잠금장치", "서버", "책", "GPU"])
    def test_a_korean_word_is_found_with_any_particle_behind_it(
        self, catalog: Catalog, user: str, video: Video, word: str, particle: str
    ) -> None:
        write(catalog, video, f"오늘 배울 {word}{particle} 중요합니다.", "다음 시간에 만나요.")
        for question in (word, f"{word} 중요", f"{word}에 대해 중요한 것은"):
            assert find(catalog, user, question)[:1] == [f"오늘 배울 {word}{particle} 중요합니다."]

    @pytest.mark.parametrize(
        ("question", "said"),
        [
            ("데이터 베이스", "데이터베이스를 만듭니다."),
            ("데이터베이스", "데이터 베이스를 만듭니다."),
            ("데이 터베 이스", "데이터베이스"),
            ("INDEX", "an index"),
            ("index", "An INDEX!"),
            ("ｉｎｄｅｘ", "index"),
            ("index", "ＩＮＤＥＸ를 봅시다"),
            ("GPU를", "gpu is fast"),
            (unicodedata.normalize("NFD", "데이터베이스 café"), "데이터베이스 café"),
            ("데이터베이스 café", unicodedata.normalize("NFD", "데이터베이스 café")),
            ("straße", "STRASSE"),
            ("搜索", "中文搜索引擎"),
        ],
    )
    def test_spacing_and_capitals_do_not_matter(
        self, catalog: Catalog, user: str, video: Video, question: str, said: str
    ) -> None:
        """Nor does width, nor how a letter is composed."""
        write(catalog, video, LONELY, said)
        assert find(catalog, user, question) == [said]

    def test_a_question_of_one_syllable_finds_the_words_that_begin_with_it(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        write(catalog, video, "책은 좋다", "그 책상 위", "책", "정책은 어렵다", "산책")
        assert set(find(catalog, user, "책")) == {"책은 좋다", "그 책상 위", "책"}

    def test_any_of_the_terms_is_enough_and_more_of_them_come_first(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        write(catalog, video, "an index here", "index and table", "nothing at all", "index, table, view")
        assert find(catalog, user, "INDEX table View?") == ["index, table, view", "index and table", "an index here"]

    def test_points_are_the_share_of_the_question_that_is_said(self, catalog: Catalog, user: str, video: Video) -> None:
        ids = write(catalog, video, "one two three four", "one two", LONELY, *[f"filler {n}" for n in range(20)])
        points = scores(catalog, user, "one two three four")
        assert list(points) == ids[:2], "the best first"
        assert points[ids[0]] == pytest.approx(1, abs=0.4)
        assert 0 < points[ids[1]] < points[ids[0]] / 1.5

    def test_a_rare_word_counts_more_than_a_frequent_one(self, catalog: Catalog, user: str, video: Video) -> None:
        write(catalog, video, *[f"index number {n}" for n in range(30)], "the semaphore is red", "인덱스", "세마포어")
        assert find(catalog, user, "index semaphore", limit=2)[0] == "the semaphore is red"
        other = add_video(catalog, user)
        write(catalog, other, *["인덱스를 봅니다"] * 30)
        assert find(catalog, user, "인덱스 세마포어", limit=2)[0] == "세마포어"

    def test_what_is_rare_is_told_by_the_users_own_library_alone(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        write(catalog, video, *["an index"] * 30, "a table")
        alone = scores(catalog, user, "index table")
        other = new_user(catalog)
        write(catalog, add_video(catalog, other), *["a table"] * 300)
        assert scores(catalog, user, "index table") == alone

    def test_what_is_said_around_a_passage_counts(self, catalog: Catalog, user: str, video: Video) -> None:
        """Near in time, on either side; however far the sentences stand apart in number."""
        write(catalog, video, "the index", LONELY, "of tables", apart=15.0)
        assert find(catalog, user, "index tables")[-1] == LONELY
        assert len(find(catalog, user, "index tables")) == 3
        write(catalog, video, "the index", LONELY, "of tables")
        assert LONELY not in find(catalog, user, "index tables")

    def test_what_is_said_around_makes_the_better_of_two_twins(self, catalog: Catalog, user: str, video: Video) -> None:
        texts = ["그것은 매우 빠릅니다", "인덱스가 있으면", *[LONELY] * 40, "그것은 매우 빠릅니다", LONELY]
        ids = write(catalog, video, *texts, apart=10.0)
        points = scores(catalog, user, "인덱스 빠릅니다", limit=100)
        assert max(points, key=lambda one: points[one]) in ids[:2]
        assert points[ids[0]] > points[ids[42]] > points[ids[43]]

    def test_what_is_said_in_the_title_counts_too(self, catalog: Catalog, user: str) -> None:
        plain, titled = (add_video(catalog, user, title=title) for title in ("Lecture 1", "데이터베이스 입문"))
        for video in (plain, titled):
            write(catalog, video, "잠금이 중요합니다.", LONELY)
        with catalog.transaction() as tx:
            best = tx.finder.by_ids(user, list(scores(catalog, user, "데이터 베이스 잠금", limit=1)))
        assert [hit.video_id for hit in best.values()] == [titled.id]
        assert len(find(catalog, user, "데이터베이스")) == 2, "both sentences of the one with the title"

    def test_what_is_said_in_the_title_changes_when_it_is_renamed(
        self, catalog: Catalog, user: str, indexed: Video
    ) -> None:
        with catalog.transaction() as tx:
            tx.videos.update(indexed.id, title="알고리즘 GRAPHS")
        assert len(find(catalog, user, "알고리즘")) == len(find(catalog, user, "graphs")) == len(TALK)
        assert find(catalog, user, "트랜잭션") == [], "as it was called before"

    def test_a_user_never_finds_another_users_passages(self, catalog: Catalog, indexed: Video) -> None:
        other = new_user(catalog)
        with catalog.transaction() as tx:
            ids = tx.passages.ids(indexed.id)[1]
            assert len(tx.finder.by_ids(indexed.user_id, ids)) == len(TALK)
            assert tx.finder.by_ids(other, ids) == {}
            assert tx.finder.reading(other, ids, seconds=20) == {}
            assert tx.finder.where(other, Filters()) == ()
        assert find(catalog, indexed.user_id, "아무것도") == [TALK[0]]
        write(catalog, add_video(catalog, other, title="mine"), "내 것")
        for scope in (EVERYWHERE, Scope(only=(indexed.id,))):
            assert find(catalog, other, "아무것도", scope) == []
            assert scores(catalog, other, "아무것도", scope, also=ids) == {}

    def test_a_search_in_a_scope_finds_only_what_is_in_it(self, catalog: Catalog, user: str, indexed: Video) -> None:
        others = [add_video(catalog, user, title="other") for _ in range(2)]
        for number, other in enumerate(others):
            write(catalog, other, f"다른 아무것도 {number}")
        assert len(find(catalog, user, "아무것도")) == 3
        first, second = (other.id for other in others)
        for scope, texts in (
            (Scope(only=(first,)), {"다른 아무것도 0"}),
            (Scope(only=(first, second)), {"다른 아무것도 0", "다른 아무것도 1"}),
            (Scope(only=(first, second), without=(first,)), {"다른 아무것도 1"}),
            (Scope(without=(first,)), {TALK[0], "다른 아무것도 1"}),
            (Scope(without=(first, second, indexed.id)), set()),
            (Scope(only=(first,), without=(first,)), set()),
            (Scope(only=()), set()),
            (Scope(only=(str(uuid4()),)), set()),
        ):
            assert set(find(catalog, user, "아무것도", scope)) == texts

    def test_a_video_being_deleted_is_found_no_longer(self, catalog: Catalog, user: str, indexed: Video) -> None:
        with catalog.transaction() as tx:
            ids = tx.passages.ids(indexed.id)[1]
            tx.videos.update(indexed.id, status=Status.DELETING)
            assert tx.finder.by_ids(user, ids) == {}
            assert tx.finder.where(user, Filters()) == ()
        assert find(catalog, user, "아무것도") == []
        assert scores(catalog, user, "아무것도", also=ids) == {}

    def test_an_older_generation_is_found_no_longer_though_it_is_still_there(
        self, catalog: Catalog, user: str, indexed: Video
    ) -> None:
        with catalog.transaction() as tx:
            old = tx.passages.ids(indexed.id)[1]
        write(catalog, replace(indexed, generation=2), "모두 새로운 말")
        assert find(catalog, user, "모두 아무것도") == ["모두 새로운 말"]
        assert scores(catalog, user, "아무것도", also=old) == {}

    def test_a_hit_says_where_it_stands(self, catalog: Catalog, user: str, indexed: Video) -> None:
        with catalog.transaction() as tx:
            passage_id = tx.passages.ids(indexed.id)[1][1]
            known = tx.finder.by_ids(user, [passage_id, str(uuid4())])
            assert tx.finder.by_ids(user, []) == {}
        assert known == {passage_id: Hit(passage_id, indexed.id, indexed.title, Passage(1, 1000.0, 1005.0, TALK[1]))}
        assert list(scores(catalog, user, "index")) == [passage_id]

    def test_no_more_are_found_than_asked_for_but_those_that_are_asked_about(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        texts = ["index " * (number % 3) + f"number {number}" for number in range(40)]
        ids = write(catalog, video, *texts, apart=7.0)
        everything = scores(catalog, user, "index", limit=100)
        best = scores(catalog, user, "index", limit=5)
        assert len(best) == 5
        assert min(best.values()) >= max(value for one, value in everything.items() if one not in best)
        asked = scores(catalog, user, "index", limit=5, also=[*ids[:3], str(uuid4())])
        assert asked == {**{one: everything[one] for one in ids[:3]}, **best}

    def test_a_passage_that_says_nothing_of_it_has_no_points(self, catalog: Catalog, user: str, indexed: Video) -> None:
        with catalog.transaction() as tx:
            ids = tx.passages.ids(indexed.id)[1]
        points = scores(catalog, user, "index", also=ids)
        assert [points[one] > 0 for one in ids] == [False, True, False]

    def test_what_is_read_from_a_passage_on_ends_after_so_many_seconds(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        ids = write(catalog, video, *"abcdefgh", apart=6.0)
        said = [Passage(place, place * 6.0, place * 6.0 + 5, text) for place, text in enumerate("abcdefgh")]
        with catalog.transaction() as tx:
            read = tx.finder.reading(user, [ids[1], ids[6]], seconds=18.5)
            assert read == {ids[1]: said[1:5], ids[6]: said[6:]}
            assert tx.finder.reading(user, [ids[3]], seconds=0.1) == {ids[3]: [said[3]]}
            assert tx.finder.reading(user, [], seconds=20) == {}

    def test_what_is_read_is_of_one_generation(self, catalog: Catalog, user: str, indexed: Video) -> None:
        new = replace(indexed, generation=2)
        ids = write(catalog, new, "eins", "zwei", apart=5.0)
        with catalog.transaction() as tx:
            read = tx.finder.reading(user, ids[:1], seconds=10_000)
        assert [passage.text for passage in read[ids[0]]] == ["eins", "zwei"]

    def test_terms_that_no_question_makes_are_only_terms(self, catalog: Catalog, indexed: Video) -> None:
        def look(terms: list[str]) -> dict[str, float]:
            with catalog.transaction() as tx:
                return tx.finder.by_words(indexed.user_id, terms, limit=10, scope=EVERYWHERE)

        for term in ("'", "\\", "'index'", "index' | 'a", "in:*", "!index", "a b", " ", "", "\\'", "^", "x" * 5_000):
            assert look([term]) == {}
        assert look([]) == {}
        assert look([f"nothing{i}" for i in range(5_000)]) == {}
        assert len(look(["index", *(f"nothing{i}" for i in range(5_000))])) == 1
