import pickle

import pytest

from biblio import errors
from biblio.errors import AdapterError, BiblioError, NotFound, RateLimited, Unavailable

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BiblioError)]


def test_every_kind_has_a_code_of_its_own() -> None:
    assert len(KINDS) == 14
    assert len({kind.code for kind in KINDS}) == len(KINDS)


def test_only_what_may_pass_is_worth_another_try() -> None:
    assert {kind for kind in KINDS if kind.retryable} == {Unavailable, RateLimited}


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_its_sentence_and_keeps_code_and_details(kind: type[BiblioError]) -> None:
    plain, special = kind("문장입니다."), kind("Sentence.", code="SPECIAL", limit=3)
    assert (str(plain), plain.message, plain.code) == ("문장입니다.", "문장입니다.", kind.code)
    assert (special.code, special.details["limit"]) == ("SPECIAL", 3)
    assert kind("Another.").code == kind.code


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_crosses_a_process_border_whole(kind: type[BiblioError]) -> None:
    error = kind("문장입니다.", code="SPECIAL", limit=3)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.message, copy.code, copy.details) == (kind, error.message, error.code, error.details)


def test_the_wait_that_a_service_asked_for_crosses_too() -> None:
    copy = pickle.loads(pickle.dumps(RateLimited("Later.", retry_after=2.5)))
    assert copy.retry_after == 2.5
    assert RateLimited("Later.").retry_after is None


def test_engine_errors_are_one_family_and_others_are_not_in_it() -> None:
    assert issubclass(Unavailable, AdapterError)
    assert not issubclass(NotFound, AdapterError)
