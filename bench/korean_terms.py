"""Pairs of syllables, morphemes, or both? The same search with each, on clean text and on what a recogniser heard.

Needs `pip install kiwipiepy` (LGPL; not part of biblio). Prints mean reciprocal rank by set, seconds to make the terms
of a thousand sentences, and memory. `--heard` adds the talks as biblio's recogniser hears them, which takes minutes.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
from library import add_user, engines, services_of
from machine import DATA, describe
from retrieval import RetrievalSet, retrieval_sets
from search_quality import ask, fill, heard, scores

from biblio.domain import words
from biblio.domain.search import Mode
from biblio.pipeline.services import Services

Terms = Callable[[str], Iterator[str]]

CONTENT = ("N", "V", "M", "SL", "SN", "SH", "XR")
"""Kinds of morphemes that say something: nouns, verbs, adverbs, foreign words, numbers, roots."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA / "retrieval", help="folder of the retrieval sets")
    parser.add_argument("--heard", action="store_true")
    options = parser.parse_args()
    describe()
    pairs: Terms = words._terms
    kinds: dict[str, Terms] = {"pairs": pairs, "morphemes": morphemes, "both": partial(both, pairs)}
    with engines() as settings, services_of(settings) as services:
        hear = partial(heard, services) if options.heard else None
        sets = [one for one in retrieval_sets(options.data, hear) if one.name.startswith("ko_")]
        for name, terms in kinds.items():
            with patch.object(words, "_terms", terms):
                print(f"{name}: {cost(sets)}", flush=True)
                for one in sets:
                    print(f"  {one.name:36} {line(services, one)}", flush=True)
    return 0


def morphemes(plain: str) -> Iterator[str]:
    for token in _kiwi().tokenize(plain):
        if token.tag.startswith(CONTENT):
            yield token.form


def both(pairs: Terms, plain: str) -> Iterator[str]:
    yield from pairs(plain)
    # Marked, so that a morpheme of two syllables is not taken for a pair of them.
    yield from (f"{one}·" for one in morphemes(plain))


@cache
def _kiwi() -> Any:
    try:
        from kiwipiepy import Kiwi
    except ModuleNotFoundError:
        raise SystemExit("this compares with kiwipiepy: pip install kiwipiepy") from None
    return Kiwi(num_workers=1)


def cost(sets: list[RetrievalSet]) -> str:
    texts = [sentence.text for one in sets for lecture in one.lectures for sentence in lecture.sentences][:1_000]
    words.terms_of(texts[0])  # loads what it needs
    began = time.perf_counter()
    for text in texts:
        words.terms_of(text)
    took = (time.perf_counter() - began) / len(texts) * 1_000
    memory = psutil.Process().memory_info().rss / 1024**2
    return f"{took:.2f} s for 1,000 sentences, {memory:.0f} MB in this process"


def line(services: Services, one: RetrievalSet) -> str:
    user = add_user(services, one.name)
    names = fill(services, user, one)
    figures = []
    for mode in (Mode.KEYWORD, Mode.HYBRID):
        seen = [ask(services, user, query, mode, names) for query in one.queries]
        figures.append(f"{mode} {scores(seen)['mrr@10']:.4f}")
    return "  ".join(figures)


if __name__ == "__main__":
    sys.exit(main())
