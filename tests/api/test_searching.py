"""Questions over HTTP, answered by a small library of real vectors and words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from biblio.domain.video import Video
from tests.api.conftest import Api, running_api
from tests.lectures import PACE, add_lecture

DATABASES = (
    "오늘은 데이터베이스를 배웁니다.",
    "트랜잭션은 모두 되거나 아무것도 안 됩니다.",
    "데이터 베이스의 색인은 책의 찾아보기와 같습니다.",
    "GPU를 쓰면 학습이 빨라집니다.",
)
GRADIENTS = (
    "Today we look at deep networks.",
    "Gradients vanish because the derivatives of the sigmoid are small.",
    "Use rectified linear units instead.",
)
HOSTILE = [
    "' OR 1=1 --",
    "'; DROP TABLE videos; --",
    '"',
    '""',
    '"" "" -""',
    "-",
    "- -",
    '-"색인',
    "a & b | !c <-> (d):*",
    "%_\\",
    "\x00트랜잭션\x00",
    "🎓👩‍👩‍👧",
    "\u202e\u200b",
    "ㅋㅋㅋㅋ",
    "ㄳㅄ",
    "가" * 1_000,
    "x " * 500,
    '"' * 1_000,
    "\ud83c",
]


@dataclass(frozen=True)
class Library:
    api: Api
    databases: Video
    gradients: Video

    def ask(self, q: str, **options: Any) -> dict[str, Any]:
        answer = self.api.http.get("/api/search", params={"q": q, **options})
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def best(self, q: str, **options: Any) -> dict[str, Any]:
        moment: dict[str, Any] = self.ask(q, **options)["results"][0]["moments"][0]
        return moment

    def titles(self, q: str, **options: Any) -> list[str]:
        return [one["title"] for one in self.ask(q, **options)["results"]]

    def suggested(self, q: str) -> list[str]:
        words: list[str] = self.api.http.get("/api/search/suggest", params={"q": q}).json()["suggestions"]
        return words


@pytest.fixture(scope="module")
def library(addresses: Mapping[str, str]) -> Iterator[Library]:
    with running_api(addresses) as api:
        api.services.vectors.prepare()
        databases = add_lecture(api.services, api.user_id, "데이터베이스 입문", *DATABASES)
        gradients = add_lecture(api.services, api.user_id, "Why gradients vanish", *GRADIENTS, language="en")
        yield Library(api, databases, gradients)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("트랜잭션", 1),
        ("트랜잭션이란 무엇인가요?", 1),
        ("찾아 보기", 2),
        ("gpu", 3),
        ("색인", 2),
    ],
)
def test_the_best_moment_begins_with_the_sentence_that_answers(library: Library, question: str, sentence: int) -> None:
    best = library.best(question)
    assert best["start_time"] == sentence * PACE
    assert best["text"].startswith(DATABASES[sentence])


def test_a_question_in_one_language_finds_the_answer_in_the_other(library: Library) -> None:
    assert library.titles("기울기가 사라지는 까닭")[0] == "Why gradients vanish"
    assert library.titles("all or nothing in a database transaction")[0] == "데이터베이스 입문"


def test_a_moment_says_why_it_is_there_and_marks_the_words(library: Library) -> None:
    best = library.best("트랜잭션은 모두 되거나")
    assert best["matched"] == ["words", "meaning"]
    marked = [best["text"][start:end] for start, end in best["highlights"]]
    assert marked[:2] == ["트랜잭션은", "모두"]
    assert library.best("색인", mode="keyword")["matched"] == ["words"]
    assert library.best("색인", mode="semantic") | {"matched": ["meaning"], "highlights": []} == library.best(
        "색인", mode="semantic"
    )


def test_quotes_ask_for_the_very_words_and_a_minus_leaves_out(library: Library) -> None:
    assert [one["start_time"] for one in library.ask('"모두되거나"')["results"][0]["moments"]] == [PACE]
    relaxed = library.ask('"되거나 모두"')
    assert relaxed["relaxed"]
    assert relaxed["results"]
    assert not library.ask("되거나 모두")["relaxed"]
    assert all("GPU" not in one["text"].partition(".")[0] for one in _moments(library.ask("학습 -gpu")))
    assert library.api.http.get("/api/search", params={"q": "-gpu"}).json()["code"] == "EMPTY_QUESTION"


def test_what_has_nothing_to_do_with_the_library_finds_nothing(library: Library) -> None:
    assert library.ask("김치", mode="keyword")["results"] == []


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"language": "en"}, ["Why gradients vanish"]),
        ({"title": "GRADIENTS"}, ["Why gradients vanish"]),
        ({"title": "%"}, []),
        ({"max_duration": 3 * PACE}, ["Why gradients vanish"]),
        ({"min_duration": 3 * PACE + 1}, ["데이터베이스 입문"]),
        ({"from": "2999-01-01T00:00:00Z"}, []),
        ({"to": "2001-01-01T00:00:00Z"}, []),
        ({"from": "2001-01-01"}, ["Why gradients vanish", "데이터베이스 입문"]),
        ({"language": "ko", "title": "gradients"}, []),
        ({"title": "\x00"}, []),
        ({"language": "\x00"}, []),
        ({"min_duration": "inf"}, []),
    ],
)
def test_filters_choose_videos(library: Library, filters: dict[str, Any], found: list[str]) -> None:
    assert sorted(library.titles("gradients 데이터베이스", **filters)) == found


@pytest.mark.parametrize("moment", ["yesterday", "2026-13-01", "0001-01-01T00:00:00+23:59", "\x00"])
def test_a_moment_that_is_none_is_refused(library: Library, moment: str) -> None:
    answer = library.api.http.get("/api/search", params={"q": "트랜잭션", "from": moment})
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_PERIOD")


def test_pages_show_every_video_once_while_others_are_indexed(addresses: Mapping[str, str]) -> None:
    with running_api(addresses) as api:
        for number in range(7):
            add_lecture(api.services, api.user_id, f"강의 {number}", f"트랜잭션 강의 {number}입니다.")
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = api.http.get("/api/search", params={"q": "트랜잭션 강의", "limit": 2, **cursor}).json()
            seen += [one["title"] for one in page["results"]]
            if len(seen) == 2:
                add_lecture(api.services, api.user_id, "새 강의", "트랜잭션 강의입니다.")
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert len(seen) == len(set(seen))
        assert {f"강의 {number}" for number in range(7)} <= set(seen)


@pytest.mark.parametrize("cursor", ["x", "====", "AAAA", "가", "A" * 20_000])
def test_a_cursor_that_no_search_gave_is_refused(library: Library, cursor: str) -> None:
    answer = library.api.http.get("/api/search", params={"q": "트랜잭션", "cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_CURSOR")


@pytest.mark.parametrize("question", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("path", ["/api/search", "/api/search/suggest"])
def test_any_text_is_a_question_or_a_clear_refusal(library: Library, path: str, question: str) -> None:
    answer = library.api.http.get(path, params={"q": question.encode("utf-8", "surrogatepass")})
    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 422:
        assert answer.json()["code"] in ("EMPTY_QUESTION", "QUESTION_TOO_LONG", "INVALID_INPUT")


def test_ten_thousand_characters_are_refused_clearly(library: Library) -> None:
    answer = library.api.http.get("/api/search", params={"q": "word " * 2_000})
    assert (answer.status_code, answer.json()["code"]) == (422, "QUESTION_TOO_LONG")


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("ㄷㅇㅌ", "데이터베이스"),
        ("데이ㅌ", "데이터베이스"),
        ("데잍", "데이터베이스"),
        ("데이터베", "데이터베이스"),
        ("grad", "gradients"),
        ("GRAD", "gradients"),
        ("빠른 데이", "빠른 데이터베이스"),
    ],
)
def test_words_are_suggested_while_they_are_typed(library: Library, typed: str, first: str) -> None:
    assert library.suggested(typed)[0] == first


def test_nothing_is_suggested_for_nothing_or_of_others(library: Library) -> None:
    assert library.suggested("") == []
    assert library.suggested("없는말") == []
    with library.api.stranger() as stranger:
        assert stranger.get("/api/search/suggest", params={"q": "데이"}).json()["suggestions"] == []


def test_an_unfinished_word_is_searched_as_the_one_suggested_for_it(library: Library) -> None:
    assert library.best("ㄷㅇㅌ")["text"].startswith(DATABASES[0])


def test_moments_like_one_are_found_and_never_itself(library: Library) -> None:
    path = f"/api/videos/{library.gradients.id}/similar"
    answer = library.api.http.get(path, params={"t": PACE + 1}).json()
    assert (answer["video_id"], answer["time"], answer["text"]) == (library.gradients.id, PACE, GRADIENTS[1])
    own = [one for one in answer["results"] if one["video_id"] == library.gradients.id]
    assert [moment["start_time"] for one in own for moment in one["moments"]] == []
    with library.api.stranger() as stranger:
        assert stranger.get(path, params={"t": 0}).json()["code"] == "VIDEO_NOT_FOUND"


def test_a_silent_video_has_no_similar_moments(library: Library) -> None:
    silent = add_lecture(library.api.services, library.api.user_id, "silent")
    answer = library.api.http.get(f"/api/videos/{silent.id}/similar", params={"t": 0})
    assert (answer.status_code, answer.json()["code"]) == (404, "NOTHING_SAID")


def _moments(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [moment for one in answer["results"] for moment in one["moments"]]
